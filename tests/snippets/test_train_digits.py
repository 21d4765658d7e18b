"""The training program: it learns, resumes bit for bit, and tests once."""

import ast
import json
import math
from pathlib import Path

import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

import snippets.train_digits as program
from snippets.digits import Digits, split_digits

MOST_LINES = 150
CPU = torch.device("cpu")


def run(out: Path, *more: str, epochs: int = 2) -> None:
    """The program, on the command line, without accelerators."""
    words = ["--out", str(out), "--epochs", str(epochs), "--device", "cpu", *more]
    program.main(words)


def scalars(out: Path, tag: str) -> list[tuple[int, float]]:
    events = EventAccumulator(str(out)).Reload()
    return [(event.step, event.value) for event in events.Scalars(tag)]


def same(a: object, b: object) -> bool:
    """Whether two checkpoints hold the same, bit for bit."""
    if isinstance(a, torch.Tensor):
        return isinstance(b, torch.Tensor) and torch.equal(a, b)
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    if isinstance(a, list | tuple) and isinstance(b, list | tuple):
        return len(a) == len(b) and all(map(same, a, b))
    return a == b


def cut_power(monkeypatch, batch: int) -> None:
    """Let the program die before a batch, counted over all epochs."""
    clip, count = torch.nn.utils.clip_grad_norm_, 0

    def dying(*args, **options):
        nonlocal count
        count += 1
        if count == batch:
            raise KeyboardInterrupt
        return clip(*args, **options)

    monkeypatch.setattr(torch.nn.utils, "clip_grad_norm_", dying)


@pytest.fixture(scope="module")
def finished(tmp_path_factory) -> Path:
    """A run of four epochs that nothing stopped."""
    out = tmp_path_factory.mktemp("runs") / "whole"
    run(out, epochs=4)
    return out


def test_it_learns_and_logs(finished):
    losses = scalars(finished, "loss/validation")
    assert [step for step, _ in losses] == [1, 2, 3, 4]
    assert losses[-1][1] < 0.5 < losses[0][1]
    accuracies = [value for _, value in scalars(finished, "accuracy/validation")]
    assert max(accuracies) > 0.9
    rates = [value for _, value in scalars(finished, "lr")]
    assert rates == sorted(rates, reverse=True)  # the warm-up is over in epoch 1
    assert rates[-1] < 1e-4


def test_the_best_model_is_the_one_with_the_lowest_validation_loss(finished):
    best = program.load(finished / "best.pt")
    losses = [value for _, value in scalars(finished, "loss/validation")]
    assert best["best"] == pytest.approx(min(losses))
    assert best["epoch"] == 1 + losses.index(min(losses))
    again = program.Run(program.Settings(3e-3, 64, 4, seed=7), CPU)
    again.model.load_state_dict(best["model"])
    loss, _ = program.evaluate(again, again.validation)
    assert loss == best["best"]


@pytest.mark.parametrize("batch", [1, 19 * 2, 19 * 2 + 1, 19 * 4])
def test_a_resumed_run_equals_one_that_nothing_stopped(
    batch, finished, tmp_path, monkeypatch
):
    out = tmp_path / "stopped"
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        cut_power(patch, batch)
        run(out, epochs=4)
    torch.rand(5)  # another process has drawn other numbers
    run(out, *(["--resume"] if batch > 19 else []), epochs=4)
    for name in ("last.pt", "best.pt"):
        assert same(program.load(out / name), program.load(finished / name))
    for tag in ("loss/train", "loss/validation", "lr"):
        assert scalars(out, tag) == scalars(finished, tag)


def test_the_random_state_is_that_of_the_device_of_the_run(monkeypatch):
    """Also where it is not the first of its kind; here that is a stand-in."""
    states = {"cuda:0": torch.zeros(1), "cuda:1": torch.ones(1)}

    class Device:
        @staticmethod
        def get_rng_state(device="cuda:0"):
            return states[str(device)]

        @staticmethod
        def set_rng_state(state, device="cuda:0"):
            states[str(device)] = state

    run = program.Run(program.Settings(0.1, 600, 1, 0), CPU)
    run.device = torch.device("cuda:1")
    monkeypatch.setattr(program, "get_device_module", lambda device: Device)
    state = run.state_dict()
    assert state["device"] == 1
    run.load_state_dict(state | {"device": torch.tensor([2.0])})
    assert (states["cuda:0"], states["cuda:1"]) == (0, 2)


def test_a_finished_run_is_resumed_by_doing_nothing(finished, capsys):
    before = (finished / "last.pt").read_bytes()
    run(finished, "--resume", epochs=4)
    assert (finished / "last.pt").read_bytes() == before
    assert "%" not in capsys.readouterr().out


