"""Which tests have something to say since they were last green.

A file of tests, or a page, is green for a digest of all that it depends on: the files
that it imports, directly or not; for what reads pages, all pages; for a page, what its
blocks need and what it is expected to print. `pytest --changed` leaves out what is
green, and notes what it finds green.
"""

import functools
from collections.abc import Iterable
from pathlib import Path

from literate import expected, store
from literate.page import read
from literate.parse import parse
from literate.project import DOCS, ROOT, relative, stamp
from literate.running import cache, dependencies

KIND = "green"
LOCAL = ("tests", "snippets", "proofs", "literate", "tools", "benchmarks")
ALWAYS = ("conftest.py", "pyproject.toml", "requirements.txt", "mkdocs.yml")
READS_PAGES = ROOT / "literate" / "page.py"


def is_green(path: Path) -> bool:
    """Whether the tests in this file were green with all as it is now."""
    return store.load(KIND, relative(path), digest(path)) is True


def note_green(path: Path) -> None:
    """The tests in this file are green."""
    store.save(KIND, relative(path), digest(path), True)


def digest(path: Path) -> str:
    """A digest of all that the tests in a file, or of a page, depend on."""
    always = store.digest_of_files(ROOT / name for name in ALWAYS)
    if path.suffix == ".md":
        parsed = parse(read(path))
        lines = repr((parsed.page.meta, parsed.lines))
        wanted = repr(expected.read(path))
        return store.digest(always, lines, wanted, cache.key(parsed.blocks))
    files = set(imported(path))
    if READS_PAGES in files:
        files |= {file for file in DOCS.rglob("*") if file.is_file()}
    return store.digest(always, store.environment(), store.digest_of_files(files))


def imported(path: Path) -> Iterable[Path]:
    """The files of the project that a file imports, directly or not, and itself."""
    found: set[Path] = set()
    waiting = [path]
    while waiting:
        file = waiting.pop()
        if file not in found:
            found.add(file)
            if file.suffix == ".py":
                waiting += _named_in(file, stamp(file))
    return found


@functools.lru_cache(maxsize=4096)
def _named_in(path: Path, stamp: tuple[int, int, int]) -> tuple[Path, ...]:
    package = path.parent.relative_to(ROOT).parts
    names = dependencies.names_in(path.read_text("utf8"), package)
    return tuple(file for name in sorted(names) for file in _files_of(name))


def _files_of(name: str) -> list[Path]:
    """The files below the project that a dotted name can mean."""
    parts = name.split(".")
    if parts[0] not in LOCAL:
        return []
    found = []
    for count in range(1, len(parts) + 1):
        place = ROOT.joinpath(*parts[:count])
        found += [place / "__init__.py", *place.parent.glob(f"{place.name}.*")]
    return [file for file in found if file.is_file()]
