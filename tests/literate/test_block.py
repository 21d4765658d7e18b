"""The header of a block: what may stand there, and what is said of the rest."""

import pytest

from literate.block import Options, blocks, parse_header
from literate.page import Page
from literate.parse import fences


def test_every_option_is_read():
    header = (
        'python title="a b.py" hl_lines="1 3-5" alt="A line: it\'s rising"'
        ' caption="See" raises="ValueError" tol="1e-2" fold="Helper"'
    )
    assert parse_header(header) == Options(
        title="a b.py",
        hl_lines="1 3-5",
        alt="A line: it's rising",
        caption="See",
        raises="ValueError",
        tol=0.01,
        fold="Helper",
    )
    assert parse_header("python nocheck") == Options(nocheck=True)
    assert parse_header('python notest="needs a GPU"').notest == "needs a GPU"


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("py", "write ```python .* not ```py"),
        ("Python", "small letters.* not ```Python"),
        ("pycon", "not ```pycon"),
        ("{.python}", "not ```{.python}"),
        ('python wrong="1"', "unknown option wrong; known are title"),
        ("python title", 'title needs a value, such as title="..."'),
        ("python notest", "notest needs a value"),
        ('python notest=""', "notest needs a value"),
        ('python nocheck="yes"', "nocheck takes no value"),
        ('python tol="much"', r"tol=\"much\" must be a number"),
        ('python tol="2"', "between 0 and 1"),
        ('python hl_lines="a"', "cannot read hl_lines"),
        ('python raises="Value Error"', "cannot read raises"),
        ('python title="a" title="b"', "title is given twice"),
        ("python title=unquoted", "cannot read the options"),
        ('python title="a', "cannot read the options"),
        ('python notest="a" raises="ValueError"', "never runs"),
        ('python nocheck tol="0.1"', "exclude each other"),
        ('python caption="a"', "caption= without alt="),
    ],
)
def test_a_wrong_header_is_told_what_to_write(header, message):
    with pytest.raises(ValueError, match=message):
        parse_header(header)


def found(text: str):
    lines = Page(None, text).lines()
    problems = []
    return list(blocks(lines, fences(lines)[0], problems)), problems


def test_blocks_are_named_by_heading_and_place():
    made, _ = found("# A\n```python\n1\n```\n```python\n2\n```\n# B\n```python\n3\n```")
    assert [block.label for block in made] == ["a 1", "a 2", "b 1"]
    assert [block.line for block in made] == [2, 5, 9]


def test_code_loses_the_indent_and_quote_marks_of_its_fence():
    (block,), _ = found("    ```python\n    if x:\n        y\n\n    ```")
    assert block.source == "if x:\n    y\n"
    (block,), _ = found("> ```python\n> a = 1\n>\n> b = 2\n> ```")
    assert block.source == "a = 1\n\nb = 2"


def test_a_wrong_header_is_a_problem_in_its_line():
    made, problems = found("text\n\n```Py\n1\n```")
    assert problems[0].line == 3
    assert made[0].options.notest  # and it never runs