def test_the_seed_decides(finished, tmp_path):
    run(tmp_path / "same", epochs=4)
    assert same(*(program.load(p / "last.pt") for p in (tmp_path / "same", finished)))
    run(tmp_path / "other", "--seed", "1", epochs=1)
    first = scalars(finished, "loss/train")[0][1]
    assert scalars(tmp_path / "other", "loss/train")[0][1] != first


def test_the_test_split_is_opened_at_the_end_and_once(tmp_path, monkeypatch, capsys):
    opened, split = [], split_digits()[1]  # validation stands in for it here
    out = tmp_path / "run"

    class Parts(tuple):
        def __getitem__(self, index):
            opened.append(program.load(out / "last.pt")["epoch"])
            return super().__getitem__(index)

    monkeypatch.setattr(
        program, "split_digits", lambda: Parts((split_digits()[0], split, split))
    )
    run(out, "--test")
    assert opened == [2]
    found = json.loads((out / "test.json").read_text("utf8"))
    assert found["loss"] == program.load(out / "best.pt")["best"]
    p = found["accuracy"]
    assert found["standard_error"] == pytest.approx(math.sqrt(p * (1 - p) / 300))
    assert f"test: {100 * p:.1f} %" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        run(out, "--resume", "--test")
    assert "the test split has been opened" in capsys.readouterr().err
    assert opened == [2]


BAD = {
    "a negative rate": (["--lr", "-1"], "lr, batch_size and epochs must be above 0"),
    "no rate": (["--lr", "nan"], "must be above 0"),
    "an infinite rate": (["--lr", "inf"], "must be above 0"),
    "an empty batch": (["--batch-size", "0"], "must be above 0"),
    "no epochs": (["--epochs", "0"], "must be above 0"),
    "a word for a number": (["--seed", "x"], "--seed: invalid int value: 'x'"),
    "an unknown device": (["--device", "gpu"], "'gpu' is not a device"),
    "nothing to resume": (["--resume"], "last.pt"),
}


@pytest.mark.parametrize(("words", "message"), BAD.values(), ids=BAD)
def test_arguments_that_cannot_be_are_named(words, message, tmp_path, capsys):
    with pytest.raises(SystemExit) as ended:
        run(tmp_path / "new", *words)
    assert ended.value.code == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "there is a run in"),
        (["--resume", "--lr", "0.1"], "that run has Settings(lr=0.003,"),
        (["--resume", "--seed", "1"], "that run has Settings("),
    ],
)
def test_a_run_is_not_overwritten_and_keeps_its_settings(
    words, message, finished, capsys
):
    before = (finished / "last.pt").read_bytes()
    with pytest.raises(SystemExit):
        run(finished, *words, epochs=4)
    assert message in capsys.readouterr().err
    assert (finished / "last.pt").read_bytes() == before


def test_a_loss_that_is_nan_stops_the_run_before_it_is_saved(tmp_path, monkeypatch):
    monkeypatch.setattr(
        program.F, "cross_entropy", lambda logits, *_, **__: logits.sum() * math.nan
    )
    with pytest.raises(FloatingPointError, match="the loss is nan in epoch 1"):
        run(tmp_path)
    assert not (tmp_path / "last.pt").exists()


@pytest.mark.parametrize("total", [1, 2, 9, 10, 11, 300])
def test_the_rate_goes_up_and_down(total):
    factors = [program.rate_factor(step, total) for step in range(total)]
    assert math.isfinite(program.rate_factor(total, total))  # after the last step
    top = factors.index(1.0)
    assert min(factors) > 0 and max(factors) == 1
    assert top == math.ceil(total / 10) - 1
    assert factors[: top + 1] == sorted(factors[: top + 1])
    assert factors[top:] == sorted(factors[top:], reverse=True)


def test_images_are_moved_by_up_to_a_pixel_to_all_sides():
    image = torch.zeros(1, 1, 8, 8)
    image[0, 0, 4, 4] = 1
    data = program.ShiftedDigits(Digits(image, torch.tensor([3])))
    torch.manual_seed(0)
    places = {tuple(data[0][0].nonzero()[0].tolist()) for _ in range(100)}
    assert places == {(0, row, column) for row in (3, 4, 5) for column in (3, 4, 5)}
    assert len(data) == 1 and data[0][1] == 3


def test_it_stays_short():
    """Without imports, comments, docstrings, empty lines and marks of sections."""
    text = Path(program.__file__).read_text("utf8")
    left_out = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import | ast.ImportFrom):
            left_out |= set(range(node.lineno, node.end_lineno + 1))
        elif isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
            first = node.body[0]
            if ast.get_docstring(node):
                left_out |= set(range(first.lineno, first.end_lineno + 1))
    lines = enumerate(text.split("\n"), 1)
    code = [n for n, line in lines if line.strip() and not line.startswith("#")]
    assert len(set(code) - left_out) <= MOST_LINES
