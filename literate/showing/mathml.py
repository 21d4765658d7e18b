"""TeX becomes MathML while the site is built: no script and no request for the reader.

`pymdownx.arithmatex` (generic) finds the formulas, Temml converts them. A formula that
does not parse is a problem of the page.
"""

import functools
import html
import json
import re
import threading
from pathlib import Path
from typing import Any

import quickjs
from markdown import Extension, Markdown
from markdown.inlinepatterns import InlineProcessor
from markdown.postprocessors import Postprocessor

TEMML = Path(__file__).parents[1] / "vendor" / "temml.min.js"
FORMULA = re.compile(
    r'<(?P<tag>span|div) class="arithmatex">'
    r"(?:\\\((?P<inline>.*?)\\\)|\\\[(?P<display>.*?)\\\])</(?P=tag)>",
    re.DOTALL,
)
# a sum and a second one: what stands between two dollars is no formula
MONEY = r"(?<!\\)\$(?=\d(?:[^$\x02\x03]*[^\s$\x02\x03])?\$\d)"
DOLLARS = r"(?<!\\)\$\$"
BRACKETS = r"(?<!\\)\\[\[\]()]"
NUMBERED = re.compile(r"\\(?:eqref|ref|label)\b")
_engine = threading.local()


@functools.cache
def mathml(tex: str, display: bool) -> str:
    """The MathML of a formula; raises ValueError where TeX would stop."""
    if found := NUMBERED.search(tex):
        hint = "formulas have no numbers here: link to a heading"
        raise ValueError(f"the formula {tex!r} has {found[0]}: {hint}")
    if not hasattr(_engine, "render"):
        context = quickjs.Context()
        context.eval(TEMML.read_text("utf8"))
        context.eval(
            # as JSON: the engine cannot hand over a long string that it concatenated
            "var render = (tex, display) => JSON.stringify(temml.renderToString(tex,"
            " {displayMode: display, throwOnError: true}))"
        )
        _engine.render = context.get("render")
    try:
        return json.loads(_engine.render(tex, display))
    except quickjs.JSException as error:
        reason = str(error).strip().split("\n")[0]
        raise ValueError(f"the formula {tex!r} does not parse: {reason}") from None


class Formulas(Postprocessor):
    """Replaces what arithmatex marked."""

    def run(self, text: str) -> str:
        return FORMULA.sub(self._replace, text)

    def _replace(self, match: re.Match[str]) -> str:
        display = match["display"] is not None
        tex = html.unescape(match["display"] if display else match["inline"]).strip()
        try:
            made = mathml(tex, display)
        except ValueError as error:
            state = self.md.literate
            state.problem(state.page.line_of(tex), str(error))
            return match[0]
        boxes = self.md.literate.parsed.declared
        if any(box.name == "gather" for box in boxes):  # cards go to where TeX is read
            made = made.replace("<math", f'<math data-tex="{html.escape(tex)}"', 1)
        return made


class Money(InlineProcessor):
    """Leaves the first dollar of `$5-$6` as it is, before it is taken for a formula."""

    def handleMatch(self, m: re.Match[str], data: str) -> tuple[str, int, int]:
        return m[0], m.start(), m.end()


class Unread(InlineProcessor):
    """Tells of marks of a formula that were not read as such."""

    def handleMatch(self, m: re.Match[str], data: str) -> tuple[str, int, int]:
        state = self.md.literate
        here = re.split(r"[\x02\x03]", data[m.start() :])[0]
        message = (
            f"{m[0]} is not read as a formula: \\[ … \\] and $$ … $$ are paragraphs of"
            " their own, and a formula in a line stands between \\( and \\)"
        )
        before, found, _ = state.page.body.partition(here)
        line = state.page.first + before.count("\n")
        state.problem(line if found else state.page.line_of(here), message)
        return m[0], m.start(), m.end()


class MathExtension(Extension):
    """Registers `Formulas`, and what looks at marks around arithmatex's own (189.9)."""

    def extendMarkdown(self, md: Markdown) -> None:
        """After the raw HTML is back (30), before problems are told (-10)."""
        md.inlinePatterns.register(Money(MONEY, md), "literate-money", 189.96)
        md.inlinePatterns.register(Unread(DOLLARS, md), "literate-dollars", 189.95)
        md.inlinePatterns.register(Unread(BRACKETS, md), "literate-brackets", 185)
        md.postprocessors.register(Formulas(md), "literate-mathml", -5)


def makeExtension(**options: Any) -> MathExtension:
    """Called by Python-Markdown."""
    return MathExtension(**options)
