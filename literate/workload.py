"""How long a page takes: its words, the code in sight, its exercises; labs say theirs.

Reading to learn, with code to follow, is slower than reading for pleasure: 120 words a
minute and ten lines of code, which leaves time to stop and think. What is folded, such
as helpers and solutions, is not counted, and neither is what a drawing is made of; an
exercise counts five minutes.
"""

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from literate.page import Page, Problem, pages
from literate.parse import CLOSING, OPENING, Parsed, parse
from literate.project import DOCS, PageError, relative

WORDS_A_MINUTE = 120
LINES_A_MINUTE = 10
EXERCISE = 5  # minutes
MOST_WORDS = 2200  # of a page that is not optional
MOST_LINES = 250
MOST_DAY = 240  # minutes a day, papers and lectures not counted
LABS = DOCS / "labs"
DRAWN = re.compile(r"\s*</?(?:svg|defs|g|path|rect|circle|line|text|tspan|marker)\b")
LAB = re.compile(
    r'# %% \[markdown\](?=.* minutes=(?P<minutes>\d+))(?=.* task="(?P<task>[\w-]+)")'
)


@dataclass(frozen=True)
class Workload:
    """What there is to read and to do on a page."""

    words: int
    lines: int  # of code in sight
    exercises: int

    @property
    def minutes(self) -> int:
        """An estimate, at least one."""
        reading = self.words / WORDS_A_MINUTE + self.lines / LINES_A_MINUTE
        return max(1, round(reading + EXERCISE * self.exercises))


def of(parsed: Parsed) -> Workload:
    """What there is on a page."""
    fences = {fence.start: fence for fence in parsed.fences}
    python = parsed.python
    boxes: list[str] = []
    words = lines = index = 0
    while index < len(parsed.lines):
        text, fence = parsed.lines[index].text, fences.get(index)
        if fence:
            block = python.get(index)
            is_folded = "solution" in boxes or (block and block.options.fold)
            lines += 0 if is_folded else fence.end - fence.start - 1
            index = fence.end
        elif CLOSING.match(text):
            boxes = boxes[:-1]
        elif opening := OPENING.match(text):
            boxes.append(opening["name"])
            words += len((opening["title"] or "").split())
        elif "solution" not in boxes and not DRAWN.match(text):
            words += len(text.split())
        index += 1
    exercises = sum(box.name == "exercise" for box in parsed.declared)
    return Workload(words, lines, exercises)


def of_tasks() -> dict[str, int]:
    """Minutes on this site for each task that pages or labs serve, in steps of five.

    A page that serves several tasks counts for the first.
    """
    return {name: minutes(serving) for name, serving in _serving().items()}


def minutes(serving: Iterable[Page | int]) -> int:
    """Minutes for pages, and for labs, which say theirs; rounded up to five."""
    sums = (of(parse(one)).minutes if isinstance(one, Page) else one for one in serving)
    return 5 * -(-sum(sums) // 5)


def of_task(name: str) -> int:
    """Minutes on this site for one task."""
    return minutes(_serving().get(name, []))


def _serving() -> dict[str, list[Page | int]]:
    """For each task, the pages that serve it first, and its labs' minutes."""
    found: dict[str, list[Page | int]] = defaultdict(list)
    for page in pages():
        named = page.meta.get("tasks")
        if isinstance(named, list) and named:
            found[named[0]].append(page)
    for path in sorted(LABS.glob("*.py")):
        task, lasts = of_lab(path)
        found[task].append(lasts)
    return found


def of_lab(path: Path) -> tuple[str, int]:
    """The task that a lab serves, and its own estimate in minutes.

    They stand in its first line: `# %% [markdown] minutes=60 task="llm-4-bpe"`. Raises
    `PageError` if they do not.
    """
    with path.open(encoding="utf8") as lines:
        head = LAB.match(lines.readline())
    if not head:
        wanted = '# %% [markdown] minutes=60 task="llm-4-bpe"'
        raise PageError(
            f"{relative(path)}:1: a lab begins with a line such as {wanted}"
        )
    return head["task"], int(head["minutes"])


def problems(parsed: Parsed) -> list[Problem]:
    """What is too much on a page that is not optional."""
    if parsed.page.meta.get("optional"):
        return []
    load = of(parsed)
    found = {
        "words": (load.words, MOST_WORDS),
        "lines of code": (load.lines, MOST_LINES),
    }
    return [
        Problem(
            1,
            f"{there} {name}, and at most {most} on a page that is required: move"
            " some to a page that is `optional: true`, or leave it out",
        )
        for name, (there, most) in found.items()
        if there > most
    ]
