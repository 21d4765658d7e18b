"""A page as its author wrote it: front matter, includes, fences and headings.

Markdown processors work on lines that have lost their numbers; here every line keeps
the number it has in its file, so that each message can name `docs/page.md:LINE`.
"""

import functools
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from markdown import Markdown
from markdown.extensions.toc import slugify
from mkdocs.utils.meta import get_data
from pymdownx.snippets import SnippetMissingError, SnippetPreprocessor

from literate.project import DOCS, SNIPPETS, relative

FENCE = re.compile(r"^(?P<prefix>[ \t>]*)(?P<mark>`{3,}|~{3,})(?P<info>.*)$")
FENCE_IN_ITEM = re.compile(r"^[ \t>]*(?:[-*+]|\d+[.)])[ \t]+(?:`{3,}|~{3,})")
INCLUDE = re.compile(r"^[ \t]*-+8<-+[ \t]+[\"'].*[\"']$")
INCLUDE_MARK = re.compile(r"^[ \t>]*-+8<-+")
HEADING = re.compile(r"^#{1,6}[ \t]+(?P<text>.+?)[ \t#]*$")
HEADING_ID = re.compile(r"\{[:\s]*#(?P<id>[\w-]+)[^}]*\}[ \t]*$")
PYTHON = re.compile(
    r"\{?\s*\.?(?:py(?:thon)?[\d.]*|ipython[\d.]*|py(?:thon)?[-_]?(?:con|console|repl))"
    r"(?![\w+#-])",
    re.IGNORECASE,
)


class Line(NamedTuple):
    """A line of text and the number, in the page's file, of the line it came from."""

    number: int
    text: str


@dataclass(frozen=True)
class Problem:
    """Something wrong with a page, and where."""

    line: int
    message: str


@dataclass(frozen=True)
class Page:
    """A Markdown page.

    `body` is the text without front matter; its first line is line `first` of the file.
    """

    path: Path | None
    body: str
    first: int = 1
    meta: dict = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The page's path in the project, such as `docs/llm/day-3/index.md`."""
        return relative(self.path) if self.path else "(text)"

    @property
    def title(self) -> str:
        """The text of the page's first heading."""
        return next(text[2:] for _, text in self.lines() if text.startswith("# "))

    def lines(self) -> list[Line]:
        """The body, each line with its number in the file."""
        return [Line(n, t) for n, t in enumerate(self.body.split("\n"), self.first)]

    def line_of(self, text: str, default: int | None = None) -> int:
        """The number of the first line that holds `text`, or else `default`.

        For errors found after Markdown has dropped the line numbers. Of a text of
        several lines, the first one that is not blank is looked for.
        """
        wanted = next((part for part in text.split("\n") if part.strip()), text)
        for number, line in self.lines():
            if wanted.strip() in line:
                return number
        return self.first if default is None else default


@dataclass(frozen=True)
class Fence:
    """A fenced block: `lines[start]` opens it, `lines[end]` closes it."""

    start: int
    end: int
    prefix: str
    mark: str
    info: str
    heading: str

    @property
    def is_python(self) -> bool:
        """Whether the author meant Python, however it is spelt."""
        return bool(PYTHON.match(self.info.strip()))


def read(path: Path) -> Page:
    """The page in a file under `docs/`."""
    stat = path.stat()
    return _read(path, stat.st_mtime_ns, stat.st_size)


@functools.cache
def _read(path: Path, modified: int, size: int) -> Page:
    text = path.read_text("utf-8-sig")
    body, meta = get_data(text)
    first = 1 + text[: len(text) - len(body)].count("\n")
    return Page(path, body, first, meta)


def pages() -> list[Page]:
    """Every Markdown page of the site, in the order of their paths."""
    return [read(path) for path in sorted(DOCS.rglob("*.md"))]


def page_of(body: str) -> Page:
    """The page with this body; Markdown extensions are not told which page it is."""
    page = _known.get(body)
    if page is None or not page.path.exists():
        _known.update((page.body, page) for page in pages())
        page = _known.get(body)
    return page or Page(None, body)


_known: dict[str, Page] = {}


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


def day_of(page: Page) -> str:
    """The day of a topic page, such as `llm-3`; empty for any other page."""
    match = re.fullmatch(r"docs/(\w+)/day-(\d)/(?!index\.md)[\w-]+\.md", page.name)
    return f"{match[1]}-{match[2]}" if match else ""


def has_code(page: Page) -> bool:
    """Whether a page is a chapter, with Python to run and to download.

    Not so a day's page, nor one with `download: false` in its front matter.
    """
    if page.meta.get("download") is False:
        return False
    found, _ = fences(expand(page.lines())[0])
    is_topic = page.path is not None and page.path.name != "index.md"
    return is_topic and any(fence.is_python for fence in found)


def outside(lines: Sequence[Line], found: Sequence[Fence]) -> Iterator[Line]:
    """The lines of a page that are not in a fence."""
    inside = {i for fence in found for i in range(fence.start, fence.end + 1)}
    return (line for index, line in enumerate(lines) if index not in inside)


def fences(lines: Sequence[Line]) -> tuple[list[Fence], list[Problem]]:
    """The outermost fences of a page, and what is wrong with any of them."""
    found: list[Fence] = []
    problems: list[Problem] = []
    heading = "top"
    opened: tuple[int, re.Match] | None = None
    for index, (number, text) in enumerate(lines):
        match = FENCE.match(text)
        if opened is not None:
            start, header = opened
            if match and match["mark"] == header["mark"] and not match["info"].strip():
                found.append(Fence(start, index, **_parts(header), heading=heading))
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


def _parts(header: re.Match) -> dict[str, str]:
    return {name: header[name] for name in ("prefix", "mark", "info")}


def _anchor(heading: str) -> str:
    written = HEADING_ID.search(heading)
    return written["id"] if written else slugify(heading, "-") or "top"
