"""The reader's own data in a real Chromium: ticks, notes, dates, export and import."""

import json
import re
from datetime import datetime
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator, FormatChecker
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from literate import plan
from literate.project import DOCS
from tests.visit import (
    FRAME,
    NARROW,
    SLOW_PAGE,
    TWO_VIEWS,
    VIEWS,
    WIDE,
    Visit,
    problems,
)

PLAN, DATA, CATCH_UP = "plan/", "your-data/", "llm/day-7/catch-up/"
DAY, TOPIC, TASK = "llm/day-3/", "llm/day-3/llama/", "llm-3-llama"
NOW = datetime(2026, 11, 25, 12, 3)
LLM = [task for task in plan.tasks().values() if task.day.startswith("llm-")]
DAYS = {day: [task for task in LLM if task.day == f"llm-{day}"] for day in range(1, 8)}
READ = "() => JSON.parse(localStorage.getItem('daybook'))"


@pytest.fixture
def context(browser, address):
    """A reader: tabs of one browser, at noon, on a Wednesday."""
    made = browser.new_context(
        base_url=address, viewport={"width": WIDE, "height": 900}
    )
    made.clock.install(time=NOW)
    made.set_default_timeout(SLOW_PAGE)
    yield made
    made.close()


def tab(context: BrowserContext, path: str) -> Page:
    page = context.new_page()
    page.goto(path, wait_until="load")
    return page


def asked(tasks: list[plan.Task]) -> list[plan.Task]:
    """Those without which a day is not done."""
    return [task for task in tasks if not task.is_optional]


def tab_behind(page: Page, path: str) -> Page:
    """Another tab of a reader who stays in this one.

    A click waits for two frames, and a tab that is not in front has one a second.
    """
    made = tab(page.context, path)
    page.bring_to_front()
    return made


def box(page: Page, task: str) -> Locator:
    return page.locator(f".task input[value={task}]")


def note(page: Page) -> Locator:
    """The field for a note: by its id, since by label each element is asked for one."""
    return page.locator("#reader-note")


def hours(minutes: int) -> str:
    parts = [f"{minutes // 60} h" * (minutes >= 60), f"{minutes % 60} min"]
    return " ".join(part for part in parts if part and part != "0 min")


# ---- tasks and progress ------------------------------------------------------------


def test_a_tick_shows_at_once_in_every_tab_and_after_a_reload(context):
    pages = [tab(context, path) for path in (PLAN, DAY, TOPIC, "")]
    overview = pages[3].locator("plan-overview[track=llm]")
    expect(overview).to_be_hidden()  # nothing to show to who has not begun
    pages[0].bring_to_front()
    box(pages[0], TASK).check()
    for page in pages[:3]:
        expect(box(page, TASK)).to_be_checked()
    needed = asked(LLM)
    rest = sum(task.minutes for task in needed if task.id != TASK)
    expect(overview).to_contain_text(f"1 of {len(needed)} done, {hours(rest)} left")
    extra = len(LLM) - len(needed)
    expect(overview).to_contain_text(f"left; 0 of {extra} optional")
    progress = pages[1].locator("day-progress")
    needed = asked(DAYS[3])
    rest = hours(sum(task.minutes for task in needed if task.id != TASK))
    expect(progress).to_contain_text(f"1 of {len(needed)} done, {rest} left")
    expect(progress.get_by_role("status")).to_be_attached()
    pages[2].bring_to_front()
    pages[2].reload()
    expect(box(pages[2], TASK)).to_be_checked()
    box(pages[2], TASK).uncheck()
    expect(box(pages[0], TASK)).not_to_be_checked()
    expect(progress).to_contain_text(f"0 of {len(needed)} done")


