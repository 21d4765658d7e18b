"""`benchmarks/scaling.py` and what it recorded."""

import json

from benchmarks import scaling
from snippets.data import read_data
from snippets.mini_gpt import first
from snippets.mini_gpt.model import GPT2Config

RECORD = json.loads(read_data("scaling.json"))


def test_the_record_has_all_sizes_and_seeds():
    assert RECORD["command"] == "python -m benchmarks.scaling --record"
    found = [(run["width"], run["seed"]) for run in RECORD["runs"]]
    assert found == [(w, s) for w in scaling.WIDTHS for s in scaling.SEEDS]
    assert all(run["points"][-1][0] == first.STEPS for run in RECORD["runs"])


def test_the_record_was_made_by_this_program():
    (now,) = scaling.measure([8], [0], steps=first.STEPS // 10)
    then = RECORD["runs"][0]
    same = ("width", "seed", "parameters", "in blocks")
    assert {n: now[n] for n in same} == {n: then[n] for n in same}
    assert len(now["text"]) == len(then["text"])


def test_the_widest_of_the_record_is_the_model_of_the_program():
    program = GPT2Config(61, first.T, d_model=128, n_heads=4, n_layers=4)
    assert scaling.make_model(128, 61).config == program
