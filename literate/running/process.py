"""Runs a page: a process of its own, block after block, until one fails.

On Linux the processes are forked from a server that has imported torch and matplotlib
and never computes (a fork after a matrix product can hang); on macOS and Windows, where
that is not safe, each starts afresh.
"""

import contextlib
import functools
import multiprocessing
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from multiprocessing import forkserver, util
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext, SpawnContext
from multiprocessing.process import BaseProcess as Process
from pathlib import Path

from literate.block import Block
from literate.page import pages
from literate.project import ROOT
from literate.running import printed, vocabularies, worker
from literate.running.surroundings import ENVIRONMENT, for_pages, inherited_by_pages

Context = ForkServerContext | SpawnContext
PRELOADED = ["torch", "matplotlib.pyplot"]
DEFAULT_LIMIT = 300.0  # seconds after which a block hangs; a page may say `limit:`
FRAME = re.compile(r'File "(?P<page>[^"\n]*)\[(?P<index>\d+)\]", line (?P<line>\d+)')

_running: set[Process] = set()
_commands: set[subprocess.Popen[str]] = set()
_lock = threading.Lock()
_first = threading.Lock()


@dataclass(frozen=True)
class Failed:
    """The block that failed, and a message that starts with `docs/page.md:LINE`."""

    block: int
    message: str


@dataclass(frozen=True)
class PageRun:
    """The outputs of a page's blocks, in order, as far as they ran."""

    outputs: list[worker.Output]
    failed: Failed | None = None
    running: bool = False  # the outputs are still to come


def _context() -> Context:
    with _first:  # several pages start at once
        return _prepared_context()


@functools.cache
def _prepared_context() -> Context:
    os.environ.update(ENVIRONMENT)
    vocabularies.install()
    os.environ["PYTHONPATH"] = _python_path()
    # none of this Python's options, such as -O, which drops what blocks assert
    util._args_from_interpreter_flags = list  # type: ignore[attr-defined]
    if sys.platform != "linux":
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(preloaded())
    return context


def prepare() -> None:
    """Start the server of the processes: then the first page does not wait for it."""
    if isinstance(_context(), ForkServerContext):
        with _lock, inherited_by_pages():
            forkserver.ensure_running()


def preloaded() -> list[str]:
    """What the server of the processes imports: what is slow and pages need."""
    text = "\n".join(page.body for page in pages())
    used = [name for name in PRELOADED if name.split(".")[0] in text]
    return [*used, "literate.running.worker"]


def _python_path() -> str:
    """`PYTHONPATH` with the project first."""
    paths = [str(ROOT), *os.environ.get("PYTHONPATH", "").split(os.pathsep)]
    return os.pathsep.join(filter(None, dict.fromkeys(paths)))


def run_page(
    name: str, blocks: Sequence[Block], limit: float = DEFAULT_LIMIT
) -> PageRun:
    """Run a page's blocks, those with `notest` left out; `limit` is seconds a block."""
    outputs: list[worker.Output] = []
    with _process(name, limit) as ask:
        for block in blocks:
            if block.options.notest:
                outputs.append(worker.Output())
                continue
            answer = ask(_request(name, block))
            if isinstance(answer, worker.Failure):
                return _failed(name, blocks, outputs, answer)
            if answer is not None:
                outputs.append(answer)
        answer = ask(worker.End())
    if isinstance(answer, worker.Failure):
        return _failed(name, blocks, outputs, answer)
    return PageRun(outputs)


def _request(name: str, block: Block) -> worker.Request:
    filename = f"{name}[{block.index}]"
    raises, values = block.options.raises, block.values
    return worker.Request(block.source, filename, raises, block.index, values)


def _failed(
    name: str,
    blocks: Sequence[Block],
    outputs: list[worker.Output],
    failure: worker.Failure,
) -> PageRun:
    """A run up to the block that failed, perhaps long before it was noticed."""
    at = next(i for i, block in enumerate(blocks) if block.index == failure.block)
    message = _report(name, blocks, blocks[at], failure)
    return PageRun(outputs[:at], Failed(failure.block, message))


