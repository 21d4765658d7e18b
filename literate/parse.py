"""A page taken apart, once: its lines with includes, fences, blocks, what it declares.

Everything that shows, runs, tests or hands out a page reads it through `parse`. Nothing
here needs Markdown's own parser, a builder, or a run.
"""

import functools
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from markdown import Markdown
from markdown.extensions.toc import slugify
from pymdownx.snippets import SnippetMissingError, SnippetPreprocessor

from literate.block import Block, Fence, blocks
from literate.inline import Inline, inlines, of_header, problems_of_code, replaced
from literate.page import Line, Page, Problem, pages
from literate.project import DOCS, SNIPPETS, PageError, stamp

FENCE = re.compile(r"^(?P<prefix>[ \t>]*)(?P<mark>`{3,}|~{3,})(?P<info>.*)$")
FENCE_IN_ITEM = re.compile(r"^[ \t>]*(?:[-*+]|\d+[.)])[ \t]+(?:`{3,}|~{3,})")
INCLUDE = re.compile(r"^[ \t]*-+8<-+[ \t]+[\"'](?P<file>[^\"':]+)(?::[^\"']*)?[\"']$")
INCLUDE_MARK = re.compile(r"^[ \t>]*-+8<-+")
HEADING = re.compile(r"^#{1,6}[ \t]+(?P<text>.+?)[ \t#]*$")
HEADING_ID = re.compile(r"\{[:\s]*#(?P<id>[\w-]+)[^}]*\}[ \t]*$")
OPENING = re.compile(
    r"^(?P<mark>/{3,})\s*(?P<name>[\w-]+)\s*(?:\|\s*(?P<title>.*?)\s*)?$"
)
CLOSING = re.compile(r"^(?P<mark>/{3,})\s*$")
ID = re.compile(r"^ {4}id:\s*(?P<id>\S+)\s*$")
WITH_ID = ("question", "fact", "exercise")
BOXES = ("opening", *WITH_ID, "solution", "gather")


@dataclass(frozen=True)
class Declared:
    """A box (`/// question | …`) as its author opened it."""

    line: int
    name: str
    id: str = ""


@dataclass(frozen=True)
class Parsed:
    """What a page is made of, in the order of its lines; do not change it."""

    page: Page
    lines: tuple[Line, ...]  # includes put in place
    fences: tuple[Fence, ...]
    blocks: tuple[Block, ...]  # one for each Python fence
    declared: tuple[Declared, ...]
    inlines: tuple[Inline, ...]  # values in the prose
    problems: tuple[Problem, ...]

    @property
    def python(self) -> dict[int, Block]:
        """The block that each Python fence holds, by the index of its first line."""
        starts = [fence.start for fence in self.fences if fence.is_python]
        return dict(zip(starts, self.blocks, strict=True))

    @property
    def has_code(self) -> bool:
        """Whether the page is a chapter, with Python to run and to download.

        Not so a day's page, nor one with `download: false` in its front matter.
        """
        is_topic = self.page.path is not None and self.page.path.name != "index.md"
        return is_topic and bool(self.blocks) and self.page.meta.get("download", True)

    @functools.cached_property
    def fenced(self) -> frozenset[int]:
        """The indices of the lines that are in a fence."""
        return in_fences(self.fences)

    def outside(self) -> Iterator[Line]:
        """The lines that are in no fence."""
        return (line for i, line in enumerate(self.lines) if i not in self.fenced)

    def with_values(self, index: int, value: Callable[[Inline], str]) -> str:
        """Line `index`, each value in place of its code."""
        text = self.lines[index].text
        here = {v.code: v for v in self.inlines if v.index == index}
        return replaced(text, lambda code: value(here[code])) if here else text

    def report(self, more: Iterable[Problem] = ()) -> str:
        """All problems, in page order, a line each; empty if there are none."""
        ordered = sorted({*self.problems, *more}, key=lambda problem: problem.line)
        return "\n".join(f"{self.page.name}:{p.line}: {p.message}" for p in ordered)

    def sound(self) -> "Parsed":
        """This page; raises `PageError` if anything is wrong with it."""
        if self.problems:
            raise PageError(self.report())
        return self


Stamps = tuple[tuple[Path, tuple[int, int, int]], ...]

_parsed: dict[Path, tuple[Page, Stamps, Parsed]] = {}


def parse(page: Page) -> Parsed:
    """The page taken apart: once for as long as it and what it includes stay the same.

    Kept by the page's path; a page without one is taken apart anew.
    """
    if page.path is None:
        return _parse(page)
    known = _parsed.get(page.path)
    if known and known[0] is page and known[1] == _stamps(path for path, _ in known[1]):
        return known[2]
    stamps = _stamps(included(page.lines()))
    parsed = _parse(page)
    _parsed[page.path] = page, stamps, parsed
    return parsed


def parsed_pages() -> list[Parsed]:
    """Every page of the site, taken apart."""
    return [parse(page) for page in pages()]


def _stamps(files: Iterable[Path]) -> Stamps:
    return tuple((path, stamp(path)) for path in files)


def _parse(page: Page) -> Parsed:
    lines, problems = expand(page.lines())
    found, wrong = fences(lines)
    problems += wrong
    made = tuple(blocks(lines, found, problems))
    inside = in_fences(found)
    prose = [(i, line) for i, line in enumerate(lines) if i not in inside]
    boxes, wrong = declared(line for _, line in prose)
    starts = [fence.start for fence in found if fence.is_python]
    running = [
        (start, block)
        for start, block in zip(starts, made, strict=True)
        if not block.options.notest
    ]
    values, unread = inlines(prose, running)
    made = tuple(_with_values(made, values, unread))
    return Parsed(
        page=page,
        lines=tuple(lines),
        fences=tuple(found),
        blocks=made,
        declared=tuple(boxes),
        inlines=tuple(values),
        problems=(*problems, *wrong, *unread),
    )