def test_what_is_next_is_linked_from_home(context):
    page = tab(context, PLAN)
    expect(page.locator("plan-overview")).to_contain_text(
        f"Start: day 1, {DAYS[1][0].title}"
    )
    for task in DAYS[1]:
        box(page, task.id).check()
    page.goto("")
    overview = page.locator("plan-overview[track=llm]")
    expect(overview).to_contain_text(f"Continue: day 2, {DAYS[2][0].title}")
    overview.get_by_role("link").click()
    path = DAYS[2][0].target.removesuffix(".md")
    expect(page).to_have_url(re.compile(rf"/daybook{path}/$"))


def test_boxes_work_with_the_keyboard_and_keep_the_focus(context):
    page = tab(context, PLAN)
    label = page.locator(f"#{TASK} label")
    assert (
        label.inner_text()
        .strip()
        .endswith("LLaMA, and how it differs from GPT and BERT")
    )
    box(page, TASK).focus()
    page.keyboard.press("Space")
    expect(box(page, TASK)).to_be_checked()
    expect(box(page, TASK)).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Space")
    expect(box(page, TASK)).not_to_be_checked()


def test_a_first_day_gives_dates_today_and_what_is_behind(context):
    page = tab(context, PLAN)
    other = tab_behind(page, DAY)
    track = page.locator(".overview-track", has_text="LLM track")
    box(page, DAYS[1][0].id).check()
    expect(page.locator("day-progress .when:not(:empty)")).to_have_count(0)
    first = track.get_by_label("First day (optional)")
    first.fill("2026-11-23")
    day = page.locator("day-progress[day=llm-1]")
    expect(day).to_contain_text("Mon 23 November, still open")
    expect(page.locator("day-progress[day=llm-3]")).to_contain_text(
        "25 November, today"
    )
    expect(page.locator("day-progress[day=llm-4]")).to_contain_text("Thu 26 November")
    expect(other.locator("day-progress")).to_contain_text("Wed 25 November, today")
    expect(track).to_contain_text("Today: day 3, LLaMA and self-attention.")
    behind = asked([*DAYS[1][1:], *DAYS[2]])
    left = hours(sum(task.minutes for task in behind))
    text = f"{len(behind)} tasks of earlier days still open, {left}."
    expect(track).to_contain_text(text)
    page.clock.set_fixed_time(datetime(2026, 12, 1, 9, 0))
    page.clock.run_for(61_000)  # the page stays open over midnight
    expect(track).to_contain_text("The 7 days ended on Sun 29 November.")
    first.fill("")
    expect(track).not_to_contain_text("still open")
    expect(other.locator("day-progress .when")).to_be_empty()


def test_catching_up_shows_what_is_open_and_lets_a_slip_be_taken_back(context):
    page = tab(context, PLAN)
    for task in DAYS[1]:
        box(page, task.id).check()
    page.goto(CATCH_UP)
    rows = page.locator("tr.task:visible")
    later = [task for task in LLM if task not in DAYS[1]]
    expect(rows).to_have_count(len(later))
    expect(rows.first).to_have_id(later[0].id)
    expect(page.locator("catch-up h3:visible").first).to_have_text(re.compile("Day 2"))
    needed = asked(later)
    left = sum(task.minutes for task in needed)
    text = page.locator(".catch-up-text")
    expect(text).to_contain_text(f"{len(needed)} tasks are open, {hours(left)} left.")
    extra = len(later) - len(needed)
    expect(text).to_contain_text(f"Beside them, {extra} optional.")
    box(page, later[0].id).first.check()
    expect(text).to_contain_text(f"{hours(left - later[0].minutes)} left")
    expect(rows).to_have_count(len(later))  # what was ticked here stays in sight
    page.reload()
    expect(rows).to_have_count(len(later) - 1)
    page.evaluate(
        "ids => import('/daybook/assets/reader/store.js').then(({ store }) =>"
        " ids.forEach(id => store.set('tasks', id, { done: true })))",
        [task.id for task in LLM],
    )
    expect(text).to_have_text("Nothing is open: every task of this track is done.")
    expect(rows).to_have_count(0)


# ---- notes -------------------------------------------------------------------------


