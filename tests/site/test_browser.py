"""The built site in a real Chromium: accessible, quiet, and it works."""

import re

import pytest
from playwright.sync_api import expect

from literate.handing_out import labs
from literate.page import pages
from literate.plan import tasks
from literate.project import DOCS
from tests.visit import (
    FRAME,
    NARROW,
    TWO_VIEWS,
    VIEWS,
    WIDE,
    Visit,
    problems,
    problems_in_two_views,
    restyle,
    token_problems,
)

CHAPTER = "llm/day-3/self-attention/"
SHORT = "pytorch/day-1/autograd/"  # a page with code and formulas, not the largest
NUMBERS = "llm/day-6/fastai-nlp/"  # with numbers in a formula that axe takes for text


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


# One page of each kind: of those, axe judges the frame too.
KINDS = (
    "",
    "plan/",
    "llm/",
    "llm/day-3/",
    CHAPTER,
    "labs/self-attention/",
    "no-such-page/",
)


@pytest.mark.parametrize("path", ADDRESSES, ids=lambda path: path or "home")
def test_a_page_has_no_problem(visits, address, path):
    visit = visits[f"{NARROW} dark"]
    page = visit.open(address + path)
    without = FRAME
    if path in KINDS:
        without = ()
        assert all(page.locator(part).count() == 1 for part in FRAME)
    assert problems_in_two_views(visit, without) == []


BAD_VIEWS = {
    "in the light": ("[data-md-color-scheme=default] h1 { color: #ddd }", "color-cont"),
    "in the dark": (
        "[data-md-color-scheme=slate] h1 { color: #333 }",
        "color-contrast",
    ),
    "sideways on a phone": (
        "@media (max-width: 500px) { article { width: 900px } }",
        "the page scrolls",
    ),
    "sideways on a desktop": (
        "@media (min-width: 999px) { article { width: 2900px } }",
        "the page scrolls",
    ),
}


@pytest.mark.parametrize(("style", "rule"), BAD_VIEWS.values(), ids=BAD_VIEWS)
def test_what_is_wrong_in_one_view_is_found(visits, address, style, rule):
    visit = visits[f"{NARROW} dark"]
    restyle(visit.open(address + SHORT), style)
    found = problems_in_two_views(visit, without=FRAME)
    assert any(rule in problem for problem in found), found


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_colour_of_code_can_be_read(visits, address, scheme):
    page = visits[f"{WIDE} {scheme}"].open(address + SHORT)
    assert token_problems(page) == []


@pytest.fixture
def visit(browser, address):
    """A wide visit with permission to use the clipboard."""
    made = Visit.start(
        browser, address, WIDE, permissions=["clipboard-read", "clipboard-write"]
    )
    yield made
    made.page.context.close()


@pytest.mark.parametrize("view", TWO_VIEWS)
def test_everything_opened_is_accessible_too(visits, address, view):
    visit = visits[view]
    page = visit.open(address + CHAPTER)
    page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    assert problems(visit, without=FRAME) == []


@pytest.mark.parametrize("view", TWO_VIEWS)
def test_search_finds_and_is_accessible(visits, address, view):
    visit = visits[view]
    page = visit.open(address)
    if VIEWS[view][0] == NARROW:
        page.locator("label.md-header__button[for=__search]").click()
    page.get_by_role("textbox", name="Search").press_sequentially("scaled dot product")
    results = page.locator(".md-search-result__link")
    expect(results.first).to_be_visible()
    expect(results.filter(has_text="Self-attention from scratch").first).to_be_visible()
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


def test_the_task_of_a_lab_can_be_read_before_its_solution(visit, address):
    page = visit.open(f"{address}labs/find-the-bug/")
    cell = page.locator(".highlight", has_text="def shuffled(")
    task = cell.get_by_text("# Task 1: the order is random")
    expect(task).to_be_visible()
    expect(cell.get_by_text("# The broken code:")).to_be_visible()
    solution = cell.locator(".fold code")
    expect(solution).to_be_hidden()
    cell.get_by_text("Show the solution").click()
    expect(solution).to_contain_text("return images[order], labels[order]")
    cell.get_by_role("button", name="Copy").click()
    expect(cell.get_by_role("button", name="Copied")).to_be_visible()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.startswith("def shuffled(\n")
    assert copied.endswith("\n    return images[order], labels[order]")


def test_what_was_searched_for_is_marked_on_the_page_that_was_found(visit, address):
    page = visit.open(f"{address}{SHORT}?h=gradient")
    expect(page.locator("article mark").first).to_be_visible()


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
    for _ in range(100):
        page.keyboard.press("ArrowRight")
        if wide.evaluate("code => code.scrollLeft") > 0:
            break
        page.wait_for_timeout(100)
    else:
        pytest.fail("pressing the arrow scrolls nothing")
    visit.page.context.close()


