"""Highlighted code with as few elements as its colours need.

Pygments wraps each token, plain names and blanks too: four fifths of a chapter's
elements. A browser is quicker where only what has a colour of its own has an element,
and what stands side by side in one colour has one together. Folded code is plain text,
with a note of its colours: `docs/assets/folds.js` paints it when it is opened.
"""

import html
import re
from collections.abc import Iterator

from markdown import Extension, Markdown
from markdown.postprocessors import Postprocessor

# The classes of Pygments that the site's styles give one colour, by the first of them.
# What is not named here has the colour of the code around it: names, blanks, operators,
# punctuation.
SAME_COLOUR = {
    "c": "c c1 ch cm cs sd",  # comments, docstrings
    "go": "ge gh go gp gr gs gt gu",  # prompts and what a shell printed
    "k": "k kd kn kp kr kt nd ni nl nt",  # keywords, decorators
    "m": "il m mb mf mh mi mo",  # numbers
    "nb": "bp nb no",  # what Python has built in
    "nf": "nc ne nf nn",  # functions, classes and modules that are named here
    "nv": "na nv vc vg vi",  # variables of other languages
    "ow": "ow",  # in, not, and
    "s": "cpf dl l s s1 s2 sb sc si ss",  # strings
    "se": "cp se sh sr sx",  # escapes in strings
    "gd": "gd",  # what a diff takes away, and what it adds
    "gi": "gi",
}
COLOUR = {name: one for one, names in SAME_COLOUR.items() for name in names.split()}
CODE = re.compile(r"<pre>(?:<span></span>)?<code>(?P<code>.*?)</code></pre>", re.DOTALL)
FOLD = re.compile(r'<details class="fold">.*?</details>', re.DOTALL)
PIECE = re.compile(r'<span class="(?P<name>\w+)">(?P<token>[^<]*)</span>|<[^>]*>|[^<]+')


def lighter(page: str) -> str:
    """A page whose code looks as before, and has fewer elements."""
    page = FOLD.sub(lambda fold: CODE.sub(_plain, fold[0]), page)
    return CODE.sub(_coloured, page)


def _coloured(box: re.Match[str]) -> str:
    """A block of code, with an element for each run of one colour."""
    runs = _runs(box["code"])
    spans = (f'<span class="{c}">{text}</span>' if c else text for c, text in runs)
    return f"<pre><code>{''.join(spans)}</code></pre>"


def _plain(box: re.Match[str]) -> str:
    """A folded block: its text, and how many characters have which colour.

    Where lines are marked, these have elements, and it stays as it is in sight.
    """
    runs = _runs(box["code"])
    if any(not colour and "<" in text for colour, text in runs):
        return _coloured(box)
    colours = " ".join(f"{colour}{_length(text)}" for colour, text in runs)
    code = "".join(text for _, text in runs)
    return f'<pre><code data-colours="{colours}">{code}</code></pre>'


def _length(text: str) -> int:
    """How long a script finds a text: in units of UTF-16."""
    return len(html.unescape(text).encode("utf-16-le")) // 2


def _runs(code: str) -> list[tuple[str, str]]:
    """The pieces of a block, those of one colour put together; tags have no colour."""
    runs = [("", "")]
    for colour, text in _pieces(code):
        if colour == runs[-1][0] or not text.strip():  # blanks have no colour to lose
            runs[-1] = (runs[-1][0], runs[-1][1] + text)
        else:
            runs.append((colour, text))
    return [run for run in runs if run[1]]


def _pieces(code: str) -> Iterator[tuple[str, str]]:
    """The colour of each piece (empty for none), and its text."""
    for piece in PIECE.finditer(code):
        text = piece[0] if piece["token"] is None else piece["token"]
        yield COLOUR.get(piece["name"] or "", ""), text


class Lighter(Postprocessor):
    """Code as it leaves the highlighter, in fences of any language."""

    def run(self, text: str) -> str:
        return lighter(text)


class ColourExtension(Extension):
    """Registers `Lighter`."""

    def extendMarkdown(self, md: Markdown) -> None:
        """After the raw HTML of fences is back (30)."""
        md.postprocessors.register(Lighter(md), "literate-colours", 5)


def makeExtension(**options: object) -> ColourExtension:
    """Called by Python-Markdown."""
    return ColourExtension(**options)
