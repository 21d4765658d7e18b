"""What search engines, previews of links and other programs find on the built site."""

import re

import pytest
from playwright.sync_api import expect

from literate import catalogue
from literate.project import DOCS
from literate.sharing import cards
from tests.conftest import REPOSITORY, URL
from tests.site.test_site import SOURCES, built, soup_of, text_of
from tests.visit import Visit

each_page = pytest.mark.parametrize("source", SOURCES, ids=lambda p: p.stem)
PICTURE = re.compile("[\U0001f300-\U0001faff\u2600-\u27bf\ufe0f]")


@each_page
def test_a_link_to_a_page_can_be_shown_with_its_picture(site, source):
    page = soup_of(built(site, source))
    said = {m["property"]: m["content"] for m in page.select("meta[property]")}
    assert said["og:url"] == page.select_one("link[rel=canonical]")["href"]
    assert said["og:description"] == page.select_one("[name=description]")["content"]
    assert said["og:title"] and said["og:image"].startswith(URL)
    picture = site / said["og:image"].removeprefix(URL)
    assert 0 < picture.stat().st_size <= cards.MOST_BYTES


def test_no_two_pages_have_the_same_description(site):
    seen = {}
    for source in SOURCES:
        page = soup_of(built(site, source))
        text = page.select_one("meta[name=description]")["content"]
        assert seen.setdefault(text, source) == source
    assert len(seen) == len(SOURCES)


@each_page
def test_a_page_leads_to_its_source(site, source):
    page = soup_of(built(site, source))
    links = {a.get_text(): a["href"] for a in page.select(".page-about a")}
    name = source.relative_to(DOCS).as_posix()
    expected = f"https://github.com/{REPOSITORY}/edit/main/docs/{name}"
    assert links["Edit this page"] == expected
    assert f"github.com/{REPOSITORY}/issues/new?" in links["Report a mistake"]
    plain = page.select_one("link[rel=alternate][type='text/markdown']")
    assert (plain and plain["href"]) == links.get("This page as Markdown")


def test_every_chapter_is_there_as_markdown(site):
    listed = (site / "llms.txt").read_text("utf8")
    names = re.findall(re.escape(URL) + r"([\w/-]+\.md)\)", listed)
    assert len(names) > 80
    for name in names:
        text = (site / name).read_text("utf8")
        assert text.startswith("# ") and len(text) > 200


def test_the_sitemap_has_dates_of_changes_or_none(site):
    text = (site / "sitemap.xml").read_text("utf8")
    shown = soup_of(built(site, DOCS / "plan.md")).select_one(".page-about time")
    here = re.search(r"<loc>[^<]*/plan/</loc>\s*(?:<lastmod>(.*?)</lastmod>)?", text)
    assert here[1] == (shown["datetime"] if shown else None)


@each_page
def test_no_page_needs_a_font_of_pictures_for_its_prose(site, source):
    if source.stem == "bytes-and-unicode":
        return  # which is about such letters
    article = soup_of(built(site, source)).article
    parts = text_of(article, without=("pre", "code", "svg", "title"))
    assert PICTURE.findall("".join(parts)) == []


@pytest.fixture(scope="module")
def visit(browser, address):
    made = Visit.start(browser, address, 1280)
    yield made
    made.page.context.close()


@pytest.mark.parametrize("name", ["no-such-page", "llm/no-such-page/", "a/b/c/d"])
def test_the_page_for_what_is_not_there_helps_at_any_depth(visit, address, name):
    page = visit.open(f"{address}{name}?no-such-page")
    expect(page.get_by_role("heading", name="there is no page here")).to_be_visible()
    page.get_by_role("article").get_by_role("link", name="The plan").click()
    expect(page.get_by_role("heading", name="The plan", level=1)).to_be_visible()


def test_the_home_page_begins_with_one_button(visit, address):
    page = visit.open(address)
    expect(page.locator(".md-button--primary")).to_have_count(1)
    expect(page.get_by_role("group", name="A small GPT writes")).to_be_visible()
    expect(page.locator(".pictures svg[role=img]")).to_have_count(3)
    expect(page.locator(".tracks")).to_contain_text(re.compile(r"About \d+ hours"))


def test_all_code_of_a_page_can_be_copied_at_once(browser, address, site):
    rights = ["clipboard-read", "clipboard-write"]
    made = Visit.start(browser, address, 1280, permissions=rights)
    page = made.open(address + "pytorch/day-1/shapes/")
    page.get_by_role("button", name="Copy all code").click()
    expect(page.locator(".downloads [role=status]")).to_have_text(" Copied.")
    copied = page.evaluate("navigator.clipboard.readText()").replace("\r\n", "\n")
    script = (site / "pytorch" / "day-1" / "shapes.py").read_text("utf8")
    assert copied == script
    page.route("**/shapes.py", lambda route: route.abort())
    page.get_by_role("button", name="Copy all code").click()
    expect(page.locator(".downloads [role=status]")).to_contain_text("Not allowed")
    made.page.context.close()


def test_a_page_of_the_map_is_reached_by_keyboard(visit, address):
    page = visit.open(address + "map/")
    link = page.locator(".map a", has_text="LLaMA").first
    link.focus()
    width = link.locator("path").first.evaluate("e => getComputedStyle(e).strokeWidth")
    assert width == "2.5px"
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="LLaMA", level=1)).to_be_visible()


def test_every_name_of_the_code_is_listed(site):
    page = soup_of(built(site, DOCS / "code-by-name.md"))
    shown = [item.code.get_text() for item in page.select("article li:has(code)")]
    defined = [name for snippet in catalogue.snippets() for name in snippet.names]
    assert sorted(shown) == sorted(defined)
