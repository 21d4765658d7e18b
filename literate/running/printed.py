"""What each block prints, on both standard streams, in order, and what comes too late.

Every block has a file of its own behind the file descriptors 1 and 2. Nothing is held
back on the way, so what Python, libraries in C and child processes print stands in the
order in which they printed it, as in a terminal. A process that a block starts keeps
the block's file: what it prints later is found there, and belongs to no other block.
"""

import io
import os
import sys
import threading
from pathlib import Path
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

LATE = (
    "this came after the block had ended, from a thread, a process or at exit: wait in"
    " the block for what it starts, as by thread.join() or process.wait()"
)


class Late(NamedTuple):
    """What was printed after its block had ended."""

    block: int
    text: str


class Printed:
    """The standard streams of a page's process, with a file for each block."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.seen: dict[int, int] = {}  # bytes of each block that has ended
        self.threads: WeakKeyDictionary[threading.Thread, int] = WeakKeyDictionary()
        self.late: list[Late] = []  # from threads, which share the streams

    def replace_streams(self) -> None:
        """Put our streams in the place of Python's; standard input is empty."""
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.close(nothing)
        sys.stdin = open(0, encoding="utf8", closefd=False)  # noqa: SIM115
        self.begin(-1)
        sys.stdout = sys.__stdout__ = Stream(self, 1, "strict")  # type: ignore[misc]
        sys.stderr = sys.__stderr__ = Stream(self, 2, "backslashreplace")  # type: ignore[misc]

    def begin(self, block: int) -> None:
        """Let what is printed from now on belong to this block."""
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0)
        file = os.open(path_of(self.folder, block), flags)
        for descriptor in (1, 2):
            os.dup2(file, descriptor)
        os.close(file)

    def end(self, block: int) -> str:
        """What a block has printed; threads that still run are its own."""
        data = path_of(self.folder, block).read_bytes()
        self.seen[block] = len(data)
        for thread in threading.enumerate():
            if thread is not threading.main_thread():
                self.threads.setdefault(thread, block)
        return _text(data)

    def comes_late(self, text: str) -> bool:
        """Note what a thread prints that has outlived its block."""
        block = self.threads.get(threading.current_thread())
        if block is not None:
            self.late.append(Late(block, text))
        return block is not None

    def first_late(self) -> Late | None:
        """What the first block printed that printed anything after its end."""
        late = list(self.late)
        for block, size in self.seen.items():
            path = path_of(self.folder, block)
            if path.stat().st_size > size:
                late.append(Late(block, _text(path.read_bytes()[size:])))
        blocks = [each.block for each in late]
        if not late:
            return None
        first = min(blocks)
        return Late(first, "".join(each.text for each in late if each.block == first))


class Stream(io.TextIOWrapper):
    """Standard output or error, which writes at once, as `python -u` does."""

    def __init__(self, printed: Printed, descriptor: int, errors: str) -> None:
        raw: Any = open(descriptor, "wb", buffering=0, closefd=False)  # noqa: SIM115
        super().__init__(
            raw, encoding="utf8", errors=errors, newline="\n", write_through=True
        )
        self.printed = printed

    def write(self, text: str, /) -> int:
        """Write a text, unless it comes from a thread whose block has ended."""
        return len(text) if self.printed.comes_late(text) else super().write(text)


def path_of(folder: Path, block: int) -> Path:
    """The file that holds what a block printed."""
    return folder / f"printed-{block}"


def read(folder: Path, block: int) -> str:
    """What a block has printed so far, also when its process is gone."""
    path = path_of(folder, block)
    return _text(path.read_bytes()) if path.exists() else ""


def _text(data: bytes) -> str:
    """Bytes as text; those of child processes on Windows end their lines by CR LF."""
    return data.decode("utf8", errors="backslashreplace").replace("\r\n", "\n")
