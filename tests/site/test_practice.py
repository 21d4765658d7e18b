"""Questions that remember and flash cards, in a real Chromium on the built site."""

import csv
import datetime
import io
import json
import re

import pytest
from playwright.sync_api import Page, expect

from literate.nav import topics
from literate.project import DOCS
from literate.showing.gather import blocks
from tests.site.test_browser import CHAPTER
from tests.visit import FRAME, NARROW, TWO_VIEWS, WIDE, Visit, problems

QUESTION = "#llm-3-question-query-key"  # on the chapter; its second choice is right
ANOTHER = "#llm-3-question-causal"  # on the chapter too
AGAIN = "llm/day-7/questions-again/"
CARDS = "flash-cards/"
GUIDE = "llm/day-6/fastai-nlp/"  # a short page with questions
MONDAY = datetime.datetime(2026, 1, 5, 12)
# ends when every one has told its listeners that it is open
OPEN_ALL = """() => Promise.all(
  [...document.querySelectorAll("details:not([open])")].map((details) => {
    const told = new Promise((tell) => details.addEventListener("toggle", tell));
    details.open = true;
    return told;
  }))"""
AT = int(MONDAY.timestamp() * 1000)
CARD = {"due": AT, "last": AT, "reps": 1, "lapses": 0}
FACTS = sum(len(blocks(page, "fact")) for page in topics())


@pytest.fixture
def visit(browser, address):
    """A fresh reader, on a Monday."""
    made = Visit.start(browser, address, WIDE, accept_downloads=True)
    made.page.clock.set_fixed_time(MONDAY)
    yield made
    made.page.context.close()


def kept(page: Page, section: str) -> dict:
    """What the browser keeps of a section."""
    text = page.evaluate("localStorage.getItem('daybook')")
    return json.loads(text)[section] if text else {}


def later(page: Page, **span) -> None:
    """Let time pass, and load the page again."""
    page.clock.set_fixed_time(MONDAY + datetime.timedelta(**span))
    page.reload()


def choose(page: Page, question: str, number: int) -> None:
    """Answer as the keyboard does."""
    expect(page.locator(f"{question} .question-status")).to_be_attached()
    page.locator(f"{question} summary").nth(number).focus()
    page.keyboard.press("Enter")


# ---- questions -------------------------------------------------------------------


def test_an_answer_is_remembered(visit, address):
    page = visit.open(address + CHAPTER)
    question = page.locator(QUESTION)
    choose(page, QUESTION, 0)
    expect(question.locator(".choices details p").first).to_be_visible()
    status = question.get_by_role("status")
    expect(status).to_have_text("Not right. The question comes back on day 7.")
    expect(question.locator("summary").first).to_contain_text("your answer")
    expect(question.get_by_role("link", name="Questions again")).to_have_attribute(
        "href", address + AGAIN
    )
    choose(page, QUESTION, 1)  # read on: the answer stays
    record = kept(page, "answers")[QUESTION[1:]]
    assert (record["choices"], record["right"]) == ([0], False)

    page.reload()
    expect(status).to_have_text("You answered on 5 January 2026: not right.")
    expect(question.locator(".yours")).to_have_count(1)
    expect(question.locator("summary").first).to_contain_text("your answer")

    question.get_by_role("button", name="Answer again").click()
    expect(question.locator("summary").first).to_be_focused()
    expect(question.locator(".yours")).to_have_count(0)
    choose(page, QUESTION, 1)
    expect(status).to_contain_text("Right. You had it wrong today")
    record = kept(page, "answers")[QUESTION[1:]]
    assert [one["right"] for one in record["history"]] == [False, True]


def test_opening_by_a_script_or_by_search_is_no_answer(visit, address):
    page = visit.open(address + CHAPTER)
    expect(page.locator(f"{QUESTION} .question-status")).to_be_attached()
    page.evaluate(OPEN_ALL)
    assert kept(page, "answers") == {}
    page.locator(f"{QUESTION} summary").first.click()  # closes it
    assert kept(page, "answers") == {}


