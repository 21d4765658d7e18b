"""The tasks of the plan, each defined once, in `docs/plan.md`.

A task is a row of a day's table, its id written by hand and never changed:

    | [ ] [Self-attention](/llm/day-3/self-attention.md) {#llm-3-self-attention} | 90 |

A day's page embeds its table, a topic page names the tasks it serves in its front
matter (`tasks: [llm-3-self-attention]`).
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


class TaskBoxes(Treeprocessor):
    """A table cell `[ ] … {#id}` becomes a label with a box; its row gets the id."""

    def run(self, root: Element) -> None:
        for row in root.iter("tr"):
            cell = row.find("td")
            if cell is None or not (cell.text or "").startswith("[ ] "):
                continue
            text, children = cell.text[4:], list(cell)
            for child in children:
                cell.remove(child)
            cell.text = ""
            row.set("class", "task")
            if "id" in cell.attrib:
                row.set("id", cell.attrib.pop("id"))
            label = SubElement(cell, "label")
            box = SubElement(label, "input", {"type": "checkbox", "disabled": ""})
            box.tail = " " + text
            label.extend(children)


class PlanExtension(Extension):
    """Registers `TaskBoxes`."""

    def extendMarkdown(self, md: Markdown) -> None:
        """After inline text (20) and attribute lists (8)."""
        md.treeprocessors.register(TaskBoxes(md), "literate-tasks", 5)


def makeExtension(**options) -> PlanExtension:
    """Called by Python-Markdown."""
    return PlanExtension(**options)
