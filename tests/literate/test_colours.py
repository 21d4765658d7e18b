"""Highlighted code with few elements: the same text, and the same colours."""

import html
import re

import pytest
from bs4 import BeautifulSoup
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

from literate.showing.colours import COLOUR, lighter
from tests.helpers import convert

CODE = '''
@decorated
def shown(self, x: int = 3) -> str:
    """What it does.

    And more.
    """
    # a comment
    # and another one
    return f"{x:.2f} is 'a' \\n" + ("<b>" if x in (1, 2.5) else "🙂")
'''
FENCE = f'```python notest="only to look at"\n{CODE.strip()}\n```'


def characters(code) -> list[tuple[str, str]]:
    """Each character but blanks, with the colour that it has."""
    found = []
    for text in code.find_all(string=True):
        names = text.parent.get("class", [""]) if text.parent.name == "span" else [""]
        found += [(c, COLOUR.get(names[0], "")) for c in text if not c.isspace()]
    return found


def highlighted() -> str:
    """The code as Pygments gives it."""
    made = highlight(CODE.strip(), PythonLexer(), HtmlFormatter())
    return made.replace("<pre><span></span>", "<pre><span></span><code>").replace(
        "</pre>", "</code></pre>"
    )


def test_every_character_keeps_its_colour():
    before = BeautifulSoup(highlighted(), "html.parser").code
    after = BeautifulSoup(lighter(highlighted()), "html.parser").code
    assert after.get_text() == before.get_text()
    assert characters(after) == characters(before)
    assert len(after.select("span")) < len(before.select("span")) / 2


def test_pages_have_it():
    page = BeautifulSoup(convert(FENCE), "html.parser")
    assert page.code.get_text() == CODE.strip() + "\n"
    assert [span["class"] for span in page.code.select("span")][:2] == [["k"], ["nf"]]
    assert not page.select("pre > span, .p, .n, .o, .w")


def test_what_stands_between_words_of_one_colour_joins_them():
    comments = '<span class="c1"># a</span>\n    <span class="c1"># b</span>'
    made = lighter(f"<pre><span></span><code>{comments}</code></pre>")
    assert made == '<pre><code><span class="c"># a\n    # b</span></code></pre>'


def test_marked_lines_stay_marked():
    line = (
        '<span class="hll"><span class="n">x</span> <span class="mi">1</span>\n</span>'
    )
    made = lighter(f"<pre><span></span><code>{line}</code></pre>")
    marked = '<span class="hll">x <span class="m">1\n</span></span>'
    assert made == f"<pre><code>{marked}</code></pre>"


def folded(code: str) -> str:
    box = f"<pre><span></span><code>{code}</code></pre>"
    return f'<details class="fold"><summary>More</summary>{box}</details>'


def test_folded_code_is_text_with_a_note_of_its_colours():
    inside = highlighted().split("<code>")[1].split("</code>")[0]
    code = BeautifulSoup(lighter(folded(inside)), "html.parser").code
    assert code.select("span") == []
    assert code.get_text() == CODE.strip() + "\n"
    before = BeautifulSoup(highlighted(), "html.parser").code
    assert painted(code) == characters(before)


def painted(code) -> list[tuple[str, str]]:
    """What the page's script makes of the note: it counts units of UTF-16."""
    units = code.get_text().encode("utf-16-le")
    found, at = [], 0
    for run in code["data-colours"].split():
        colour, length = re.fullmatch(r"([a-z]*)(\d+)", run).groups()
        piece = units[at : at + 2 * int(length)].decode("utf-16-le")
        found += [(c, colour) for c in piece if not c.isspace()]
        at += 2 * int(length)
    assert at == len(units)
    return found


def test_marked_lines_in_folded_code_are_in_sight():
    line = '<span class="hll"><span class="k">return</span>\n</span>'
    assert 'class="hll"><span class="k">return' in lighter(folded(line))


@pytest.mark.parametrize("text", ["a < b", "&amp;", "<pre><code>plain</code></pre>"])
def test_what_is_no_highlighted_code_stays(text):
    assert html.unescape(lighter(text)) == html.unescape(text)