@contextlib.contextmanager
def _process(name: str, limit: float) -> Iterator["Asking"]:
    """A page's process, as something that can be asked to run its blocks."""
    context = _context()
    here, there = context.Pipe()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as temporary:
        folder = Path(temporary)
        arguments = (there, folder, limit, name)
        process = context.Process(target=worker.serve, args=arguments)
        with _lock, inherited_by_pages():
            process.start()
            _running.add(process)
        there.close()
        try:
            yield Asking(process, here, folder, limit)
        finally:
            here.close()
            process.join(timeout=2)
            _kill(process)
            with _lock:
                _running.discard(process)


@dataclass
class Asking:
    """A page's process, a connection to it, and the folder it works in."""

    process: Process
    connection: Connection
    folder: Path
    limit: float
    block: int = 0  # the last one that was asked for

    def __call__(
        self, request: worker.Request | worker.End
    ) -> worker.Output | worker.Failure | None:
        """What the process answers; if it dies, why."""
        if isinstance(request, worker.Request):
            self.block = request.block
        try:
            self.connection.send(request)
            if self.connection.poll(self.limit + 10):  # it stops itself at `limit`
                return self.connection.recv()
        except (EOFError, OSError):
            self.process.join(timeout=10)
        _kill(self.process)
        return worker.Failure(self._death(), self.block)

    def _death(self) -> str:
        """Why the process is gone, with its stack and what it had printed."""
        code = self.process.exitcode
        stack = (self.folder / "stack").read_text("utf8", errors="replace")
        left = f"{printed.read(self.folder, self.block)}\n{stack}"
        if "Timeout (" in stack or code is None:
            why = f"it ran longer than {self.limit:g} s; a page may set `limit:`"
            why += " at its head"
        elif code < 0:
            why = f"its process was killed by {signal.Signals(-code).name}"
            if -code == getattr(signal, "SIGKILL", None):
                why += ", most often for want of memory"
        else:
            why = f"it ended its process with exit code {code}"
        return f"{why}\n{left[-4000:].strip()}".rstrip()


def _kill(process: Process) -> None:
    """End a page's process and all that it started."""
    _kill_group(process.pid)
    with contextlib.suppress(ValueError):
        process.kill()
        process.join(timeout=10)


def command(arguments: Sequence[str]) -> subprocess.CompletedProcess[str]:
    """Run a command in the project's folder, and wait; `stop` ends it."""
    with _lock:
        process = subprocess.Popen(
            arguments,
            cwd=ROOT,
            env={**for_pages(os.environ), "PYTHONPATH": _python_path()},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf8",
            errors="replace",
            start_new_session=True,
        )
        _commands.add(process)
    try:
        out, error = process.communicate()
    finally:
        with _lock:
            _commands.discard(process)
    return subprocess.CompletedProcess(arguments, process.returncode, out, error)


def stop() -> None:
    """End all pages and commands that are running now."""
    with _lock:
        for process in _running:
            _kill(process)
        for command in _commands:
            _kill_group(command.pid)
            command.kill()


def _kill_group(pid: int | None) -> None:
    """End a process and all that it started, where the system has groups."""
    if pid and hasattr(os, "killpg"):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, signal.SIGKILL)


def _report(
    name: str, blocks: Sequence[Block], block: Block, failure: worker.Failure
) -> str:
    by_index = {b.index: b for b in blocks}

    def in_page(match: re.Match[str]) -> str:
        if match["page"] != name:
            return match[0]
        line = by_index[int(match["index"])].page_line(int(match["line"]))
        return f'File "{name}", line {line}'

    width = len(str(block.lines[-1] if block.lines else block.line))
    code = "\n".join(
        f"  {number:>{width}} | {text}".rstrip()
        for number, text in zip(block.lines, block.source.split("\n"), strict=False)
    )
    message = FRAME.sub(in_page, failure.message).rstrip()
    if failure.value:
        after = f"{name}:{block.line}: a value in the text after this block failed"
        return f"{after}\n\n  `{failure.value}`\n\n{message}"
    return f"{name}:{block.line}: this block failed\n\n{code}\n\n{message}"