def test_a_note_is_kept_letter_by_letter(context):
    page = tab(context, TOPIC)
    expect(note(page)).to_have_accessible_name("Where are you still confused?")
    note(page).press_sequentially("Why no me")
    page.reload()  # in the middle of a word
    expect(note(page)).to_have_value("Why no me")
    note(page).press_sequentially("an?")
    page.close(run_before_unload=False)  # as in a crash: no event tells the page
    page = tab(context, TOPIC)
    expect(note(page)).to_have_value(re.compile("an\\?"))
    expect(page.locator("#reader-note-state")).to_have_text("Saved 12:03")
    expect(note(tab(context, DAY))).to_have_value("")  # each page has its own


def test_two_tabs_share_a_note_and_the_last_writer_wins(context):
    one, other = tab(context, TOPIC), tab(context, TOPIC)
    note(one).fill("from one")
    expect(note(other)).to_have_value("from one")
    expect(other.locator("#reader-note-state")).to_have_text("Saved 12:03, elsewhere")
    note(other).fill("from the other")
    expect(note(one)).to_have_value("from the other")
    note(one).fill("")
    expect(note(other)).to_have_value("")
    expect(other.locator("#reader-note-state")).to_be_empty()


def test_notes_are_listed_in_the_order_of_the_book(context):
    text = 'Two lines,\nand <b id="bold">no</b> HTML'
    note(tab(context, PLAN)).fill("of the plan")
    note(tab(context, "llm/day-4/bpe/")).fill("of day 4")
    page = tab(context, TOPIC)
    note(page).fill(text)
    page.goto(DATA)
    items = page.locator("reader-notes li")
    expect(items).to_have_count(3)
    titles = items.locator("a").all_inner_texts()
    assert titles == ["LLaMA", "Byte-pair encoding", "The plan"]
    expect(items.first.locator(".note-text")).to_have_text(text)
    assert page.locator("#bold").count() == 0
    expect(items.first.locator("time")).to_have_text("12:03")
    items.first.get_by_role("link").click()
    expect(note(page)).to_have_value(text)
    expect(note(page)).to_be_in_viewport()


def test_a_note_comes_along_when_its_page_has_moved(context):
    was = "/llm/day-3/was/"

    def moved(route) -> None:
        answer = route.fetch()
        text = answer.text()
        assert 'data-former=""' in text
        route.fulfill(
            response=answer, body=text.replace('former=""', f'former="{was}"')
        )

    tab(context, DATA).evaluate(
        "text => localStorage.setItem('daybook', text)",
        json.dumps(state(notes={was: {"text": "written there", "at": AT}})),
    )
    context.route(f"**/{TOPIC}", moved)
    page = tab(context, TOPIC)
    expect(note(page)).to_have_value("written there")
    kept = page.evaluate(READ)["notes"]
    assert kept[f"/{TOPIC}"]["text"] == "written there" and kept[was]["gone"]


# ---- export and import ---------------------------------------------------------------


def state(**sections) -> dict:
    """A state as an exported file has it."""
    names = ("tasks", "notes", "start", "answers", "cards")
    made = {"format": "daybook-reader", "version": 1, "epoch": 0}
    return made | {name: sections.get(name, {}) for name in names}


AT = 1_700_000_000_000
CARD = {"due": AT, "last": AT, "reps": 1, "lapses": 0, "at": AT}
BAD = {
    "foreign": ('{"name": "somebody else\'s"}', "not an export of this site"),
    "damaged": (
        json.dumps(state(tasks={TASK: {"done": 1, "at": AT}})),
        "It is damaged",
    ),
    "cut off": (json.dumps(state())[:-9], "not JSON"),
    "newer": (json.dumps(state() | {"version": 2}), "newer version of this site (2)"),
    "20 MB": (20_000_000, "too large: 20.0 MB"),
    "a card that no scheduler knows": (
        json.dumps(state(cards={"llm-1-x": CARD | {"state": 4}})),
        "cards, llm-1-x: its state is wrong",
    ),
    "a card without memory": (
        json.dumps(state(cards={"llm-1-x": CARD | {"stability": -1}})),
        "cards, llm-1-x: its stability is wrong",
    ),
    "a card due before it was seen": (
        json.dumps(state(cards={"llm-1-x": CARD | {"last": AT + 1}})),
        "cards, llm-1-x: its due is before its last",
    ),
    "a picture": (b"\x89PNG\r\n\x1a\n\x00\xff\xfe", "not JSON"),
    "empty": ("", "not JSON"),
}