def test_an_answer_shows_in_another_tab(visit, address):
    page = visit.open(address + CHAPTER)
    other = page.context.new_page()
    other.goto(address + AGAIN)
    bar = other.get_by_role("group", name="Which questions")
    expect(bar.get_by_role("button", name="To answer again (0)")).to_be_visible()
    second = page.context.new_page()
    second.goto(address + CHAPTER)
    choose(page, QUESTION, 2)
    expect(second.locator(f"{QUESTION} .yours")).to_be_visible()
    expect(bar.get_by_role("button", name="To answer again (1)")).to_be_visible()
    expect(other.locator(QUESTION)).to_be_visible()


def test_wrong_answers_come_back_until_they_are_right_on_a_later_day(visit, address):
    page = visit.open(address + CHAPTER)
    choose(page, QUESTION, 0)
    choose(page, ANOTHER, 0)
    choose(page, ANOTHER, 1)
    page.goto(address + AGAIN)
    question = page.locator(QUESTION)
    expect(question).to_be_visible()
    expect(question.locator(".yours")).to_have_count(0)  # it would give it away
    assert page.locator(".question:visible").count() == len(
        [r for r in kept(page, "answers").values() if not r["right"]]
    )
    # right, but on the day of the mistake: gone for today, back tomorrow
    choose(page, QUESTION, 1)
    expect(question.get_by_role("status")).to_contain_text("once more, tomorrow")
    expect(question).to_be_visible()  # the explanation can be read
    expect(page.get_by_text("1 comes back tomorrow.")).to_be_visible()
    page.reload()
    expect(page.get_by_text("1 comes back tomorrow.")).to_be_visible()
    expect(question).to_be_hidden()
    later(page, days=1)
    expect(question).to_be_visible()
    choose(page, QUESTION, 1)
    expect(question.get_by_role("status")).to_have_text("Right. It leaves this list.")
    later(page, days=2)
    expect(page.get_by_role("button", name=re.compile("^All"))).to_be_visible()
    expect(question).to_be_hidden()


def test_other_questions_can_be_shown(visit, address):
    page = visit.open(address + AGAIN)
    expect(page.get_by_text("No question is to be answered again")).to_be_visible()
    assert page.locator(".question:visible, .gathered-day:visible").count() == 0
    page.get_by_role("button", name=re.compile("^All")).click()
    everything = page.locator(".question:visible").count()
    assert everything == sum(
        len(blocks(p, "question")) for p in topics() if "/llm/" in p.name
    )
    choose(page, QUESTION, 1)
    expect(page.locator(QUESTION).get_by_role("status")).to_have_text("Right.")
    unanswered = page.get_by_role("button", name=re.compile("^Not answered yet"))
    expect(unanswered).to_have_text(f"Not answered yet ({everything - 1})")
    unanswered.click()
    expect(unanswered).to_have_attribute("aria-pressed", "true")
    expect(page.locator(QUESTION)).to_be_hidden()


# ---- flash cards -----------------------------------------------------------------


def front(page: Page) -> str:
    return page.locator(".card-question").inner_text()


def test_cards_are_reviewed_with_the_keyboard_and_come_back(visit, address):
    page = visit.open(address + CARDS)
    expect(page.get_by_text(f"Of {FACTS} cards, {FACTS} not seen yet")).to_be_visible()
    page.get_by_label("New cards a day").fill("2")
    page.get_by_label("New cards a day").press("Enter")
    first = front(page)
    page.get_by_role("button", name="Show the answer").focus()
    page.keyboard.press("Space")
    expect(page.locator(".card-answer")).to_be_focused()
    waits = page.locator(".card-buttons small").all_inner_texts()
    assert waits == ["1 min", "6 min", "10 min", "8 days"]
    page.keyboard.press("4")
    expect(page.locator(".card-question")).to_be_focused()
    expect(page.locator(".cards-status")).to_have_text("Easy: comes back in 8 days.")
    second = front(page)
    assert second != first
    page.keyboard.press("4")  # nothing: the answer is not open
    page.keyboard.press("Space")
    page.keyboard.press("1")
    # nothing else is left for today: the card comes again, ahead of its minute
    expect(page.locator(".cards-counts")).to_contain_text("1 to repeat, 0 new")
    assert front(page) == second
    page.keyboard.press("Space")
    page.keyboard.press("4")
    expect(page.locator(".card-done")).to_be_focused()
    expect(page.locator(".card-done")).to_contain_text("Done for today. The next card")
    cards = kept(page, "cards")
    assert sorted(card["reps"] for card in cards.values()) == [1, 2]
    later(page, days=1)
    expect(page.locator(".cards-counts")).to_contain_text("1 to repeat, 2 new")
    assert front(page) == second
    later(page, days=8, hours=-5)  # due at noon is due in the morning
    expect(page.locator(".cards-counts")).to_contain_text("2 to repeat, 2 new")
    assert front(page) == second  # the earlier one first


