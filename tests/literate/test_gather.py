"""Facts, questions and snippets of many pages, gathered on one."""

import re

import pytest
from bs4 import BeautifulSoup

from literate.page import Page, day_of, pages
from literate.project import DOCS, PageError
from literate.showing import gather
from tests.helpers import convert

BLOCK = re.compile(r"^/{3,} (?P<name>fact|question) \|", re.MULTILINE)
TOPICS = [page for page in pages() if day_of(page)]
# pages that only gather what other pages hold, or the reader's own things
WITHOUT = ("catch-up.md", "questions-again.md", "week-2.md")


def soup(text: str) -> BeautifulSoup:
    return BeautifulSoup(convert(text), "html.parser")


def written(name: str, prefix: str = "") -> list[str]:
    """The ids of all facts or questions, as the pages' files have them."""
    ids = [
        identifier
        for page in TOPICS
        for identifier in re.findall(
            rf"^/{{3,}} {name} \|.*\n {{4}}id: (\S+)$", page.body, re.MULTILINE
        )
    ]
    return sorted(identifier for identifier in ids if identifier.startswith(prefix))


@pytest.mark.parametrize(
    ("asked", "element", "expected"),
    [
        ("facts", ".fact", written("fact")),
        ("facts pytorch", ".fact", written("fact", "pytorch-")),
        ("questions llm", ".question", written("question", "llm-")),
        ("questions", ".question", written("question")),
    ],
)
def test_everything_is_gathered_once(asked, element, expected):
    page = soup(f"/// gather | {asked}\n///\n")
    found = [element["id"] for element in page.select(element)]
    assert len(expected) > 50
    assert sorted(found) == expected


# what a question can see where it stands, and not where it is asked again
BESIDE = re.compile(
    r"(?:figure|table|block|code|example|hook|score|formula|picture)s? (?:above|below)"
    r"|(?:above|below) (?:shows?|prints?|says|did)\b|\babove,"
    r"|on this page|the page (?:before|trained)",
    re.IGNORECASE,
)


@pytest.mark.parametrize("asked", ["questions", "facts"])
def test_what_is_gathered_points_at_nothing_beside_it(asked):
    page = soup(f"/// gather | {asked}\n///\n")
    pointing = {
        element["id"]: found[0]
        for element in page.select(".question, .fact")
        if (found := BESIDE.search(element.get_text(" ")))
    }
    assert pointing == {}


def test_groups_name_track_day_page_and_tasks():
    page = soup("/// gather | facts\n///\n")
    fact = page.select_one("#llm-3-fact-qkv")
    group = fact.find_parent("section", class_="gathered-page")
    assert group["data-tasks"] == "llm-3-self-attention"
    assert group.select_one("a.gathered-link")["href"].endswith("self-attention.md")
    day = group.find_parent("section", class_="gathered-day")
    assert day["data-day"] == "llm-3"
    assert day.h3.find(string=True) == "Day 3 · LLaMA and self-attention"
    track = day.find_parent("section", class_="gathered-track")
    assert track["data-track"] == "llm"
    assert track.h2.find(string=True) == "LLM track"


def test_days_and_pages_come_in_the_order_of_the_navigation():
    page = soup("/// gather | facts\n///\n")
    days = [day["data-day"] for day in page.select(".gathered-day")]
    assert days == sorted(days)
    titles = [link.get_text() for link in page.select(".gathered-link")]
    first, second = "Bytes and Unicode", "Byte-pair encoding"
    assert titles.index(first) < titles.index(second)


def test_formulas_keep_their_tex_where_cards_are_made():
    fact = soup("/// gather | facts llm\n///\n").select_one(
        "#llm-7-fact-layer-parameters"
    )
    texts = [formula["data-tex"] for formula in fact.select("math")]
    assert texts == ["C", "12C^2 + 13C", "C \\times C", "C \\times 4C"]
    assert not soup("$x$").select("[data-tex]")


def test_a_gathered_page_is_what_it_is_on_its_own():
    """The same HTML, but for the formulas' TeX."""
    page = next(page for page in TOPICS if page.path.name == "recap.md")
    (block,) = (b for b in gather.blocks(page, "fact") if "layer-parameters" in b[1])
    name = "llm-7-fact-layer-parameters"
    alone = soup("\n".join(block).replace(name, "alone")).select_one("#alone")
    found = soup("/// gather | facts llm\n///\n").select_one(f"#{name}")
    found["id"] = "alone"
    for formula in found.select("math"):
        del formula["data-tex"]
    assert str(found) == str(alone)


def test_links_and_code_survive_the_move():
    body = (
        "//// question | A [link](b.md#c), [far](https://a.b/c), [top](/plan.md)?\n"
        "    id: q\n\n```python title='x'\n/// fact | no\n```\n////\n"
    )
    page = Page(DOCS / "llm" / "day-3" / "a.md", body)
    assert gather.blocks(page, "question") == [
        [
            "//// question | A [link](/llm/day-3/b.md#c), [far](https://a.b/c),"
            " [top](/plan.md)?",
            "    id: q",
            "",
            "```py3",
            "/// fact | no",
            "```",
            "////",
        ]
    ]


@pytest.mark.parametrize(
    "asked", ["", "cards", "facts cobol", "snippets", "snippets x"]
)
def test_what_cannot_be_gathered_is_named(asked):
    with pytest.raises(PageError, match=r"\(text\):3: cannot gather .*; known are"):
        convert(f"text\n\n/// gather | {asked}\n///\n")


@pytest.mark.parametrize("page", TOPICS, ids=lambda page: page.name)
def test_every_topic_page_asks_and_tells(page):
    if page.path.name in WITHOUT:
        return
    names = [match["name"] for match in BLOCK.finditer(page.body)]
    assert names.count("question") >= 4
    assert names.count("fact") >= 4
