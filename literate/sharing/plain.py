"""Each chapter as plain Markdown, with what its code printed; and `llms.txt`.

For those who read with a program: `/llm/day-3/llama.md` is the chapter of the address
`/llm/day-3/llama/`, as its author wrote it, with includes and values in place, outputs
below their blocks, and boxes as headings. Pages that gather what others hold have none.
"""

import functools
import html
import re
from collections.abc import Callable, Iterator
from itertools import groupby
from pathlib import Path

from literate import nav
from literate.block import Block
from literate.inline import Inline, replaced
from literate.page import Page, pages, read
from literate.parse import CLOSING, ID, OPENING, Parsed, parse
from literate.plan import titles
from literate.project import DOCS
from literate.running import schedule
from literate.running.process import PageRun

NAMES = {
    "question": "Question",
    "fact": "Key fact",
    "exercise": "Exercise",
    "solution": "Solution",
}
DRAWING = re.compile(r"<svg\b.*?aria-label=\"(?P<label>[^\"]*)\".*?</svg>", re.DOTALL)
CAPTION = re.compile(r"<figcaption>(?P<text>.*?)</figcaption>", re.DOTALL)
TAG = re.compile(r"^</?(?:div|figure|section|[a-z]+-[a-z-]+)\b[^>]*>$", re.MULTILINE)
COMMENT = re.compile(r"<!--.*?-->\n?", re.DOTALL)
LINK = re.compile(r"\]\((?P<target>/?[\w./-]+\.(?:md|py))(?P<anchor>#[^)]*)?\)")
HEAD_ID = re.compile(r"^(#{1,6} .*?)[ \t]*\{[:\s]*#[\w-]+[^}]*\}[ \t]*$", re.MULTILINE)
SPAN = re.compile(r"<span\b[^>]*></span> ?|</?p\b[^>]*>|\{ ?\.[\w .-]+\}")


def has_plain(parsed: Parsed) -> bool:
    """Whether a page is written as plain Markdown: not if it gathers other pages'."""
    return not any(box.name == "gather" for box in parsed.declared)


def address(path: Path) -> str:
    """Where a page's Markdown is, from the root of the site; empty if it has none."""
    if path.suffix != ".md" or not has_plain(parse(read(path))):
        return ""
    return path.relative_to(DOCS).as_posix()


def markdown(page: Page) -> str:
    """A page as plain Markdown; its blocks must have been run."""
    parsed = parse(page)
    result = schedule.finished(parsed) if parsed.blocks else None
    parts = groupby(_lines(parsed, result), lambda line: line[0])
    texts = (
        "\n".join(text for _, text in lines)
        if is_code
        else _prose(page, "\n".join(text for _, text in lines))
        for is_code, lines in parts
    )
    return "\n\n".join(filter(None, texts)) + "\n"


def _prose(page: Page, text: str) -> str:
    """Text outside of code, without what only the site has a use for."""
    text = DRAWING.sub(lambda drawn: f"*Drawing: {drawn['label']}*\n", text)
    text = CAPTION.sub(lambda caption: f"*{caption['text']}*", text)
    text = HEAD_ID.sub(r"\1", TAG.sub("", COMMENT.sub("", text)))
    text = LINK.sub(functools.partial(_link, page), SPAN.sub("", text))
    return re.sub(r"\n\s*\n\s*\n", "\n\n", text).strip("\n")


def _lines(parsed: Parsed, result: PageRun | None) -> Iterator[tuple[bool, str]]:
    """The page's lines, each with whether it is code; outputs below their blocks."""
    fences = {fence.start: fence for fence in parsed.fences}
    value = _value_of(result)
    index = 0
    while index < len(parsed.lines):
        text = parsed.lines[index].text
        if fence := fences.get(index):
            block = parsed.python.get(index)
            header = f"{fence.prefix}{fence.mark}python" if block else text
            inside = range(index + 1, fence.end + 1)
            code = (header, *(parsed.lines[i].text for i in inside))
            yield from ((True, line) for line in code)
            if block and result and not block.options.notest:
                made = _output(block, result, fence.prefix, fence.mark)
                yield from ((True, line) for line in made)
            index = fence.end
        elif opening := OPENING.match(text):
            if name := NAMES.get(opening["name"]):
                yield False, f"**{name}.** {opening['title'] or ''}".rstrip()
        elif not (CLOSING.match(text) or ID.match(text)):
            yield False, parsed.with_values(index, value)
        index += 1


def _value_of(result: PageRun | None) -> Callable[[Inline], str]:
    """What gives the text of a value."""

    def value(inline: Inline) -> str:
        return result.outputs[inline.block].values[inline.code] if result else ""

    return value


def _output(block: Block, result: PageRun, prefix: str, mark: str) -> Iterator[str]:
    """What a block printed, as a fence of text, and its figure in words."""
    made = result.outputs[block.index]
    printed = made.text or (html.unescape(made.form) if made.form else "")
    if printed:
        lines = printed.rstrip("\n").split("\n")
        yield from ("", f"{prefix}{mark}text")
        yield from (f"{prefix}{line}" for line in lines)
        yield f"{prefix}{mark}"
    if made.figures:
        shown = f"Figure: {block.options.alt} {block.options.caption}".strip()
        told = replaced(shown, made.values.__getitem__)
        yield from ("", f"{prefix}*{told}*")


def _link(page: Page, match: re.Match[str]) -> str:
    """A link to another page: to its Markdown, or else to its address."""
    target, anchor = match["target"], match["anchor"] or ""
    folder = Path(page.name).parent.relative_to("docs")
    path = DOCS / (target.lstrip("/") if target.startswith("/") else folder / target)
    if path.suffix == ".md" and path.is_file() and address(path.resolve()):
        return _relative(path, folder, anchor)
    return _relative(path.with_suffix(""), folder, f"/{anchor}")


def _relative(path: Path, folder: Path, anchor: str) -> str:
    inside = path.resolve().relative_to(DOCS).as_posix()
    return f"]({'../' * len(folder.parts)}{inside}{anchor})"


def llms(url: str) -> str:
    """`llms.txt`: what the book is, and each chapter with a line, by track and day."""
    from literate.sharing.about import about, of_track

    home = read(DOCS / "index.md")
    lines = ["# Daybook", "", f"> {home.meta.get('description', '')}", ""]
    lines += ["Each page is there as Markdown, with what its code printed.", ""]
    places, group = nav.places(), ""
    chapters = sorted(
        (p for p in pages() if p.name in places), key=lambda p: places[p.name]
    )
    for page in chapters:
        path = page.path
        if path is None or not (plain := address(path)) or not of_track(f"/{plain}"):
            continue
        if of_track(f"/{plain}") != group:
            group = of_track(f"/{plain}")
            lines += ["", f"## {group}", ""]
        told = about(path, "", page.meta.get("description", ""))["description"]
        title = titles()[_address(plain)]
        lines.append(f"- [{title}]({url}{plain}): {told}")
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)) + "\n"


def _address(plain: str) -> str:
    return "/" + re.sub(r"(?:index)?\.md$", "", plain).rstrip("/") + "/"


def files(url: str) -> dict[str, Callable[[], str]]:
    """Each file's path below the site, and what makes its text."""
    found: dict[str, Callable[[], str]] = {"llms.txt": lambda: llms(url)}
    for page in pages():
        if page.path and (name := address(page.path)):
            found[name] = functools.partial(markdown, page)
    return found