@pytest.fixture
def term(visit, address):
    """A page, and its first term of the glossary with the box around it."""
    page = visit.open(address + SHORT)
    box = page.locator(".with-definition").first
    return page, box.locator("a.term"), box.locator(".definition")


def test_a_definition_shows_on_hover_and_escape_closes_it(term):
    page, link, definition = term
    expect(definition).to_be_hidden()
    link.hover()
    expect(definition).to_be_visible()
    definition.hover()  # the pointer may move into it
    expect(definition).to_be_visible()
    page.keyboard.press("Escape")
    expect(definition).to_be_hidden()
    page.mouse.move(0, 0)
    link.hover()
    expect(definition).to_be_visible()


def test_a_definition_shows_on_focus_and_the_link_leads_to_the_glossary(term):
    page, link, definition = term
    link.focus()
    expect(definition).to_be_visible()
    described = link.get_attribute("aria-describedby")
    assert described == definition.get_attribute("id")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/glossary/#[\w-]+$"))


def test_a_tap_shows_a_definition_and_a_second_one_goes_there(browser, address):
    visit = Visit.start(browser, address, NARROW, has_touch=True)
    page = visit.open(address + SHORT)
    box = page.locator(".with-definition").first
    box.locator("a.term").tap()
    expect(box.locator(".definition")).to_be_in_viewport(ratio=1)
    assert problems(visit, without=FRAME) == []
    page.touchscreen.tap(5, 500)
    expect(box.locator(".definition")).to_be_hidden()
    box.locator("a.term").tap()
    box.locator("a.term").tap()
    expect(page).to_have_url(re.compile(r"/glossary/#[\w-]+$"))
    visit.page.context.close()


def test_formulas_use_the_math_font_and_stretch(visit, address):
    page = visit.open(address + CHAPTER)
    assert any(url.endswith("fonts/math.woff2") for url in visit.requests)
    bracket = page.locator("math.tml-display mo", has_text="(").last
    letter = page.locator("math.tml-display mi").last
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
    "a second main part": ("<main>text</main>", "axe landmark-no-duplicate-main"),
    "a third party": (
        "<script src='https://cdn.test/x.js'></script>",
        "request: https",
    ),
    "an error": ("<script>throw Error('no')</script>", "error: no"),
    "a missing file": ("<script src='none.js'></script>", "error: Failed to load"),
    "too wide": ("<div style='width:3000px'>text</div>", "the page scrolls sideways"),
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
    found = problems(visit, without=FRAME)
    assert any(problem.startswith(message) for problem in found), found
    visit.page.context.close()


BAD_STYLES = {
    "the text of code": (SHORT, ".highlight pre > code { color: #ccc }", "<code"),
    "a formula": (SHORT, "math { color: #bbb }", "<mi>"),
    "a part of a formula": (NUMBERS, "math mn { color: #bbb }", "<mn>"),
}


@pytest.mark.parametrize("case", BAD_STYLES.values(), ids=BAD_STYLES)
def test_a_flattened_page_shows_a_bad_colour(visits, address, case):
    page, style, element = case
    visit = visits[f"{WIDE} light"]
    restyle(visit.open(address + page), style)
    found = problems(visit, without=FRAME)
    assert found
    assert all(p.startswith(f"axe color-contrast: {element}") for p in found), found


# a copy: the page's script watches the block itself, and would put it back
PUT_OUT_OF_TAB_ORDER = """(block) => {
  const copy = block.cloneNode(true);
  copy.style.width = "4rem";
  copy.removeAttribute("tabindex");
  block.replaceWith(copy);
}"""


@pytest.mark.parametrize("wide", ["pre > code", "math.tml-display"])
def test_a_flattened_page_shows_what_only_a_mouse_can_scroll(visits, address, wide):
    visit = visits[f"{NARROW} light"]
    page = visit.open(address + SHORT)
    page.locator(wide).first.evaluate(PUT_OUT_OF_TAB_ORDER)
    found = problems(visit, without=FRAME)
    assert [p.split(":")[0] for p in found] == ["axe scrollable-region-focusable"]


def test_flattening_keeps_the_text_of_code(visits, address):
    visit = visits[f"{WIDE} light"]
    page = visit.open(address + SHORT)
    code = page.locator(".highlight > pre > code")
    before = code.all_text_contents()
    assert problems(visit, without=FRAME) == []
    assert code.all_text_contents() == before
    assert code.locator("span").count() == 0


BAD_TOKENS = {
    "a keyword": (".highlight .kn { color: #ccc }", '<span class="kn">', 2),
    "a marked line": (".highlight .hll { background: #777 }", "<span class=", 50),
}


@pytest.mark.parametrize(
    ("style", "element", "least"), BAD_TOKENS.values(), ids=BAD_TOKENS
)
def test_a_bad_colour_of_code_is_found(visits, address, style, element, least):
    page = visits[f"{WIDE} light"].open(address + SHORT)
    restyle(page, style)
    found = token_problems(page)
    assert len(found) >= least
    assert all(piece.startswith(element) for piece in found), found
