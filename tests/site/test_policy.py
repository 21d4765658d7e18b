"""The policy of the built pages: in each of them, and kept by all that readers use."""

import base64
import hashlib
import re

import pytest
from playwright.sync_api import expect

from literate.publishing.markup import tags
from literate.showing import widgets
from tests.site.test_browser import CHAPTER, SHORT
from tests.visit import WIDE, Visit

# What a reader can do to what is not the frame: open, press, choose, drag, write.
USE = """async () => {
  const inside = (kind) => [...document.querySelectorAll(`article ${kind}`)]
    .filter((element) => element.checkVisibility() && !element.disabled);
  for (const fold of inside("details:not([open])")) fold.open = true;
  await new Promise(requestAnimationFrame);
  for (const kind of ["input", "textarea", "select", "button"]) {
    for (const element of inside(kind).slice(0, 40)) {
      if (element.type === "file" || !element.isConnected) continue;
      if (element.type === "text" || element.matches("textarea")) element.value = "ab";
      else element.click();
      for (const name of ["input", "change"]) {
        element.dispatchEvent(new Event(name, { bubbles: true }));
      }
      await new Promise(requestAnimationFrame);
    }
  }
}"""


def policy_of(text: str) -> str:
    """The policy of a page; it stands before all that it is about."""
    found = [tag for tag in tags(text) if tag.get("http-equiv")]
    metas = [tag for tag in found if tag.get("http-equiv") != "refresh"]
    assert [tag.get("http-equiv") for tag in metas] == ["Content-Security-Policy"]
    content = text.index("Content-Security-Policy")
    loading = re.search(r"<(script|style|link|img)\b", text)
    assert not loading or content < loading.start()
    return metas[0].get("content")


def test_every_page_has_a_policy_that_allows_what_it_holds(site):
    pages = sorted(site.rglob("*.html"))
    assert pages
    for path in pages:
        text = path.read_text("utf8")
        allowed = policy_of(text)
        assert allowed.startswith("default-src 'none'; "), path
        assert "'unsafe-" not in allowed and "http" not in allowed, path
        for tag in tags(text):
            assert tag.get("style") is None, (path, tag)
            is_data = tag.get("type") == "application/json"
            if tag.name in ("script", "style") and not tag.get("src") and not is_data:
                digest = hashlib.sha256(tag.body.encode()).digest()
                assert base64.b64encode(digest).decode() in allowed, (path, tag)


def of_each_widget(site) -> dict[str, str]:
    """The address of a page for each widget of the site."""
    found: dict[str, str] = {}
    for path in sorted(site.rglob("*.html")):
        address = path.relative_to(site).as_posix().removesuffix("index.html")
        for tag in tags(path.read_text("utf8")):
            if (site / "assets" / "widgets" / f"{tag.name}.js").is_file():
                found.setdefault(tag.name, address)
    return found


def test_the_policy_refuses_nothing_that_readers_use(site, browser, address):
    pages = of_each_widget(site)
    assert set(pages) == set(widgets.known())
    visit = Visit.start(browser, address, WIDE)
    visit.page.on("dialog", lambda dialog: dialog.dismiss())
    for path in dict.fromkeys(
        [*pages.values(), CHAPTER, SHORT, "labs/self-attention/"]
    ):
        page = visit.open(address + path)
        expect(page.locator("article :not(:defined)")).to_have_count(0)
        page.evaluate(USE)
        refused = [text for text in visit.messages if "olicy" in text]
        assert refused == [] and visit.third_party() == [], path
    visit.page.context.close()


def test_search_keeps_the_policy(browser, address):
    visit = Visit.start(browser, address, WIDE)
    page = visit.open(address)
    page.get_by_role("textbox", name="Search").press_sequentially("causal mask")
    expect(page.locator(".md-search-result__link").first).to_be_visible()
    page.keyboard.press("Enter")
    expect(page).not_to_have_url(address)  # a page that closes as it is left can hang
    page.wait_for_load_state()
    assert visit.messages == [] and visit.third_party() == []
    visit.page.context.close()


ATTEMPTS = {
    "a script": (
        "document.body.append(Object.assign(document.createElement('script'),"
        "{textContent: 'window.ran = 1'}))",
        "script-src-elem",
    ),
    "a handler": (
        "document.body.setAttribute('onclick', 'window.ran = 1');document.body.click()",
        "script-src-attr",
    ),
    "a style": ("document.body.setAttribute('style', 'color: red')", "style-src-attr"),
    "a picture from elsewhere": (
        "new Image().src = 'http://127.0.0.2/a.png'",
        "img-src",
    ),
    "a request to elsewhere": (
        "fetch('http://127.0.0.2/').catch(() => 0)",
        "connect-src",
    ),
    "text as code": (
        "document.body.append(Object.assign(document.createElement('script'),"
        "{type: 'module', src: 'data:text/javascript,window.ran=1'}))",
        "script-src-elem",
    ),
}


@pytest.mark.parametrize(("attempt", "directive"), ATTEMPTS.values(), ids=ATTEMPTS)
def test_what_the_policy_refuses_is_told_and_does_not_run(
    visits, address, attempt, directive
):
    visit = visits[f"{WIDE} light"]
    page = visit.open(address + SHORT)
    page.evaluate(f"() => {{ {attempt} }}")
    page.evaluate("new Promise((resolve) => setTimeout(resolve, 50))")
    assert any(f"policy: {directive} refused" in text for text in visit.messages)
    assert page.evaluate("window.ran") is None
