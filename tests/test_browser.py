"""The built site in a real Chromium: accessible, quiet, and it works."""

from dataclasses import dataclass, field

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from literate import labs
from literate.plan import tasks
from literate.project import DOCS
from literate.source import pages

WIDE, NARROW = 1350, 390
VIEWS = {
    f"{width} {scheme}": (width, scheme)
    for width in (WIDE, NARROW)
    for scheme in ("light", "dark")
}
CHAPTER = "llm/day-3/self-attention/"


def address_of(path) -> str:
    """The part of a page's address below the site's."""
    name = path.relative_to(DOCS)
    folder = name.parent if name.name == "index.md" else name.with_suffix("")
    return "" if folder.as_posix() == "." else f"{folder.as_posix()}/"


ADDRESSES = [
    *(address_of(path) for path in sorted(page.path for page in pages())),
    *(address_of(path) for path in labs.labs()),
    "no-such-page/",
]


@dataclass
class Visit:
    """A page in a browser, and what it did that a page must not do."""

    page: Page
    origin: str
    requests: list[str] = field(default_factory=list)
    messages: list[str] = field(default_factory=list)

    @classmethod
    def start(cls, browser: Browser, origin: str, width: int, **options) -> "Visit":
        """A fresh context: Material keeps the colour scheme of a visit."""
        viewport = {"width": width, "height": 900}
        page = browser.new_context(viewport=viewport, **options).new_page()
        visit = cls(page, origin)
        page.on("request", lambda request: visit.requests.append(request.url))
        page.on("requestfailed", visit.hear_failure)
        page.on("pageerror", lambda error: visit.note("error", str(error)))
        page.on("console", lambda message: visit.hear(message))
        return visit

    def note(self, kind: str, text: str) -> None:
        self.messages.append(f"{kind}: {text}")

    def hear_failure(self, request) -> None:
        """A request that failed; not one cut off by going to the next page."""
        if request.failure != "net::ERR_ABORTED":
            self.note("failed", request.url)

    def hear(self, message) -> None:
        """Errors and warnings; a missing page is allowed to be missing."""
        is_missing_page = "404" in message.text and "no-such-page" in self.page.url
        if message.type in ("error", "warning") and not is_missing_page:
            self.note(message.type, message.text)

    def open(self, address: str) -> Page:
        self.requests.clear()
        self.messages.clear()
        self.page.goto(address, wait_until="load")
        return self.page

    def third_party(self) -> list[str]:
        """Requests to anywhere else."""
        allowed = (self.origin, "data:", "blob:")
        return [url for url in self.requests if not url.startswith(allowed)]


def problems(visit: Visit, contrast: bool = True) -> list[str]:
    """Everything that must be zero on a page; contrast takes most of the time."""
    found = [f"request: {url}" for url in visit.third_party()] + visit.messages
    rules = {"color-contrast": {"enabled": contrast}}
    options = {"resultTypes": ["violations"], "rules": rules}
    for violation in Axe().run(visit.page, options=options).response["violations"]:
        for node in violation["nodes"]:
            found.append(f"axe {violation['id']}: {node['html'][:200]}")
    wide = "document.documentElement.scrollWidth > window.innerWidth"
    if visit.page.evaluate(wide):
        found.append("the page scrolls sideways")
    return found


@pytest.fixture(scope="module")
def visits(browser, address):
    """A visit for each view."""
    made = {
        view: Visit.start(browser, address, width, color_scheme=scheme)
        for view, (width, scheme) in VIEWS.items()
    }
    yield made
    for visit in made.values():
        visit.page.context.close()


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("path", ADDRESSES, ids=lambda path: path or "home")
def test_a_page_has_no_problem(visits, address, path, view):
    """Colours are those of the wide view in the narrow one: one page stands for all."""
    visit = visits[view]
    visit.open(address + path)
    assert problems(visit, contrast=VIEWS[view][0] == WIDE or path == CHAPTER) == []


@pytest.fixture
def visit(browser, address):
    """A wide visit with permission to use the clipboard."""
    made = Visit.start(
        browser, address, WIDE, permissions=["clipboard-read", "clipboard-write"]
    )
    yield made
    made.page.context.close()


def test_everything_opened_is_accessible_too(visits, address):
    for visit in visits.values():
        page = visit.open(address + CHAPTER)
        page.evaluate(
            "document.querySelectorAll('details').forEach(d => d.open = true)"
        )
        assert problems(visit) == []


@pytest.mark.parametrize("view", VIEWS)
def test_search_finds_and_is_accessible(visits, address, view):
    visit = visits[view]
    page = visit.open(address)
    if VIEWS[view][0] == NARROW:
        page.locator("label.md-header__button[for=__search]").click()
    page.get_by_role("textbox", name="Search").press_sequentially("scaled dot product")
    results = page.locator(".md-search-result__link")
    expect(results.first).to_be_visible()
    expect(results.filter(has_text="Self-attention from scratch").first).to_be_visible()
    page.wait_for_timeout(500)  # the results have faded in
    assert problems(visit) == []


