"""Results kept by what they depend on, as JSON files below `.cache/`.

A result has a kind (`outputs`, `html`, …), a name (a page) and a key: a digest of all
that it depends on. What is damaged or of another shape counts as not there.
"""

import functools
import hashlib
import importlib.metadata
import json
import os
import platform
import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from literate.project import CACHE, ROOT, stamp
from snippets.files import write_whole

KEPT = 8  # versions of a result
# which instructions PyTorch and the libraries below it may use: sums round by them
PROCESSOR = (
    "ATEN_CPU_CAPABILITY",
    "MKL_CBWR",
    "MKL_ENABLE_INSTRUCTIONS",
    "NPY_DISABLE_CPU_FEATURES",
    "ONEDNN_MAX_CPU_ISA",
    "OPENBLAS_CORETYPE",
)
REQUIREMENT = re.compile(r"^(?P<name>[\w.-]+)==", re.MULTILINE)


def digest(*parts: str | bytes) -> str:
    """A digest of texts, each with its length, so that none runs into the next."""
    total = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        total.update(f"{len(data)}:".encode())
        total.update(data)
    return total.hexdigest()[:32]


def digest_of_files(files: Iterable[Path]) -> str:
    """A digest of the names and contents of files."""
    parts: list[str | bytes] = []
    for path in sorted(files):
        inside = path.relative_to(ROOT) if path.is_relative_to(ROOT) else path
        parts += [inside.as_posix(), _digest_of(path, stamp(path))]
    return digest(*parts)


@functools.lru_cache(maxsize=8192)
def _digest_of(path: Path, stamp: tuple[int, int, int]) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@functools.cache
def environment() -> str:
    """A digest of what shapes every output: interpreter, processor, packages.

    The packages are those that `requirements.txt` names; tools beside them do not
    matter. The processor is the one that the libraries were told to compute as.
    """
    listed = (ROOT / "requirements.txt").read_text("utf8")
    names = [match["name"] for match in REQUIREMENT.finditer(listed)]
    return digest(
        sys.version,
        platform.system(),
        platform.machine(),
        *(f"{name}=={version_of(name)}" for name in names),
        *(f"{name}={os.environ.get(name)}" for name in PROCESSOR),
    )


def version_of(package: str) -> str:
    """The installed version; empty where a package is not installed."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return ""


def own_code(*folders: str) -> str:
    """A digest of this package's own files, of these subfolders or of all of it."""
    places = [ROOT / "literate" / name for name in folders] or [ROOT / "literate"]
    files = (path for place in places for path in place.rglob("*") if path.is_file())
    return digest_of_files(path for path in files if path.suffix != ".pyc")


def content(kind: str, name: str, key: str) -> str:
    """What is kept, as the text of its file; empty if nothing is."""
    try:
        return _file(kind, name, key).read_text("utf8")
    except OSError:
        return ""


def load(kind: str, name: str, key: str) -> Any:
    """What is kept, or None."""
    try:
        return json.loads(content(kind, name, key))
    except ValueError:
        return None


def save(kind: str, name: str, key: str, value: Any) -> None:
    """Keep a value, and drop the oldest ones of that kind and name."""
    path = _file(kind, name, key)
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(value).encode()
    write_whole(path, lambda file: file.write(text))
    by_age = sorted(path.parent.glob("*.json"), key=_age)
    for old in by_age[:-KEPT]:
        old.unlink(missing_ok=True)


def _age(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:  # another process has just dropped it
        return 0.0


def _file(kind: str, name: str, key: str) -> Path:
    return CACHE / kind / name.replace("/", "__") / f"{key}.json"