def choose(page: Page, content: str | bytes | Path) -> None:
    """Choose a file, or what a file would hold."""
    data = content.encode() if isinstance(content, str) else content
    file = {"name": "file.json", "mimeType": "application/json", "buffer": data}
    field = page.locator("your-data").get_by_label("A file that was exported here")
    field.set_input_files([content if isinstance(content, Path) else file])


def test_a_bad_file_gets_a_clear_message_and_changes_nothing(context, tmp_path):
    large = tmp_path / "large.json"
    page = tab(context, TOPIC)
    note(page).fill("mine")
    page.goto(DATA)
    before = page.evaluate("JSON.stringify({...localStorage})")
    message = page.locator(".data-message")
    for content, words in BAD.values():
        if isinstance(content, int):  # a file on the disk, which the browser opens
            large.write_bytes(b"x" * content)
        choose(page, large if isinstance(content, int) else content)
        expect(message).to_contain_text(words)
        expect(message).to_contain_text("was not imported, and nothing has changed")
        expect(page.locator(".data-preview")).to_be_empty()
        assert page.evaluate("JSON.stringify({...localStorage})") == before


def exported(page: Page, button: str) -> tuple[str, str]:
    """The name and text of what a button downloads."""
    with page.expect_download() as event:
        page.get_by_role("button", name=button, exact=True).click()
    path = Path(event.value.path())
    return event.value.suggested_filename, path.read_text("utf8")


def use(context: BrowserContext) -> Page:
    """A reader with ticks, a note and a first day; the page *Your data*."""
    page = tab(context, PLAN)
    box(page, TASK).check()
    page.get_by_label("First day (optional)").first.fill("2026-11-23")
    page.goto(TOPIC)
    note(page).fill("Why no mean?")
    page.goto(DATA)
    return page


def test_export_and_import_carry_everything_to_another_browser(
    context, browser, address
):
    page = use(context)
    expect(page.locator("your-data")).to_contain_text(
        "This browser holds 1 ticked task, 1 note, 1 first day."
    )
    name, text = exported(page, "Export as a file")
    assert name == "daybook-2026-11-25.json"
    schema = json.loads((DOCS / "assets/reader/schema.json").read_text("utf8"))
    checker = FormatChecker()
    Draft202012Validator(schema, format_checker=checker).validate(json.loads(text))

    other = browser.new_context(base_url=address)
    fresh = tab(other, DATA)
    beside = tab_behind(fresh, TOPIC)
    choose(fresh, text)
    preview = fresh.locator(".data-preview")
    expect(preview.get_by_role("heading")).to_be_focused()
    expect(preview).to_contain_text("new task, LLaMA, and how it differs from GPT")
    expect(preview).to_contain_text("new note, LLaMA: “Why no mean?”")
    expect(preview).to_contain_text("new first day, LLM track: Mon 23 November")
    assert fresh.evaluate(READ) is None  # a preview changes nothing
    fresh.get_by_role("button", name="Import", exact=True).click()
    expect(fresh.locator(".data-message")).to_have_text("Imported.")
    expect(box(beside, TASK)).to_be_checked()
    expect(note(beside)).to_have_value("Why no mean?")
    kept, file = fresh.evaluate(READ), json.loads(text)
    for section in ("tasks", "notes", "start", "answers", "cards"):
        assert kept[section] == file[section]
    choose(fresh, text)
    expect(preview).to_contain_text("Nothing: all of this is here already.")
    other.close()


