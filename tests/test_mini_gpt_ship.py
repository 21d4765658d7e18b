"""The model that ships: small, as its card says, and good at what it learned."""

import hashlib
import json

import pytest

from literate.project import SNIPPETS
from snippets.data import read_data
from snippets.mini_gpt.data import tokenizer_state
from snippets.mini_gpt.load import Trained, load_trained
from snippets.mini_gpt.model import GPT2, count_parameters
from snippets.mini_gpt.sample import Sampling, generate_rows
from snippets.mini_gpt.ship import mean_loss

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
