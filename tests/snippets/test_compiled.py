"""The recorded times of compiled programs."""

import json

from benchmarks.compiled import PROGRAMS
from snippets.data import read_data

RECORD = json.loads(read_data("compiled.json"))


def test_every_program_was_timed_at_both_sizes():
    wanted = [(name, size) for name, (_, sizes) in PROGRAMS.items() for size in sizes]
    assert [(run["program"], run["size"]) for run in RECORD["runs"]] == wanted
    assert all(min(run["plain"], run["compiled"]) > 0 for run in RECORD["runs"])


def test_the_record_says_where_it_was_made():
    assert RECORD["command"] == "python -m benchmarks.compiled --record"
    assert {"date", "processor", "threads", "torch"} <= RECORD["machine"].keys()
