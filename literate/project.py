"""Where things are, and how this run was asked to behave."""

import os
import re
import sys
from pathlib import Path

from mkdocs.exceptions import BuildError

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
SNIPPETS = ROOT / "snippets"
PROOFS = ROOT / "proofs"
CACHE = ROOT / ".cache"
EXPECTED = ROOT / "tests" / "expected"

MODES = ("run", "frozen")


class PageError(BuildError):
    """A page that must not be published; the message says file, line and what to do.

    A `BuildError`, so that MkDocs prints the message without its own traceback.
    """


def mode() -> str:
    """How blocks get their outputs, from the environment variable `LITERATE`.

    `run` (default): from the cache, or else by running the page. `frozen`: from the
    cache only, so that nothing is published that the tests have not run.
    """
    value = os.environ.get("LITERATE", "run")
    if value not in MODES:
        raise PageError(f"LITERATE={value!r}: it must be one of {', '.join(MODES)}")
    return value


def serving() -> bool:
    """Whether `mkdocs serve` runs: errors then show in the page, not as a stop."""
    return "mkdocs" in sys.argv[0].lower() and "serve" in sys.argv[1:]


def relative(path: Path) -> str:
    """The path as people write it: from the project's root, with forward slashes."""
    return path.resolve().relative_to(ROOT).as_posix()


def cores() -> int:
    """How many processor cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def repository() -> str:
    """`owner/name` on GitHub, from `GITHUB_REPOSITORY`; empty where it is not known."""
    name = os.environ.get("GITHUB_REPOSITORY", "")
    if name and not re.fullmatch(r"[\w.-]+/[\w.-]+", name):
        raise PageError(f"GITHUB_REPOSITORY={name!r}: it must be owner/name")
    return name