def _with_values(
    made: Iterable[Block], values: Sequence[Inline], wrong: list[Problem]
) -> Iterator[Block]:
    """The blocks, each with the code of the values that are evaluated after it."""
    for block in made:
        own = of_header(block)
        messages = filter(None, map(problems_of_code, own))
        wrong += [Problem(block.line, message) for message in messages]
        own += [value.code for value in values if value.block == block.index]
        yield replace(block, values=tuple(dict.fromkeys(own)))


def in_fences(found: Iterable[Fence]) -> frozenset[int]:
    """The indices of the lines that are in a fence, its first and last among them."""
    return frozenset(i for fence in found for i in range(fence.start, fence.end + 1))


def included(lines: Iterable[Line]) -> list[Path]:
    """The files that lines include, directly or not."""
    found: dict[Path, None] = {}
    waiting = [match["file"] for _, text in lines if (match := INCLUDE.match(text))]
    while waiting:
        name = waiting.pop()
        path = next((f / name for f in (SNIPPETS, DOCS) if (f / name).is_file()), None)
        if path is not None and path not in found:
            found[path] = None
            matches = map(INCLUDE.match, path.read_text("utf8").split("\n"))
            waiting += [match["file"] for match in matches if match]
    return list(found)


def expand(lines: Iterable[Line]) -> tuple[list[Line], list[Problem]]:
    """Replace each `--8<-- "file.py:section"` by the lines it names.

    Files are looked for in `snippets/`, then in `docs/`. An included line keeps the
    number of the line that includes it.
    """
    expanded: list[Line] = []
    problems: list[Problem] = []
    for number, text in lines:
        if INCLUDE.match(text):
            try:
                expanded += [Line(number, part) for part in _include().run([text])]
            except SnippetMissingError as error:
                problems.append(Problem(number, f"{text.strip()}: {error}"))
        elif INCLUDE_MARK.match(text):
            problems.append(
                Problem(number, 'write an include as one line: --8<-- "file:section"')
            )
        else:
            expanded.append(Line(number, text))
    return expanded, problems


@functools.cache
def _include() -> SnippetPreprocessor:
    options = {
        "base_path": [str(SNIPPETS), str(DOCS)],
        "check_paths": True,
        "dedent_subsections": True,
    }
    md = Markdown(
        extensions=["pymdownx.snippets"],
        extension_configs={"pymdownx.snippets": options},
    )
    return md.preprocessors["snippet"]


def fences(lines: Sequence[Line]) -> tuple[list[Fence], list[Problem]]:
    """The outermost fences of a page, and what is wrong with any of them."""
    found: list[Fence] = []
    problems: list[Problem] = []
    heading = "top"
    opened: tuple[int, re.Match[str]] | None = None
    for index, (number, text) in enumerate(lines):
        match = FENCE.match(text)
        if opened is not None:
            start, header = opened
            if match and match["mark"] == header["mark"] and not match["info"].strip():
                found.append(Fence(start, index, **header.groupdict(), heading=heading))
                opened = None
        elif match:
            opened = index, match
        elif FENCE_IN_ITEM.match(text):
            problems.append(
                Problem(number, "start a fence on a line of its own, indented by four")
            )
        elif title := HEADING.match(text):
            heading = _anchor(title["text"])
    if opened is not None:
        number = lines[opened[0]].number
        problems.append(Problem(number, f"this fence is never closed: {opened[1][0]}"))
    return found, problems


def _anchor(heading: str) -> str:
    written = HEADING_ID.search(heading)
    return written["id"] if written else slugify(heading, "-") or "top"


def declared(lines: Iterable[Line]) -> tuple[list[Declared], list[Problem]]:
    """The boxes that lines outside of fences open, and what is wrong with them."""
    found: list[Declared] = []
    wrong: list[Problem] = []
    stack: list[tuple[str, int]] = []
    for number, text in lines:
        if closing := CLOSING.match(text):
            if stack and stack[-1][0] == closing["mark"]:
                stack.pop()
            else:
                wrong.append(Problem(number, f"{text.strip()} closes nothing"))
        elif opening := OPENING.match(text):
            name = opening["name"]
            if name not in BOXES:
                message = f"unknown block {name}; known are {', '.join(BOXES)}"
                wrong.append(Problem(number, message))
            stack.append((opening["mark"], number))
            found.append(Declared(number, name))
        elif (match := ID.match(text)) and found and not found[-1].id:
            found[-1] = Declared(found[-1].line, found[-1].name, match["id"])
    wrong += [Problem(number, f"{mark} is never closed") for mark, number in stack]
    wrong += [
        Problem(box.line, f"a {box.name} needs an id, as its first line: '    id: x'")
        for box in found
        if box.name in WITH_ID and not box.id
    ]
    return found, wrong


def repeated_ids(parsed: Parsed) -> list[Problem]:
    """The ids of this page's boxes that are used twice on the site."""
    here = [(parsed.page.name, box) for box in parsed.declared if box.id]
    others = [
        (other.page.name, box)
        for other in (parsed_pages() if here else [])
        if other.page.path != parsed.page.path
        for box in other.declared
    ]
    return [
        Problem(box.line, f"the id {box.id} is used too in {name}:{twin.line}")
        for _, box in here
        for name, twin in (*here, *others)
        if twin.id == box.id and twin is not box
    ]
