"""`snippets/mini_gpt/first.py`: it learns, writes, and runs as a file."""

import math
import subprocess
import sys
from itertools import pairwise

import pytest
import torch

from literate.project import ROOT
from snippets.data import read_data
from snippets.gpt import CharTokenizer
from snippets.mini_gpt import first
from snippets.mini_gpt.model import GPT2, GPT2Config

FILE = ROOT / "snippets" / "mini_gpt" / "first.py"
TEXT = "the old hen sat on her nest. " * 60
LETTERS = CharTokenizer(TEXT)
IDS = torch.tensor(LETTERS.encode(TEXT))


@pytest.fixture
def model():
    torch.manual_seed(0)
    V = len(LETTERS.characters)
    return GPT2(GPT2Config(V, first.T, d_model=16, n_heads=1, n_layers=1, dropout=0.2))


@pytest.fixture
def short(monkeypatch):
    """The program, with few and small steps."""
    monkeypatch.setattr(first, "STEPS", 3)
    monkeypatch.setattr(first.train, "__defaults__", (3, first.LR))


def test_targets_are_the_inputs_shifted_by_one():
    inputs, targets = first.random_batch(IDS)
    assert inputs.shape == targets.shape == (first.B, first.T)
    assert torch.equal(inputs[:, 1:], targets[:, :-1])


def test_a_text_of_one_window_gives_that_window():
    inputs, targets = first.random_batch(IDS[: first.T + 1])
    assert (inputs == IDS[: first.T]).all() and (targets == IDS[1 : first.T + 1]).all()


def test_evaluation_is_the_mean_over_all_windows_and_goes_back_to_training(model):
    n = (len(IDS) - 1) // first.T
    assert n % first.B  # the last batch is smaller
    found = first.evaluate(model, IDS)
    assert model.training and first.evaluate(model, IDS) == found
    model.eval()
    losses = [
        first.loss_of(
            model,
            IDS[None, i * first.T : (i + 1) * first.T],
            IDS[None, i * first.T + 1 : (i + 1) * first.T + 1],
        ).item()
        for i in range(n)
    ]
    assert found == pytest.approx(sum(losses) / n, rel=1e-5)


def test_the_rate_rises_to_its_peak_and_falls_to_a_tenth():
    rates = [first.learning_rate(step, 100, 2.0) for step in range(1, 101)]
    assert rates[:10] == pytest.approx([0.2 * step for step in range(1, 11)])
    assert max(rates) == rates[9] == 2.0 and rates[-1] == pytest.approx(0.2)
    assert all(a > b for a, b in pairwise(rates[9:]))
    assert first.learning_rate(1, 1, 2.0) == pytest.approx(0.2)  # no warm-up


def test_matrices_decay_and_vectors_do_not(model):
    decayed, rest = first.make_optimizer(model).param_groups
    assert decayed["weight_decay"] == 0.1 and rest["weight_decay"] == 0.0
    assert all(p.dim() >= 2 for p in decayed["params"])
    assert all(p.dim() < 2 for p in rest["params"])
    count = len(decayed["params"]) + len(rest["params"])
    assert count == len(list(model.parameters()))


def test_it_learns(model, capsys):
    points = first.train(model, IDS, IDS, steps=120, peak=1e-2)
    assert [step for step, *_ in points] == [100, 120]
    assert points[-1][2] < 1 < math.log(len(LETTERS.characters))
    assert capsys.readouterr().out.startswith("step 100: batch ")


def test_writing_appends_and_needs_no_room_in_the_window(model):
    text = first.write(model, LETTERS, TEXT[: first.T + 5], 3)
    assert text.startswith(TEXT[: first.T + 5]) and len(text) == first.T + 8


def test_what_it_saves_can_write(tmp_path, monkeypatch, capsys, short):
    monkeypatch.chdir(tmp_path)
    tmp_path.joinpath("my.txt").write_text(TEXT, "utf8")
    first.main("my.txt")
    assert len(capsys.readouterr().out.split("validation", 1)[1]) > 300
    saved = torch.load("first.pt")
    model = GPT2(GPT2Config(**saved["config"]))
    model.load_state_dict(saved["model"])
    assert first.write(model, CharTokenizer(saved["characters"]), "t", 2)[0] == "t"


def test_a_text_that_is_too_short_is_refused(tmp_path):
    tmp_path.joinpath("my.txt").write_text("a" * 100, "utf8")
    with pytest.raises(ValueError, match="100 characters: a text needs 650 or more"):
        first.main(str(tmp_path / "my.txt"))


def test_it_runs_as_a_file_and_reads_the_text_that_it_is_given(tmp_path):
    command = [sys.executable, str(FILE), "none.txt"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, encoding="utf8")
    assert done.returncode == 1 and "none.txt" in done.stderr


def test_without_a_text_it_takes_the_tales(tmp_path, monkeypatch, capsys, short):
    monkeypatch.chdir(tmp_path)
    first.main()
    characters = torch.load("first.pt")["characters"]
    assert set(characters) == set(read_data("tales.txt").decode())
