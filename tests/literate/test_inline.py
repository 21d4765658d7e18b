"""Values in prose: evaluated where they stand, shown as text, compared as outputs."""

import pytest
from bs4 import BeautifulSoup

from literate import expected, inline
from literate.handing_out import notebook
from literate.page import Page
from literate.parse import parse
from literate.project import PageError
from literate.running import schedule
from literate.showing import extension, gather
from tests.helpers import convert

FENCE = '```python\nratio = 3 / 7\nname = "<b> & co"\nprint("done")\n```\n\n'
RATIO = """`{python} f"{ratio:.1f}"`"""


def text(page: str, selector: str = "p") -> list[str]:
    return [
        e.get_text()
        for e in BeautifulSoup(convert(page), "html.parser").select(selector)
    ]


def wrong(page: str) -> str:
    with pytest.raises(PageError) as caught:
        convert(page)
    return str(caught.value)


def test_a_value_is_text_among_text():
    html = convert(f"{FENCE}It is {RATIO}, **or {RATIO}**.")
    assert "<p>It is 0.4, <strong>or 0.4</strong>.</p>" in html


def test_a_value_is_escaped():
    assert "<p>By &lt;b&gt; &amp; co.</p>" in convert(FENCE + "By `{python} name`.")


def test_a_value_is_what_it_is_at_its_place():
    blocks = [f"```python\nx = {x}\n```\n\n" for x in (1, 2)]
    page = "first `{python} x`\n\n".join(blocks) + "then `{python} x`"
    assert text(page) == ["first 1", "then 2"]


def test_blocks_that_do_not_run_leave_a_value_to_the_one_before():
    skipped = '```python notest="GPU"\nx = 2\n```\n\n'
    page = "```python\nx = 1\n```\n\n" + skipped + "`{python} x` it is"
    assert text(page) == ["1 it is"]


PLACES = {
    "table": (f"| a | b |\n|:--|:--|\n| x | {RATIO} |", "td:last-child", "0.4"),
    "table with a bar": ("| a |\n|:--|\n| `{python} 3 | 4` |", "td", "7"),
    "question": (
        f"/// question | Is it {RATIO}?\n    id: q-x\n\n"
        f"- [x] Yes\n\n    It is {RATIO}.\n\n"
        "- [ ] No\n\n    It is.\n///",
        ".question-text, .choices details p",
        "Is it 0.4?|Right. It is 0.4.|No. It is.",
    ),
    "fact": (f"/// fact | How much?\n    id: f-x\n\n{RATIO}\n///", ".fact p", "0.4"),
    "admonition": (
        f"!!! note\n\n    It is {RATIO}.",
        ".admonition p:last-child",
        "It is 0.4.",
    ),
    "link": (f"[about {RATIO}](https://example.org)", "p a", "about 0.4"),
    "footnote": (
        f"See[^1].\n\n[^1]: It is {RATIO}.",
        ".footnote li p",
        "It is 0.4.\xa0↩",
    ),
    "two ticks": ("``{python} f'`{ratio:.1f}`'`` it is", "p", "`0.4` it is"),
}


@pytest.mark.parametrize(("page", "selector", "shown"), PLACES.values(), ids=PLACES)
def test_a_value_stands_wherever_text_does(page, selector, shown):
    assert "|".join(text(FENCE + page, selector)) == shown


def test_figures_are_described_with_values():
    figure = (
        "```python alt=\"A line to `{python} f'{top:.1f}'`\""
        ' caption="To `{python} 2 * top`"\n'
        "import matplotlib.pyplot as plt\ntop = 4\nplt.plot([0, top]);\n```"
    )
    soup = BeautifulSoup(convert(figure), "html.parser")
    assert soup.svg["aria-label"] == "A line to 4.0"
    assert soup.figcaption.get_text() == "To 8"


def test_code_that_only_looks_like_a_value_stays():
    page = FENCE + "`x{python} y`, `{python}`-like"
    assert wrong(page).endswith('write `{python} f"{ratio:.1f}"`')
    fenced = FENCE + f"```text\n{RATIO}\n```"
    assert parse(Page(None, fenced)).inlines == ()


