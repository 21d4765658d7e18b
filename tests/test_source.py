"""Pages as authors write them: line numbers, includes, fences."""

import pytest

from literate import source
from literate.source import Line, Page, expand, fences


def lines(text: str) -> list[Line]:
    return Page(None, text).lines()


def test_lines_are_numbered_as_in_the_file(tmp_path):
    path = tmp_path / "page.md"
    path.write_text("---\ntitle: A page\n---\n\n\n# Title\n\ntext\n", "utf8")
    page = source.read(path)
    assert page.meta == {"title": "A page"}
    assert page.lines()[0] == Line(6, "# Title")
    assert page.line_of("text") == 8


def test_a_page_without_front_matter_starts_at_line_1(tmp_path):
    path = tmp_path / "page.md"
    path.write_text("# Title\n", "utf8")
    assert source.read(path).lines()[0] == Line(1, "# Title")


def test_a_page_is_found_by_its_body():
    page = next(p for p in source.pages() if p.name == "docs/plan.md")
    assert source.page_of(page.body).name == "docs/plan.md"
    assert source.page_of("no page has this text").path is None


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
