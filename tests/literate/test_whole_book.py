"""The book as one file: a ZIP that is read from files, a PDF with bookmarks."""

import re
import shutil
import zipfile
from pathlib import Path

import pytest
from playwright.sync_api import expect

from literate.project import ROOT
from literate.publishing import archive, paper
from tests.literate.test_builds import build
from tools import books


@pytest.fixture(scope="module")
def book(tmp_path_factory) -> Path:
    """A small book that was built."""
    project = books.small(tmp_path_factory.mktemp("whole"))
    (project / "tools").mkdir()
    shutil.copy(ROOT / "tools" / "browser.py", project / "tools")
    build(project)
    return project


def make(project: Path, *arguments: str) -> Path:
    done = books.run(project, "-m", "literate", "book", *arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    return project / arguments[-1]


@pytest.fixture(scope="module")
def unpacked(book, tmp_path_factory) -> Path:
    """The ZIP of that book, unpacked."""
    folder = tmp_path_factory.mktemp("unpacked")
    with zipfile.ZipFile(make(book, "--zip", "daybook.zip")) as packed:
        packed.extractall(folder)
    return folder / archive.FOLDER


def test_links_in_the_zip_lead_to_files_and_never_to_a_folder(unpacked):
    pages = list(unpacked.rglob("*.html"))
    assert len(pages) >= 5
    found = [
        page.parent / link
        for page in pages
        for link in re.findall(r'(?:href|src)="([^"#?:]+)', page.read_text("utf8"))
    ]
    assert [path for path in found if path.is_dir()] == []
    to_pages = [path for path in found if path.name == "index.html"]
    assert len(to_pages) >= 20 and all(path.is_file() for path in to_pages)


def test_the_zip_is_read_from_files_and_says_once_what_needs_a_server(
    unpacked, browser
):
    tab = browser.new_page()
    failed = []
    tab.on("requestfailed", lambda request: failed.append(request.url))
    tab.goto((unpacked / "index.html").as_uri())
    notice = tab.locator(".only-as-file")
    expect(notice).to_have_count(1)
    expect(notice).to_be_visible()
    expect(notice).to_contain_text("python -m http.server")
    tab.locator("article").get_by_role("link", name="page", exact=True).click()
    expect(tab.locator("h1")).to_contain_text("Page")
    styled = tab.evaluate("getComputedStyle(document.querySelector('h1')).fontWeight")
    assert styled == "700"  # by the site's own styles
    assert [url for url in failed if not url.endswith(".js")] == []
    assert not any(url.startswith("http") for url in failed)
    tab.close()


def test_the_zip_behind_a_server_is_the_whole_site(unpacked, serve, browser):
    tab = browser.new_page()
    tab.goto(serve(unpacked))
    expect(tab.locator(".only-as-file")).to_be_hidden()
    tab.get_by_role("textbox", name="Search").press_sequentially("half")
    expect(tab.locator(".md-search-result__link").first).to_be_visible()
    tab.close()


def test_the_same_site_gives_the_same_zip(book):
    first = make(book, "--zip", "one.zip").read_bytes()
    assert make(book, "--zip", "two.zip").read_bytes() == first


@pytest.mark.parametrize(
    ("link", "made"),
    [
        ("../", "../index.html"),
        ("../#top", "../index.html#top"),
        ("../../", "../../index.html"),
        ("../b.svg", "../b.svg"),
        ("#here", "#here"),
        ("https://example.org/", "https://example.org/"),
        ("mailto:a@b.c", "mailto:a@b.c"),
    ],
)
def test_links_to_folders_name_their_page(link, made):
    assert archive.named(link, "llm/day-1/index.html", {".", "llm"}) == made


def test_the_pdf_holds_all_pages_with_bookmarks_and_links(book, browser):
    made = make(book, "--pdf", "daybook.pdf").read_bytes()
    assert made.startswith(b"%PDF-")
    titles = re.findall(rb"/Title \(([^)]*)\)", made)
    for title in (
        b"Home",
        b"Plan",
        b"Day 1",
        b"Page",
        b"More",
        b"Lab: small",
    ):
        assert any(title in found for found in titles), (title, titles)
    assert b"/Outlines" in made and made.count(b"/Type /Page\n") >= 5
    assert b"book.invalid" not in made


def test_a_printed_page_keeps_its_ids_apart_and_its_links_inside(book):
    parts = list(paper.contents(books_nav(book)))
    text = paper.document(book / "site", parts)
    ids = re.findall(r'\sid="([^"]+)"', text)
    assert len(ids) == len(set(ids))
    for target in re.findall(r'href="#([^"]+)"', text):
        assert target in ids, target
    assert "reader-note" not in text and "<details>" not in text


def books_nav(book: Path) -> list:
    import yaml

    text = (book / "mkdocs.yml").read_text("utf8")
    return yaml.safe_load(text[text.index("\nnav:") :])["nav"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "Say what to make: --zip FILE, --pdf FILE or both"),
        (
            ("--site-dir", "no", "--zip", "a.zip"),
            "no: there is no built site; python -m",
        ),
        (("--zip", "no/a.zip"), "could not write no/a.zip"),
    ],
)
def test_what_cannot_be_made_is_told(book, arguments, message):
    done = books.run(book, "-m", "literate", "book", *arguments)
    assert done.returncode in (1, 2)
    assert message in done.stderr and "Traceback" not in done.stderr
