"""What pages printed, kept by content: environment, snippets, code of the page.

The blocks of a page share their state, so its outputs are kept together: one file for
one text of all its blocks. Failures are never kept.
"""

import functools
import hashlib
import importlib.metadata
import json
import os
import platform
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from literate import dependencies
from literate.block import Block
from literate.project import CACHE, ROOT
from literate.worker import Output

KEPT = 8  # versions of a page
# which instructions PyTorch and the libraries below it may use: sums round by them
PROCESSOR = (
    "ATEN_CPU_CAPABILITY",
    "MKL_CBWR",
    "MKL_ENABLE_INSTRUCTIONS",
    "NPY_DISABLE_CPU_FEATURES",
    "ONEDNN_MAX_CPU_ISA",
    "OPENBLAS_CORETYPE",
)


@functools.cache
def environment() -> str:
    """A digest of what shapes every output: interpreter, packages, our own runner.

    So does the processor that the libraries were told to compute as.
    """
    digest = hashlib.sha256(
        f"{sys.version} {platform.system()} {platform.machine()}".encode()
    )
    installed = importlib.metadata.distributions()
    # a set: run from the project, its own metadata may be found twice
    for line in sorted({f"{d.name}=={d.version}" for d in installed}):
        digest.update(line.encode())
    digest.update(repr([os.environ.get(name) for name in PROCESSOR]).encode())
    for name in ("worker.py", "figures.py"):
        digest.update((ROOT / "literate" / name).read_bytes())
    return digest.hexdigest()


def key(blocks: Sequence[Block]) -> str:
    """A digest of all that the outputs of these blocks depend on."""
    running = [b for b in blocks if not b.options.notest]
    digest = hashlib.sha256(environment().encode())
    digest.update(dependencies.digest(b.source for b in running).encode())
    for block in running:
        request = (block.index, block.source, block.options.raises)
        digest.update(repr(request).encode())
    return digest.hexdigest()[:32]


def load(name: str, key: str) -> list[Output] | None:
    """The outputs kept for a page, or None; a damaged file counts as none."""
    try:
        kept = json.loads(_file(name, key).read_text("utf8"))
        return [Output(**output) for output in kept]
    except (OSError, ValueError, TypeError):
        return None


def store(name: str, key: str, outputs: Sequence[Output]) -> None:
    """Keep a page's outputs, and drop the oldest ones of that page."""
    path = _file(name, key)
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(f".{os.getpid()}")
    draft.write_text(json.dumps([asdict(output) for output in outputs]), "utf8")
    draft.replace(path)
    by_age = sorted(path.parent.glob("*.json"), key=lambda p: p.stat().st_mtime)
    for old in by_age[:-KEPT]:
        old.unlink(missing_ok=True)


def _file(name: str, key: str) -> Path:
    return CACHE / "pages" / name.replace("/", "__") / f"{key}.json"
