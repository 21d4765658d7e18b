"""What a page may cost its reader: elements, requests and bytes of a first visit."""

import gzip
import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from bs4 import BeautifulSoup

from tests.site.test_browser import CHAPTER
from tests.site.test_site import KB, SOURCES, built, soup_of
from tests.visit import WIDE, Visit

MOST_ELEMENTS = 2500
MOST_OF_LISTS = 4000  # of labs, and of pages that gather from all others
LISTS = ("flash-cards", "glossary", "plan", "proofs", "questions-again", "review-code")
MOST_REQUESTS, MOST_BYTES = 25, 200 * KB
IMPORTS = re.compile(
    r"""^(?:import|export|\})[^;]*? ["'](\.[^"']+)["'];$""", re.MULTILINE
)
ON_DEMAND = {  # what site.js fetches for what is on a page
    ".with-definition": "terms.js",
    ".question": "reader/questions.js",
    "link[rel=manifest]": "offline/register.js",
    ".opening .downloads a[href$='.py']": "copy-all.js",
}
each_page = pytest.mark.parametrize("source", SOURCES, ids=lambda p: p.stem)


def elements(page: BeautifulSoup) -> int:
    """The elements that a browser with scripts makes: `noscript` holds only text."""
    hidden = sum(len(box.find_all(True)) for box in page.select("noscript"))
    return len(page.find_all(True)) - hidden


def modules(path: Path) -> set[Path]:
    """A script with all that it imports before it runs."""
    found = {path}
    for match in IMPORTS.finditer(path.read_text("utf8")):
        found |= modules((path.parent / match[1]).resolve())
    return found


def first_visit(site: Path, path: Path) -> set[Path]:
    """The files that a browser fetches for a page before the reader does anything.

    But for pictures that are fetched when they come into sight.
    """
    page, assets = soup_of(path), site / "assets"
    chosen = (
        "link[rel=stylesheet], link[rel=icon], script[src], img:not([loading=lazy])"
    )
    named = [e.get("src") or e.get("href") for e in page.select(chosen)]
    local = [urlsplit(name).path for name in named if not name.startswith("data:")]
    found = {path, *((path.parent / name).resolve() for name in local)}
    started = [assets / "site.js"]
    started += [assets / name for what, name in ON_DEMAND.items() if page.select(what)]
    widgets = {element.name for element in page.find_all(re.compile("-"))}
    started += [assets / "widgets" / f"{name}.js" for name in widgets]
    found |= {module for start in started for module in modules(start.resolve())}
    texts = [file.read_text("utf8") for file in found if file.suffix == ".js"]
    if any("stylesheet()" in text for text in texts):
        found.add(assets / "reader" / "practice.css")
    if any("loadPlan()" in text for text in texts):
        found.add(assets / "reader" / "plan.json")
    if page.select("math"):
        found.add(assets / "fonts" / "math.woff2")
    return {file.resolve() for file in found}


def weight(path: Path) -> int:
    """What a server sends: pictures and fonts are packed already."""
    content = path.read_bytes()
    packed = path.suffix in (".webp", ".png", ".woff2")
    return len(content) if packed else len(gzip.compress(content))


@each_page
def test_a_page_has_few_elements(site, source):
    is_list = source.suffix == ".py" or source.stem in LISTS
    limit = MOST_OF_LISTS if is_list else MOST_ELEMENTS
    assert elements(soup_of(built(site, source))) <= limit


@each_page
def test_a_first_visit_is_light(site, source):
    files = first_visit(site, built(site, source))
    assert len(files) <= MOST_REQUESTS
    heavy = sorted(files, key=weight, reverse=True)[:6]
    told = [f"{file.name}: {weight(file):,}" for file in heavy]
    assert sum(weight(file) for file in files) <= MOST_BYTES, told


@pytest.mark.parametrize("path", [CHAPTER, "plan/", "labs/self-attention/"])
def test_a_browser_asks_for_no_more(browser, address, site, path):
    """What the tests above count is what is fetched, and nothing of the search."""
    visit = Visit.start(browser, address, WIDE)
    page = visit.open(address + path)
    page.wait_for_load_state("networkidle")
    urls = [url for url in visit.requests if not url.startswith("data:")]
    names = {urlsplit(url).path for url in urls}
    asked = {name.removeprefix("/daybook/") or "index.html" for name in names}
    asked = {f"{name}index.html" if name.endswith("/") else name for name in asked}
    counted = first_visit(site, site / path / "index.html")
    assert asked <= {file.relative_to(site).as_posix() for file in counted}
    assert len(asked) > 5 and "assets/site.js" in asked
    visit.page.context.close()


def test_what_is_in_noscript_is_not_counted():
    text = "<p>a</p><noscript><p>b</p><p>c</p></noscript>"
    assert elements(BeautifulSoup(text, "html.parser")) == 2


# Scripts wait until the page has been painted, and then run: what moves is seen.
SHIFTS = """
  window.shifts = [];
  const take = (entries) => {
    for (const { value, hadRecentInput, sources } of entries) {
      const names = sources.map(({ node }) => node?.nodeName ?? "");
      if (!hadRecentInput) window.shifts.push([value, names.join(" ")]);
    }
  };
  const observer = new PerformanceObserver((list) => take(list.getEntries()));
  observer.observe({ type: "layout-shift", buffered: true });
  window.takeShifts = () => take(observer.takeRecords());
"""
FRAMES = """() => new Promise((done) =>
  requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done, 200))))"""
PAINTED = "performance.getEntriesByName('first-contentful-paint').length"
MOST_SHIFT = 0.02
MOVING = (  # pages on which scripts put something
    "",
    "plan/",
    "llm/",
    "llm/day-3/",
    CHAPTER,
    "flash-cards/",
    "your-data/",
    "llm/day-7/questions-again/",
    "llm/day-7/catch-up/",
)


def shifts(browser, address: str, path: str, width: int) -> list[tuple[float, str]]:
    """What moves on a page whose scripts come late, and by how much."""
    visit = Visit.start(browser, address, width)
    page, held, are_free = visit.page, [], []
    page.add_init_script(SHIFTS)

    def hold(route):
        held.append(route) if not are_free else route.continue_()

    page.route(re.compile(r"\.(js|json)$"), hold)
    page.goto(address + path, wait_until="commit")
    while not page.evaluate(PAINTED):
        page.wait_for_timeout(50)
    are_free.append(True)
    for route in held:
        route.continue_()
    page.wait_for_load_state("networkidle")
    page.evaluate(FRAMES)
    page.evaluate("takeShifts()")
    found = page.evaluate("shifts")
    page.context.close()
    return found


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("path", MOVING, ids=lambda path: path or "home")
def test_nothing_moves_when_scripts_come(browser, address, path, width):
    found = shifts(browser, address, path, width)
    assert sum(value for value, _ in found) <= MOST_SHIFT, found


def test_what_moves_is_found(browser, serve, tmp_path):
    late = "document.querySelector('div').style.height = '300px'"
    page = f"<div></div><p>{'words ' * 300}</p><script src='late.js'></script>"
    (tmp_path / "index.html").write_text(f"<!doctype html>{page}")
    (tmp_path / "late.js").write_text(late)
    found = shifts(browser, serve(tmp_path), "", 1280)
    assert sum(value for value, _ in found) > MOST_SHIFT
