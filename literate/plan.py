"""The tasks of the plan, each defined once, in `docs/plan.md`.

A task is a row of a day's table, its id written by hand and never changed:

    | [ ] [CS336](/llm/day-3/cs336-lecture-1.md) {#llm-3-cs336-lecture-1} | 80 |

The number is how many minutes the task takes elsewhere: a paper, a lecture. What it
takes on this site is computed, from the pages and labs that serve it.

A day's page embeds its table, a topic page names the tasks it serves in its front
matter (`tasks: [llm-3-self-attention]`). The scripts of the site read the same tasks in
`docs/assets/reader/plan.json`, which each build writes.
"""

import functools
import re
from dataclasses import dataclass, replace
from typing import Any

from literate import workload
from literate.page import Page, pages, read
from literate.project import DOCS, PageError

PLAN = DOCS / "plan.md"
SECTION = re.compile(r"^<!-- --8<-- \[start:(?P<name>[\w-]+)\] -->$")
SECTION_END = re.compile(r"^<!-- --8<-- \[end:[\w-]+\] -->$")
ROW = re.compile(
    r"^\|\s*\[ \]\s+(?P<text>.+?)\s*\{#(?P<id>[\w-]+)\}\s*\|\s*(?P<elsewhere>\d*)\s*\|$"
)
DAY_HEADING = re.compile(
    r"^### \[Day (?P<number>\d)\]\((?P<target>\S+)\) · (?P<title>.+)$"
)
TRACK_HEADING = re.compile(r"^## (?P<title>\w+ track)$")
ANY_BOX = re.compile(r"^\|\s*\[[^\]]?\]\s")
LINK = re.compile(r"\[(?P<label>[^\]]+)\]\((?P<target>[^)]+)\)")


@dataclass(frozen=True)
class Task:
    """A task: its Markdown, its day (`llm-3`), and estimates in minutes."""

    id: str
    text: str
    day: str
    elsewhere: int  # minutes with a paper, a lecture, a course
    line: int
    here: int = 0  # minutes with pages and labs of this site

    @property
    def minutes(self) -> int:
        """All that the task takes."""
        return self.here + self.elsewhere

    @property
    def is_optional(self) -> bool:
        """Whether the day is done without it."""
        return self.title.startswith("Optional")

    @property
    def plain(self) -> str:
        """The task's words without links."""
        return LINK.sub(lambda match: match["label"], self.text)

    @property
    def title(self) -> str:
        """The task's words alone: no links, no emphasis of code, no picture before."""
        return re.sub(r"^[^\w`*]+", "", self.plain).replace("`", "")

    @property
    def target(self) -> str:
        """The first page of this site that the task links to; empty if none."""
        inside = (m["target"] for m in LINK.finditer(self.text))
        return next((target for target in inside if target.startswith("/")), "")


def tasks() -> dict[str, Task]:
    """Every task by its id, in the plan's order, with its minutes.

    Raises `PageError` for a row that cannot be read, an id that is used twice, and one
    that does not start with its day.
    """
    minutes = workload.of_tasks()
    return {n: replace(task, here=minutes.get(n, 0)) for n, task in rows().items()}


def rows() -> dict[str, Task]:
    """As `tasks`, without what each takes on this site."""
    return _tasks_of(read(PLAN))


@functools.lru_cache(maxsize=4)
def _tasks_of(plan: Page) -> dict[str, Task]:
    found: dict[str, Task] = {}
    wrong: list[str] = []
    day = ""
    for number, text in plan.lines():
        if section := SECTION.match(text):
            day = section["name"]
        elif SECTION_END.match(text):
            day = ""
        elif ANY_BOX.match(text) and (message := _add(found, number, text, day)):
            wrong.append(f"{plan.name}:{number}: {message}")
    if wrong:
        raise PageError("\n".join(wrong))
    return found


def _add(found: dict[str, Task], number: int, text: str, day: str) -> str:
    """Add the task of a row; returns what is wrong with it."""
    row = ROW.match(text)
    if not row:
        return "write a task as: | [ ] text {#day-name} | minutes elsewhere, or none |"
    name = row["id"]
    if not day or not name.startswith(f"{day}-"):
        return f"the id {name} must start with its day's section ({day or 'none'}-)"
    if name in found:
        return f"the id {name} is used too in line {found[name].line}"
    found[name] = Task(name, row["text"], day, int(row["elsewhere"] or 0), number)
    return ""


def served(page: Page) -> list[Task]:
    """The tasks that a page names in its front matter: `tasks: [llm-3-llama]`.

    Raises `PageError` for what is no list, and for a task that the plan does not have.
    """
    named, known = page.meta.get("tasks", []), rows()
    if not isinstance(named, list):
        message = "tasks: must be a list, such as [llm-3-llama]"
        raise PageError(f"{page.name}:1: {message}")
    for name in named:
        if name not in known:
            raise PageError(f"{page.name}:1: docs/plan.md has no task {name!r}")
    return [replace(known[name], here=workload.of_task(name)) for name in named]


def address(target: str) -> str:
    """The address, below the site, of a page named as in a link: `/llm/day-3/bert.md`.

    Of a lab too: `/labs/bpe.py`.
    """
    path = re.sub(r"(?:index)?\.(?:md|py)$", "", target)
    return path if path.endswith("/") else f"{path}/"


def data() -> dict[str, Any]:
    """The plan for the site's scripts, in the form of `reader/plan-types.js`."""
    known = tasks()
    tracks: list[dict[str, str]] = []
    days: list[dict[str, Any]] = []
    for _, text in read(PLAN).lines():
        if heading := TRACK_HEADING.match(text):
            name = heading["title"].split()[0].lower()
            tracks.append({"id": name, "title": heading["title"], "url": f"/{name}/"})
        elif heading := DAY_HEADING.match(text):
            track, number = tracks[-1]["id"], int(heading["number"])
            day: dict[str, Any] = {
                "id": f"{track}-{number}",
                "track": track,
                "number": number,
            }
            day |= {"title": heading["title"], "url": address(heading["target"])}
            own = [task for task in known.values() if task.day == day["id"]]
            day["tasks"] = [_data(task, day["url"]) for task in own]
            days.append(day)
    return {"tracks": tracks, "days": days, "pages": titles()}


def _data(task: Task, day: str) -> dict[str, Any]:
    url = address(task.target) if task.target else day
    said = {"id": task.id, "title": task.title, "minutes": task.minutes}
    return said | {"optional": task.is_optional, "url": url}


def titles() -> dict[str, str]:
    """The title of every page by its address, the days in order before the rest."""
    found = {address("/" + page.name.removeprefix("docs/")): page for page in pages()}
    made = {url: _title(page.body) for url, page in found.items()}
    labs = sorted((DOCS / "labs").glob("*.py"))
    made |= {f"/labs/{lab.stem}/": _title(lab.read_text("utf8")) for lab in labs}
    return dict(sorted(made.items(), key=lambda item: ("day-" not in item[0], item[0])))


def _title(text: str) -> str:
    """The first heading, of a page or of a lab's script."""
    mark = "# # " if text.startswith("# %%") else "# "
    heading = re.search(rf"^{mark}(?P<title>.+?)\s*$", text, re.MULTILINE)
    return heading["title"].replace("`", "") if heading else "Daybook"
