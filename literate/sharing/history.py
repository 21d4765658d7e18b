"""When each file was last changed, as git knows it; nothing where git does not.

A clone without history would say of every file that it changed with the last commit: of
such a clone nothing is told.
"""

import functools
import re
import subprocess
from pathlib import Path

from literate.project import ROOT, relative

DATE = re.compile(r"@(?P<date>\d{4}-\d{2}-\d{2})")


def changed(path: Path) -> str:
    """The date (`2026-11-30`) of the last commit that changed a file, or empty."""
    return _dates(ROOT).get(relative(path), "")


@functools.cache
def _dates(folder: Path) -> dict[str, str]:
    """The date of every file under `docs/`, from one look at the history."""
    if _git(folder, "rev-parse", "--is-shallow-repository").strip() != "false":
        return {}
    prefix = _git(folder, "rev-parse", "--show-prefix").strip()
    log = _git(folder, "log", "--format=@%cs", "--name-only", "--no-renames", "docs")
    found: dict[str, str] = {}
    date = ""
    for line in log.splitlines():
        if match := DATE.fullmatch(line):
            date = match["date"]
        elif line:
            found.setdefault(line.removeprefix(prefix), date)
    return found


def _git(folder: Path, *arguments: str) -> str:
    """What git answers; empty where there is no git, or no repository."""
    command = ["git", "-c", "core.quotePath=false", *arguments]
    try:
        done = subprocess.run(
            command, cwd=folder, capture_output=True, encoding="utf8", timeout=60
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout if done.returncode == 0 else ""