def test_an_import_joins_or_replaces_and_can_be_undone(context):
    page = use(context)
    beside = tab_behind(page, TOPIC)
    later = {"/llm/day-3/llama/": {"text": "older", "at": AT}}
    tasks = {"llm-2-bert": {"done": True, "at": AT}}
    choose(page, json.dumps(state(notes=later, tasks=tasks)))
    preview = page.locator(".data-preview")
    expect(preview.get_by_role("listitem")).to_have_count(1)  # the note here is later
    expect(preview).to_contain_text("new task, BERT")
    page.get_by_label("Replace what is here by the file").check()
    expect(preview).to_contain_text("“Why no mean?” becomes “older”")
    expect(preview).to_contain_text("removed task, LLaMA")
    expect(page.get_by_label("Replace what is here by the file")).to_be_focused()
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator(".data-message")).to_have_text("Nothing has changed.")
    expect(note(beside)).to_have_value("Why no mean?")

    choose(page, json.dumps(state(notes=later, tasks=tasks)))
    page.get_by_label("Replace what is here by the file").check()
    page.get_by_role("button", name="Import", exact=True).click()
    expect(note(beside)).to_have_value("older")
    expect(box(beside, TASK)).not_to_be_checked()
    expect(page.locator("your-data")).to_contain_text(
        "Before the import of 12:03 it was 1"
    )
    page.get_by_role("button", name="Undo the import").click()
    expect(note(beside)).to_have_value("Why no mean?")
    expect(box(beside, TASK)).to_be_checked()
    page.get_by_role("button", name="Undo the undo").click()
    expect(note(beside)).to_have_value("older")


def test_an_import_without_room_changes_nothing(context):
    page = use(context)
    before = page.evaluate("JSON.stringify({...localStorage})")
    page.evaluate(
        "() => { Storage.prototype.setItem = () => {"
        " throw new DOMException('full', 'QuotaExceededError') } }"
    )
    choose(page, json.dumps(state(tasks={"llm-2-bert": {"done": True, "at": AT}})))
    page.get_by_role("button", name="Import", exact=True).click()
    expect(page.locator(".data-message")).to_contain_text("no room for the import")
    assert page.evaluate("JSON.stringify({...localStorage})") == before


def test_everything_can_be_deleted_for_good(context):
    page = use(context)
    beside = tab_behind(page, TOPIC)
    page.get_by_role("button", name="Delete everything").click()
    expect(page.get_by_role("button", name="Keep it")).to_be_focused()
    page.get_by_role("button", name="Yes, delete it").click()
    expect(page.locator("your-data")).to_contain_text("This browser holds nothing.")
    expect(note(beside)).to_have_value("")
    expect(page.get_by_role("button", name="Undo the deletion")).to_be_visible()
    page.get_by_role("button", name="Forget the earlier state").click()
    expect(page.get_by_role("button", name="Undo")).to_have_count(0)
    kept = page.evaluate("Object.entries(localStorage).flat().join()")
    assert "Why no mean?" not in kept


def test_markdown_has_every_task_and_note(context):
    page = use(context)
    name, text = exported(page, "Export as Markdown")
    assert name == "daybook-2026-11-25.md"
    assert len(re.findall(r"^- \[[ x]\] ", text, re.MULTILINE)) == len(plan.tasks())
    task = plan.tasks()[TASK]
    assert f"- [x] {task.title} ({task.minutes} min)" in text
    assert text.endswith("## Notes\n\n### LLaMA\n\n> Why no mean?\n")


# ---- where the browser keeps nothing -----------------------------------------------

BLOCKED = """Object.defineProperty(window, "localStorage", {
  get() { throw new DOMException("denied", "SecurityError") } })"""
FULL = """Storage.prototype.setItem = function () {
  throw new DOMException("full", "QuotaExceededError") }"""
