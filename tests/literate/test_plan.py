"""The plan: every task once, with a stable id, embedded where it belongs."""

import re

import pytest
from bs4 import BeautifulSoup

from literate import plan
from literate.page import Page, pages, read
from literate.parse import expand
from literate.project import DOCS, PageError
from literate.showing import icons, task_boxes
from literate.showing.extension import converting
from tests.helpers import convert

DAYS = [f"{track}-{day}" for track in ("llm", "pytorch") for day in range(1, 8)]


def test_every_day_has_tasks_and_estimates():
    tasks = plan.tasks().values()
    assert sorted({task.day for task in tasks}) == sorted(DAYS)
    assert all(task.minutes >= 5 for task in tasks)


@pytest.mark.parametrize("day", DAYS)
def test_a_day_embeds_its_tasks_from_the_plan(day):
    track, number = day.split("-")
    page = read(DOCS / track / f"day-{number}" / "index.md")
    own = [task for task in plan.tasks().values() if task.day == day]
    assert not any(task.id in page.body for task in own)  # one source: the plan
    lines, problems = expand(page.lines())
    assert problems == []
    text = "\n".join(line.text for line in lines)
    assert all(f"{{#{task.id}}}" in text for task in own)


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.name)
def test_a_page_serves_a_task_of_its_own_day_first(page):
    for name in page.meta.get("tasks", [])[:1]:
        track, day = re.match(r"docs/(\w+)/day-(\d)/", page.name).groups()
        assert plan.tasks()[name].day == f"{track}-{day}"


def test_a_topic_page_is_linked_from_the_tasks_it_serves():
    for page in pages():
        for name in page.meta.get("tasks", []):
            link = page.name.removeprefix("docs")
            assert f"]({link})" in plan.tasks()[name].text


ROW = "| [ ] 🛠️ [A task](/a.md): with `code` {#llm-1-task} | 45 |"
TABLE = f"| Task | Elsewhere |\n|:--|--:|\n{ROW}"


def test_a_task_becomes_a_row_with_a_labelled_box():
    page = BeautifulSoup(convert(TABLE.replace("/a.md", "#a")), "html.parser")
    (row,) = page.select("tr.task#llm-1-task")
    label = row.select_one("td > label")
    assert label.input["type"] == "checkbox" and label.input.has_attr("disabled")
    assert " ".join(label.get_text().split()) == "A task: with code"
    (icon,) = label.select("span.icon.icon-build[role=img]")
    assert icon["aria-label"] == "Build"
    assert [cell.get_text() for cell in row.select("td")][1:] == ["", "45"]
    assert [cell.get_text() for cell in page.select("th")] == [
        "Task",
        "Here",
        "Elsewhere",
    ]


def test_every_task_says_by_an_icon_what_it_asks_for():
    drawn = (DOCS / "assets" / "site.css").read_text("utf8")
    for name, _ in icons.KINDS.values():
        assert f".icon-{name} {{" in drawn
    without = [
        task.id for task in plan.tasks().values() if not icons.split(task.text)[0]
    ]
    assert without == []


def test_words_without_an_icon_stay_as_they_are():
    assert icons.split("🦙 LLaMA") == ({}, "🦙 LLaMA")
    assert icons.in_html("a < b") == "a &lt; b"


def test_a_row_has_the_minutes_here_and_elsewhere(monkeypatch):
    task = plan.Task("llm-1-task", "A task", "llm-1", elsewhere=45, line=1, here=20)
    monkeypatch.setattr(task_boxes, "tasks", lambda: {task.id: task})
    page = BeautifulSoup(convert(TABLE.replace("/a.md", "#a")), "html.parser")
    (row,) = page.select("tr.task")
    assert [cell.get_text() for cell in row.select("td")][1:] == ["20", "45"]
    assert row["data-minutes"] == "65"
    assert page.select_one("day-progress")["tasks"] == "llm-1-task:65"


def test_an_optional_task_says_so_to_the_scripts(monkeypatch):
    asked = plan.Task("llm-1-task", "📖 Optional: [a](/a.md)", "llm-1", 45, line=1)
    other = plan.Task("llm-1-other", "An Optional thing", "llm-1", 5, line=2)
    monkeypatch.setattr(task_boxes, "tasks", lambda: {t.id: t for t in (asked, other)})
    rows = [f"| [ ] {t.plain} {{#{t.id}}} | {t.elsewhere} |" for t in (asked, other)]
    text = "\n".join(["| Task | Elsewhere |", "|:--|--:|", *rows])
    page = BeautifulSoup(convert(text), "html.parser")
    marked = [row["id"] for row in page.select("tr.task[data-optional]")]
    assert marked == ["llm-1-task"]
    listed = "llm-1-task:45:optional llm-1-other:5"
    assert page.select_one("day-progress")["tasks"] == listed
    said = [task for day in plan.data()["days"] for task in day["tasks"]]
    optional = {task["id"] for task in said if task["optional"]}
    assert optional == {t.id for t in plan.tasks().values() if t.is_optional}
    assert "llm-6-fastai-nlp" in optional and "llm-6-mini-gpt" not in optional


def test_a_page_names_the_tasks_it_serves_at_its_end():
    page = Page(None, "text", meta={"tasks": ["llm-3-self-attention"]})
    with converting(page):
        html = convert("text")
    served = BeautifulSoup(html, "html.parser").select_one("aside.serves")
    (item,) = served.select("li.task")
    assert item["data-task"] == "llm-3-self-attention"
    assert "Self-attention from scratch" in item.label.get_text()
    assert "](" not in item.get_text()


@pytest.fixture
def with_plan(monkeypatch):
    """Read tasks from a text in place of the plan."""

    def use(text: str) -> None:
        monkeypatch.setattr(plan, "read", lambda path: Page(plan.PLAN, text, 5))

    return use


START, END = "<!-- --8<-- [start:llm-1] -->", "<!-- --8<-- [end:llm-1] -->"


@pytest.mark.parametrize(
    ("rows", "line", "message"),
    [
        ([ROW, ROW], 7, "the id llm-1-task is used too in line 6"),
        ([ROW.replace("llm-1", "llm-2")], 6, "must start with its day's section"),
        ([ROW.replace(" {#llm-1-task}", "")], 6, "write a task as"),
        ([ROW.replace("45", "soon")], 6, "write a task as"),
        ([ROW.replace("| 45 |", "|")], 6, "write a task as"),
        ([ROW.replace("[ ]", "[x]")], 6, "write a task as"),
    ],
)
def test_a_row_that_cannot_be_read_is_named(with_plan, rows, line, message):
    with_plan("\n".join([START, *rows, END]))
    with pytest.raises(PageError, match=f"docs/plan.md:{line}: .*{re.escape(message)}"):
        plan.tasks()


def test_a_task_outside_of_a_day_is_refused(with_plan):
    with_plan(ROW)
    with pytest.raises(PageError, match=r"must start with its day's section \(none-\)"):
        plan.tasks()


@pytest.mark.parametrize(
    ("meta", "message"),
    [
        ({"tasks": ["llm-9-none"]}, "has no task 'llm-9-none'"),
        ({"tasks": "llm-3-llama"}, "must be a list"),
    ],
)
def test_a_page_that_names_an_unknown_task_is_refused(meta, message):
    page = Page(DOCS / "llm" / "index.md", "", meta=meta)
    with pytest.raises(PageError, match=f"docs/llm/index.md:1: .*{message}"):
        plan.served(page)
