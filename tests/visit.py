"""A page of the site in a browser: what it asks for, says, and does to its readers.

axe judges every element that it finds, and most of a chapter are the coloured pieces
of its code: `flatten` makes each block of code one text, and each formula one word, so
that axe looks at them once. `token_problems` looks at the colours of code instead: all
of them, on both backgrounds that code can have.
"""

from dataclasses import dataclass, field
from typing import Any

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, expect
from pygments.token import STANDARD_TYPES

WIDE, NARROW = 1350, 390  # pixels: a desktop, and a phone
SLOW_PAGE = 180_000  # milliseconds; browsers wait for each other on a busy machine
VIEWS = {
    f"{width} {scheme}": (width, scheme)
    for width in (WIDE, NARROW)
    for scheme in ("light", "dark")
}
# Both widths and both colour schemes: where things are does not depend on colours, and
# colours do not depend on where things are.
TWO_VIEWS = (f"{WIDE} light", f"{NARROW} dark")
# What Material puts around the pages; only the list of a page's headings is its own.
SIDEBAR = ".md-sidebar--primary"
FRAME = (".md-header", ".md-tabs", SIDEBAR, ".md-footer")

# Of a frame that is not judged, the lists of all pages go: axe would still walk them, a
# quarter of its work. The boxes around them keep their places.
EMPTY_LISTS = """() => {
  const lists = document.querySelectorAll(".md-sidebar--primary .md-nav--primary");
  for (const list of lists) list.replaceChildren();
}"""

# Code whose pieces differ by more than their class stays as it is, and so does a
# formula that has colours of its own or that scrolls. Of text under a button axe cannot
# tell the background, so the buttons move out of the way.
FLATTEN = """() => {
  for (const button of document.querySelectorAll(".highlight > .copy")) {
    button.style.position = "static";
  }
  for (const code of document.querySelectorAll(".highlight pre > code")) {
    if (!code.querySelector(":not(span), [style]")) code.textContent = code.textContent;
  }
  for (const math of document.querySelectorAll("math")) {
    const color = getComputedStyle(math).color;
    const parts = [...math.querySelectorAll("*")];
    const isPlain = parts.every((part) => getComputedStyle(part).color === color);
    if (!isPlain || math.scrollWidth > math.clientWidth) continue;
    const word = document.createElementNS(math.namespaceURI, "mi");
    word.textContent = "formula";
    math.replaceChildren(word);
  }
}"""
AXE = """async ([exclude, rules]) => {
  const options = { resultTypes: ["violations"] };
  if (rules.length) options.runOnly = rules;
  const { violations } = await axe.run({ exclude }, options);
  return violations.flatMap(({ id, nodes }) =>
    nodes.map(({ html }) => `axe ${id}: ${html.slice(0, 200)}`));
}"""
ANIMATIONS = """() => {
  for (const animation of document.getAnimations()) {
    const { endTime } = animation.effect?.getComputedTiming() ?? {};
    if (Number.isFinite(endTime)) animation.finish();
  }
}"""
LOOKS = (  # the rules that go by colours and places
    "color-contrast",
    "link-in-text-block",
    "scrollable-region-focusable",
    "target-size",
)
VIOLATIONS = """addEventListener("securitypolicyviolation", (event) => {
  const { effectiveDirective, blockedURI, sample } = event;
  console.error(`policy: ${effectiveDirective} refused ${blockedURI} ${sample}`);
}, true)"""
# a style of the test's own, which no policy of the page refuses
RESTYLE = """(style) => {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(style);
  document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
}"""
SIDEWAYS = "document.documentElement.scrollWidth > window.innerWidth"

