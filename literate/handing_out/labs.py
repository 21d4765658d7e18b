"""Labs: notebooks to work on, written as scripts in Jupytext's percent format.

In `docs/labs/*.py` each solution stands between two marker lines, below a comment that
gives the task:

    # Task 1: divide the scores by the square root of the head size.
    ### BEGIN SOLUTION
    scores = scores / math.sqrt(size)
    ### END SOLUTION

The site shows the solved lab, run by mkdocs-jupyter, without the markers. The notebook
that a reader downloads has `raise NotImplementedError("Task 1: …")` there instead.

Where the task is to repair a program, the broken code stands above the solution, in a
comment that the downloaded notebook has as code in place of the solution:

    # Task 1: no weight moves. Why?
    ### BEGIN BROKEN
    # loss.backward()
    # optimizer.zero_grad()
    ### BEGIN SOLUTION
    optimizer.zero_grad()
    loss.backward()
    ### END SOLUTION
"""

import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urljoin

import jupytext
from nbformat import NotebookNode

from literate.handing_out.notebook import KERNEL, ready_to_run
from literate.project import DOCS, PageError, relative

FOLDER = DOCS / "labs"
BROKEN = "### BEGIN BROKEN"
BEGIN = "### BEGIN SOLUTION"
END = "### END SOLUTION"
RELATIVE_LINK = re.compile(r"\[(?P<label>[^\]]+)\]\((?P<target>(?![a-z]+:)[^)\s]+)\)")
TASK = re.compile(r"^\s*# (?P<text>Task \d+: .+)$")
COMMENT = re.compile(r"^(?P<indent>\s*)#(?: (?P<code>.*))?$")

Change = Callable[[str, list[str]], list[str]]  # from a task and the lines inside


def labs() -> list[Path]:
    """The labs of the site."""
    return sorted(FOLDER.glob("*.py"))


def solved(path: Path) -> NotebookNode:
    """The lab with its solutions and, in comments, what was broken; no markers."""
    return read(path, lambda task, inside: inside)


def stripped(path: Path, site_url: str = "") -> NotebookNode:
    """The lab as readers get it: each solution replaced by its task, or broken code.

    It runs in an empty folder. Links lead to the published site, and are plain text
    where that is not known.
    """

    def absolute(match: re.Match[str]) -> str:
        page = f"{site_url}labs/{path.stem}/"
        target = f"[{match['label']}]({urljoin(page, match['target'])})"
        return target if site_url else match["label"]

    lab = read(path, placeholder, broken=lambda task: True)
    for cell in lab.cells:
        if cell.cell_type == "markdown":
            cell.source = RELATIVE_LINK.sub(absolute, cell.source)
    lab.cells = ready_to_run(relative(path), lab.cells)
    return lab


def placeholder(task: str, inside: list[str]) -> list[str]:
    """What stands in place of a solution: an error that tells the task."""
    code = [line for line in inside if line.strip()]
    indent = min(len(line) - len(line.lstrip()) for line in code)
    return [f"{' ' * indent}raise NotImplementedError({task!r})"]


def read(
    path: Path, change: Change, broken: Callable[[str], bool] = lambda task: False
) -> NotebookNode:
    """The notebook of a lab; `change(task, solution lines)` gives what stands there.

    Where there is broken code, and `broken(task)`, that code stands there. Raises
    `PageError` for markers that do not match, or without a task above them.
    """
    lines = "\n".join(_lines(path, change, broken))
    notebook = jupytext.reads(lines, fmt="py:percent")
    notebook.metadata = KERNEL
    for number, cell in enumerate(notebook.cells):
        cell["id"] = f"cell-{number}"  # the same at each build
        tags = cell.metadata.get("tags", [])
        cell.metadata = {"tags": tags} if tags else {}
    return notebook


def _lines(path: Path, change: Change, broken: Callable[[str], bool]) -> list[str]:
    """The lines of the script, with each part between markers changed."""
    name = relative(path)
    lines: list[str] = []
    comment: list[str] = []  # the broken code
    inside: list[str] = []  # the solution
    current, task = lines, ""
    for number, line in enumerate(path.read_text("utf8").split("\n"), 1):
        place, mark = f"{name}:{number}", line.strip()
        if mark in (BROKEN, BEGIN):
            if current is inside or (current is comment and mark == BROKEN):
                raise PageError(f"{place}: {mark} inside a solution")
            if current is lines:
                task = _task_above(lines, place)
            current = comment if mark == BROKEN else inside
        elif mark == END:
            if not inside:
                raise PageError(f"{place}: {END} without a solution above it")
            if comment and broken(task):
                lines += _uncommented(comment, place)
            else:
                lines += [*_as_it_was(comment), *change(task, inside)]
            current, comment, inside = lines, [], []
        else:
            current.append(line)
    if current is not lines:
        raise PageError(f"{name}: a {BEGIN} is never closed by {END}")
    return lines


def _uncommented(comment: list[str], place: str) -> list[str]:
    """The code in a comment."""
    matches = [match for line in comment if (match := COMMENT.match(line))]
    if len(matches) < len(comment):
        raise PageError(f"{place}: what is broken stands above it, each line after #")
    return [(m["indent"] + (m["code"] or "")).rstrip() for m in matches]


def _as_it_was(comment: list[str]) -> list[str]:
    """The broken code as a comment with a title, if there is any."""
    indent = comment[0][: len(comment[0]) - len(comment[0].lstrip())] if comment else ""
    return [f"{indent}# As it was:", *comment] if comment else []


def _task_above(lines: list[str], place: str) -> str:
    """The task in the comment that ends just above, on one or more lines."""
    comment: list[str] = []
    for line in reversed(lines):
        if not line.strip().startswith("#"):
            break
        comment.insert(0, line.strip())
        if match := TASK.match(line):
            rest = [part.lstrip("# ") for part in comment[1:]]
            return " ".join([match["text"], *rest])
    raise PageError(f'{place}: above {BEGIN} must stand a comment "# Task 1: …"')
