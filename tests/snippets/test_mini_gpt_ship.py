"""The model that ships: small, as its card says, and good at what it learned."""

import hashlib
import json

import pytest
import torch

from literate.project import SNIPPETS
from snippets.data import read_data
from snippets.mini_gpt import ship
from snippets.mini_gpt.data import tokenizer_state
from snippets.mini_gpt.generate import Sampling, generate_rows
from snippets.mini_gpt.load import Trained, load_trained
from snippets.mini_gpt.model import GPT2
from snippets.mini_gpt.plan import make_plan
from snippets.mini_gpt.ship import mean_loss
from snippets.modules import count_parameters

WEIGHTS = SNIPPETS / "data" / "mini-gpt.safetensors"


@pytest.fixture(scope="module")
def trained() -> Trained:
    return load_trained(WEIGHTS)


@pytest.fixture(scope="module")
def card() -> dict:
    return json.loads(read_data("mini-gpt.json"))


def test_it_is_small(trained, card):
    assert WEIGHTS.stat().st_size <= 2 * 2**20
    assert isinstance(trained.model, GPT2)
    assert count_parameters(trained.model) == card["parameters"] <= 1_000_000


def test_the_card_is_of_these_weights(card):
    assert card["sha256"] == hashlib.sha256(WEIGHTS.read_bytes()).hexdigest()
    assert card["validation_loss"] <= 1.55
    assert {"data", "command", "seed", "date"} <= card.keys()


def test_it_writes_words_of_its_text(trained):
    prompt = trained.tokenizer.encode("\n")
    (ids,) = generate_rows(trained.model, [prompt], 300, Sampling(temperature=0.5))
    words = trained.tokenizer.decode(ids).split()
    common = {"the", "and", "to", "of", "I", "my", "that", "is", "in", "a", "you"}
    assert len(words) > 30
    assert sum(word in common for word in words) > len(words) / 10


def test_it_is_as_good_on_an_excerpt_as_the_card_says(trained, card):
    assert card["excerpt_loss"] < 1.8
    assert abs(mean_loss(trained, card["excerpt"]) - card["excerpt_loss"]) < 0.01
    shuffled = "".join(sorted(card["excerpt"]))
    assert mean_loss(trained, shuffled) > 2 * card["excerpt_loss"]


def test_its_tokenizer_is_of_the_text(trained):
    state = tokenizer_state(trained.tokenizer)
    assert state["kind"] == "char" and len(state["characters"]) == 65


def test_the_program_writes_weights_and_their_card(tmp_path, monkeypatch):
    text = "The hen sat in the barn. The cock sat on the roof.\n" * 40
    (tmp_path / "text.txt").write_text(text, "utf8", newline="")
    tiny = {"context_length": 8, "d_model": 16, "n_heads": 2, "n_layers": 1}
    tiny |= {"steps": 4, "batch_size": 2, "evaluate_every": 2, "warmup": 0}
    tiny["data"] = str(tmp_path / "text.txt")
    monkeypatch.setattr(ship, "make_plan", lambda given: make_plan(given | tiny))
    monkeypatch.setattr(ship, "load_text", lambda name: text)
    monkeypatch.setattr(ship, "pick_device", lambda: torch.device("cpu"))
    assert ship.main(["--out", str(tmp_path / "out")]) == 0
    made = load_trained(tmp_path / "out" / "mini-gpt.safetensors")
    written = json.loads((tmp_path / "out" / "mini-gpt.json").read_text("utf8"))
    assert written["parameters"] == count_parameters(made.model)
    assert written["steps"] in (2, 4)
    assert mean_loss(made, written["excerpt"]) == pytest.approx(
        written["excerpt_loss"], abs=1e-3
    )
