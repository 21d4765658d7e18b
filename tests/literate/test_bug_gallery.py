"""The gallery of bugs: each case is complete, runs alone, and is in the index."""

import contextlib
import io
import re

import matplotlib
import pytest

from literate.page import read
from literate.parse import parse
from literate.project import DOCS
from tests.labs.find_the_bug import WRONG

PAGE = read(DOCS / "pytorch" / "day-7" / "bug-gallery.md")
BLOCKS = parse(PAGE).sound().blocks
CASES = {}
for block in BLOCKS:
    if match := re.match(r"(\d+-[\w-]+) \d+$", block.label):
        CASES.setdefault(match[1], []).append(block)
PRELUDE = BLOCKS[0]
each_case = pytest.mark.parametrize("name", CASES)
IN_THE_PROGRAM = {"15-a-sum-that-keeps-everything", "20-the-mode-that-stayed"}


def test_there_are_more_than_fifteen_and_they_are_numbered():
    numbers = [int(name.split("-")[0]) for name in CASES]
    assert numbers == list(range(1, len(numbers) + 1))
    assert len(numbers) >= 15


def test_each_case_has_a_row_in_the_index_in_the_order_of_the_page():
    assert re.findall(r"\]\(#(\d+-[\w-]+)\)", PAGE.body) == list(CASES)


@each_case
def test_a_case_shows_the_broken_program_the_tool_and_the_fixed_one(name):
    titles = [block.options.title for block in CASES[name]]
    tool = [] if name in IN_THE_PROGRAM else ["the tool"]
    assert list(dict.fromkeys(titles)) == ["broken", *tool, "fixed"]
    assert titles[0] == "broken" and titles[-1] == "fixed"


@each_case
def test_a_case_runs_with_the_first_block_alone(name):
    with matplotlib.rc_context({"backend": "agg"}):
        namespace: dict = {"__name__": "gallery"}
        printed = [run(block, namespace) for block in (PRELUDE, *CASES[name])][1:]
    assert printed[0] != printed[-1]  # what the repair changes can be seen


def run(block, namespace: dict) -> str:
    """What a block prints, or the error that it must raise."""
    told = io.StringIO()
    raises = block.options.raises
    code = compile(block.source, f"{PAGE.name}:{block.line}", "exec")
    with contextlib.redirect_stdout(told):
        if raises:
            with pytest.raises(Exception) as caught:
                exec(code, namespace)
            assert type(caught.value).__name__ == raises
            return raises
        exec(code, namespace)
    return told.getvalue()


def test_the_lab_has_ten_programs():
    assert len(WRONG) == 10
