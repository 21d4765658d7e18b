"""The way of a page through Markdown: outputs in place, nothing wrong in silence."""

import pytest
from bs4 import BeautifulSoup

from literate.page import Page
from literate.parse import parse
from literate.project import PageError
from literate.running import schedule
from literate.showing.extension import converting
from tests.helpers import convert


def soup(text: str) -> BeautifulSoup:
    return BeautifulSoup(convert(text), "html.parser")


def outputs(text: str) -> list[str]:
    return [output.get_text() for output in soup(text).select(".output")]


def wrong(text: str) -> str:
    with pytest.raises(PageError) as caught:
        convert(text)
    return str(caught.value)


FENCE = "```python\nprint(6 * 7)\n```"


def indented(text: str, prefix: str = "    ") -> str:
    return "\n".join(f"{prefix}{line}".rstrip() for line in text.split("\n"))


PLACES = {
    "page": FENCE,
    "admonition": f"!!! note\n\n{indented(FENCE)}",
    "details": f'??? note "Title"\n\n{indented(FENCE)}',
    "open details": f"???+ note\n\n{indented(FENCE)}",
    "tab": f'=== "A"\n\n{indented(FENCE)}\n\n=== "B"\n\n    text',
    "list": f"- item\n\n{indented(FENCE)}",
    "numbered list": f"1. item\n\n{indented(FENCE)}",
    "nested list": f"- item\n\n    - inner\n\n{indented(FENCE, ' ' * 8)}",
    "quote": indented(FENCE, "> "),
    "footnote": f"text[^1]\n\n[^1]: Note.\n\n{indented(FENCE)}",
    "admonition in a list": f"- a\n\n    !!! note\n\n{indented(FENCE, ' ' * 8)}",
    "exercise": f"//// exercise | T\n    id: e-x\na\n\n/// solution\n{FENCE}\n///\n////",  # noqa: E501
    "html": f'<div class="x" markdown>\n\n{FENCE}\n\n</div>',
    "tildes": "~~~python\nprint(6 * 7)\n~~~",
    "longer fence": "`````python\nprint(6 * 7)\n`````",
}


@pytest.mark.parametrize("text", PLACES.values(), ids=PLACES)
def test_python_runs_wherever_it_stands(text):
    assert outputs(text) == ["42"]


def test_the_output_stands_in_the_box_of_its_code():
    page = soup(FENCE)
    (box,) = page.select("div.highlight")
    assert box.select_one("pre > code").get_text() == "print(6 * 7)\n"
    assert box.select_one(":scope > .output").get_text() == "42"


def test_output_is_escaped():
    assert outputs("```python\nprint('<b>&amp;')\n```") == ["<b>&amp;"]


def test_state_is_shared_down_the_page():
    assert outputs("```python\nx = 1\n```\n\n> ```python\n> x + 1\n> ```") == ["2"]


def test_an_include_is_shown_and_run():
    page = soup(
        '```python\n--8<-- "attention.py:imports"\n```\n\n'
        '```python title="snippets/attention.py"\n'
        '--8<-- "attention.py:causal-mask"\n```\n\n'
        "```python\ncausal_mask(2).tolist()\n```"
    )
    assert "def causal_mask" in page.get_text()
    assert page.select_one(".filename").get_text() == "snippets/attention.py"
    assert page.select_one(".output").get_text() == "[[True, False], [True, True]]"


def test_options_shape_the_box():
    page = soup(
        '```python title="T" hl_lines="2"\na = 1\nb = 2\n```\n\n'
        '```python fold="Helper: adds"\nprint(a + b)\n```\n\n'
        '```python notest="needs a GPU"\n1 / 0\n```'
    )
    titled, folded, unrun = page.select("div.highlight")
    assert titled.select_one(".filename").get_text() == "T"
    assert titled.select_one(".hll").get_text() == "b = 2\n"
    assert folded.select_one("details > summary").get_text() == "Helper: adds"
    assert folded.select_one("details pre code").get_text() == "print(a + b)\n"
    assert folded.select_one(":scope > .output").get_text() == "3"  # seen when folded
    assert "1 / 0" in unrun.get_text() and not unrun.select(".output")


def test_a_raising_block_shows_the_last_line():
    assert outputs('```python raises="ValueError"\nraise ValueError("no")\n```') == [
        "ValueError: no"
    ]


FIGURE = "import matplotlib.pyplot as plt\nplt.plot([1, 2]);"


def test_a_figure_has_its_alternative_text_and_caption():
    page = soup(f'```python alt="A \'line\' & more" caption="a < b"\n{FIGURE}\n```')
    (figure,) = page.select("figure.output")
    assert figure.svg["role"] == "img"
    assert figure.svg["aria-label"] == "A 'line' & more"
    assert figure.figcaption.get_text() == "a < b"


def test_figures_of_a_page_share_no_id():
    curved = FIGURE.replace("2])", "2], 'o')")  # marks, drawn by reference
    again = "plt.plot([1], 'o');"
    page = soup(f'```python alt="a"\n{curved}\n```\n\n```python alt="b"\n{again}\n```')
    ids = [element["id"] for element in page.select("[id]")]
    assert len(ids) == len(set(ids)) > 0
    used = [use["href"].removeprefix("#") for use in page.select("use")]
    assert used and set(used) <= set(ids)


