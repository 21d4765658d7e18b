"""The plan's tasks as boxes to tick: rows of a table, which a script brings to life."""

from typing import Any
from xml.etree.ElementTree import Element, SubElement

from markdown import Extension, Markdown
from markdown.treeprocessors import Treeprocessor

from literate.plan import Task, tasks
from literate.showing import icons


def box(task: str) -> dict[str, str]:
    """The attributes of a task's box; a script makes it work."""
    kind = {"type": "checkbox", "value": task, "disabled": ""}
    return kind | {"autocomplete": "off"}  # reloading must not bring back an old tick


class TaskBoxes(Treeprocessor):
    """A table cell `[ ] … {#id}` becomes a label with a box; its row gets the id.

    The minutes that it takes here get a cell before those elsewhere. Above each table
    comes `<day-progress>`, empty, for the script of that name.
    """

    def run(self, root: Element) -> None:
        known: dict[str, Task] = {}
        for parent in list(root.iter()):
            for table in [child for child in parent if child.tag == "table"]:
                named = [self._row(row) for row in table.iter("tr")]
                if not any(named):
                    continue
                known = known or tasks()
                for row, name in zip(table.iter("tr"), named, strict=True):
                    self._minutes(row, known.get(name))
                own = [known[name] for name in named if name in known]
                if own:
                    listed = " ".join(map(self._in_short, own))
                    marks = {"day": own[0].day, "tasks": listed}
                    index = list(parent).index(table)
                    parent.insert(index, parent.makeelement("day-progress", marks))

    @staticmethod
    def _in_short(task: Task) -> str:
        """A task as `<day-progress>` reads it: `llm-6-fastai-nlp:60:optional`."""
        return f"{task.id}:{task.minutes}" + ":optional" * task.is_optional

    @staticmethod
    def _minutes(row: Element, task: Task | None) -> None:
        """Give a row its cell for the minutes on this site; the head its name."""
        tag = "th" if row.find("th") is not None else "td"
        cell = row.makeelement(tag, {"style": "text-align: right;"})
        cell.text = "Here" if tag == "th" else str(task.here or "") if task else ""
        row.insert(1, cell)
        if task:
            row.set("data-minutes", str(task.minutes))
            if task.is_optional:
                row.set("data-optional", "")

    @staticmethod
    def _row(row: Element) -> str:
        """Give a row its box; returns the task's id, or nothing."""
        cell = row.find("td")
        if cell is None or not (cell.text or "").startswith("[ ] "):
            return ""
        text, children = (cell.text or "")[4:], list(cell)
        for child in children:
            cell.remove(child)
        cell.text = ""
        name = cell.attrib.pop("id", "")
        row.set("class", "task")
        row.set("id", name)
        label = SubElement(cell, "label")
        field = SubElement(label, "input", box(name))
        attributes, words = icons.split(text)
        if attributes:
            field.tail = " "
            SubElement(label, "span", attributes).tail = " " + words
        else:
            field.tail = " " + words
        label.extend(children)
        return name


class TaskBoxesExtension(Extension):
    """Registers `TaskBoxes`."""

    def extendMarkdown(self, md: Markdown) -> None:
        """After inline text (20) and attribute lists (8)."""
        md.treeprocessors.register(TaskBoxes(md), "literate-tasks", 5)


def makeExtension(**options: Any) -> TaskBoxesExtension:
    """Called by Python-Markdown."""
    return TaskBoxesExtension(**options)
