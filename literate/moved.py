"""What has moved: old addresses lead on to the new ones, without JavaScript.

`docs/moved.txt` has a line for each page or heading that has another address now:

    /llm/day-3/old-name/             /llm/day-3/llama/
    /llm/day-3/llama/#old-heading    /llm/day-3/llama/#rmsnorm

In place of an old page stands one that leads on at once; it is in no search and no
list. An old heading becomes an empty anchor before the new one. Where that is on
another page, a line at the end of the old page links to it.
"""

import functools
import html
import re
from pathlib import Path
from posixpath import relpath

from literate.plan import titles
from literate.project import DOCS, PageError, stamp

FILE = DOCS / "moved.txt"
ADDRESS = r"/(?:[\w.-]+/)*(?:#[\w:.-]+)?"
LINE = re.compile(rf"(?P<old>{ADDRESS})\s+(?P<new>{ADDRESS})")
HEADING = r'<h[1-6][^>]*\sid="{}"'
REDIRECT = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<meta http-equiv="refresh" content="0; url={link}">
<link rel="canonical" href="{canonical}">
<title>{title}</title>
</head>
<body><p>This page has moved: <a href="{link}">{title}</a>.</p></body>
</html>
"""


def moved() -> dict[str, str]:
    """Where each old address leads now; raises `PageError` for a line that is wrong."""
    return _moved(FILE, stamp(FILE))


@functools.lru_cache(maxsize=4)
def _moved(path: Path, stamp: tuple[int, int, int]) -> dict[str, str]:
    found: dict[str, str] = {}
    table = path.read_text("utf8") if path.is_file() else ""
    for number, text in enumerate(table.split("\n"), 1):
        line = text.strip()
        if not line or line.startswith("# "):
            continue
        match = LINE.fullmatch(line)
        if not match:
            message = "write an old and a new address, such as /llm/old/ /llm/new/"
            raise PageError(f"docs/moved.txt:{number}: {message}")
        if match["old"] in found:
            raise PageError(f"docs/moved.txt:{number}: {match['old']} is there twice")
        found[match["old"]] = match["new"]
    return {old: _end(old, found) for old in found}


def _end(old: str, found: dict[str, str]) -> str:
    """Where an address leads in the end, when it has moved more than once."""
    way = [old]
    while way[-1] in found:
        way.append(found[way[-1]])
        if way[-1] in way[:-1]:
            raise PageError(f"docs/moved.txt: {old} leads in a circle")
    return way[-1]


def pages() -> dict[str, str]:
    """Where each page that has moved is now."""
    return {old: new for old, new in moved().items() if "#" not in old}


def former(address: str) -> list[str]:
    """The addresses that a page had before."""
    return [old for old, new in pages().items() if new.partition("#")[0] == address]


def with_anchors(content: str, address: str) -> str:
    """The HTML of a page, with the anchors of headings that have moved.

    Raises `PageError` if an old anchor is still there, or a new one is not.
    """
    elsewhere: dict[str, list[tuple[str, str]]] = {}  # by the page they are on now
    for old, new in moved().items():
        page, _, name = old.partition("#")
        if page != address or not name:
            continue
        if f'id="{name}"' in content:
            raise PageError(f"docs/moved.txt: {old} is still there")
        target, _, heading = new.partition("#")
        if target != address:
            elsewhere.setdefault(target, []).append((name, new))
            continue
        found = re.search(HEADING.format(re.escape(heading)), content)
        if not found:
            raise PageError(f"docs/moved.txt: {new} is no heading of its page")
        anchor = f'<a class="moved" id="{name}"></a>'
        content = content[: found.start()] + anchor + content[found.start() :]
    lines = (_line(address, page, parts) for page, parts in elsewhere.items())
    return content + "".join(lines)


def _line(address: str, page: str, parts: list[tuple[str, str]]) -> str:
    """A line of a page that says where a part of it is now, or several are."""
    title = html.escape(titles().get(page, page))
    (name, new), *others = parts
    link = f'<a href="{_link(address, page if others else new)}">{title}</a>'
    anchors = "".join(f'<a class="moved" id="{name}"></a>' for name, _ in others)
    told = "Parts of this page are" if others else "A part of this page is"
    return f'\n<p class="moved" id="{name}">{anchors}{told} now in {link}.</p>'


def _link(old: str, new: str) -> str:
    """The way from one address of the site to another."""
    page, mark, name = new.partition("#")
    return f"{relpath(page, old)}/{mark}{name}"


def write(site: Path, url: str) -> None:
    """Write the pages that lead on into the folder of the site; `url` is its address.

    Raises `PageError` if there still is a page, or if it leads to none.
    """
    for old, new in pages().items():
        path = site / old.strip("/") / "index.html"
        target = new.partition("#")[0]
        if not (site / target.strip("/") / "index.html").is_file():
            raise PageError(f"docs/moved.txt: there is no page {target}")
        if path.is_file() and 'http-equiv="refresh"' not in path.read_text("utf8"):
            raise PageError(f"docs/moved.txt: there still is a page {old}")
        link = _link(old, new)
        canonical = url + target[1:] if url else link
        title = html.escape(titles().get(target, target))
        path.parent.mkdir(parents=True, exist_ok=True)
        text = REDIRECT.format(link=link, canonical=canonical, title=title)
        path.write_text(text, "utf8", newline="\n")
