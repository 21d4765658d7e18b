"""Turns of phrase that the book has fallen into before are not in it."""

import pytest

from literate import wording
from literate.page import Page
from literate.parse import parse, parsed_pages

PAGES = {parsed.page.name: parsed for parsed in parsed_pages()}


@pytest.mark.parametrize("name", PAGES)
def test_a_page_has_no_relapse(name):
    wrong = [f"{name}:{p.line}: {p.message}" for p in wording.problems(PAGES[name])]
    assert not wrong, "\n".join(wrong)


FOUND = {
    "The derivative by each of these.": "'derivative by'",
    "It does not better than that.": "'does not better'",
    "What belongs into a file?": "'belongs into'",
    "How many parameters has it?": "'How many parameters has'",
    "What it has that GPT-1 has not.": "'that GPT-1 has not'",
    "A text that is too short is told.": "'is told'",
    "Who makes the scores cheaper gains.": "'Who makes the scores cheaper gains'",
}


@pytest.mark.parametrize(("text", "found"), FOUND.items(), ids=FOUND)
def test_a_relapse_is_named_with_what_to_write(text, found):
    (problem,) = wording.problems(parse(Page(None, text)))
    assert problem.message.startswith(f"{found}: write ")


def test_code_and_formulas_are_not_prose():
    text = "`it belongs into`, \\(1/10.0\\)\n\n```text\nfor ever\n```\n"
    assert wording.problems(parse(Page(None, text))) == []
