"""A map of a track: what each page builds on, drawn from the "Know first" links.

The pages stand one below the other in the order of reading; an arc leads from each page
back to those that it builds on. The same stands below as a list.
"""

import html
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import sqrt
from pathlib import Path

from literate import nav
from literate.page import Page, day_of
from literate.parse import CLOSING, OPENING, parse
from literate.project import DOCS

LINK = re.compile(r"\]\((?P<target>[^)#\s]+\.md)(?:#[^)]*)?\)")
WIDTH = 358  # of the text of a page on a phone
LEFT = 128  # room for the arcs
ROW, GAP, SIZE = 24, 14, 12.5
LONGEST = 33  # letters of a title that fit
TRACKS = {"llm": "LLM", "pytorch": "PyTorch"}


@dataclass(frozen=True)
class Place:
    """A page on the map: its height, and the pages that it builds on."""

    page: Page
    y: float
    builds_on: tuple[Page, ...]


def builds_on(page: Page) -> list[Page]:
    """The topic pages before this one that its opening says to know first."""
    order = nav.topics()
    known = {one.path: one for one in order}
    place = {one.path: index for index, one in enumerate(order)}
    track = day_of(page).split("-")[0]
    found: dict[Page, None] = {}
    for target in _targets(page):
        other = known.get(target)
        if other is None or other is page:
            continue
        is_before = place[other.path] < place[page.path]
        if is_before or day_of(other).split("-")[0] != track:
            found[other] = None
    return list(found)


def _targets(page: Page) -> Iterator[Path]:
    """The files of the pages that the opening links to."""
    folder = Path(page.path or DOCS).parent
    inside = ""
    for _, text in parse(page).outside():
        if inside and (closing := CLOSING.match(text)) and closing["mark"] == inside:
            return
        if inside:
            for match in LINK.finditer(text):
                target = match["target"]
                start = DOCS if target.startswith("/") else folder
                yield (start / target.lstrip("/")).resolve()
        elif (opening := OPENING.match(text)) and opening["name"] == "opening":
            inside = opening["mark"]


def of_track(track: str, to_root: str) -> list[str]:
    """The map of a track and the same as a list, as Markdown."""
    chosen = [page for page in nav.topics() if not page.meta.get("optional")]
    own = [page for page in chosen if day_of(page).startswith(f"{track}-")]
    links = {page: builds_on(page) for page in own}
    needed = {other for others in links.values() for other in others}
    before = [page for page in chosen if page in needed and page not in own]
    rows: list[str | Page] = []
    if before:
        other = next(name for key, name in TRACKS.items() if key != track)
        rows += [f"From the {other} track", *before]
    for page in own:
        day = f"Day {day_of(page).split('-')[1]}"
        rows += [page] if day in rows else [day, page]
    lines = ['<figure class="diagram map">', *_drawing(rows, links, track, to_root)]
    told = "A page's arcs lead back to what it builds on; optional pages are left out."
    return [*lines, f"<figcaption>{told}</figcaption>", "</figure>", "", *_list(links)]


def _drawing(
    rows: Sequence[str | Page], links: dict[Page, list[Page]], track: str, to_root: str
) -> Iterator[str]:
    """The SVG: headings, and for each page a link with its arcs."""
    heights: dict[Page, float] = {}
    headings: list[str] = []
    y = 0.0
    for row in rows:
        y += ROW + (GAP if isinstance(row, str) else 0)
        if isinstance(row, str):
            at = f'x="{LEFT}" y="{y - 7:g}" font-size="{SIZE}" font-weight="700"'
            headings.append(f'<text {at} fill="currentColor">{row}</text>')
        else:
            heights[row] = y
    label = f"Map of the {TRACKS[track]} track: its pages, and what each builds on."
    box = f'viewBox="0 0 {WIDTH} {y + 8:g}" width="{WIDTH}"'
    yield f'<svg {box} role="group" aria-label="{label}">'
    yield from headings
    for page, height in heights.items():
        others = [one for one in links.get(page, []) if one in heights]
        yield _linked(page, height, [heights[one] for one in others], y, to_root)
    yield "</svg>"


def _linked(
    page: Page, height: float, others: Sequence[float], most: float, to_root: str
) -> str:
    """A page's title as a link, with its point and its arcs."""
    address = page.name.removeprefix("docs/").removesuffix(".md")
    middle, x = height - 11, LEFT - 12
    arcs = ""
    for other in others:
        target = other - 11
        out = x - 16 - (x - 20) * sqrt(abs(middle - target) / most)
        path = (
            f"M{x} {middle:g}C{out:.0f} {middle:g} {out:.0f} {target:g} {x} {target:g}"
        )
        arcs += f'<path d="{path}" fill="none" stroke="currentColor"/>'
    point = f'<circle cx="{x}" cy="{middle:g}" r="3" fill="currentColor"/>'
    title = page.title.replace("`", "")
    if len(title) > LONGEST:
        title = title[: LONGEST - 1].rpartition(" ")[0] + " …"
    text = (
        f'<text x="{LEFT}" y="{height - 7:g}" font-size="{SIZE}" fill="currentColor">'
    )
    shown = f"{text}{html.escape(title)}</text>"
    return f'<a href="{to_root}{address}/">{arcs}{point}{shown}</a>'


def _list(links: dict[Page, list[Page]]) -> Iterator[str]:
    """The same for those who do not see it."""
    yield from ('<details markdown="1">', "<summary>The same as a list</summary>", "")
    for page, others in links.items():
        named = ", ".join(map(_link, others)) or "nothing of this book"
        yield f"- {_link(page)} builds on {named}."
    yield from ("", "</details>", "")


def _link(page: Page) -> str:
    return f"[{page.title}](/{page.name.removeprefix('docs/')})"
