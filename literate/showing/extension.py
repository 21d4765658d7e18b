"""The Markdown extension that brings pages to life: `literate.showing.extension`.

On its way from Markdown to HTML a page passes four stations of ours:

1. `Prepare`, before all else: takes the page as it was parsed, with includes in place,
   and numbers its Python fences.
2. `formatter`, called by superfences for each ```` ```python ````: shows the code and
   leaves a mark where its output will stand.
3. `Check`, on the tree: what must not be on a page, such as code without a fence.
4. `Finish`, after all else: puts the outputs where the marks are.

Everything wrong is gathered and reported together, each with `docs/page.md:LINE`. No
station needs MkDocs; any builder will do that runs Python-Markdown and says, by
`converting`, which page it converts.
"""

import contextlib
import html
import re
import sys
from collections.abc import Iterator
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any
from xml.etree.ElementTree import Element

from markdown import Extension, Markdown
from markdown.postprocessors import Postprocessor
from markdown.preprocessors import Preprocessor
from markdown.treeprocessors import Treeprocessor
from pymdownx.superfences import highlight_validator

from literate import claims, expected, not_done
from literate.block import Block
from literate.inline import Inline
from literate.page import Page, Problem
from literate.parse import Parsed, parse, repeated_ids
from literate.project import PageError, serving
from literate.running import schedule
from literate.running.process import PageRun
from literate.showing import render

UNPREPARED = -1  # a fence that superfences sees and `Prepare` did not
MARK = re.compile(r"<!--output-of-block-(\d+)-->")
VALUE_MARK = re.compile("\ue000(\\d+)\ue001")  # in text and in attributes
PENDING = "…"  # in place of a value that is still to come


@dataclass
class Conversion:
    """A page on its way through Markdown."""

    page: Page
    is_final: bool = True  # nothing is wrong, and no output is still to come


_conversion: ContextVar[Conversion | None] = ContextVar("conversion", default=None)


@contextlib.contextmanager
def converting(page: Page) -> Iterator[Conversion]:
    """Say which page it is whose text Markdown converts next."""
    conversion = Conversion(page)
    token = _conversion.set(conversion)
    try:
        yield conversion
    finally:
        _conversion.reset(token)


@dataclass
class State:
    """What the stations know of the page that is being converted."""

    parsed: Parsed = field(default_factory=lambda: parse(Page(None, "")))
    shown: list[int] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    values: list[tuple[Parsed, Inline]] = field(default_factory=list)  # by their marks
    has_tree: bool = False
    conversion: Conversion | None = None

    @property
    def page(self) -> Page:
        """The page itself."""
        return self.parsed.page

    def problem(self, line: int, message: str) -> None:
        """Note something wrong with the page."""
        self.problems.append(Problem(line, message))

    def marked(self, parsed: Parsed, index: int) -> str:
        """A line of this or another page, with a mark for each value in it."""

        def mark(value: Inline) -> str:
            self.values.append((parsed, value))
            return f"\ue000{len(self.values) - 1}\ue001"

        return parsed.with_values(index, mark)

    def is_provisional(self) -> None:
        """Say that this HTML is not to be kept."""
        if self.conversion:
            self.conversion.is_final = False

    def check_all_shown(self) -> None:
        """Every fence that was parsed must have been seen by superfences."""
        for block in self.parsed.blocks:
            if block.index not in self.shown:
                message = "Markdown does not see a fence here: check its indent"
                self.problem(block.line, message)

    def report(self) -> str:
        """All problems, in page order, a line each; empty if there are none."""
        return self.parsed.report(self.problems)


class Prepare(Preprocessor):
    """The page's lines with includes in place and its Python fences numbered."""

    def run(self, lines: list[str]) -> list[str]:
        """Raises ValueError if the text is not that of the page being converted."""
        text = "\n".join(lines)
        conversion = _conversion.get()
        page = conversion.page if conversion else Page(None, text)
        if page.body.strip("\n") != text.strip("\n"):
            raise ValueError(f"this is not the text of {page.name}: {text[:60]!r}")
        parsed = parse(page)
        self.md.literate = State(
            parsed, problems=repeated_ids(parsed), conversion=conversion
        )
        texts = [self.md.literate.marked(parsed, i) for i in range(len(parsed.lines))]
        opened = {fence.start: fence for fence in parsed.fences}
        for start, block in parsed.python.items():
            fence = opened[start]
            texts[start] = fence.prefix + fence.mark + _header(block)
        return texts


def _header(block: Block) -> str:
    """The fence header that superfences gets: our options are read already."""
    options = {"block": str(block.index)}
    if block.options.title:
        options["title"] = block.options.title
    if block.options.hl_lines:
        options["hl_lines"] = block.options.hl_lines
    return "python " + " ".join(f'{key}="{value}"' for key, value in options.items())


def validator(
    language: str,
    inputs: dict[str, str],
    options: dict[str, Any],
    attrs: dict[str, str],
    md: Markdown,
) -> bool:
    """Take the block's number out of what superfences hands to the highlighter."""
    options["block"] = int(inputs.pop("block", UNPREPARED))
    return highlight_validator(language, inputs, options, attrs, md)


def formatter(
    source: str,
    language: str,
    css_class: str,
    options: dict[str, Any],
    md: Markdown,
    **keywords: Any,
) -> str:
    """The code of a block as HTML, with a mark for its output."""
    state: State = md.literate
    index = options.pop("block")
    if index == UNPREPARED:
        state.problem(state.page.line_of(source), "a Python fence was not prepared")
        return ""
    block = state.parsed.blocks[index]
    if problem := _lost(source, block):
        state.problem(*problem)
    state.shown.append(block.index)
    highlight = md.preprocessors["fenced_code_block"].highlight
    code = highlight(source, language, options=options, md=md, **keywords)
    opening, inside, closing = _split(code)
    if block.options.fold:
        inside = render.fold(inside, block.options.fold)
    # inside the box: lists and tabs that go on after the fence stay one element
    return f"{opening}{inside}<!--output-of-block-{block.index}-->{closing}"


