"""A small book without a network: what the service worker keeps, and how it changes.

A name that ends in `.localhost` is this machine to a browser, and yet not the author's
own address, where nothing is kept.
"""

import contextlib
import functools
import http.server
import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from literate.project import DOCS, ROOT
from literate.publishing import offline
from tests.conftest import QuietHandler
from tests.helpers import replace
from tests.literate.test_builds import build
from tools import books

PAGE = "llm/day-1/page/"
DATA = (
    '{"format":"daybook-reader","version":1,"epoch":0,"tasks":{},"notes":{"/llm/":'
    '{"text":"What the reader wrote.","at":1}},"start":{},"answers":{},"cards":{}}'
)
KEPT = """async () => {
  const [name, ...others] = await caches.keys();
  if (!name || others.length) return null;
  const found = await (await caches.open(name)).keys();
  return found.map(({ url }) => url.split("/.kept/")[1]);
}"""
STATES = """async () => {
  const { active, waiting, installing } =
    (await navigator.serviceWorker.getRegistration()) ?? {};
  return [active, waiting, installing].map((worker) => worker?.state ?? "");
}"""
SAVES_DATA = """Object.defineProperty(Navigator.prototype, "connection", {
  get: () => ({ saveData: true }),
})"""


class Site:
    """A built site behind an address that can be shut, or break for some files."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.broken: set[str] = set()
        self.asked: list[str] = []
        self.server = None

    def start(self) -> str:
        """Serve, on the same port as before; the address."""
        port = self.server.server_port if self.server else 0
        site = self

        class Handler(QuietHandler):
            def do_GET(self) -> None:
                path = self.path.split("?")[0].removeprefix("/daybook/")
                site.asked.append(path)
                if path in site.broken:
                    self.send_error(500)
                else:
                    super().do_GET()

        handler = functools.partial(Handler, directory=str(self.folder.parent))
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", port), handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return f"http://daybook.localhost:{self.server.server_port}/daybook/"

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> Path:
    """A small book, built."""
    project = books.small(tmp_path_factory.mktemp("offline"))
    build(project, "--site-dir", str(project / "published" / "daybook"))
    return project


@pytest.fixture
def site(built, tmp_path) -> Iterator[Site]:
    """Its site, served."""
    copy = books.copy(built, tmp_path / "book")
    made = Site(copy / "published" / "daybook")
    yield made
    with contextlib.suppress(OSError):
        made.stop()


@pytest.fixture
def context(browser) -> Iterator[BrowserContext]:
    made = browser.new_context()
    yield made
    made.close()


def version_two(site: Site) -> None:
    """Another edition: a page has changed, and so the worker's list."""
    page = site.folder / PAGE / "index.html"
    replace(page, "<p>Text with a formula", "<p>The second edition")
    offline.write(site.folder)


def visit(context: BrowserContext, address: str, path: str = "") -> Page:
    page = context.new_page()
    page.goto(address + path)
    page.evaluate("text => localStorage.setItem('daybook', text)", DATA)
    return page


def until(page: Page, question: str, right) -> object:
    """What the page answers, once that is right."""
    for _ in range(600):
        if right(answer := page.evaluate(question)):
            return answer
        page.wait_for_timeout(100)
    raise AssertionError(answer)


def everything(site: Site) -> int:
    """How many contents are brought in advance, and the list of them."""
    endings = {
        (digest, Path(name).suffix)
        for name, digest in offline.files(site.folder).items()
        if not offline.is_heavy(name, (site.folder / name).stat().st_size)
    }
    return len(endings) + 1


def filled(page: Page, site: Site) -> None:
    count = everything(site)
    until(page, KEPT, lambda kept: kept is not None and len(kept) == count)


def test_after_one_visit_the_whole_site_is_read_without_a_server(site, context):
    address = site.start()
    page = visit(context, address)
    filled(page, site)
    site.stop()
    for path in ("", PAGE, "labs/small/", "plan/"):
        page.goto(address + path)
        title = page.locator("h1").first
        expect(title).to_be_visible()
    page.goto(address + PAGE.rstrip("/"))  # as a server leads on
    assert page.url == address + PAGE
    page.get_by_role("textbox", name="Search").press_sequentially("half")
    expect(page.locator(".md-search-result__link").first).to_be_visible()
    page.goto(address + "nowhere/")
    expect(page.get_by_role("heading", name="404")).to_be_visible()
    assert page.evaluate("localStorage.getItem('daybook')") == DATA


