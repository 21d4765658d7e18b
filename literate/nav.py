"""The order of the pages: that of the navigation in `mkdocs.yml`."""

import re

from literate.page import Page, day_of, pages
from literate.project import ROOT

NAMED = re.compile(r"(?P<page>[\w/.-]+\.md)\s*$", re.MULTILINE)


def places() -> dict[str, int]:
    """The place of each page that the navigation names, by the page's name."""
    names = NAMED.findall((ROOT / "mkdocs.yml").read_text("utf8"))
    return {f"docs/{name}": place for place, name in enumerate(names)}


def topics() -> list[Page]:
    """The topic pages of both tracks, in order."""
    known = places()
    found = [page for page in pages() if day_of(page) and page.name in known]
    return sorted(found, key=lambda page: known[page.name])