def test_a_rating_can_be_undone(visit, address):
    page = visit.open(address + CARDS)
    undo = page.get_by_role("button", name="Undo the last rating")
    expect(undo).to_be_disabled()
    first = front(page)
    for _ in range(2):
        page.get_by_role("button", name="Show the answer").click()
        page.get_by_role("button", name="Good").click()
        assert front(page) != first
        undo.click()
        assert front(page) == first
        (only,) = kept(page, "cards").values()
        assert only["gone"]
    page.get_by_role("button", name="Show the answer").click()
    page.get_by_role("button", name="Good").click()
    page.clock.set_fixed_time(MONDAY + datetime.timedelta(minutes=11))
    page.reload()
    assert front(page) == first
    before = next(iter(kept(page, "cards").values()))
    page.get_by_role("button", name="Show the answer").click()
    page.keyboard.press("1")
    page.keyboard.press("u")
    assert front(page) == first
    after = next(card for card in kept(page, "cards").values() if not card.get("gone"))
    assert before | {"at": 0} == after | {"at": 0}


def test_a_choice_of_cards_is_kept_and_filters_the_list(visit, address):
    page = visit.open(address + CARDS)
    deck = page.get_by_label("Cards of")
    deck.select_option("pytorch-2")
    page.get_by_label("New cards a day").fill("3")
    page.get_by_label("New cards a day").blur()
    page.reload()
    expect(deck).to_have_value("pytorch-2")
    expect(page.get_by_label("New cards a day")).to_have_value("3")
    days = page.locator(".gathered-day:visible")
    expect(days).to_have_count(1)
    expect(days).to_contain_text("Day 2 · Modules and the training loop")
    number = sum(
        len(blocks(p, "fact")) for p in topics() if "/pytorch/day-2/" in p.name
    )
    expect(page.locator(".fact:visible")).to_have_count(number)
    assert f"Of {number} cards" in page.locator(".cards-counts").inner_text()
    expect(page.locator(".cards-counts")).to_contain_text("0 to repeat, 3 new")


def test_pages_that_are_ticked_come_first(visit, address):
    page = visit.open(address + CARDS)
    expect(page.get_by_label("Cards of")).to_have_value("all")
    page.get_by_label("Cards of").select_option("done")
    expect(page.locator(".card-done")).to_contain_text("No page of these is ticked")
    page.evaluate(
        "import('../assets/reader/store.js').then(({store}) =>"
        " store.set('tasks', 'llm-3-llama', {done: true}))"
    )
    expect(page.locator(".card-source")).to_have_text("From LLaMA")
    page.evaluate("localStorage.removeItem('daybook.cards')")
    page.reload()
    expect(page.get_by_label("Cards of")).to_have_value("done")


def test_a_card_rated_in_another_tab_is_not_asked_again(visit, address):
    page = visit.open(address + CARDS)
    first = front(page)
    other = page.context.new_page()
    other.clock.set_fixed_time(MONDAY)
    other.goto(address + CARDS)
    assert front(other) == first
    other.get_by_role("button", name="Show the answer").click()
    other.keyboard.press("4")
    expect(page.locator(".card-question")).not_to_have_text(first)


def test_cards_work_where_storage_is_blocked(browser, address):
    visit = Visit.start(browser, address, NARROW)
    visit.page.add_init_script(
        "Object.defineProperty(window, 'localStorage', {get() { throw Error('no'); }})"
    )
    page = visit.open(address + CARDS)
    first = front(page)
    page.get_by_role("button", name="Show the answer").click()
    page.get_by_role("button", name="Easy").click()
    expect(page.locator(".card-question")).not_to_have_text(first)
    page.get_by_label("Cards of").select_option("pytorch")
    expect(page.locator(".cards-counts")).to_contain_text("0 to repeat, 9 new")
    visit.page.context.close()


