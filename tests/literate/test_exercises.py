"""Questions, facts, exercises, openings: complete HTML without JavaScript."""

import pytest
from bs4 import BeautifulSoup

from literate.project import PageError
from literate.showing import exercises
from tests.helpers import convert

QUESTION = """\
/// question | What is $1 + 1$?
    id: q-sum

- [ ] It is `1`.

    One is **less**.

- [x] It is 2.

    Count them.
///
"""
FACT = "/// fact | What is a fact?\n    id: f-fact\nSomething *true*.\n///\n"
EXERCISE = """\
//// exercise | Add two numbers
    id: e-add
Write `add`.

/// solution
```python
def add(a, b):
    return a + b


assert add(1, 2) == 3
```
///
////
"""


def soup(text: str) -> BeautifulSoup:
    return BeautifulSoup(convert(text), "html.parser")


def wrong(text: str) -> str:
    with pytest.raises(PageError) as caught:
        convert(text)
    return str(caught.value)


def test_a_question_is_a_list_of_folded_explanations():
    (question,) = soup(QUESTION).select("section.question#q-sum")
    assert question.select_one(".question-text math")
    choices = question.select("ul.choices > li")
    assert [choice["data-right"] for choice in choices] == ["false", "true"]
    wrong_one, right_one = choices
    assert wrong_one.select_one("details > summary").get_text() == "It is 1."
    assert wrong_one.summary.code.get_text() == "1"
    assert wrong_one.select_one("details > p").get_text() == "No. One is less."
    assert right_one.select_one("details > p").get_text() == "Right. Count them."


def test_a_fact_is_a_question_that_unfolds_its_answer():
    (fact,) = soup(FACT).select("details.fact#f-fact")
    assert fact.summary.get_text() == "What is a fact?"
    assert fact.select_one("p > em").get_text() == "true"


def test_an_exercise_has_its_solution_folded_and_run():
    (exercise,) = soup(EXERCISE).select("section.exercise#e-add")
    assert exercise.p.get_text() == "Exercise. Add two numbers"
    assert exercise.select_one("details.solution > summary").get_text() == "Solution"
    assert "assert add(1, 2) == 3" in exercise.select_one("details pre").get_text()
    told = wrong(EXERCISE.replace("== 3", "== 4"))
    assert "this block failed" in told and "AssertionError" in told


def test_an_opening_tells_the_times():
    page = soup("# T\n\n/// opening\nKnow first: *sums*.\n///\n\n```python\n1\n```\n")
    (opening,) = page.select("div.opening")
    times, known = opening.select("p")
    assert "about 1 minute" in times.get_text()
    assert "its code ran in 0.0 s on one core" in times.get_text()
    assert known.get_text() == "Know first: sums."


WRONG = {
    "no id": (QUESTION.replace("    id: q-sum\n", ""), 1, "a question needs an id"),
    "no right choice": (QUESTION.replace("[x]", "[ ]"), 1, "needs a right choice"),
    "one choice": (QUESTION.replace("- [x] It is 2.\n", ""), 1, "two choices"),
    "no marks": (QUESTION.replace("[ ] ", ""), 1, "starts with [x] or [ ]"),
    "no explanation": (QUESTION.replace("    Count them.\n", ""), 1, "why it is right"),
    "unknown option": (
        FACT.replace("    id", "    idea: 1\n    id"),
        1,
        "cannot be read",
    ),
    "no title": (FACT.replace(" | What is a fact?", ""), 1, "cannot be read"),
    "unknown block": ("text\n\n/// quiz | a\n///\n", 3, "unknown block quiz"),
    "not opened": ("text\n\n///\n", 3, "closes nothing"),
    "not closed at the end": ("text\n\n" + FACT[:-4], 3, "never closed"),
    "twice on a page": (FACT + "\n" + FACT, 1, "the id f-fact is used too in (text):6"),
}


@pytest.mark.parametrize(("text", "line", "message"), WRONG.values(), ids=WRONG)
def test_what_cannot_be_read_is_named(text, line, message):
    told = wrong(text)
    assert f"(text):{line}: " in told
    assert message in told


def test_an_id_that_another_page_uses_is_named():
    text = FACT.replace("f-fact", "llm-3-fact-formula")
    assert "is used too in docs/llm/day-3/self-attention.md:" in wrong(text)


def test_blocks_inside_fences_are_text():
    page = soup("````text\n/// quiz\n````\n")
    assert "/// quiz" in page.get_text()


def test_every_block_has_a_name_of_its_own():
    assert len(set(exercises.NAMES)) == len(exercises.BLOCKS)
