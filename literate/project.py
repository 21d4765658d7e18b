"""Where things are, and how this run was asked to behave."""

import hashlib
import os
import re
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
SNIPPETS = ROOT / "snippets"
PROOFS = ROOT / "proofs"
EXPECTED = ROOT / "tests" / "expected"

MODES = ("run", "frozen", "serve")


class PageError(Exception):
    """A page that must not be published; the message says file, line and what to do."""


def cache_folder() -> Path:
    """Where results are kept: `DAYBOOK_CACHE`, or else `.cache` in the project.

    Where the project cannot be written to, a folder for temporary files serves.
    """
    if asked := os.environ.get("DAYBOOK_CACHE"):
        return Path(asked).resolve()
    own = ROOT / ".cache"
    if os.access(own if own.exists() else ROOT, os.W_OK):
        return own
    place = hashlib.sha256(str(ROOT).encode()).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"daybook-{place}"


CACHE = cache_folder()


def mode() -> str:
    """How blocks get their outputs, from the environment variable `LITERATE`.

    `run` (default): from the cache, or else by running the page. `frozen`: from the
    cache only, so that nothing is published that the tests have not run. `serve`: pages
    run in the background and are shown before; the server sets it.
    """
    value = os.environ.get("LITERATE", "run")
    if value not in MODES:
        raise PageError(f"LITERATE={value!r}: it must be one of {', '.join(MODES)}")
    return value


def serving() -> bool:
    """Whether pages are served to their author: errors show in the page, then."""
    return mode() == "serve"


def relative(path: Path) -> str:
    """The path as people write it: from the project's root, with forward slashes."""
    return path.resolve().relative_to(ROOT).as_posix()


def stamp(path: Path) -> tuple[int, int, int]:
    """What changes when a file does: its date and size; zeros where there is none.

    A file written within the last tenth of a second may be written once more in the
    same tick of the clock: its stamp is another one each time.
    """
    try:
        status = path.stat()
    except OSError:
        return 0, 0, 0
    now = time.time_ns()
    is_new = now - status.st_mtime_ns < 100_000_000
    return status.st_mtime_ns, status.st_size, now if is_new else 0


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


def site_url() -> str:
    """The site's address, from `DAYBOOK_URL` or as GitHub Pages gives it, or empty."""
    address = os.environ.get("DAYBOOK_URL", "")
    if not address and repository():
        owner, name = repository().split("/")
        host = f"{owner.lower()}.github.io"
        address = (
            f"https://{host}/" if name.lower() == host else f"https://{host}/{name}/"
        )
    if address and not re.fullmatch(r"https?://[^\s]+", address):
        raise PageError(f"DAYBOOK_URL={address!r}: it must start with https://")
    return address.rstrip("/") + "/" if address else ""