WRONG = {
    "no alt": (f"text\n\n```python\n{FIGURE}\n```", 3, "say what it shows"),
    "no figure": ('```python alt="a"\n1\n```', 1, "draws no figure"),
    "two figures": (
        f'```python alt="a"\n{FIGURE}\nplt.figure();\n```',
        1,
        "draws 2 figures",
    ),
    "unknown option": ('\n```python tittle="a"\n1\n```', 2, "unknown option tittle"),
    "py": ("```py\n1\n```", 1, "not ```py"),
    "Python": ("> ```Python\n> 1\n> ```", 1, "not ```Python"),
    "pycon": ("!!! note\n\n    ```pycon\n    >>> 1\n    ```", 3, "not ```pycon"),
    "braces": ("``` {.python}\n1\n```", 1, "not ```{.python}"),
    "indented code": ("text\n\n    x = 1\n", 3, "indented code"),
    "indented in a list": ("- a\n\n        x = 1\n", 3, "indented code"),
    "never closed": ("a\n\n```python\n1\n", 3, "never closed"),
    "list marker": ("- ```python\n    1\n    ```", 1, "on a line of its own"),
    "dedented body": ("!!! note\n\n    ```python\nx = 1\n    ```", 3, ""),
    "missing section": ('a\n\n--8<-- "attention.py:nothing"', 3, "'nothing'"),
    "missing file": ('```python\n--8<-- "nothing.py"\n```', 2, "nothing.py"),
    "formula": ("a\n\nb $\\frac{1}{$ c", 3, "does not parse"),
    "display formula": ("$$\n\\unknowncommand x\n$$", 2, "does not parse"),
    "widget": ("a\n\n<no-such-widget></no-such-widget>", 3, "unknown widget"),
}


@pytest.mark.parametrize(("text", "line", "message"), WRONG.values(), ids=WRONG)
def test_nothing_goes_wrong_in_silence(text, line, message):
    told = wrong(text)
    assert f"(text):{line}: " in told
    assert message in told


def test_a_failing_block_stops_the_build_with_its_line():
    told = wrong("text\n\n!!! note\n\n    ```python\n    1 / 0\n    ```")
    assert told.startswith("(text):5: this block failed")
    assert 'File "(text)", line 6, in <module>' in told


def test_an_error_inside_an_include_names_the_line_that_includes():
    told = wrong(
        '```python\n--8<-- "attention.py:imports"\n\n'
        '--8<-- "attention.py:head-size"\nhead_size(1, 0)\n```'
    )
    assert 'File "(text)", line 5, in <module>' in told
    assert 'File "(text)", line 4, in head_size' in told


def test_all_problems_of_a_page_are_told_at_once():
    told = wrong("```py\n1\n```\n\n$\\frac{$\n\n<no-such-widget>")
    assert [line.split(":")[1] for line in told.split("\n")] == ["1", "5", "7"]


@pytest.fixture
def serving(monkeypatch):
    monkeypatch.setenv("LITERATE", "serve")


def test_while_serving_a_page_is_shown_before_it_has_run(serving):
    text = "```python\n'new'\n```\n```python notest=\"GPU\"\n1\n```\n"
    page = soup(text)
    assert [output.get_text() for output in page.select(".output")] == ["running …"]
    schedule.start(parse(Page(None, text))).result()
    assert outputs(text) == ["'new'"]


def test_what_is_not_final_is_not_kept(serving):
    text = "```python\n'newer'\n```"
    page = Page(None, text)
    with converting(page) as first:
        convert(text)
    schedule.start(parse(page)).result()
    with converting(page) as second:
        convert(text)
    assert not first.is_final and second.is_final


def test_markdown_is_told_which_page_it_converts():
    with (
        converting(Page(None, "one")),
        pytest.raises(ValueError, match="not the text of"),
    ):
        convert("another")


def test_while_serving_a_failure_shows_in_the_page(serving, capsys):
    text = "```python\nprint('ran')\n```\n```python\n1 / 0\n```\n```python\n3\n```"
    schedule.start(parse(Page(None, text))).result()
    page = soup(text)
    first, second, third = page.select(".output")
    assert first.get_text() == "ran"
    assert "(text):4: this block failed" in second.get_text()
    assert "failure" in second["class"] and second["role"] == "alert"
    assert third.get_text() == "not run: an earlier block failed"
    assert "ZeroDivisionError" in capsys.readouterr().err


def test_while_serving_problems_show_in_the_page(serving):
    page = soup("# Title\n\n```py\n1\n```")
    assert "(text):3: write ```python" in page.select_one(".failure").get_text()
    assert page.h1.get_text().startswith("Title")


def test_blocks_for_tests_are_those_that_the_page_shows():
    text = "\n\n".join(PLACES.values())
    blocks = parse(Page(None, text)).sound().blocks
    assert [block.source.strip() for block in blocks] == ["print(6 * 7)"] * len(PLACES)
    with pytest.raises(PageError, match="unknown option"):
        parse(Page(None, '```python a="b"\n```')).sound()


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("```python\nx = '''a\n   \nb'''\n```", 3, "holds nothing but blanks"),
        ("- a\n\n    ```python\n    x = 1\n     \n    y = 2\n    ```", 5, "blanks"),
        ("```python\n   \n\n```", 1, "this fence holds no code"),
        ("```python\n```", 1, "this fence holds no code"),
    ],
)
def test_lines_of_blanks_are_told_as_what_they_are(text, line, message):
    told = wrong(text)
    assert told.startswith(f"(text):{line}: ") and message in told
    assert "indented" not in told


def test_lines_that_are_empty_are_kept():
    assert outputs("```python\nx = '''a\n\n\nb'''\nx\n```") == ["'a\\n\\n\\nb'"]
