"""What several tests need: pages from text, and copies of the whole project."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from literate.project import ROOT
from literate.showing.site_markdown import markdown

LEFT_OUT = (
    ".venv",
    ".git",
    "site",
    "node_modules",
    "__pycache__",
    ".pytest_cache",
    ".ruff_cache",
)
SLOW = 300  # seconds after which a command counts as hanging


def convert(text: str) -> str:
    """The HTML of a page with this text, its blocks run."""
    return markdown().convert(text)


def project_copy(folder: Path) -> Path:
    """A copy of the project, with its cache, to change and to build."""
    copy = folder / "project"
    shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(*LEFT_OUT))
    return copy


def python(
    project: Path, *arguments: str, check: bool = False, **environment: str
) -> subprocess.CompletedProcess:
    """Run `python ARGUMENTS` in a copy of the project, with its own packages first."""
    # a copy is built as it is, not for our repository, and tested on its own site
    left_out = ("GITHUB_REPOSITORY", "DAYBOOK_SITE")
    variables = {k: v for k, v in os.environ.items() if k not in left_out}
    variables |= {"PYTHONPATH": str(project), "PYTHONUTF8": "1"}
    variables |= {"NO_MKDOCS_2_WARNING": "1", "NO_COLOR": "1"}
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=project,
        env=variables | environment,
        check=check,
        capture_output=True,
        text=True,
        encoding="utf8",
        timeout=SLOW,
    )


def replace(path: Path, old: str, new: str) -> None:
    """Replace a text that must be in a file."""
    text = path.read_text("utf8")
    assert old in text, f"{path} does not hold {old!r}"
    path.write_text(text.replace(old, new, 1), "utf8", newline="\n")