def put_card(page: Page, fact: str, card: dict) -> None:
    """Keep a card as an earlier visit would have."""
    page.evaluate(
        "([id, card]) => import('../assets/reader/store.js').then(({store}) =>"
        " store.set('cards', id, card))",
        [fact, card],
    )


def test_a_clock_that_has_gone_back_leaves_all_ratings(visit, address):
    page = visit.open(address + CARDS)
    fact = page.locator(".fact").first.get_attribute("id")
    ahead = int((MONDAY + datetime.timedelta(days=1, minutes=7)).timestamp() * 1000)
    put_card(page, fact, CARD | {"due": ahead, "last": ahead, "state": 1})
    page.get_by_label("New cards a day").fill("0")
    page.get_by_label("New cards a day").press("Enter")
    expect(page.locator(".cards-counts")).to_contain_text("1 to repeat")
    page.get_by_role("button", name="Show the answer").click()
    expect(page.locator(".card-buttons button")).to_have_count(4)
    page.keyboard.press("4")
    expect(page.locator(".cards-status")).to_contain_text("Easy: comes back in")
    expect(page.locator(".card-done")).to_be_visible()


def test_what_is_kept_of_a_retired_fact_or_question_disturbs_nothing(visit, address):
    page = visit.open(address + CARDS)
    put_card(page, "llm-1-retired", CARD)
    page.evaluate(
        "import('../assets/reader/store.js').then(({store}) => store.set('answers',"
        " 'llm-1-retired', {choices: [9], right: false, history: []}))"
    )
    page.reload()
    expect(page.locator(".cards-counts")).to_contain_text("0 to repeat, 9 new")
    page.get_by_role("button", name="Show the answer").click()
    page.keyboard.press("4")
    expect(page.locator(".cards-status")).to_contain_text("Easy: comes back in")
    assert len(kept(page, "cards")) == 2 and "llm-1-retired" in kept(page, "cards")
    page.goto(address + AGAIN)
    expect(page.get_by_text("No question is to be answered again")).to_be_visible()
    page.goto(address + "your-data/")
    expect(page.locator("your-data")).to_contain_text("1 answer, 2 cards")


def fail(page: Page, path: str, start: str) -> None:
    """Let a function of a script raise an error; `start` is its first line."""

    def broken(route) -> None:
        text = (DOCS / "assets" / path).read_text("utf8")
        assert start in text
        text = text.replace(start, f"{start}\n  throw new Error('as a test');")
        route.fulfill(body=text, content_type="text/javascript")

    page.route(f"**/{path}", broken)


def test_a_card_that_cannot_be_used_can_be_reset(visit, address):
    page = visit.open(address + CARDS)
    fact = page.locator(".fact").first.get_attribute("id")
    put_card(page, fact, CARD)
    fail(page, "reader/cards.js", "  if (old) {")
    page.reload()
    page.get_by_role("button", name="Show the answer").click()
    alert = page.locator(".card").get_by_role("alert")
    expect(alert).to_contain_text("of this card cannot be used: as a test")
    expect(alert.get_by_role("link")).to_have_attribute("href", f"{address}your-data/")
    alert.get_by_role("button", name="Forget what is kept of this card").click()
    expect(alert).to_have_count(0)
    assert kept(page, "cards")[fact]["gone"]
    page.get_by_role("button", name="Show the answer").click()  # as a new one
    expect(page.locator(".card-buttons button")).to_have_count(4)


def test_an_answer_that_cannot_be_used_can_be_reset(visit, address):
    page = visit.open(address + CHAPTER)
    choose(page, QUESTION, 0)
    fail(page, "reader/answers.js", '  if (!mistake) return "right";')
    page.reload()
    question = page.locator(QUESTION)
    alert = question.get_by_role("alert")
    expect(alert).to_contain_text("of this question cannot be used: as a test")
    choose(page, ANOTHER, 1)  # the others still work
    assert ANOTHER[1:] in kept(page, "answers")
    alert.get_by_role("button", name="Forget what is kept of this question").click()
    expect(alert).to_have_count(0)
    assert kept(page, "answers")[QUESTION[1:]]["gone"]
    page.unroute_all()
    page.reload()
    choose(page, QUESTION, 1)
    expect(question.get_by_role("status")).to_have_text("Right.")


