"""The tasks of the plan, each defined once, in `docs/plan.md`.

A task is a row of a day's table, its id written by hand and never changed:

    | [ ] [Self-attention](/llm/day-3/self-attention.md) {#llm-3-self-attention} | 90 |

A day's page embeds its table, a topic page names the tasks it serves in its front
matter (`tasks: [llm-3-self-attention]`). The scripts of the site read the same tasks in
`docs/assets/reader/plan.json`, which each build writes.
"""

import re
from dataclasses import dataclass
from xml.etree.ElementTree import Element, SubElement

from markdown import Extension, Markdown
from markdown.treeprocessors import Treeprocessor

from literate.project import DOCS, PageError
from literate.source import Page, pages, read

PLAN = DOCS / "plan.md"
SECTION = re.compile(r"^<!-- --8<-- \[start:(?P<name>[\w-]+)\] -->$")
SECTION_END = re.compile(r"^<!-- --8<-- \[end:[\w-]+\] -->$")
ROW = re.compile(
    r"^\|\s*\[ \]\s+(?P<text>.+?)\s*\{#(?P<id>[\w-]+)\}\s*\|\s*(?P<minutes>\d+)\s*\|$"
)
DAY_HEADING = re.compile(
    r"^### \[Day (?P<number>\d)\]\((?P<target>\S+)\) · (?P<title>.+)$"
)
TRACK_HEADING = re.compile(r"^## (?P<title>\w+ track)$")
ANY_BOX = re.compile(r"^\|\s*\[[^\]]?\]\s")
LINK = re.compile(r"\[(?P<label>[^\]]+)\]\((?P<target>[^)]+)\)")


@dataclass(frozen=True)
class Task:
    """A task: its Markdown, the day it belongs to (`llm-3`), an estimate in minutes."""

    id: str
    text: str
    day: str
    minutes: int
    line: int

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
    """Every task by its id, in the plan's order.

    Raises `PageError` for a row that cannot be read, an id that is used twice, one
    that does not start with its day, and for a page that names an unknown task.
    """
    found: dict[str, Task] = {}
    wrong: list[str] = []
    plan = read(PLAN)
    day = ""
    for number, text in plan.lines():
        if section := SECTION.match(text):
            day = section["name"]
        elif SECTION_END.match(text):
            day = ""
        elif ANY_BOX.match(text) and (message := _add(found, number, text, day)):
            wrong.append(f"{plan.name}:{number}: {message}")
    wrong += [message for page in pages() for message in _served(page, found)]
    if wrong:
        raise PageError("\n".join(wrong))
    return found


def _add(found: dict[str, Task], number: int, text: str, day: str) -> str:
    """Add the task of a row; returns what is wrong with it."""
    row = ROW.match(text)
    if not row:
        return "write a task as: | [ ] text {#day-name} | minutes |"
    name = row["id"]
    if not day or not name.startswith(f"{day}-"):
        return f"the id {name} must start with its day's section ({day or 'none'}-)"
    if name in found:
        return f"the id {name} is used too in line {found[name].line}"
    found[name] = Task(name, row["text"], day, int(row["minutes"]), number)
    return ""


def _served(page: Page, known: dict[str, Task]) -> list[str]:
    named = page.meta.get("tasks", [])
    if not isinstance(named, list):
        return [f"{page.name}:1: tasks: must be a list, such as [llm-3-llama]"]
    unknown = [name for name in named if name not in known]
    return [f"{page.name}:1: docs/plan.md has no task {name!r}" for name in unknown]


def address(target: str) -> str:
    """The address, below the site, of a page named as in a link: `/llm/day-3/bert.md`.

    Of a lab too: `/labs/bpe.py`.
    """
    path = re.sub(r"(?:index)?\.(?:md|py)$", "", target)
    return path if path.endswith("/") else f"{path}/"


def data() -> dict:
    """The plan for the site's scripts, in the form of `reader/plan-types.js`."""
    known = tasks()
    tracks: list[dict] = []
    days: list[dict] = []
    for _, text in read(PLAN).lines():
        if heading := TRACK_HEADING.match(text):
            name = heading["title"].split()[0].lower()
            tracks.append({"id": name, "title": heading["title"], "url": f"/{name}/"})
        elif heading := DAY_HEADING.match(text):
            track, number = tracks[-1]["id"], int(heading["number"])
            day = {"id": f"{track}-{number}", "track": track, "number": number}
            day |= {"title": heading["title"], "url": address(heading["target"])}
            own = [task for task in known.values() if task.day == day["id"]]
            day["tasks"] = [_data(task, day["url"]) for task in own]
            days.append(day)
    return {"tracks": tracks, "days": days, "pages": titles()}


def _data(task: Task, day: str) -> dict:
    url = address(task.target) if task.target else day
    return {"id": task.id, "title": task.title, "minutes": task.minutes, "url": url}


def titles() -> dict[str, str]:
    """The title of every page by its address, the days in order before the rest."""
    found = {address("/" + page.name.removeprefix("docs/")): page for page in pages()}
    made = {url: _title(page.body) for url, page in found.items()}
    labs = sorted((DOCS / "labs").glob("*.py"))
    made |= {f"/labs/{lab.stem}/": _title(lab.read_text("utf8")) for lab in labs}
    return dict(sorted(made.items(), key=lambda item: ("day-" not in item[0], item[0])))


def _title(text: str) -> str:
    """The first heading, of a page or of a lab's script."""
    heading = re.search(r"^(?:# )?# (?P<title>.+?)\s*$", text, re.MULTILINE)
    return heading["title"].replace("`", "") if heading else "Daybook"


def box(task: str) -> dict[str, str]:
    """The attributes of a task's box; a script makes it work."""
    kind = {"type": "checkbox", "value": task, "disabled": ""}
    return kind | {"autocomplete": "off"}  # reloading must not bring back an old tick


class TaskBoxes(Treeprocessor):
    """A table cell `[ ] … {#id}` becomes a label with a box; its row gets the id.

    Above each table comes `<day-progress>`, empty, for the script of that name.
    """

    def run(self, root: Element) -> None:
        known = tasks()
        for parent in list(root.iter()):
            for table in [child for child in parent if child.tag == "table"]:
                named = [self._row(row) for row in table.iter("tr")]
                own = [known[name] for name in named if name in known]
                if own:
                    listed = " ".join(f"{task.id}:{task.minutes}" for task in own)
                    marks = {"day": own[0].day, "tasks": listed}
                    index = list(parent).index(table)
                    parent.insert(index, parent.makeelement("day-progress", marks))

    @staticmethod
    def _row(row: Element) -> str:
        """Give a row its box; returns the task's id, or nothing."""
        cell = row.find("td")
        if cell is None or not (cell.text or "").startswith("[ ] "):
            return ""
        text, children = cell.text[4:], list(cell)
        for child in children:
            cell.remove(child)
        cell.text = ""
        name = cell.attrib.pop("id", "")
        row.set("class", "task")
        row.set("id", name)
        label = SubElement(cell, "label")
        SubElement(label, "input", box(name)).tail = " " + text
        label.extend(children)
        return name


class PlanExtension(Extension):
    """Registers `TaskBoxes`."""

    def extendMarkdown(self, md: Markdown) -> None:
        """After inline text (20) and attribute lists (8)."""
        md.treeprocessors.register(TaskBoxes(md), "literate-tasks", 5)


def makeExtension(**options) -> PlanExtension:
    """Called by Python-Markdown."""
    return PlanExtension(**options)