NEWER = """localStorage.setItem("daybook", '{"format":"daybook-reader","version":9}')"""
DAMAGED = (
    """if (!localStorage.getItem("daybook")) localStorage.setItem("daybook", "{cut")"""
)


@pytest.mark.parametrize(
    ("script", "words", "told_at_once"),
    [
        (BLOCKED, "This browser keeps no data for this site", True),
        (FULL, "storage for this site is full", False),
        (NEWER, "written by a newer version of this site", True),
    ],
    ids=["blocked", "full", "newer"],
)
def test_without_storage_the_page_says_so_and_goes_on(
    context, script, words, told_at_once
):
    context.add_init_script(script)
    page = tab(context, TOPIC)
    if told_at_once:
        expect(page.get_by_role("alert")).to_contain_text(words)
    box(page, TASK).check()
    note(page).fill("in memory")
    expect(page.get_by_role("alert")).to_contain_text(words)
    expect(page.locator("#reader-note-state")).to_contain_text("Not saved")
    expect(box(page, TASK)).to_be_checked()
    page.get_by_role("alert").get_by_role("link").click()
    expect(page.locator("your-data")).to_contain_text("This browser holds nothing.")


def test_damaged_data_are_put_aside_and_offered(context):
    context.add_init_script(DAMAGED)
    page = tab(context, DATA)
    expect(page.get_by_role("alert")).to_contain_text("could not be read")
    assert exported(page, "Export the copy") == ("daybook-damaged.txt", "{cut")
    page.reload()
    expect(page.get_by_role("button", name="Export the copy")).to_be_visible()
    expect(page.get_by_role("alert")).to_have_count(0)


LISTENER_FAILS = """import("../../../assets/reader/store.js").then(({ store }) => {
  store.subscribe(() => { throw new Error("as a test") }) })"""


def test_a_script_that_fails_on_the_data_is_told_and_stops_nothing_else(context):
    page = tab(context, TOPIC)
    page.evaluate("setTimeout(() => { throw new Error('of an extension') })")
    page.evaluate(LISTENER_FAILS)
    alert = page.get_by_role("alert")
    expect(alert).to_have_count(0)  # nothing of the site's has failed yet
    box(page, TASK).check()
    note(page).fill("kept")
    expect(page.locator("#reader-note-state")).to_have_text("Saved 12:03")
    expect(alert).to_contain_text("a script has failed, perhaps on what this browser")
    alert.get_by_role("link", name="Your data").click()
    expect(page.get_by_role("button", name="Export as a file")).to_be_visible()


def test_data_that_cannot_be_shown_can_be_exported_and_deleted(context):
    tab(context, DATA).evaluate(
        "text => localStorage.setItem('daybook', text)",
        json.dumps(state(tasks={TASK: {"done": True, "at": AT}})),
    )

    def broken(route) -> None:
        text = (DOCS / "assets/reader/transfer.js").read_text("utf8")
        start = "export function counts(state) {"
        assert start in text
        text = text.replace(start, f"{start}\n  throw new Error('as a test');")
        route.fulfill(body=text, content_type="text/javascript")

    context.route("**/transfer.js", broken)
    page = tab(context, DATA)
    alert = page.locator("your-data").get_by_role("alert")
    expect(alert).to_contain_text("cannot be shown: Error: as a test")
    name, text = exported(page, "Export as it is")
    assert name == "daybook-as-it-is.json" and json.loads(text)["tasks"][TASK]["done"]
    context.unroute("**/transfer.js")
    page.get_by_role("button", name="Delete everything").click()
    expect(page.locator("your-data")).to_contain_text("This browser holds nothing.")


# ---- without JavaScript, on paper, in every view -----------------------------------