# The classes that Pygments gives to pieces of code; the empty one is plain code.
TOKENS = sorted({*STANDARD_TYPES.values()})
SHOW_TOKENS = """(names) => {
  const lines = names.map((name) => `<span class="${name}">class ${name}</span>`);
  const marked = lines.map((line) => `<span class="hll">${line}\\n</span>`);
  const box = document.createElement("div");
  box.className = "highlight";
  box.id = "tokens";
  box.innerHTML = `<pre><code>${lines.join("\\n")}\\n${marked.join("")}</code></pre>`;
  document.querySelector("article").replaceChildren(box);
}"""
TOKEN_COLOURS = """async () => {
  const options = { runOnly: ["color-contrast"] };
  const { violations, passes } = await axe.run("#tokens", options);
  const shown = (results) => results.flatMap(({ nodes }) => nodes)
    .map(({ html }) => html.slice(0, 200));
  return [shown(violations), shown(passes)];
}"""


@dataclass
class Visit:
    """A page in a browser, and what it did that a page must not do."""

    page: Page
    origin: str
    requests: list[str] = field(default_factory=list)
    messages: list[str] = field(default_factory=list)

    @classmethod
    def start(
        cls, browser: Browser, origin: str, width: int, **options: Any
    ) -> "Visit":
        """A fresh context: Material keeps the colour scheme of a visit."""
        viewport = {"width": width, "height": 900}
        page = browser.new_context(viewport=viewport, **options).new_page()
        page.set_default_timeout(SLOW_PAGE)
        page.add_init_script(VIOLATIONS)
        visit = cls(page, origin)
        page.on("request", lambda request: visit.requests.append(request.url))
        page.on("requestfailed", visit.hear_failure)
        page.on("pageerror", lambda error: visit.note("error", str(error)))
        page.on("console", visit.hear)
        return visit

    def note(self, kind: str, text: str) -> None:
        self.messages.append(f"{kind}: {text}")

    def hear_failure(self, request: Request) -> None:
        """A request that failed; not one cut off by going to the next page."""
        if request.failure != "net::ERR_ABORTED":
            self.note("failed", request.url)

    def hear(self, message: ConsoleMessage) -> None:
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


def restyle(page: Page, style: str) -> None:
    """Add rules to a page as a test needs them."""
    page.evaluate(RESTYLE, style)


def settle(page: Page) -> None:
    """End all that fades or moves: colours are then what they stay."""
    page.evaluate(ANIMATIONS)


def problems(
    visit: Visit, without: tuple[str, ...] = (), rules: tuple[str, ...] = ()
) -> list[str]:
    """Everything that must be zero on a page. Flattens the page.

    `without` are selectors of what axe need not judge, and `rules` those of its rules
    that it goes by; all of them if none is named.
    """
    page = visit.page
    settle(page)
    found = [f"request: {url}" for url in visit.third_party()] + visit.messages
    if page.evaluate(SIDEWAYS):
        found.append("the page scrolls sideways")
    page.evaluate(FLATTEN)
    if SIDEBAR in without:
        page.evaluate(EMPTY_LISTS)
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    return found + page.evaluate(AXE, [list(without), list(rules)])


def problems_in_two_views(visit: Visit, without: tuple[str, ...] = ()) -> list[str]:
    """What is wrong with a page that is open, narrow and dark, and then wide and light.

    The page is loaded once. Where elements stand and which colours they have changes
    with the view, and so is judged in both; the rest is the same, and judged in one.
    """
    page = visit.page
    found = problems(visit, without, rules=LOOKS)
    visit.messages.clear()
    page.set_viewport_size({"width": WIDE, "height": 900})
    page.evaluate(
        "document.querySelector('label[title=\"Switch to light mode\"]').click()"
    )
    expect(page.locator("body")).to_have_attribute("data-md-color-scheme", "default")
    found += problems(visit, without)
    page.evaluate("localStorage.clear()")  # the next page is dark again
    page.set_viewport_size({"width": NARROW, "height": 900})
    return found


def token_problems(page: Page) -> list[str]:
    """Colours of code that cannot be read, on its own background and a marked line's.

    Puts every token in the place of the page's text.
    """
    page.evaluate(SHOW_TOKENS, TOKENS)
    page.evaluate(AXE_SCRIPT)
    wrong, right = page.evaluate(TOKEN_COLOURS)
    assert len(wrong) + len(right) >= 2 * len(TOKENS), "axe did not judge each of them"
    return wrong
