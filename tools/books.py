"""Books to try things on: a small one, and the real one as often as one likes.

Both are whole projects in a folder of their own, with this project's `literate/`,
templates and assets; run commands in them with `PYTHONPATH` set to that folder.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from literate.project import CACHE, ROOT

SHARED = ("literate", "overrides", "docs/assets")
# of the project's own folder; `tests/site` goes along
LEFT_OUT = {
    *(".venv", ".git", ".cache", "site", "node_modules"),
    *(".pytest_cache", ".ruff_cache", ".mypy_cache", ".hypothesis"),
}
HANGS = 1200  # seconds after which a command counts as hanging
HOME = """\
# Home

A [page](/llm/day-1/page.md#more), a [day](/llm/day-1/index.md), a
[lab](labs/small.py), a ![picture](assets/favicon.svg) and $x^2$.

```python
from snippets.numbers import double

double(21)
```
"""
DAY = """\
# Day 1

--8<-- "plan.md:llm-1"
"""
PAGE = """\
---
tasks: [llm-1-page]
---

# Page

/// opening
Know first: nothing.
///

Text with a formula, $\\\\frac{1}{2}$.

## More

```python title="only for this page"
def half(x):
    return x / 2
```

```python
half(5)
```

```python alt="A line." caption="What to see."
import matplotlib.pyplot as plt

plt.plot([1, 2]);
```

/// fact | What is half of two?
    id: fact-half
One.
///
"""
PLAN = """\
# Plan

## LLM track

### [Day 1](/llm/day-1/index.md) · The small book

<!-- --8<-- [start:llm-1] -->
| Task | Elsewhere |
|:--|--:|
| [ ] [A page](/llm/day-1/page.md) {#llm-1-page} | 10 |
<!-- --8<-- [end:llm-1] -->
"""
LAB = """\
# %% [markdown] minutes=30 task="llm-1-page"
# # Lab: small
#
# Back to the [page](../llm/day-1/page.md).

# %%
# Task 1: add one and one.
### BEGIN SOLUTION
two = 1 + 1
### END SOLUTION

# %% tags=["check-1"]
assert two == 2
print("Task 1 is right")
"""
NUMBERS = '''\
"""Numbers."""


def double(x: int) -> int:
    """Twice x."""
    return 2 * x
'''
DATA = '''\
"""Files that the book ships."""

from pathlib import Path


def read_data(name: str) -> bytes:
    """The contents of a file."""
    return (Path(__file__).parent / name).read_bytes()
'''
NAVIGATION = """
nav:
  - Home: index.md
  - Plan: plan.md
  - Track:
      - llm/day-1/index.md
      - Page: llm/day-1/page.md
      - "Lab: small": labs/small.py
"""
FILES = {
    "docs/index.md": HOME,
    "docs/plan.md": PLAN,
    "docs/llm/day-1/index.md": DAY,
    "docs/llm/day-1/page.md": PAGE.replace("\\\\", "\\"),
    "docs/labs/small.py": LAB,
    "snippets/__init__.py": '"""Snippets."""\n\nRENAMED = {"figures": "numbers"}\n',
    "snippets/numbers.py": NUMBERS,
    "snippets/data/__init__.py": DATA,
    "proofs/__init__.py": '"""Proofs."""\n',
    "tests/__init__.py": "",
}


def small(folder: Path) -> Path:
    """A book with one of each: home, plan, a day, a page, a lab, a snippet."""
    project = folder / "book"
    ignore = shutil.ignore_patterns("__pycache__")
    for name in SHARED:
        shutil.copytree(ROOT / name, project / name, ignore=ignore)
    for name in ("conftest.py", "pyproject.toml", "requirements.txt"):
        shutil.copy(ROOT / name, project / name)
    (project / "snippets").mkdir()
    shutil.copy(ROOT / "snippets" / "files.py", project / "snippets" / "files.py")
    for path in ROOT.glob("requirements-*.txt"):
        shutil.copy(path, project / path.name)
    settings = (ROOT / "mkdocs.yml").read_text("utf8")
    settings = settings[: settings.index("\nnav:")] + NAVIGATION
    for name, text in {**FILES, "mkdocs.yml": settings}.items():
        path = project / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf8", newline="\n")
    return project


def copy(book: Path, folder: Path) -> Path:
    """A copy of a small book, with what it keeps."""
    shutil.copytree(book, folder, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


def _left_out(folder: str, names: list[str]) -> set[str]:
    """What is not copied of a folder of the project."""
    return {"__pycache__", *(LEFT_OUT if Path(folder) == ROOT else ())} & {*names}


def real(folder: Path, times: int = 1) -> Path:
    """The real book, its pages so many times, with the outputs that are kept here.

    Pages of copies stand below `docs/copy-2/` and so on; labs are not copied.
    """
    project = folder / f"book-{times}"
    shutil.copytree(ROOT, project, ignore=_left_out)
    shutil.copytree(CACHE, project / ".cache", dirs_exist_ok=True)
    navigation = (project / "mkdocs.yml").read_text("utf8")
    tracks = navigation[navigation.index("  - LLM track:") :]
    tracks = tracks[: tracks.index("  - Proofs:")]
    for number in range(2, times + 1):
        _copy_pages(project, f"copy-{number}")
        moved = re.sub(r"\b(llm|pytorch)/", rf"copy-{number}/\1/", tracks)
        moved = re.sub(r"\n.*labs/.*", "", moved).replace(
            " track:", f" track {number}:"
        )
        navigation += moved
    (project / "mkdocs.yml").write_text(navigation, "utf8", newline="\n")
    return project


def _copy_pages(project: Path, name: str) -> None:
    """Copy the pages of both tracks, their links and ids, and their kept outputs.

    What a page need not pass yet, its copy need not either.
    """
    listed = project / "tests" / "pages_not_done.txt"
    text = listed.read_text("utf8")
    more = re.sub(r"^(\w+) docs/", rf"\1 docs/{name}/", text, flags=re.MULTILINE)
    listed.write_text(text + more, "utf8", newline="\n")
    for track in ("llm", "pytorch"):
        for path in sorted((project / "docs" / track).rglob("*.md")):
            inside = path.relative_to(project / "docs")
            text = path.read_text("utf8")
            text = re.sub(r"\]\(/(llm|pytorch)/", rf"](/{name}/\1/", text)
            text = re.sub(r"\]\((?:\.\./)+labs/", "](/labs/", text)
            text = re.sub(r"^( {4}id: )", rf"\g<1>{name}-", text, flags=re.MULTILINE)
            copy = project / "docs" / name / inside
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_text(text, "utf8", newline="\n")
            outputs = project / ".cache" / "outputs"
            old = outputs / f"docs__{inside.as_posix().replace('/', '__')}"
            if old.is_dir():
                new = outputs / old.name.replace("docs__", f"docs__{name}__")
                shutil.copytree(old, new, dirs_exist_ok=True)


def environment(project: Path, **more: str) -> dict[str, str]:
    """The variables for commands in such a project: its own packages first."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("DAYBOOK_")}
    for name in ("GITHUB_REPOSITORY", "LITERATE", "CI"):
        kept.pop(name, None)
    own = {"PYTHONPATH": str(project), "PYTHONUTF8": "1", "NO_COLOR": "1"}
    return kept | own | {"NO_MKDOCS_2_WARNING": "1"} | more


def run(
    project: Path, *arguments: str, **more: str
) -> subprocess.CompletedProcess[str]:
    """Run `python ARGUMENTS` in such a project."""
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=project,
        env=environment(project, **more),
        capture_output=True,
        text=True,
        encoding="utf8",
        timeout=HANGS,
    )
