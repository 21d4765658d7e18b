"""What pages printed, kept by content: environment, snippets, code of the page.

The blocks of a page share their state, so its outputs are kept together. Failures are
never kept.
"""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from filelock import FileLock

from literate import store
from literate.block import Block
from literate.project import CACHE
from literate.running import dependencies
from literate.running.worker import Output

KIND = "outputs"
# what runs a block also shapes its output
OWN = ("worker", "figures", "forms", "printed", "surroundings")


def key(blocks: Sequence[Block]) -> str:
    """A digest of all that the outputs of these blocks depend on."""
    running = [block for block in blocks if not block.options.notest]
    requests = [
        (block.index, block.source, block.options.raises, block.values)
        for block in running
    ]
    return store.digest(
        store.environment(),
        store.digest_of_files(Path(__file__).with_name(f"{name}.py") for name in OWN),
        store.digest_of_files(dependencies.files(block.source for block in running)),
        repr(requests),
    )


def load(name: str, key: str) -> list[Output] | None:
    """The outputs kept for a page, or None."""
    try:
        return [Output(**output) for output in store.load(KIND, name, key)]
    except TypeError:
        return None


def save(name: str, key: str, outputs: Sequence[Output]) -> None:
    """Keep a page's outputs."""
    store.save(KIND, name, key, [asdict(output) for output in outputs])


def lock(name: str, key: str) -> FileLock:
    """Held while a page runs, so that two processes do not run it at once."""
    folder = CACHE / "locks"
    folder.mkdir(parents=True, exist_ok=True)
    return FileLock(folder / f"{name.replace('/', '__')}-{key}")
