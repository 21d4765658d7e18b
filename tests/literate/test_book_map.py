"""The map of the book: which page builds on which, drawn and listed."""

import re
from xml.etree import ElementTree

import pytest

from literate import nav
from literate.page import day_of, pages
from literate.project import DOCS
from literate.showing import book_map


def page_named(name: str):
    (found,) = [page for page in pages() if page.name == f"docs/{name}"]
    return found


def test_a_page_builds_on_what_its_opening_links_to():
    llama = page_named("llm/day-3/llama.md")
    names = [page.name for page in book_map.builds_on(llama)]
    assert names == ["docs/llm/day-3/self-attention.md", "docs/llm/day-2/gpt.md"]


def test_a_page_that_comes_later_is_not_built_on():
    """The opening of bytes and Unicode says which page it prepares."""
    early = page_named("llm/day-4/bytes-and-unicode.md")
    assert DOCS / "llm" / "day-4" / "bpe.md" in book_map._targets(early)
    assert book_map.builds_on(early) == []


@pytest.mark.parametrize("track", ["llm", "pytorch"])
def test_a_map_has_every_required_page_once_and_an_arc_for_each_link(track):
    lines = book_map.of_track(track, "../")
    start, end = lines.index("</svg>"), lines.index("</figure>")
    drawing = ElementTree.fromstring("".join(lines[1 : start + 1]))
    own = [
        page
        for page in nav.topics()
        if day_of(page).startswith(f"{track}-") and not page.meta.get("optional")
    ]
    linked = [a.get("href") for a in drawing.iter("a")]
    assert len(set(linked)) == len(linked)
    for page in own:
        address = page.name.removeprefix("docs/").removesuffix(".md")
        assert f"../{address}/" in linked
    required = {p for p in nav.topics() if not p.meta.get("optional")}
    wanted = sum(len(required.intersection(book_map.builds_on(page))) for page in own)
    assert len(list(drawing.iter("path"))) == wanted > 20
    told = [line for line in lines[end:] if line.startswith("- [")]
    assert len(told) == len(own)


@pytest.mark.parametrize("track", ["llm", "pytorch"])
def test_a_map_stays_inside_its_frame(track):
    text = "".join(book_map.of_track(track, ""))
    outer = [float(x) for x in re.findall(r"C(-?\d+) ", text)]
    assert min(outer) >= 0 and max(outer) <= book_map.LEFT
    titles = re.findall(
        r'font-size="12.5" fill="currentColor">([^<]+)</text></a>', text
    )
    assert max(map(len, titles)) <= book_map.LONGEST
