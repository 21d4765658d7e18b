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
from markdown.postprocessors import Postprocessor

TEMML = Path(__file__).parents[1] / "vendor" / "temml.min.js"
FORMULA = re.compile(
    r'<(?P<tag>span|div) class="arithmatex">'
    r"(?:\\\((?P<inline>.*?)\\\)|\\\[(?P<display>.*?)\\\])</(?P=tag)>",
    re.DOTALL,
)
_engine = threading.local()


@functools.cache
def mathml(tex: str, display: bool) -> str:
    """The MathML of a formula; raises ValueError where TeX would stop."""
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


class MathExtension(Extension):
    """Registers `Formulas`."""

    def extendMarkdown(self, md: Markdown) -> None:
        """After the raw HTML is back (30), before problems are told (-10)."""
        md.postprocessors.register(Formulas(md), "literate-mathml", -5)


def makeExtension(**options: Any) -> MathExtension:
    """Called by Python-Markdown."""
    return MathExtension(**options)