def test_copy_takes_the_code_and_not_its_output(visit, address):
    page = visit.open(address)
    box = page.locator(".highlight", has_text="causal_mask(5)")
    button = box.get_by_role("button", name="Copy")
    button.focus()
    page.keyboard.press("Enter")
    expect(box.get_by_role("button", name="Copied")).to_be_visible()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.startswith("import torch\n")
    assert copied.endswith("torch.allclose(ours, theirs, atol=1e-6))")
    assert copied == box.locator("pre > code").first.inner_text().rstrip("\n")


def test_copy_leaves_prompts_and_outputs_of_a_session_out(visit, address):
    page = visit.open(address)
    session = ">>> x = 1\n>>> if x:\n...     x\n1\n>>>\n"
    script = "text => import('./assets/site.js').then(site => site.pasteable(text))"
    assert page.evaluate(script, session) == "x = 1\nif x:\n    x\n"


def test_wide_code_can_be_scrolled_with_the_keyboard(browser, address):
    visit = Visit.start(browser, address, NARROW)
    page = visit.open(address + CHAPTER)
    wide = page.locator("pre > code[tabindex='0']").first
    wide.focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_timeout(300)
    assert wide.evaluate("code => code.scrollLeft") > 0


def test_formulas_use_the_math_font_and_stretch(visit, address):
    page = visit.open(address + CHAPTER)
    assert any(url.endswith("fonts/math.woff2") for url in visit.requests)
    formula = page.locator("math.tml-display").nth(1)
    bracket = formula.locator("mo", has_text="(").last
    letter = formula.locator("mi").first
    heights = [part.bounding_box()["height"] for part in (bracket, letter)]
    assert heights[0] > 1.5 * heights[1]


def test_figures_follow_the_colour_scheme(visits, address):
    inks = {}
    for view in (f"{WIDE} light", f"{WIDE} dark"):
        page = visits[view].open(address + CHAPTER)
        text = page.locator("figure.output svg text").first
        inks[view] = text.evaluate("text => getComputedStyle(text).fill")
    assert len(set(inks.values())) == 2


def test_the_colour_scheme_can_be_changed_and_stays(visit, address):
    page = visit.open(address)
    page.locator("label[title='Switch to dark mode']").click()
    expect(page.locator("body")).to_have_attribute("data-md-color-scheme", "slate")
    page = visit.open(address + CHAPTER)
    expect(page.locator("body")).to_have_attribute("data-md-color-scheme", "slate")
    assert problems(visit) == []


def test_without_javascript_a_page_is_complete(browser, address):
    visit = Visit.start(browser, address, WIDE, java_script_enabled=False)
    page = visit.open(address + CHAPTER)
    expect(page.locator(".output").first).to_be_visible()
    expect(page.locator("figure.output svg").first).to_be_visible()
    expect(page.locator("math").first).to_be_visible()
    choice = page.locator(".question summary").first
    choice.click()
    expect(page.locator(".question .choices details p").first).to_be_visible()
    page = visit.open(address + "plan/")
    assert page.locator("tr.task").count() == len(tasks())
    expect(page.locator("tr.task input").first).to_be_visible()


def test_the_page_for_what_is_missing_works_below_a_path(visit, address):
    page = visit.open(address + "llm/no-such-page/")
    expect(page.get_by_role("heading", name="404")).to_be_visible()
    page.get_by_role("link", name="Daybook").first.click()
    expect(page).to_have_url(address)
    assert page.locator("h1").inner_text().startswith("Learn how language models")


BAD = {
    "a picture without text": ("<img src='a.svg'>", "axe image-alt"),
    "grey on white": ("<p style='color:#ccc'>text</p>", "axe color-contrast"),
    "a third party": (
        "<script src='https://cdn.test/x.js'></script>",
        "request: https",
    ),
    "an error": ("<script>throw Error('no')</script>", "error: no"),
    "a missing file": ("<script src='none.js'></script>", "error: Failed to load"),
    "too wide": ("<div style='width:3000px'>text</div>", "scrolls sideways"),
}


@pytest.mark.parametrize(("body", "message"), BAD.values(), ids=BAD)
def test_the_checks_can_fail(browser, serve, tmp_path, body, message):
    page = f"<!doctype html><html lang=en><title>T</title><main><h1>T</h1>{body}</main>"
    (tmp_path / "index.html").write_text(page)
    (tmp_path / "a.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg"/>')
    (tmp_path / "favicon.ico").write_text("")
    address = serve(tmp_path)
    visit = Visit.start(browser, address, WIDE)
    visit.open(address)
    assert any(
        problem.startswith(message) or message in problem for problem in problems(visit)
    )
    visit.page.context.close()
