"""The files that the book ships: `tales.txt` and small checkpoints."""

from pathlib import Path


def read_data(name: str) -> bytes:
    """The contents of a file in `snippets/data`.

    Raises FileNotFoundError, with the names of the files there are, for any other.
    """
    path = Path(__file__).parent / name
    if not path.is_file():
        there = sorted(p.name for p in path.parent.iterdir() if p.suffix != ".py")
        known = ", ".join(name for name in there if not name.startswith("_"))
        raise FileNotFoundError(
            f"no file {name!r} in {path.parent}; there are: {known}"
        )
    return path.read_bytes()
