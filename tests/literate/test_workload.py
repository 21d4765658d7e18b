"""How long a page, a task and a day take: computed, and within bounds where done."""

import pytest

from literate import not_done, plan, workload
from literate.page import Page, pages
from literate.parse import parse, parsed_pages
from literate.project import DOCS, PageError

PAGES = {parsed.page.name: parsed for parsed in parsed_pages() if parsed.blocks}
TASKS = plan.tasks()
DAYS = sorted({task.day for task in TASKS.values()})
LABS = sorted((DOCS / "labs").glob("*.py"))


def of(text: str, **meta) -> workload.Workload:
    return workload.of(parse(Page(None, text, meta=meta)))


def test_words_code_and_exercises_are_counted():
    words = "word " * 240
    code = "```python\n" + "x\n" * 20 + "```\n\n"
    exercise = (
        "//// exercise | T\n    id: e-x\n/// solution\n"
        + code
        + words
        + "\n///\n////\n"
    )
    assert of(words).minutes == 2
    assert of(words + "\n\n" + code).minutes == 4
    assert of(words + "\n\n" + code + exercise).minutes == 9
    assert of("").minutes == 1


def test_what_is_folded_does_not_count():
    code = 'python fold="helpers"\n' + "x\n" * 20 + "```\n"
    assert of(f"```{code}") == workload.Workload(0, 0, 0)
    assert of("```text\na\n```").lines == 1


def test_what_a_drawing_is_made_of_is_not_read():
    svg = '<svg viewBox="0 0 9 9">\n<g>\n<path d="M0 0H9"/>\n</g>\n</svg>\n'
    assert of(f"<figure>\n{svg}</figure>").words == 2


def test_titles_of_boxes_are_read_too():
    assert of("/// fact | two words\n    id: f-x\none\n///").words >= 3


@pytest.mark.parametrize("name", PAGES)
def test_a_required_page_is_not_too_long(name):
    wrong = [f"{name}: {problem.message}" for problem in workload.problems(PAGES[name])]
    if not_done.is_done(name, "length"):
        assert not wrong, "\n".join(wrong)
    else:
        assert wrong, f"{name} is done: take it out of {not_done.LIST.name}"


@pytest.mark.parametrize("day", DAYS)
def test_a_day_is_a_day(day):
    """Pages and labs; papers, lectures and other courses are counted apart."""
    own = [task for task in TASKS.values() if task.day == day and not task.is_optional]
    minutes = sum(task.here for task in own)
    if not_done.is_done(day, "day"):
        assert minutes <= workload.MOST_DAY
    else:
        assert minutes > workload.MOST_DAY, f"{day} fits: take it out of the list"


def test_what_is_too_much_is_named():
    parsed = parse(Page(None, "word " * 3000 + "\n\n```python\n" + "x\n" * 300 + "```"))
    words, lines = (problem.message for problem in workload.problems(parsed))
    assert words.startswith("3000 words, and at most")
    assert lines.startswith("300 lines of code, and at most")
    optional = Page(None, parsed.page.body, meta={"optional": True})
    assert workload.problems(parse(optional)) == []


def test_a_task_takes_what_its_pages_and_labs_do(monkeypatch):
    made = [
        Page(None, "word " * 1200, meta={"tasks": ["a", "b"]}),
        Page(None, "word " * 240, meta={"tasks": ["a"]}),
        Page(None, "word", meta={"tasks": "wrong"}),
    ]
    monkeypatch.setattr(workload, "pages", lambda: made)
    monkeypatch.setattr(workload, "of_lab", lambda path: ("c", 41))
    monkeypatch.setattr(workload, "LABS", DOCS / "labs")
    wanted = {"a": 15, "c": 5 * -(-41 * len(LABS) // 5)}
    assert workload.of_tasks() == wanted
    assert [workload.of_task(name) for name in "abc"] == [15, 0, wanted["c"]]


@pytest.mark.parametrize("path", LABS, ids=lambda path: path.stem)
def test_a_lab_says_how_long_it_takes_and_for_which_task(path):
    task, minutes = workload.of_lab(path)
    assert TASKS[task].day in DAYS
    assert 20 <= minutes <= 120


def test_a_lab_that_does_not_say_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(workload, "relative", lambda path: path.name)
    (tmp_path / "lab.py").write_text("# %% [markdown]\n", "utf8")
    with pytest.raises(PageError, match=r"lab.py:1: .*minutes=60"):
        workload.of_lab(tmp_path / "lab.py")


def test_optional_pages_have_tasks_of_their_own():
    for page in pages():
        served = [task for task in plan.served(page)[:1] if task.here]
        is_optional = bool(page.meta.get("optional"))
        assert all(task.is_optional == is_optional for task in served), page.name
