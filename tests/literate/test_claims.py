"""Numbers in prose are bound to a run or to a source, on every page that is done."""

import pytest

from literate import claims, expected, not_done
from literate.page import Page
from literate.parse import parse, parsed_pages
from literate.plan import tasks

PAGES = {parsed.page.name: parsed for parsed in parsed_pages()}


def found(text: str, *outputs: str) -> list[str]:
    """What a page with this text claims and nothing vouches for."""
    parsed = parse(Page(None, text))
    texts = [*outputs, *("" for _ in parsed.blocks[len(outputs) :])]
    return [p.message.split("'")[1] for p in claims.unbound(parsed, texts)]


def of_page(name: str) -> list[str]:
    parsed = PAGES[name]
    texts = expected.read(parsed.page.path)
    outputs = [texts.get(block.label, "") for block in parsed.blocks]
    return [f"{name}:{p.line}: {p.message}" for p in claims.unbound(parsed, outputs)]


@pytest.mark.parametrize("name", PAGES)
def test_every_number_of_a_page_is_bound(name):
    wrong = of_page(name)
    if not_done.is_done(name, "numbers"):
        assert not wrong, "\n".join(wrong)
    else:
        assert wrong, f"{name} is done: take it out of {not_done.LIST.name}"


BLOCK = "```python\nx\n```\n\n"
CLAIMED = {
    "The loss is 0.69.": ["0.69"],
    "The loss is 1.4e-3.": ["1.4e-3"],
    "It is right in 97 % of the cases, or 97% of them.": ["97 %", "97%"],
    "It is right in 97 percent.": ["97 percent"],
    "It takes 12 times as long, 8.4 times too long, three times longer.": [
        "12 times as",
        "8.4 times too",
        "three times longer",
    ],
    "A speed-up of × 3, of 2-fold, 5× faster.": ["× 3", "2-fold", "5×"],
    "| a | 0.5 |\n|:--|--:|\n| b | 0.7 |": ["0.5", "0.7"],
    "/// fact | Is it 0.5?\n    id: f-x\nIt is 0.7.\n///": ["0.5", "0.7"],
    "- [ ] 0.1\n\n    No: it is 0.2.\n\n- [x] 0.3": ["0.2", "0.3"],
    "![a curve to 0.5](a.svg)": ["0.5"],
    '<svg aria-label="a bar of 0.5"></svg>': ["0.5"],
    "One cites (section 3.1). Another does not: 0.5.": ["0.5"],
}


@pytest.mark.parametrize(("text", "wanted"), CLAIMED.items(), ids=CLAIMED)
def test_what_is_a_claim(text, wanted):
    assert found(text) == wanted


NO_CLAIM = [
    "Three things; 1,024 rows in 2026; the 3 times that it occurs; 8 × 8 pixels.",
    "Set `lr=0.1`, keep \\(p = 0.9\\) and $0.3$.",
    r"""\[
0.5
\]""",
    "See section 3.1, sections 3.1–3.3, table 2.1 and PyTorch 2.13 on Python 3.11.",
    "Version 1.2.3 and CC BY 4.0, GPT-3.5 or Llama 3.1.",
    "[Vaswani](https://example.org/1706.03762) has 28.4.",
    "It reaches 28.4 (Vaswani et al.). It reaches 41.8 (table 2).",
    "It reaches 28.4[^1].",
    "| a | [paper](https://example.org) |\n|:--|--:|\n| b | 0.7 |",
    'It is `{python} f"{0.7:.1f}"`.',
    "<!-- 0.5 -->",
    "```text\n0.5\n```",
]


@pytest.mark.parametrize("text", NO_CLAIM)
def test_what_is_no_claim(text):
    assert found(text if "python" not in text else BLOCK + text) == []


def test_an_output_before_the_sentence_vouches():
    text = f"It is 0.69.\n\n{BLOCK}It is 0.69, or 0.693.\n\n{BLOCK}Now 0.7."
    assert found(text, "loss 0.6931") == ["0.69"]
    assert found(text, "loss 0.6861") == ["0.69", "0.693"]
    assert found(text, "", "loss 0.6931") == ["0.69", "0.69", "0.693"]


def test_a_share_vouches_for_a_percentage():
    assert found(f"{BLOCK}It is 97 %, not 96 %.", "accuracy 0.972") == ["96 %"]
    assert found(f"{BLOCK}Seven times as much.", "7.2 times") == []
    assert found(f"{BLOCK}Seven times as much.", "8.4 times") == ["Seven times as"]


def test_a_figure_is_described_by_what_its_block_prints():
    text = '```python alt="A bar to 0.5, one to 0.7." caption="To 0.9."\nx\n```'
    assert found(text, "0.5\n[figure: A bar to 0.5, one to 0.7.]") == ["0.7", "0.9"]


def test_values_vouch_by_what_they_are_not_by_their_code():
    text = f"{BLOCK}It is 0.5 or 0.7."
    assert found(text, "[`f'{x * 0.5:.1f}'`: 0.7]") == ["0.5"]


def test_the_message_says_where_and_what_to_do():
    parsed = parse(Page(None, "# T\n\nIt is 0.5.", first=9))
    (problem,) = claims.unbound(parsed, [])
    assert problem.line == 11
    assert "`{python}" in problem.message


def test_the_list_of_pages_names_pages_and_checks():
    lines = not_done.LIST.read_text("utf8").split("\n")
    entries = [line for line in lines if line and not line.startswith("#")]
    assert entries == sorted(set(entries))
    names = [*PAGES, *(task.day for task in tasks().values())]
    known = {f"{check} {name}" for check in not_done.CHECKS for name in names}
    assert set(entries) <= known
