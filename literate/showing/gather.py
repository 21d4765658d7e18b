"""What many pages hold, gathered on one: key facts, questions, the code of a day.

    /// gather | facts
    ///

`facts` and `questions` are those of all pages, `facts llm` and `questions pytorch`
those of a track; `snippets llm-3` is the code that the pages of a day show, with its
proofs; `time llm` says how long a track takes, `map llm` draws what builds on what, and
`names` lists all that the snippets define. Nothing is typed twice: the blocks are taken
from the pages' own Markdown while the site is built, with their ids, so that the
reader's answers and cards are the same everywhere.
"""

import re
from collections.abc import Callable, Iterable
from itertools import groupby
from typing import Any

from markdown import Extension, Markdown
from markdown.preprocessors import Preprocessor

from literate import catalogue, nav
from literate.page import Page, day_of, read
from literate.parse import CLOSING, OPENING, Parsed, parse
from literate.plan import PLAN, tasks
from literate.showing import book_map, render

HEADING = re.compile(
    r"^### \[[^\]]+\]\(/(?P<track>\w+)/day-(?P<day>\d)/index\.md\)(?P<title>.*)"
)
RELATIVE = re.compile(r"(\]\()(?![a-z]+:|/|#)([^)\s]+)")
PYTHON = re.compile(r"^(\s*(?:`{3,}|~{3,}))python\b.*$")
TRACKS = {"llm": "LLM track", "pytorch": "PyTorch track"}
KINDS = {"facts": "fact", "questions": "question"}


def as_written(parsed: Parsed, index: int) -> str:
    """A line of a page with the code of its values."""
    return parsed.lines[index].text


def blocks(
    page: Page, name: str, marked: Callable[[Parsed, int], str] = as_written
) -> list[list[str]]:
    """The lines of each block with this name on a page, ready for another page.

    Links are made absolute, and Python is shown, not run. `marked` is what makes of a
    line one that has marks for its values.
    """
    parsed = parse(page)
    found: list[list[str]] = []
    closing = ""
    for index in range(len(parsed.lines)):
        text = marked(parsed, index)
        if closing:
            found[-1].append(_moved(text, page))
            if index not in parsed.fenced and text.rstrip() == closing:
                closing = ""
        elif index not in parsed.fenced:
            opening = OPENING.match(text)
            if opening and opening["name"] == name:
                closing = opening["mark"]
                found.append([_moved(text, page)])
    return found


def _moved(text: str, page: Page) -> str:
    """A line of a page as it must be on another."""
    folder = "/" + page.name.removeprefix("docs/").rpartition("/")[0]
    text = PYTHON.sub(r"\1py3", text)  # a name that has colours and is not run
    return RELATIVE.sub(rf"\g<1>{folder}/\2", text)


def days() -> dict[str, str]:
    """What the plan calls each day: `llm-3` is `Day 3 · LLaMA and self-attention`."""
    matches = filter(None, (HEADING.match(text) for _, text in read(PLAN).lines()))
    return {f"{m['track']}-{m['day']}": f"Day {m['day']}{m['title']}" for m in matches}


def gathered(
    kind: str, track: str = "", marked: Callable[[Parsed, int], str] = as_written
) -> list[str]:
    """All facts or questions, by track, day and page, as Markdown."""
    wanted = [
        (page, blocks(page, KINDS[kind], marked))
        for page in nav.topics()
        if day_of(page).startswith(track)
    ]
    wanted = [(page, found) for page, found in wanted if found]
    lines: list[str] = []
    for name, members in groupby(wanted, lambda pair: day_of(pair[0]).split("-")[0]):
        if not track:
            tag = f'<section class="gathered-track" data-track="{name}" markdown="1">'
            lines += [tag, "", f"## {TRACKS[name]}", ""]
        for day, of_day in groupby(members, lambda pair: day_of(pair[0])):
            lines += _day(kind, day, list(of_day), level=2 if track else 3)
        lines += [] if track else ["</section>", ""]
    return lines


def _day(
    kind: str, day: str, found: Iterable[tuple[Page, list[list[str]]]], level: int
) -> list[str]:
    """The blocks of a day, under its heading, each page's in a section."""
    title = f"{'#' * level} {days()[day]} {{#{kind}-{day}}}"
    lines = [f'<section class="gathered-day" data-day="{day}" markdown="1">', ""]
    lines += [title, ""]
    for page, of_page in found:
        tasks = " ".join(page.meta.get("tasks", []))
        link = f"[{page.title}](/{page.name.removeprefix('docs/')})"
        lines += [
            f'<section class="gathered-page" data-tasks="{tasks}" markdown="1">',
            *("", f"{link}{{.gathered-link}}", ""),
            *(text for block in of_page for text in (*block, "")),
            *("</section>", ""),
        ]
    return [*lines, "</section>", ""]


def time_needed(track: str) -> list[str]:
    """How long the tasks of a track take, in whole hours, as a sentence."""
    known = [task for task in tasks().values() if task.day.startswith(f"{track}-")]
    needed = [task for task in known if not task.is_optional]
    optional = [task for task in known if task.is_optional]
    here = _hours(task.here for task in needed)
    elsewhere = _hours(task.elsewhere for task in needed)
    more = _hours(task.minutes for task in optional)
    with_papers = f", and {elsewhere} with papers and lectures" if elsewhere else ""
    told = f"About {here} hours with pages and labs{with_papers}."
    return [f"{told} Optional pages: {more} more." if more else told, ""]


def _hours(minutes: Iterable[int]) -> int:
    return round(sum(minutes) / 60)


class Gather(Preprocessor):
    """Puts what a `gather` asks for in its place, after the page itself was checked."""

    def run(self, lines: list[str]) -> list[str]:
        state = self.md.literate
        asked = [box for box in state.parsed.declared if box.name == "gather"]
        made: list[str] = []
        inside = ""
        for text in lines:
            opening = OPENING.match(text)
            if inside:
                closes = CLOSING.match(text)
                inside = "" if closes and closes["mark"] == inside else inside
            elif opening and opening["name"] == "gather" and asked:
                inside = opening["mark"]
                made += self._made(asked.pop(0).line, opening["title"] or "")
            else:
                made.append(text)
        return made

    def _made(self, line: int, title: str) -> list[str]:
        kind, _, which = title.partition(" ")
        if kind in KINDS and which in ("", *TRACKS):
            return gathered(kind, which, self.md.literate.marked)
        if kind == "time" and which in TRACKS:
            return time_needed(which)
        to_root = render.to_root(self.md.literate.page)
        if kind == "map" and which in TRACKS:
            return book_map.of_track(which, to_root)
        if kind == "names" and not which:
            return catalogue.by_name()
        if kind == "snippets" and which in (*days(), catalogue.OTHERS):
            return catalogue.of_group(which, to_root)
        self.md.literate.problem(
            line,
            f"cannot gather {title!r}; known are: facts, questions, both also of a"
            " track (facts llm), the time and the map of a track (time llm, map llm),"
            " names, and snippets of a day"
            f" or of none (snippets llm-3, snippets {catalogue.OTHERS})",
        )
        return []


class GatherExtension(Extension):
    """Registers `Gather`."""

    def extendMarkdown(self, md: Markdown) -> None:
        """After the page's own blocks are noted (39), before Markdown itself."""
        md.preprocessors.register(Gather(md), "literate-gather", 38.5)


def makeExtension(**options: Any) -> GatherExtension:
    """Called by Python-Markdown."""
    return GatherExtension(**options)
