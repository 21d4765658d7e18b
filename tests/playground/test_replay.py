"""The recorded run: what the model writes, in Python and in a browser."""

import json

import pytest

from tests.playground.test_gpt import SHIPPED, ask
from tools import replay


@pytest.fixture(scope="module")
def recorded() -> dict:
    return json.loads(replay.TARGET.read_text("utf8"))


def test_the_draws_are_those_of_the_script():
    pairs = [(seed, n) for seed in (0, 1, 31, 2**31 - 1) for n in (0, 1, 7, 500)]
    assert ask("uniform", pairs) == [replay.uniform(*pair) for pair in pairs]


def test_it_is_what_the_command_records(recorded):
    again = replay.record()
    kept = ("prompt", "seed", "sampling")
    assert {key: recorded[key] for key in kept} == {key: again[key] for key in kept}
    assert len(recorded["tokens"]) == len(again["tokens"]) > 100
    for (token, ours), (other, theirs) in zip(
        recorded["tokens"], again["tokens"], strict=True
    ):
        assert token == other
        assert dict(ours) == pytest.approx(dict(theirs), abs=1e-3)
    assert replay.TARGET.stat().st_size < 15_000


def test_the_playground_writes_the_same_with_its_settings(recorded):
    first = len(recorded["prompt"])
    places = range(first, first + len(recorded["tokens"]))
    draws = [replay.uniform(recorded["seed"], n) for n in places]
    asked = {key: recorded[key] for key in ("prompt", "sampling")}
    texts = [asked | {"draws": draws, "stop": ""}]
    (text,) = ask("write", {"file": str(SHIPPED), "texts": texts})
    assert text == "".join(token for token, _ in recorded["tokens"])
