"""Which files of `snippets/` and `proofs/` a page's code needs, directly or not.

Found by reading, without running anything: `import` statements, and any mention such as
`snippets.attention` or `snippets/data/tales.txt` (a page may start
`python -m snippets.attention`).
"""

import ast
import functools
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from literate.project import PROOFS, ROOT, SNIPPETS, stamp

MENTION = re.compile(r"\b(?:snippets|proofs)(?:[./\\]\w+)+")
PACKAGES = {"snippets": SNIPPETS, "proofs": PROOFS}


def files(sources: Iterable[str]) -> list[Path]:
    """The files of both packages that these pieces of Python need, sorted."""
    found: set[Path] = set()
    waiting = [path for source in sources for path in _files_of(mentioned(source))]
    while waiting:
        path = waiting.pop()
        if path in found:
            continue
        found.add(path)
        if path.suffix == ".py":
            waiting += _files_of(_mentioned_in(path, stamp(path)))
    return sorted(found)


@functools.lru_cache(maxsize=4096)
def _mentioned_in(path: Path, stamp: tuple[int, int, int]) -> frozenset[str]:
    package = path.parent.relative_to(ROOT).parts
    return mentioned(path.read_text("utf8"), package)


def mentioned(text: str, package: tuple[str, ...] = ()) -> frozenset[str]:
    """The dotted names of both packages in a text; `package` resolves `from . import`.

    >>> sorted(mentioned("from snippets.data import tales"))
    ['snippets.data', 'snippets.data.tales']
    """
    return frozenset(n for n in names_in(text, package) if n.split(".")[0] in PACKAGES)


@functools.lru_cache(maxsize=16384)
def names_in(text: str, package: tuple[str, ...] = ()) -> frozenset[str]:
    """All dotted names that a text imports, or mentions as `snippets/data/a.txt`."""
    names = {re.sub(r"[/\\]", ".", match[0]) for match in MENTION.finditer(text)}
    try:
        tree = ast.parse(text)
    except SyntaxError:
        return frozenset(names)
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = list(package[: len(package) - node.level + 1]) if node.level else []
            module = ".".join([*base, *filter(None, [node.module])])
            names |= {module, *(f"{module}.{alias.name}" for alias in node.names)}
    return frozenset(names)


def _files_of(names: Iterable[str]) -> Iterator[Path]:
    """The files that importing or reading these names touches."""
    for name in names:
        top, *parts = name.split(".")
        path = PACKAGES[top]
        folder = _folder(path)
        for part in parts:
            yield from folder.touched
            yield from (p for p in folder.files if p.name.startswith(f"{part}."))
            path = path / part
            folder = _folder(path)
        yield from folder.touched


class Folder(NamedTuple):
    """The files in a folder, and those that importing it as a package can touch."""

    files: tuple[Path, ...]
    touched: tuple[Path, ...]


def _folder(path: Path) -> Folder:
    """What is in a folder; nothing where there is none."""
    return _listed(path, stamp(path))


@functools.lru_cache(maxsize=1024)
def _listed(path: Path, stamp: tuple[int, int, int]) -> Folder:
    files = tuple(p for p in path.iterdir() if p.is_file()) if path.is_dir() else ()
    return Folder(files, tuple(p for p in files if _belongs(p)))


def _belongs(path: Path) -> bool:
    """Whether a file is `__init__.py` or data; `proofs` imports all of its modules."""
    if path.suffix != ".py":
        return path.suffix not in (".pyc", ".md")
    return path.name == "__init__.py" or path.parent == PACKAGES["proofs"]
