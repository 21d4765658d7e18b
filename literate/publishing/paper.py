"""The book as one PDF, printed by Chromium: both tracks, with bookmarks.

All pages become one document, in the order of the navigation. Each id gets the number
of its page, so that links between pages lead to other pages of paper. What the tracks
and days are headings for lies below them, and Chromium makes bookmarks of headings.
"""

import html
import mimetypes
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from posixpath import normpath
from typing import Any
from urllib.parse import unquote, urlsplit

from literate.project import PageError
from literate.publishing.markup import Tag, changed, tags
from literate.showing.site_markdown import configuration
from snippets.files import naming_file, write_whole

ARTICLE = re.compile(r"<article\b[^>]*>(?P<body>.*)</article>", re.DOTALL)
STYLE = re.compile(r"<style>(?P<rules>.*?)</style>", re.DOTALL)
HEADING = re.compile(r"<(?P<end>/?)h(?P<level>[1-6])\b", re.IGNORECASE)
LEAVE_OUT = (  # what is for a screen
    re.compile(r'<section class="reader-note".*?</section>', re.DOTALL),
    re.compile(r'<p class="downloads">.*?</p>', re.DOTALL),
    re.compile(r'<a class="headerlink".*?</a>', re.DOTALL),
)
TO_IDS = ("for", "aria-labelledby", "aria-describedby", "aria-controls", "headers")
ORIGIN = "http://book.invalid/"  # answered by us, with files of the site
PRINTED = "printed.html"
RULES = """
  body { background: #fff; }
  .book { font-size: 0.62rem; margin: 0; }
  .book > section { break-before: page; }
  .book :is(h1, h2, h3, h4, h5, h6) { break-after: avoid; border: 0; }
  .book [data-level="1"] { font-size: 2em; margin: 0 0 1em; }
  .book [data-level="2"] { font-size: 1.5em; margin: 1.6em 0 0.6em; }
  .book [data-level="3"] { font-size: 1.2em; margin: 1.4em 0 0.5em; }
  .book pre > code { white-space: pre-wrap; overflow-wrap: anywhere; }
  .book :is(figure, tr, img) { break-inside: avoid; }
  .book .md-typeset__scrollwrap { overflow: visible; }
"""
FOOTER = (
    '<div style="font: 7pt system-ui; width: 100%; text-align: center; color: #555">'
    '<span class="pageNumber"></span></div>'
)


PAPER: dict[str, Any] = {
    "format": "A4",
    "outline": True,
    "tagged": True,
    "print_background": True,
    "display_header_footer": True,
    "header_template": "<span></span>",
    "footer_template": FOOTER,
    "margin": {"top": "16mm", "bottom": "18mm", "left": "18mm", "right": "18mm"},
}


@dataclass(frozen=True)
class Part:
    """A page of the site in the printed book, and how deep it lies there."""

    file: str  # below the site
    depth: int
    title: str = ""  # of a part that is no page


def write(site: Path, target: Path, only: int | None = None) -> None:
    """Print a built site, or so many of its pages; raises `OSError`, `PageError`."""
    parts = list(contents(configuration()["nav"]))[:only]
    printed = by_browser(site, document(site, parts))
    with naming_file(target):
        write_whole(target, lambda file: file.write(printed))


def by_browser(site: Path, text: str) -> bytes:
    """A document beside the files of a site, as a PDF."""
    try:
        from playwright.sync_api import sync_playwright

        from tools import browser as browsers
    except ImportError:
        needed = "python -m pip install -r requirements-test.txt"
        raise PageError(f"printing needs a browser's driver: {needed}") from None
    with sync_playwright() as playwright:
        try:
            browser = browsers.launch(playwright)
        except browsers.NoBrowserError as error:
            raise PageError(str(error)) from None
        page = browser.new_page(java_script_enabled=False, color_scheme="light")
        page.set_default_timeout(0)  # a thousand pages take minutes
        page.route("**/*", lambda route: answer(route, site, text))
        page.goto(ORIGIN + PRINTED)
        made = page.pdf(**PAPER)
        browser.close()
    return made


def answer(route: Any, site: Path, text: str) -> None:
    """Answer the browser: with the document, a file of the site, or not at all."""
    name = unquote(urlsplit(route.request.url).path[1:])
    file = site / name
    if name == PRINTED:
        route.fulfill(body=text, content_type="text/html; charset=utf-8")
    elif route.request.url.startswith(ORIGIN) and file.is_file():
        kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
        route.fulfill(body=file.read_bytes(), content_type=kind)
    else:
        route.abort()