def test_a_new_version_begins_with_the_next_page_and_brings_only_changes(site, context):
    address = site.start()
    page = visit(context, address)
    filled(page, site)
    version_two(site)
    site.asked.clear()
    page.reload()
    until(page, STATES, lambda states: states[1] == "installed")
    assert set(site.asked) <= {"sw.js", PAGE}
    page.goto(address + PAGE)
    expect(page.get_by_text("The second edition")).to_be_visible()
    until(page, STATES, lambda states: states == ["activated", "", ""])
    filled(page, site)  # and nothing of the old version is left
    site.stop()
    page.reload()
    expect(page.get_by_text("The second edition")).to_be_visible()
    assert page.evaluate("localStorage.getItem('daybook')") == DATA


def test_a_version_that_cannot_be_brought_leaves_the_old_one_whole(site, context):
    address = site.start()
    page = visit(context, address)
    filled(page, site)
    version_two(site)
    site.broken.add(PAGE)
    page.reload()
    page.wait_for_timeout(500)
    until(page, STATES, lambda states: states == ["activated", "", ""])
    assert PAGE in site.asked and "sw.js" in site.asked
    for _ in ("with the server", "and without"):
        page.goto(address + PAGE)
        expect(page.get_by_text("Text with a formula")).to_be_visible()
        with contextlib.suppress(OSError):
            site.stop()
    assert page.evaluate("localStorage.getItem('daybook')") == DATA


def test_a_new_version_waits_while_two_pages_are_open(site, context):
    address = site.start()
    page, other = visit(context, address), visit(context, address, PAGE)
    filled(page, site)
    version_two(site)
    page.reload()
    until(page, STATES, lambda states: states[1] == "installed")
    page.goto(address + PAGE)
    expect(page.get_by_text("Text with a formula")).to_be_visible()
    other.close()
    page.goto(address)
    page.goto(address + PAGE)
    expect(page.get_by_text("The second edition")).to_be_visible()


def test_where_data_are_saved_only_what_is_read_is_kept(site, context):
    context.add_init_script(SAVES_DATA)
    address = site.start()
    page = visit(context, address)
    until(page, STATES, lambda states: states[0] == "activated")
    page.goto(address + PAGE)
    page.wait_for_timeout(500)
    kept = until(page, KEPT, lambda kept: kept and len(kept) > 2)
    assert len(kept) < everything(site) / 2
    assert not {"labs/small/", "plan/"} & set(site.asked)
    site.stop()
    page.reload()
    expect(page.get_by_role("heading", name="More")).to_be_visible()


def test_an_author_s_own_address_keeps_nothing(site, context):
    address = site.start().replace("daybook.localhost", "127.0.0.1")
    page = visit(context, address)
    page.wait_for_timeout(1000)
    assert page.evaluate(STATES) == ["", "", ""]
    assert "sw.js" not in site.asked


def test_the_worker_knows_every_file_of_the_site(built):
    site = built / "published" / "daybook"
    first, second = (site / "sw.js").read_text("utf8").split("\n")[:2]
    known = json.loads(first.removeprefix("self.files = ").rstrip(";"))
    later = json.loads(second.removeprefix("self.whenUsed = ").rstrip(";"))
    names = {p.relative_to(site).as_posix() for p in site.rglob("*") if p.is_file()}
    unknown = {name for name in names - set(known) if not name.endswith(".map")}
    unknown = {name for name in unknown if "/lunr/" not in name}
    assert unknown == {"sw.js", "sitemap.xml", "sitemap.xml.gz"} & names
    assert set(later) <= set(known)
    for name, digest in known.items():
        assert offline.digest((site / name).read_bytes()) == digest


def test_only_what_is_heavy_waits_until_it_is_used():
    assert offline.is_heavy("assets/model.safetensors", 1_700_000)
    assert not offline.is_heavy("assets/model.safetensors", 1_000)
    assert not offline.is_heavy("search/search_index.json", 2_500_000)
    assert not offline.is_heavy("llm/day-6/model/index.html", 400_000)


def test_the_manifest_names_icons_that_are_there():
    made = offline.manifest()
    assert made["start_url"] == made["scope"] == "./"
    for icon in made["icons"]:
        content = (DOCS / icon["src"]).read_bytes()
        width = int.from_bytes(content[16:20], "big")  # of the picture, a PNG
        assert icon["sizes"] == f"{width}x{width}"
    head = (ROOT / "overrides" / "material" / "main.html").read_text("utf8")
    assert 'rel="manifest"' in head
