"""Pages and headings that have moved: old addresses lead on."""

import pytest
from bs4 import BeautifulSoup

from literate import moved
from literate.project import PageError
from tests.site.test_addresses import leading_nowhere


@pytest.fixture
def declare(tmp_path, monkeypatch):
    """Write lines into a table of what has moved."""
    monkeypatch.setattr(moved, "FILE", tmp_path / "moved.txt")
    monkeypatch.setattr(moved, "titles", lambda: {"/b/": "B & more"})

    def write(*lines: str) -> None:
        moved.FILE.write_text("\n".join(["# OLD NEW", "", *lines]), "utf8")

    write()
    return write


def test_the_table_of_the_book_can_be_read():
    assert isinstance(moved.moved(), dict)


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["/a/"], r"moved.txt:3: write an old and a new address"),
        (["a/ b/"], r"moved.txt:3: write an old"),
        (["/a/b /c/"], r"moved.txt:3: write an old"),
        (["/a/ /b/", "/a/ /c/"], r"moved.txt:4: /a/ is there twice"),
        (["/a/ /b/", "/b/ /a/"], r"/a/ leads in a circle"),
    ],
)
def test_a_line_that_is_wrong_is_named(declare, lines, message):
    declare(*lines)
    with pytest.raises(PageError, match=message):
        moved.moved()


def test_what_moved_twice_leads_to_the_end(declare):
    declare("/a/ /b/", "/b/ /c/", "/x/#one /x/#two", "/x/#two /c/#three")
    assert moved.pages() == {"/a/": "/c/", "/b/": "/c/"}
    assert moved.moved()["/x/#one"] == "/c/#three"
    assert moved.former("/c/") == ["/a/", "/b/"]


def test_a_page_that_moved_leads_on_without_javascript(declare, tmp_path):
    declare("/llm/old/ /b/", "/gone/ /b/#part")
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "index.html").write_text("<h1>B</h1>", "utf8")
    for _ in range(2):  # a build may find what the last one left
        moved.write(tmp_path, "https://here.org/book/")
    text = (tmp_path / "llm" / "old" / "index.html").read_text("utf8")
    page = BeautifulSoup(text, "html.parser")
    assert page.select_one("meta[http-equiv]")["content"] == "0; url=../../b/"
    assert page.select_one("link")["href"] == "https://here.org/book/b/"
    assert page.select_one("meta[name=robots]")["content"] == "noindex"
    assert (page.a["href"], page.a.text) == ("../../b/", "B & more")
    gone = (tmp_path / "gone" / "index.html").read_text("utf8")
    assert "url=../b/#part" in gone
    assert leading_nowhere(tmp_path, ["/llm/old/", "/llm/old/#any"]) == []


def test_a_page_that_is_still_there_and_one_that_is_not_are_named(declare, tmp_path):
    declare("/a/ /b/")
    with pytest.raises(PageError, match="there is no page /b/"):
        moved.write(tmp_path, "")
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "index.html").write_text("<h1>A</h1>", "utf8")
    with pytest.raises(PageError, match="there still is a page /a/"):
        moved.write(tmp_path, "")


PAGE = '<h1 id="a">A</h1>\n<h2 class="x" id="new">New</h2>\n<p id="text">text</p>'


def test_a_heading_that_moved_leaves_an_anchor(declare):
    declare("/a/#old /a/#new", "/b/#old /a/#new")
    anchor = '<a class="moved" id="old"></a><h2 class="x" id="new">'
    assert anchor in moved.with_anchors(PAGE, "/a/")
    assert moved.with_anchors(PAGE, "/c/") == PAGE


def test_a_heading_that_moved_to_another_page_leaves_a_line(declare):
    declare("/a/#old /b/#new")
    page = BeautifulSoup(moved.with_anchors(PAGE, "/a/"), "html.parser")
    line = page.select_one("p#old")
    assert line.text == "A part of this page is now in B & more."
    assert line.a["href"] == "../b/#new"


def test_several_headings_that_moved_to_one_page_leave_one_line(declare):
    declare("/a/#old /b/#new", "/a/#older /b/#newer")
    page = BeautifulSoup(moved.with_anchors(PAGE, "/a/"), "html.parser")
    (line,) = page.select("p.moved")
    assert line.text == "Parts of this page are now in B & more."
    assert line.find(id="older") and line["id"] == "old"
    assert line.select_one("a[href]")["href"] == "../b/"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("/a/#old /a/#none", "/a/#none is no heading of its page"),
        ("/a/#old /a/#text", "/a/#text is no heading of its page"),
        ("/a/#new /a/#a", "/a/#new is still there"),
    ],
)
def test_an_anchor_that_cannot_be_is_named(declare, line, message):
    declare(line)
    with pytest.raises(PageError, match=message):
        moved.with_anchors(PAGE, "/a/")
