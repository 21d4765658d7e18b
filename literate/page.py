"""A page as its author wrote it: front matter, text, and the number of every line.

Markdown processors work on lines that have lost their numbers; here every line keeps
the number it has in its file, so that each message can name `docs/page.md:LINE`.
"""

import functools
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from literate.project import DOCS, relative, stamp

# as MkDocs reads it; what follows has no blank lines before it
FRONT_MATTER = re.compile(r"-{3}[ \t]*\n(?P<yaml>.*?\n)[.-]{3}[ \t]*\n+", re.DOTALL)
DAY = re.compile(r"docs/(?P<track>\w+)/day-(?P<day>\d+)/(?!index\.md)[\w-]+\.md")


class Line(NamedTuple):
    """A line of text and the number, in the page's file, of the line it came from."""

    number: int
    text: str


class Problem(NamedTuple):
    """Something wrong with a page, and where."""

    line: int
    message: str


@dataclass(frozen=True, eq=False)  # two pages may have the same words
class Page:
    """A Markdown page, known by what it is, not by its text.

    `body` is the text without front matter; its first line is line `first` of the file.
    """

    path: Path | None
    body: str
    first: int = 1
    meta: dict[str, Any] = field(default_factory=dict)

    @functools.cached_property
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


def read(path: Path) -> Page:
    """The page in a file under `docs/`, read once for as long as it stays as it is."""
    return _read(path, stamp(path))


@functools.lru_cache(maxsize=4096)
def _read(path: Path, stamp: tuple[int, int, int]) -> Page:
    text = path.read_text("utf-8-sig")
    match = FRONT_MATTER.match(text)
    meta = yaml.safe_load(match["yaml"]) if match else {}
    if match is None or not isinstance(meta, dict):
        body = text.lstrip("\n")
        return Page(path, body, 1 + text[: len(text) - len(body)].count("\n"))
    first = 1 + text[: match.end()].count("\n")
    return Page(path, text[match.end() :], first, meta)


def pages() -> list[Page]:
    """Every Markdown page of the site, in the order of their paths."""
    return [read(path) for path in sorted(DOCS.rglob("*.md"))]


def day_of(page: Page) -> str:
    """The day of a topic page, such as `llm-3`; empty for any other page."""
    match = DAY.fullmatch(page.name)
    return f"{match['track']}-{match['day']}" if match else ""