def download(page: Page) -> tuple[list[str], list[list[str]]]:
    """The header lines and the rows of the file for Anki."""
    with page.expect_download() as waiting:
        page.get_by_role("button", name=re.compile("for Anki$")).click()
    assert waiting.value.suggested_filename == "daybook-flash-cards.txt"
    lines = waiting.value.path().read_text("utf8").splitlines(keepends=True)
    head = [line.rstrip("\n") for line in lines if line.startswith("#")]
    body = "".join(lines[len(head) :])
    return head, list(csv.reader(io.StringIO(body), delimiter="\t"))


def test_the_file_for_anki_holds_every_card(visit, address):
    page = visit.open(address + CARDS)
    head, rows = download(page)
    assert head[:2] == ["#separator:tab", "#html:true"]
    assert head[-2:] == ["#tags column:3", "#guid column:4"]
    assert len(rows) == len({row[3] for row in rows}) == FACTS
    assert {len(row) for row in rows} == {4}
    cells = [cell for row in rows for cell in row]
    assert not any("<math" in cell or "headerlink" in cell for cell in cells)
    by_id = {row[3]: row for row in rows}
    front, back, tags, _ = by_id["llm-7-fact-layer-parameters"]
    assert front == r"How many parameters does a GPT-2 layer of \(C\) channels have?"
    assert r"<p>\(12C^2 + 13C\): four matrices \(C \times C\)" in back
    link = f'<a href="{address}llm/day-7/recap/">Recap: four papers</a>'
    assert back.endswith(f"<p>{link}</p>")
    assert tags == "daybook daybook::llm::day-7"


def test_the_file_for_anki_holds_what_is_chosen(visit, address):
    page = visit.open(address + CARDS)
    page.get_by_label("Cards of").select_option("pytorch-1")
    _, rows = download(page)
    assert {row[2] for row in rows} == {"daybook daybook::pytorch::day-1"}


# ---- all of it ---------------------------------------------------------------------


def test_without_javascript_all_can_be_read(browser, address):
    visit = Visit.start(browser, address, WIDE, java_script_enabled=False)
    page = visit.open(address + CARDS)
    assert page.locator(".fact").count() == FACTS
    fact = page.locator(".fact").first
    expect(fact.locator("p").first).to_be_hidden()
    fact.locator("summary").click()
    expect(fact.locator("p").first).to_be_visible()
    page = visit.open(address + AGAIN)
    question = page.locator(QUESTION)
    question.locator("summary").first.click()
    expect(question.locator(".choices details p").first).to_be_visible()
    assert page.locator("button:visible", has_text="Answer").count() == 0
    visit.page.context.close()


@pytest.mark.parametrize("view", TWO_VIEWS)
def test_used_pages_have_no_problem(visits, address, view):
    visit = visits[view]
    page = visit.open(address + GUIDE)
    choose(page, "#llm-6-fastai-question-one", 0)
    expect(page.locator("#llm-6-fastai-question-one .yours")).to_be_visible()
    assert problems(visit, without=FRAME) == []
    page = visit.open(address + AGAIN)
    choose(page, "#llm-6-fastai-question-one", 1)
    expect(
        page.locator("#llm-6-fastai-question-one").get_by_role("status")
    ).to_have_text(re.compile("^Right"))
    assert problems(visit, without=FRAME) == []
    page = visit.open(address + CARDS)
    page.get_by_label("Cards of").select_option("llm-7")
    page.get_by_role("button", name="Show the answer").click()
    page.get_by_role("button", name="Good").click()
    page.keyboard.press("Space")
    expect(page.locator(".card-answer")).to_be_visible()
    assert problems(visit, without=FRAME) == []
    page.get_by_label("New cards a day").fill("0")
    page.get_by_label("New cards a day").press("Enter")
    page.get_by_label("Cards of").select_option("pytorch-2")
    expect(page.locator(".card-done")).to_be_visible()
    assert problems(visit, without=FRAME) == []


def test_pages_without_them_load_none_of_it(visit, address):
    visit.open(address)
    assert not any(
        name in url
        for url in visit.requests
        for name in ("questions.js", "practice.css", "ts-fsrs", "flash-cards")
    )
