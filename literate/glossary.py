"""The terms of the book, each defined once, in `docs/glossary.md`.

A term is a heading with an id, and a paragraph with the page that explains it:

    ## softmax {#softmax}

    Turns any numbers into positive ones that sum to one. [Explained](/llm/day-1/….md).

A page marks the first use of a term by a link, `[softmax](/glossary.md#softmax)`.
"""

import functools
import re
from dataclasses import dataclass

from literate.page import Page, read
from literate.parse import HEADING, HEADING_ID
from literate.project import DOCS

PATH = DOCS / "glossary.md"
USE = re.compile(
    r"\[(?P<label>[^\]]+)\]\((?:/|(?:\.\./)+)glossary\.md#(?P<id>[\w-]+)\)"
)
LINK = re.compile(r"\[(?P<label>[^\]]+)\]\((?P<target>[^)]+)\)")
MARKUP = re.compile(r"[`*]|\\\(|\\\)")


@dataclass(frozen=True)
class Term:
    """A term, what it means, and where on this site it is explained."""

    id: str
    name: str
    definition: str  # plain words, without the link at the end
    page: str  # such as /llm/day-3/self-attention.md
    line: int


def terms() -> dict[str, Term]:
    """Every term by its id, in the order of the page."""
    return {term.id: term for term in _read(read(PATH))} if PATH.exists() else {}


@functools.lru_cache(maxsize=4)
def _read(page: Page) -> list[Term]:
    found: list[Term] = []
    name, anchor, line = "", "", 0
    for number, text in page.lines():
        if heading := HEADING.match(text):
            written = HEADING_ID.search(heading["text"])
            name = HEADING_ID.sub("", heading["text"]).strip()
            anchor, line = (written["id"] if written else ""), number
        elif anchor and text.strip():
            links = list(LINK.finditer(text))
            words = text[: links[-1].start()] if links else text
            plain = LINK.sub(lambda match: match["label"], words)
            page_of = links[-1]["target"] if links else ""
            plain = MARKUP.sub("", plain).strip()
            found.append(Term(anchor, name, plain, page_of, line))
            anchor = ""
    return found


def used(page: Page) -> list[str]:
    """The ids of the terms that a page marks, in the order of its lines."""
    return [match["id"] for _, text in page.lines() for match in USE.finditer(text)]
