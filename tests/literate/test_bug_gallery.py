"""The gallery of bugs, on two pages: each case is complete, runs alone, is listed."""

import contextlib
import io
import re

import matplotlib
import pytest

from literate.page import read
from literate.parse import parse
from literate.project import DOCS
from tests.labs.find_the_bug import WRONG

FOLDER = DOCS / "pytorch" / "day-7"
PAGES = [read(FOLDER / f"{name}.md") for name in ("bug-gallery", "bug-gallery-deeper")]
FOUND = [(page, block) for page in PAGES for block in parse(page).sound().blocks]
CASES = {}
IMPORTS = {}
for page, block in FOUND:
    if match := re.match(r"(\d+-[\w-]+) \d+$", block.label):
        CASES.setdefault((page.path.name, match[1]), []).append(block)
    elif block.options.fold == "Imports, and the images":
        IMPORTS[page.path.name] = block
each_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case[1])
IN_THE_PROGRAM = {"15-a-sum-that-keeps-everything", "20-the-mode-that-stayed"}


def number(name: str) -> int:
    return int(name.split("-")[0])


def test_they_are_numbered_over_both_pages_and_rise_on_each():
    assert len(IMPORTS) == len(PAGES)
    for own in IMPORTS:
        numbers = [number(name) for file, name in CASES if file == own]
        assert numbers == sorted(numbers)
    assert sorted(number(name) for _, name in CASES) == list(range(1, 23))


def test_each_case_has_a_row_in_the_index_in_the_order_of_the_numbers():
    own = PAGES[0].path.name
    rows = re.findall(r"^\|.*?\(([\w.-]*)#(\d+-[\w-]+)\)", PAGES[0].body, re.MULTILINE)
    listed = [(file or own, name) for file, name in rows]
    assert listed == sorted(CASES, key=lambda case: number(case[1]))


@each_case
def test_a_case_shows_the_broken_program_the_tool_and_the_fixed_one(case):
    titles = [block.options.title for block in CASES[case]]
    tool = [] if case[1] in IN_THE_PROGRAM else ["the tool"]
    assert list(dict.fromkeys(titles)) == ["broken", *tool, "fixed"]
    assert titles[0] == "broken" and titles[-1] == "fixed"


@each_case
def test_a_case_runs_with_the_imports_alone(case):
    imports = IMPORTS[case[0]]
    with matplotlib.rc_context({"backend": "agg"}):
        namespace: dict = {"__name__": "gallery"}
        printed = [run(block, namespace) for block in (imports, *CASES[case])][1:]
    assert printed[0] != printed[-1]  # what the repair changes can be seen


def run(block, namespace: dict) -> str:
    """What a block prints, or the error that it must raise."""
    told = io.StringIO()
    raises = block.options.raises
    code = compile(block.source, f"{block.label}:{block.line}", "exec")
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