def test_without_javascript_the_plan_is_complete(browser, address):
    context = browser.new_context(base_url=address, java_script_enabled=False)
    page = tab(context, PLAN)
    expect(page.locator("tr.task input:visible")).to_have_count(len(plan.tasks()))
    expect(box(page, TASK)).to_be_disabled()
    expect(note(page)).to_be_hidden()
    page.goto(CATCH_UP)
    expect(page.locator("tr.task:visible")).to_have_count(len(LLM))
    page.goto(TOPIC)
    expect(page.locator(".serves .task")).to_be_visible()
    page.goto(DATA)
    expect(page.locator("your-data")).to_contain_text("With JavaScript switched off")
    context.close()


def test_on_paper_the_plan_is_a_list_with_its_ticks(context):
    page = tab(context, PLAN)
    box(page, TASK).check()
    page.emulate_media(media="print")
    expect(page.locator("tr.task:visible")).to_have_count(len(plan.tasks()))
    tick = box(page, TASK).evaluate("box => getComputedStyle(box).backgroundImage")
    assert tick.startswith("url")
    for left_out in ("plan-overview", ".md-header", ".md-footer", ".reader-note"):
        expect(page.locator(left_out).first).to_be_hidden()
    note(page).evaluate("field => { field.value = 'kept' }")
    expect(page.locator(".reader-note")).to_be_visible()
    page.emulate_media(media="screen")


def in_use(browser: Browser, address: str, view: str) -> Visit:
    """A visit of a reader who has ticked, written, and given a first day."""
    width, scheme = VIEWS[view]
    visit = Visit.start(browser, address, width, color_scheme=scheme)
    kept = state(
        tasks={TASK: {"done": True, "at": AT}},
        notes={f"/{TOPIC}": {"text": "Why? " * 40, "at": AT}},
        start={"llm": {"date": "2026-01-01", "at": AT}},
    )
    visit.open(address)
    visit.page.evaluate(
        "text => localStorage.setItem('daybook', text)", json.dumps(kept)
    )
    return visit


@pytest.mark.parametrize("view", TWO_VIEWS)
def test_pages_in_use_have_no_problem(browser, address, view):
    visit = in_use(browser, address, view)
    for path in ("", PLAN, CATCH_UP, TOPIC, DATA):
        page = visit.open(address + path)
        if path in ("", PLAN):
            expect(page.locator("plan-overview").first).to_contain_text("done")
        if path == TOPIC:
            note(page).fill("Why?")
            box(page, TASK).focus()
        if path == DATA:
            choose(
                page, json.dumps(state(tasks={"llm-2-bert": {"done": True, "at": AT}}))
            )
            expect(page.locator(".data-preview")).to_contain_text("What will change")
            page.get_by_role("button", name="Import", exact=True).click()
            choose(page, json.dumps(state(notes={"/": {"text": "x", "at": AT}})))
            page.get_by_role("button", name="Delete everything").click()
            expect(page.get_by_role("button", name="Undo the import")).to_be_visible()
        assert problems(visit, without=FRAME) == [], path
    visit.page.evaluate(NEWER)
    visit.open(address + PLAN)
    expect(visit.page.get_by_role("alert")).to_be_visible()
    assert problems(visit, without=FRAME) == []
    visit.page.context.close()


def test_the_plan_fits_a_phone(browser, address):
    visit = in_use(browser, address, f"{NARROW} light")
    page = visit.open(address + PLAN)
    for part in page.locator(".overview-track, day-progress, tr.task").all():
        found = part.bounding_box()
        assert found["x"] >= 0 and found["x"] + found["width"] <= NARROW
    target = box(page, TASK).evaluate("box => box.closest('label').offsetHeight")
    assert target >= 24  # WCAG 2.5.8
    visit.page.context.close()


def test_pages_load_what_they_need_and_no_more(browser, address):
    visit = Visit.start(browser, address, WIDE)
    visit.open(address + TOPIC)
    loaded = {url.rsplit("/", 1)[1] for url in visit.requests if "/assets/" in url}
    assert {"page.js", "store.js", "schema.js"} <= loaded
    heavy = {"transfer.js", "your-data.js", "plan.json", "plan.js", "notice.js"}
    assert not loaded & heavy
    visit.page.context.close()