WRONG = {
    f"It is {RATIO}.": "this value stands before the first block that runs",
    FENCE
    + "It is `{python} ratio +`.": "the value `ratio +` is no expression of Python",
    FENCE + f"## About {RATIO}": "a heading holds a value: its address would change",
    FENCE + "It is `{python}ratio`.": "cannot read a value in this line",
    FENCE
    + "It is `{python} ratio`.": "0.42857142857142855 is neither text nor a whole",
    FENCE + "It is `{python} ratio > 0`.": "True is neither text nor a whole number",
    FENCE + "It is `{python} nothing`.": "NameError: name 'nothing' is not defined",
    FENCE + "It is `{python} ' '`.": "' ' cannot stand in a line of text",
    FENCE + r"It is `{python} 'a\nb'`.": r"'a\nb' cannot stand in a line of text",
    FENCE + "It is `{python} print(1) or 'x'`.": "this came after the block had ended",
}


@pytest.mark.parametrize(("page", "message"), WRONG.items(), ids=WRONG.values())
def test_a_value_that_cannot_be_shown_stops_the_build(page, message):
    assert message in wrong(page)


def test_an_error_names_the_place_and_the_value():
    message = wrong("text\n\n" + FENCE + "It is `{python} missing`.")
    assert message.startswith("(text):3: a value in the text after this block failed")
    assert "`missing`" in message


def test_values_are_recorded_and_compared():
    parsed = parse(Page(None, f"# T\n\n{FENCE}It is {RATIO}."))
    recorded = expected.all_of(parsed.blocks, schedule.finished(parsed).outputs)
    assert recorded == {"t 1": 'done\n[`f"{ratio:.1f}"`: 0.4]'}
    assert not expected.same(recorded["t 1"], recorded["t 1"].replace("0.4", "0.5"))


def test_values_after_what_is_not_checked_are_not_compared():
    parsed = parse(Page(None, f"```python nocheck\nratio = 1\n```\n\n{RATIO}"))
    outputs = schedule.finished(parsed).outputs
    assert outputs[0].values == {'f"{ratio:.1f}"': "1.0"}
    assert expected.all_of(parsed.blocks, outputs) == {}


def test_a_new_value_makes_a_page_run_again():
    pages = [Page(None, f"{FENCE}It is `{{python}} {code}`.") for code in ("1", "2")]
    keys = {schedule.cache.key(parse(page).blocks) for page in pages}
    assert len(keys) == 2


def test_notebook_and_script_have_the_values():
    book = notebook.notebook(Page(None, f"# T\n\n{FENCE}It is {RATIO}."))
    assert book.cells[-1].source == "It is 0.4."
    assert "# It is 0.4.\n" in notebook.script(book)


def test_a_value_to_come_has_a_placeholder(monkeypatch):
    monkeypatch.setenv("LITERATE", "serve")
    pending = schedule.PageRun([], running=True)
    monkeypatch.setattr(schedule, "at_once", lambda parsed: pending)
    assert f"<p>It is {extension.PENDING}.</p>" in convert(f"{FENCE}It is {RATIO}.")


def test_facts_of_other_pages_come_with_their_values():
    page = Page(
        None, f"{FENCE}/// fact | Q {RATIO}?\n    id: f-x\n\nIt is {RATIO}.\n///"
    )
    state = extension.State()
    found = extension_blocks(page, state)
    assert found == [
        ["/// fact | Q \ue0000\ue001?", "    id: f-x", "", "It is \ue0001\ue001."]
    ]
    assert [value.code for _, value in state.values] == ['f"{ratio:.1f}"'] * 2


def extension_blocks(page: Page, state: extension.State) -> list[list[str]]:
    marked = gather.blocks(page, "fact", state.marked)
    return [[line for line in block if line != "///"] for block in marked]


def test_codes_are_found_in_order():
    assert inline.codes("a `{python} x` b ``{python} `x` ``, `c` `{python} y `") == [
        "x",
        "`x`",
        "y",
    ]
