"""Terms: each defined once, and linked where it is used, with its definition."""

import pytest
from bs4 import BeautifulSoup

from literate import glossary
from literate.page import Page, pages, read
from literate.project import DOCS, PageError
from tests.helpers import convert

TERMS = glossary.terms()
PAGES = [page for page in pages() if page.path != glossary.PATH]


def test_no_term_is_defined_twice_and_all_are_in_order():
    defined = glossary._read(read(glossary.PATH))
    assert len({term.id for term in defined}) == len(defined) > 20
    names = [term.name.lower() for term in defined]
    assert names == sorted(set(names))


@pytest.mark.parametrize("term", TERMS.values(), ids=TERMS)
def test_a_term_says_what_it_is_and_where_it_is_explained(term):
    assert term.definition.endswith(".")
    assert 5 <= len(term.definition.split()) <= 45
    page = DOCS / term.page.removeprefix("/")
    assert page.is_file()
    assert term.id in glossary.used(read(page)), (
        f"{term.page} does not mark {term.name}"
    )


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_marks_the_first_use_alone(page):
    used = glossary.used(page)
    assert set(used) <= set(TERMS)
    assert len(set(used)) == len(used)


def test_a_marked_term_has_its_definition_beside_it():
    html = convert("A [Softmax](/glossary.md#softmax), and more.")
    (box,) = BeautifulSoup(html, "html.parser").select(".with-definition")
    assert box.a.get_text() == "Softmax"
    assert box.a["aria-describedby"] == box.select_one("[role=tooltip]")["id"]
    assert box.select_one(".definition").get_text() == TERMS["softmax"].definition
    assert box.next_sibling == ", and more."


def test_a_second_mark_is_a_link_alone():
    link = "[Softmax](/glossary.md#softmax)"
    soup = BeautifulSoup(convert(f"{link} {link}"), "html.parser")
    assert len(soup.select(".definition")) == 1
    assert len(soup.select("a")) == 2


def test_an_unknown_term_is_an_error():
    with pytest.raises(PageError, match=r"glossary\.md has no term 'softmix'"):
        convert("A [softmix](/glossary.md#softmix).")


def test_terms_are_read_as_plain_words():
    text = (
        "# G\n\n## `a` *b* {#ab}\n\nOne `c` of [d](/e.md), *f*. [F](/g.md)\n\n## c\n\nx"
    )
    (term,) = glossary._read(Page(None, text))
    assert (term.id, term.name, term.page, term.line) == ("ab", "`a` *b*", "/g.md", 3)
    assert term.definition == "One c of d, f."