def contents(nav: list[Any], depth: int = 1) -> Iterator[Part]:
    """The pages of a navigation, in order; a group's first page may be its own."""
    for entry in nav:
        named = entry if isinstance(entry, dict) else {"": entry}
        ((title, value),) = named.items()
        if isinstance(value, str):
            yield Part(built(value), depth)
            continue
        own = isinstance(value[0], str) and value[0].endswith("index.md")
        yield Part(built(value[0]), depth) if own else Part("", depth, title)
        yield from contents(value[1:] if own else value, depth + 1)


def built(source: str) -> str:
    """The file of the site that is made from one of `docs/`."""
    stem = source.rsplit(".", 1)[0]
    folder = stem.removesuffix("index").rstrip("/") if stem.endswith("index") else stem
    return f"{folder}/index.html".removeprefix("/")


def document(site: Path, parts: list[Part]) -> str:
    """All pages as one text of HTML."""
    numbers = {part.file: n for n, part in enumerate(parts) if part.file}
    first = (site / "index.html").read_text("utf8")
    sheets = [
        f'<link rel="stylesheet" href="{html.escape(tag.get("href") or "")}">'
        for tag in tags(first)
        if tag.name == "link" and tag.get("rel") == "stylesheet"
    ]
    rules: dict[str, None] = {}
    bodies = []
    for number, part in enumerate(parts):
        level = min(part.depth, 6)
        if not part.file:
            title = html.escape(part.title)
            body = f'<h{level} data-level="1">{title}</h{level}>'
        else:
            page = (site / part.file).read_text("utf8")
            rules |= dict.fromkeys(STYLE.findall(page))
            body = as_part(page, part, number, numbers)
        bodies.append(f'<section id="{number}">{body}</section>')
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f"<title>{html.escape(configuration().site_name)}</title>{''.join(sheets)}"
        f"<style>{''.join(rules)}{RULES}</style></head>"
        '<body data-md-color-scheme="default" data-md-color-primary="custom" '
        'data-md-color-accent="custom"><article class="book md-typeset">'
        f"{''.join(bodies)}</article></body></html>"
    )


def as_part(page: str, part: Part, number: int, numbers: dict[str, int]) -> str:
    """The article of a page, with ids and links of the printed book."""
    found = ARTICLE.search(page)
    if not found:
        raise PageError(f"{part.file}: a page without an article cannot be printed")
    body = found["body"]
    for pattern in LEAVE_OUT:
        body = pattern.sub("", body)
    folder = Path(part.file).parent.as_posix()

    def change(tag: Tag) -> Tag:
        return in_book(tag, folder, number, numbers)

    return levels(changed(body, change), part.depth)


def in_book(tag: Tag, folder: str, number: int, numbers: dict[str, int]) -> Tag:
    """A tag of a page with that number; folds are open, pictures there at once."""
    if tag.name == "details":
        tag = tag.with_attribute("open", "")
    tag = tag.with_attribute("loading", None)  # of a picture: at once
    for name in tag.names():
        value = tag.get(name) or ""
        is_group = name == "name" and tag.name == "input"  # of which one is chosen
        if name == "id" or name in TO_IDS or is_group:
            ids = " ".join(f"{number}-{one}" for one in value.split())
            tag = tag.with_attribute(name, ids)
        elif name in ("href", "xlink:href"):
            target = moved(value, folder, number, numbers)
            tag = tag.with_attribute(name, target or None)
        elif name == "src" and not urlsplit(value).scheme:
            file = normpath(f"{folder}/{value}")
            tag = tag.with_attribute(name, ORIGIN + file)
        elif "url(#" in value:
            own = value.replace("url(#", f"url(#{number}-")
            tag = tag.with_attribute(name, own)
    return tag


def moved(link: str, folder: str, number: int, numbers: dict[str, int]) -> str:
    """Where a link of a page leads in the printed book; empty if it leads nowhere."""
    parts = urlsplit(link)
    if parts.scheme or parts.netloc or link.startswith("data:"):
        return link
    if not parts.path:
        return f"#{number}-{parts.fragment}" if parts.fragment else f"#{number}"
    path = normpath(f"{folder}/{parts.path}").removeprefix("./")
    page = "index.html" if path == "." else f"{path}/index.html"
    if page in numbers:
        beyond = f"-{parts.fragment}" if parts.fragment else ""
        return f"#{numbers[page]}{beyond}"
    base = configuration().site_url  # what is not printed is on the site
    return f"{base}{path}{'/' if parts.path.endswith('/') else ''}" if base else ""


def levels(body: str, depth: int) -> str:
    """Headings at their level in the book; they look as they did on their page."""

    def change(found: re.Match[str]) -> str:
        level = min(int(found["level"]) + depth - 1, 6)
        if found["end"]:
            return f"</h{level}"
        return f'<h{level} data-level="{found["level"]}"'

    return HEADING.sub(change, body)
