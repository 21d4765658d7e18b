"""No Python on a page escapes being run, no expectation outlives its block."""

import re

import pytest

from literate import expected
from literate.page import pages
from literate.parse import parse

PAGES = pages()
BLOCKS = {page.name: parse(page).sound().blocks for page in PAGES}
each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)

# Read on purpose without the code that finds fences for the site
ANY_FENCE = re.compile(r"^\W*?(?P<mark>`{3,}|~{3,})(?P<info>.*)$")
LOOKS_LIKE_PYTHON = re.compile(r"\W*i?py", re.IGNORECASE)


def looks_like_python(text: str) -> list[int]:
    """The lines of everything that a person would take for a Python fence."""
    found, mark = [], None
    for number, line in enumerate(text.split("\n"), 1):
        match = ANY_FENCE.match(line)
        if match and mark is None:
            mark = match["mark"]
            if LOOKS_LIKE_PYTHON.match(match["info"]):
                found.append(number)
        elif match and match["mark"] == mark and not match["info"].strip():
            mark = None
    return found


@each_page
def test_every_python_fence_is_collected(page):
    text = page.path.read_text("utf8")
    assert [block.line for block in BLOCKS[page.name]] == looks_like_python(text)


@pytest.mark.parametrize(
    "info", ["python", "py", " Python3", "{.py}", "ipython", "pycon"]
)
@pytest.mark.parametrize("prefix", ["", "    ", "> ", "- ", "> > "])
def test_the_check_sees_python_however_it_is_written(info, prefix):
    assert looks_like_python(f"text\n{prefix}```{info}\n1\n{prefix}```") == [2]


def test_the_check_leaves_fences_in_fences_alone():
    assert looks_like_python("````text\n```python\n```\n````\n```sh\n```") == []


@each_page
def test_no_expectation_is_stale(page):
    compared = {
        block.label
        for block in BLOCKS[page.name]
        if not (block.options.notest or block.options.nocheck)
    }
    assert set(expected.read(page.path)) <= compared, (
        "make outputs removes what is stale"
    )


def test_no_expected_file_is_left_of_a_page_that_is_gone():
    assert expected.stale() == []


@each_page
def test_code_is_narrow_enough_for_a_page(page):
    for block in BLOCKS[page.name]:
        for number, line in zip(block.lines, block.source.split("\n"), strict=False):
            assert len(line) <= 88, f"{page.name}:{number} has {len(line)} columns"


@each_page
def test_a_block_that_defines_something_says_where_it_lives(page):
    for block in BLOCKS[page.name]:
        is_solution = block.label.startswith("exercises ")
        defines = re.search(r"^(def|class) ", block.source, re.MULTILINE)
        if defines and not is_solution:
            where = f"{page.name}:{block.line}: title= names a file of snippets/,"
            assert block.options.title, f"{where} or says 'only for this page'"


@each_page
def test_prose_has_no_filler_and_no_exclamation(page):
    for number, text in parse(page).outside():
        plain = re.sub(r"`[^`]*`|!!!|!\[|\\!|<!--.*?-->|\$[^$]*\$", "", text)
        found = re.search(r"\b(simply|obviously|of course|trivially)\b|!", plain, re.I)
        assert not found, f"{page.name}:{number}: {found[0]!r}"
