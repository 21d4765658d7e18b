"""Write a file whole or not at all, and say which one it was if that fails."""

# --8<-- [start:imports]
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

# --8<-- [end:imports]


# --8<-- [start:write]
def write_whole(path: str | Path, write: Callable[[BinaryIO], object]) -> None:
    """`path` always holds all of the old content, or all that `write` writes.

    `write` gets a second file in the same folder, open for bytes. Its content goes to
    the disk, and only then gets its name. Raises what `write` raises, and OSError
    where that cannot be done; leaves no second file then.
    """
    path = Path(path)
    part = path.with_name(f"{path.name}.{secrets.token_hex(4)}.part")
    try:
        with part.open("xb") as file:  # x: never one of another process
            write(file)
            file.flush()
            os.fsync(file.fileno())  # the data is there before its name
        part.replace(path)
    except BaseException:  # KeyboardInterrupt too
        part.unlink(missing_ok=True)
        raise
    if os.name == "posix":  # the new name is in the folder: bring that to the disk too
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


# --8<-- [end:write]


# --8<-- [start:naming-file]
@contextmanager
def naming_file(path: Path) -> Iterator[None]:
    """Give an error of writing the name of the file, which a full disk does not."""
    try:
        yield
    except (OSError, RuntimeError) as error:  # `torch.save` raises a RuntimeError
        raise OSError(
            f"could not write {path} ({error}); what was saved before is still there"
        ) from error


# --8<-- [end:naming-file]
