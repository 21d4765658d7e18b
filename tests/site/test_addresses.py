"""Addresses of pages and headings: what was published once leads somewhere for good."""

import re
from collections.abc import Iterable
from pathlib import Path

HERE = "tests/site/test_addresses.py"
FROZEN = Path(__file__).parents[1] / "frozen" / "addresses.txt"
ARTICLE = re.compile(r"<article.*</article>", re.DOTALL)
HEADING = re.compile(r'<h[1-6][^>]*\sid="([^"]+)"')


def leads_on(html: str) -> bool:
    return '<meta http-equiv="refresh"' in html


def current(site: Path) -> set[str]:
    """The addresses of all pages and of their headings, below the site."""
    found = set()
    for path in site.rglob("index.html"):
        html = path.read_text("utf8")
        if article := ARTICLE.search(html):
            folder = path.parent.relative_to(site).as_posix()
            address = "/" if folder == "." else f"/{folder}/"
            ids = HEADING.findall(article[0])
            found |= {address, *(f"{address}#{one}" for one in ids)}
    return found


def leading_nowhere(site: Path, addresses: Iterable[str]) -> list[str]:
    """Those that are no page, no page that leads on, and no anchor of a page."""
    lost, pages = [], {}
    for address in addresses:
        page, _, name = address.partition("#")
        path = site / page.strip("/") / "index.html"
        if page not in pages:
            pages[page] = path.read_text("utf8") if path.is_file() else ""
        html = pages[page]
        if not leads_on(html) and (not html or (name and f' id="{name}"' not in html)):
            lost.append(address)
    return lost


def test_every_address_that_was_published_leads_somewhere(site, request):
    """With --update-outputs, new ones are added to the list."""
    frozen = set(FROZEN.read_text("utf8").split()) if FROZEN.exists() else set()
    lost = leading_nowhere(site, sorted(frozen))
    told = "\n".join([*lost, "for each, write OLD NEW into docs/moved.txt"])
    assert not lost, f"these addresses lead nowhere:\n{told}"
    new = sorted(current(site) - frozen)
    if new and request.config.getoption("--update-outputs"):
        every = "\n".join(sorted(frozen | set(new)))
        FROZEN.write_text(f"{every}\n", "utf8", newline="\n")
        new = []
    told = "\n".join([*new, f"python -m pytest {HERE} --update-outputs"])
    assert not new, f"these addresses are new:\n{told}"


def test_an_address_that_leads_nowhere_is_found(tmp_path):
    pages = {
        "": '<article><h1 id="home"></h1><a class="moved" id="was"></a></article>',
        "old": '<meta http-equiv="refresh" content="0; url=../">',
    }
    for name, text in pages.items():
        (tmp_path / name).mkdir(exist_ok=True)
        (tmp_path / name / "index.html").write_text(text, "utf8")
    assert current(tmp_path) == {"/", "/#home"}
    asked = ["/", "/#home", "/#was", "/#no", "/old/", "/old/#part", "/no/"]
    assert leading_nowhere(tmp_path, asked) == ["/#no", "/no/"]
