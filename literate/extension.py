"""The Markdown extension that brings pages to life: `literate.extension` in mkdocs.yml.

On its way from Markdown to HTML a page passes four stations of ours:

1. `Prepare`, before all else: finds the page's file, expands includes, reads the header
   of every Python fence.
2. `formatter`, called by superfences for each ```` ```python ````: shows the code and
   leaves a mark where its output will stand.
3. `Check`, on the tree: what must not be on a page, such as code without a fence.
4. `Finish`, after all else: runs the page and puts the outputs where the marks are.

Everything wrong is gathered and reported together, each with `docs/page.md:LINE`. No
station needs MkDocs; any builder that runs Python-Markdown will do.
"""

import re
import sys
from dataclasses import dataclass, field
from xml.etree.ElementTree import Element

from markdown import Extension, Markdown
from markdown.postprocessors import Postprocessor
from markdown.preprocessors import Preprocessor
from markdown.treeprocessors import Treeprocessor
from pymdownx.superfences import highlight_validator

from literate import render, site_pages
from literate.block import Block, blocks
from literate.learner import Declared
from literate.outputs import RUNS
from literate.project import PageError, serving
from literate.run import Run
from literate.source import (
    Fence,
    Line,
    Page,
    Problem,
    expand,
    fences,
    has_code,
    outside,
    page_of,
)

UNPREPARED = -1  # a fence that superfences sees and `Prepare` did not
MARK = re.compile(r"<!--output-of-block-(\d+)-->")


@dataclass
class State:
    """What the stations know of the page that is being converted."""

    page: Page = field(default_factory=lambda: Page(None, ""))
    lines: list[Line] = field(default_factory=list)
    fences: list[Fence] = field(default_factory=list)
    blocks: list[Block] = field(default_factory=list)
    shown: list[int] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    declared: list[Declared] = field(default_factory=list)
    has_tree: bool = False
    gathers: bool = False  # whether the page shows what other pages hold

    def problem(self, line: int, message: str) -> None:
        """Note something wrong with the page."""
        self.problems.append(Problem(line, message))

    def check_all_shown(self) -> None:
        """Every fence that was prepared must have been seen by superfences."""
        for block in self.blocks:
            if block.index not in self.shown:
                message = "Markdown does not see a fence here: check its indent"
                self.problem(block.line, message)

    def report(self) -> str:
        """All problems, in page order, a line each."""
        ordered = sorted(set(self.problems), key=lambda problem: problem.line)
        return "\n".join(f"{self.page.name}:{p.line}: {p.message}" for p in ordered)


class Prepare(Preprocessor):
    """Includes expanded, Python fences numbered, their options read and checked."""

    def run(self, lines: list[str]) -> list[str]:
        state = self.md.literate = State(page_of("\n".join(lines)))
        state.lines, state.problems = expand(state.page.lines())
        state.fences, wrong = fences(state.lines)
        state.problems += wrong
        texts = [line.text for line in state.lines]
        for fence, block in blocks(state.lines, state.fences, state.problems):
            state.blocks.append(block)
            texts[fence.start] = fence.prefix + fence.mark + _header(block)
        return texts


def _header(block: Block) -> str:
    """The fence header that superfences gets: our options are read already."""
    options = {"block": str(block.index)}
    if block.options.title:
        options["title"] = block.options.title
    if block.options.hl_lines:
        options["hl_lines"] = block.options.hl_lines
    return "python " + " ".join(f'{key}="{value}"' for key, value in options.items())


def validator(language, inputs, options, attrs, md) -> bool:
    """Take the block's number out of what superfences hands to the highlighter."""
    options["block"] = int(inputs.pop("block", UNPREPARED))
    return highlight_validator(language, inputs, options, attrs, md)


def formatter(source, language, css_class, options, md, **keywords) -> str:
    """The code of a block as HTML, with a mark for its output."""
    state: State = md.literate
    index = options.pop("block")
    if index == UNPREPARED:
        state.problem(state.page.line_of(source), "a Python fence was not prepared")
        return ""
    block = state.blocks[index]
    if source.strip("\n") != block.source.strip("\n"):
        state.problem(block.line, "this fence is indented in a way that loses code")
    state.shown.append(block.index)
    highlight = md.preprocessors["fenced_code_block"].highlight
    code = highlight(source, language, options=options, md=md, **keywords)
    opening, inside, closing = _split(code)
    if block.options.fold:
        inside = render.fold(inside, block.options.fold)
    # inside the box: lists and tabs that go on after the fence stay one element
    return f"{opening}{inside}<!--output-of-block-{block.index}-->{closing}"


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
        if state.problems:
            return self._wrong(state, text)
        result = RUNS.of(state.page, state.blocks, site_pages.blocks_of_all)
        if not result.failed:
            for block, made in zip(state.blocks, result.outputs, strict=True):
                if message := render.problems(block, made):
                    state.problem(block.line, message)
        if state.problems:
            return self._wrong(state, text)
        if result.failed and not serving():
            RUNS.stop()
            raise PageError(result.failed.message)
        prose = "\n".join(line.text for line in outside(state.lines, state.fences))
        times = render.times(prose, state.blocks, result.outputs)
        if has_code(state.page):
            times += render.downloads(state.page, state.blocks)
        text = text.replace("<!--times-->", times) + render.served(state.page)
        return MARK.sub(lambda mark: self._output(state, result, int(mark[1])), text)

    @staticmethod
    def _output(state: State, result: Run, index: int) -> str:
        if index < len(result.outputs):
            return render.output(state.blocks[index], result.outputs[index])
        if result.failed and index == result.failed.block:
            print(result.failed.message, file=sys.stderr)
            return render.failure(result.failed.message)
        return render.failure("not run: an earlier block failed")

    @staticmethod
    def _wrong(state: State, text: str) -> str:
        if not serving():
            RUNS.stop()
            raise PageError(state.report())
        print(state.report(), file=sys.stderr)
        return render.failure(state.report()) + MARK.sub("", text)


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


def makeExtension(**options) -> LiterateExtension:
    """Called by Python-Markdown."""
    return LiterateExtension(**options)
