"""Values in prose: `` `{python} f"{ratio:.1f}"` `` is shown as what it evaluates to.

A value stands in the text of a page (paragraphs, tables, questions, facts, captions) or
in the `alt=` or `caption=` of a block. It is evaluated in the page's process, after the
block before it, or after the block whose figure it describes.
"""

import ast
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from literate.block import Block
from literate.page import Line, Problem

VALUE = re.compile(r"(?<!`)(?P<ticks>`+)\{python\} +(?P<code>[^\n]+?) *(?P=ticks)(?!`)")
STARTED = re.compile(r"`\{python\}")
HEADING = re.compile(r"^#{1,6}[ \t]")


@dataclass(frozen=True)
class Inline:
    """A value in the text: its place in the page's lines, its code, its block."""

    index: int  # of the line, includes in place
    line: int  # the line's number in the file
    code: str
    block: int  # the index of the block after which it is evaluated


def codes(text: str) -> list[str]:
    """The code of each value in a text."""
    return [match["code"] for match in VALUE.finditer(text)]


def replaced(text: str, value: Callable[[str], str]) -> str:
    """A text with each value in place of its code."""
    return VALUE.sub(lambda match: value(match["code"]), text)


def inlines(
    lines: Iterable[tuple[int, Line]], blocks: Iterable[tuple[int, Block]]
) -> tuple[list[Inline], list[Problem]]:
    """The values in a page's prose, and what is wrong with any of them.

    `lines` are those outside of fences and `blocks` the blocks that run, each with its
    place in the page.
    """
    starts = list(blocks)
    found: list[Inline] = []
    wrong: list[Problem] = []
    for index, line in lines:
        if not STARTED.search(line.text):
            continue
        before = [block.index for start, block in starts if start < index]
        for code in codes(line.text):
            found.append(Inline(index, line.number, code, before[-1] if before else 0))
        wrong += [
            Problem(line.number, message)
            for message in _problems(line.text, bool(before))
        ]
    return found, wrong


def of_header(block: Block) -> list[str]:
    """The code of each value in what describes a block's figure."""
    return [*codes(block.options.alt), *codes(block.options.caption)]


def problems_of_code(code: str) -> str:
    """What is wrong with a value's code; empty if nothing is."""
    try:
        ast.parse(code, mode="eval")
    except SyntaxError as error:
        return f"the value `{code}` is no expression of Python: {error.msg}"
    return ""


def _problems(text: str, has_block: bool) -> Iterator[str]:
    found = codes(text)
    yield from filter(None, map(problems_of_code, found))
    if len(STARTED.findall(text)) != len(found):
        yield 'cannot read a value in this line: write `{python} f"{ratio:.1f}"`'
    if found and HEADING.match(text):
        yield "a heading holds a value: its address would change with it"
    if found and not has_block:
        yield "this value stands before the first block that runs: nothing is known yet"
