"""Pages as authors write them: line numbers, includes, fences."""

import os

import pytest
from markdown import Markdown
from mkdocs.utils.meta import get_data

from literate import parse as parse_module
from literate.page import Line, Page, pages, read
from literate.parse import expand, fences, parse, parsed_pages
from literate.project import DOCS, PageError


def lines(text: str) -> list[Line]:
    return Page(None, text).lines()


def test_lines_are_numbered_as_in_the_file(tmp_path):
    path = tmp_path / "page.md"
    path.write_text("---\ntitle: A page\n---\n\n\n# Title\n\ntext\n", "utf8")
    page = read(path)
    assert page.meta == {"title": "A page"}
    assert page.lines()[0] == Line(6, "# Title")
    assert page.line_of("text") == 8


def test_a_page_without_front_matter_starts_at_line_1(tmp_path):
    path = tmp_path / "page.md"
    path.write_text("# Title\n", "utf8")
    assert read(path).lines()[0] == Line(1, "# Title")


def test_pages_with_the_same_words_are_two_pages():
    assert Page(DOCS / "a.md", "text") != Page(DOCS / "b.md", "text")


def test_a_page_is_read_once_until_it_changes(tmp_path):
    path = tmp_path / "page.md"
    path.write_text("one", "utf8")
    os.utime(path, (1, 1))
    first = read(path)
    assert read(path) is first
    path.write_text("two", "utf8")
    assert read(path).body == "two"


def test_what_mkdocs_hands_to_markdown_is_the_body():
    for page in pages():
        assert get_data(page.path.read_text("utf-8-sig"))[0] == page.body


@pytest.fixture
def including(tmp_path, monkeypatch):
    """A page that includes a file, and the file."""
    monkeypatch.setattr(parse_module, "DOCS", tmp_path)
    options = {"base_path": [str(tmp_path)], "check_paths": True}
    include = Markdown(
        extensions=["pymdownx.snippets"],
        extension_configs={"pymdownx.snippets": options},
    ).preprocessors["snippet"]
    monkeypatch.setattr(parse_module, "_include", lambda: include)
    page, file = tmp_path / "page.md", tmp_path / "code.py"
    page.write_text('```python\n--8<-- "code.py"\n```\n', "utf8")
    file.write_text("x = 1\n", "utf8")
    for path in (page, file):
        os.utime(path, (1, 1))
    return page, file


def test_a_page_is_taken_apart_once_until_it_or_an_include_changes(including):
    page, file = including
    first = parse(read(page))
    assert first.blocks[0].source.strip() == "x = 1"
    assert parse(read(page)) is first
    file.write_text("x = 2\n", "utf8")
    assert parse(read(page)).blocks[0].source.strip() == "x = 2"


def test_each_page_is_taken_apart_once_however_often_it_is_asked_for(monkeypatch):
    """The cost of a build or a collection follows the number of pages, once."""
    parsed_pages()
    taken = []
    monkeypatch.setattr(parse_module, "_parse", taken.append)
    for _ in range(3):
        parsed_pages()
    assert taken == []


def test_all_problems_of_a_page_are_told_in_order():
    text = "/// quiz\n\n```py\n```\n\n- ```text\n"
    with pytest.raises(PageError) as caught:
        parse(Page(None, text)).sound()
    lines = str(caught.value).split("\n")
    assert [line.split(":")[1] for line in lines] == ["1", "1", "3", "6"]


def test_an_included_line_has_the_number_of_the_line_that_includes_it():
    text = 'before\n    --8<-- "attention.py:causal-mask"\nafter'
    expanded, problems = expand(lines(text))
    assert problems == []
    assert expanded[0] == Line(1, "before")
    assert expanded[1].text.startswith("    def causal_mask")
    assert {line.number for line in expanded[1:-1]} == {2}
    assert expanded[-1] == Line(3, "after")


@pytest.mark.parametrize(
    ("include", "message"),
    [
        ('--8<-- "attention.py:no-such-section"', "no-such-section"),
        ('--8<-- "no_such_file.py"', "no_such_file.py"),
        ('--8<-- "../README.md"', "README.md"),
        ("--8<--", "write an include as one line"),
        ("> --8<-- attention.py", "write an include as one line"),
    ],
)
def test_an_include_that_cannot_be_found_is_named_with_its_line(include, message):
    _, problems = expand(lines(f"text\n\n{include}\n"))
    assert [problem.line for problem in problems] == [3]
    assert message in problems[0].message


PYTHON = ["python", "Python", "PY", "py", "python3", "python3.12", "ipython", "pycon"]
NOT_PYTHON = ["", "text", "pytb", "console", "mypython", "pyret", "json", "python-x"]


@pytest.mark.parametrize("word", [*PYTHON, "{.python}", "{ .py .x }", "python-repl"])
def test_python_is_recognised_however_it_is_spelt(word):
    (fence,), problems = fences(lines(f"```{word}\nx = 1\n```"))
    assert fence.is_python and problems == []


@pytest.mark.parametrize("word", NOT_PYTHON)
def test_other_languages_are_left_alone(word):
    (fence,), _ = fences(lines(f"```{word}\nx = 1\n```"))
    assert not fence.is_python


def test_a_fence_in_a_longer_fence_is_text():
    found, problems = fences(lines("````markdown\n```python\n1\n```\n````"))
    assert [fence.info for fence in found] == ["markdown"]
    assert problems == []


def test_tildes_close_only_tildes():
    found, problems = fences(lines("~~~python\n```\n~~~\n"))
    assert [(fence.start, fence.end) for fence in found] == [(0, 2)]
    assert problems == []


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("a\n\n```python\nx = 1\n", 3, "never closed"),
        ("- ```python\n  x = 1\n  ```", 1, "on a line of its own"),
        ("1. ```python", 1, "on a line of its own"),
    ],
)
def test_a_fence_that_markdown_would_not_see_is_named(text, line, message):
    _, problems = fences(lines(text))
    assert problems[0].line == line
    assert message in problems[0].message


def test_a_fence_knows_the_heading_above_it():
    text = (
        "```text\n```\n# A title!\n```text\n```\n## Named {#here}\n```text\n# no\n```\n"
        "```text\n```"
    )
    found, _ = fences(lines(text))
    assert [fence.heading for fence in found] == ["top", "a-title", "here", "here"]