def _lost(shown: str, block: Block) -> Problem | None:
    """What Markdown does not show of a block's code, as it runs."""
    if not block.source.strip():
        return Problem(block.line, "this fence holds no code")
    if shown.strip("\n") == block.source.strip("\n"):
        return None
    if _without_blanks(shown) == _without_blanks(block.source):
        lines = block.source.split("\n")
        blank = next(n for n, line in enumerate(lines, 1) if line and not line.strip())
        message = "this line holds nothing but blanks, which Markdown drops: leave it"
        message += " empty, or in a text write a blank as \\x20"
        return Problem(block.page_line(blank), message)
    return Problem(block.line, "this fence is indented in a way that loses code")


def _without_blanks(code: str) -> str:
    """Code without blanks at the ends of lines, and blank lines around it."""
    return "\n".join(line.rstrip() for line in code.split("\n")).strip("\n")


def _split(code: str) -> tuple[str, str, str]:
    """The box of highlighted code: its opening tag, what it holds, its closing tag."""
    first, last = code.index(">") + 1, code.rindex("</div>")
    return code[:first], code[first:last], code[last:]


class Check(Treeprocessor):
    """What must not be on a page."""

    def run(self, root: Element) -> None:
        state: State = self.md.literate
        for pre in root.iter("pre"):
            if pre.find("code") is not None:
                text = "".join(pre.itertext())
                state.problem(
                    state.page.line_of(text), "indented code: put it in a fence"
                )


class HasTree(Treeprocessor):
    """Marks the end of the tree's processing.

    Each heading goes through the postprocessors too, for the table of contents; the
    page itself comes after all treeprocessors.
    """

    def run(self, root: Element) -> None:
        self.md.literate.has_tree = True


class Finish(Postprocessor):
    """Outputs put in place; a page with problems stops the build."""

    def run(self, text: str) -> str:
        state: State = self.md.literate
        if not state.has_tree:
            return text
        state.check_all_shown()
        if state.report():
            return self._wrong(state, text)
        parsed = state.parsed
        get = schedule.at_once if serving() else schedule.finished
        result = get(parsed)
        if not (result.failed or result.running):
            for block, made in zip(parsed.blocks, result.outputs, strict=True):
                if message := render.problems(block, made):
                    state.problem(block.line, message)
            state.problems += _unbound(parsed, result)
        if state.report():
            return self._wrong(state, text)
        if result.failed and not serving():
            raise PageError(result.failed.message)
        if result.failed or result.running:
            state.is_provisional()
        times = render.times(parsed, result.outputs) + render.downloads(parsed)
        text = text.replace("<!--times-->", times) + render.in_plan(state.page)
        text = MARK.sub(lambda mark: self._output(state, result, int(mark[1])), text)
        runs = {parsed.page.name: result}
        return VALUE_MARK.sub(lambda mark: self._value(state, runs, int(mark[1])), text)

    @staticmethod
    def _value(state: State, runs: dict[str, PageRun], index: int) -> str:
        """A value of this page, or of one whose blocks are gathered on it."""
        parsed, inline = state.values[index]
        name = parsed.page.name
        if name not in runs:
            runs[name] = schedule.at_once(parsed) if serving() else _finished(parsed)
        outputs = runs[name].outputs
        if inline.block >= len(outputs):
            state.is_provisional()
            return PENDING
        return html.escape(outputs[inline.block].values[inline.code])

    @staticmethod
    def _output(state: State, result: PageRun, index: int) -> str:
        block = state.parsed.blocks[index]
        if index < len(result.outputs):
            return render.output(block, result.outputs[index])
        if result.running:
            return "" if block.options.notest else render.running()
        if result.failed and index == result.failed.block:
            print(result.failed.message, file=sys.stderr)
            return render.failure(result.failed.message)
        return render.failure("not run: an earlier block failed")

    @staticmethod
    def _wrong(state: State, text: str) -> str:
        state.is_provisional()
        if not serving():
            raise PageError(state.report())
        print(state.report(), file=sys.stderr)
        text = VALUE_MARK.sub(PENDING, MARK.sub("", text))
        return render.failure(state.report()) + text


def _unbound(parsed: Parsed, result: PageRun) -> list[Problem]:
    """Numbers that nothing vouches for, on a page that is held to that."""
    if not not_done.is_done(parsed.page.name, "numbers"):
        return []
    outputs = zip(parsed.blocks, result.outputs, strict=True)
    return claims.unbound(parsed, [expected.text_of(b, made) for b, made in outputs])


def _finished(parsed: Parsed) -> PageRun:
    result = schedule.finished(parsed)
    if result.failed:
        raise PageError(result.failed.message)
    return result


class LiterateExtension(Extension):
    """Registers the stations."""

    def extendMarkdown(self, md: Markdown) -> None:
        """Add our processors to a Markdown object, which converts one page."""
        md.literate = State()
        md.preprocessors.register(Prepare(md), "literate-prepare", 40)
        # before pymdownx.highlight (30), which turns indented code into a code box
        md.treeprocessors.register(Check(md), "literate-check", 31)
        md.treeprocessors.register(HasTree(md), "literate-has-tree", -1000)
        # after the raw HTML of fences is back (30)
        md.postprocessors.register(Finish(md), "literate-finish", -10)


def makeExtension(**options: Any) -> LiterateExtension:
    """Called by Python-Markdown."""
    return LiterateExtension(**options)
