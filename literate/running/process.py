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
from multiprocessing import forkserver
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext, SpawnContext
from multiprocessing.process import BaseProcess as Process
from pathlib import Path

from literate.block import Block
from literate.page import pages
from literate.project import ROOT
from literate.running import vocabularies, worker

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
    os.environ.update(worker.ENVIRONMENT)
    vocabularies.install()
    os.environ["PYTHONPATH"] = _python_path()
    if sys.platform != "linux":
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(preloaded())
    return context


def prepare() -> None:
    """Start the server of the processes: then the first page does not wait for it."""
    if isinstance(_context(), ForkServerContext):
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
    with _process(limit) as (process, connection, folder):
        for block in blocks:
            if block.options.notest:
                outputs.append(worker.Output())
                continue
            filename = f"{name}[{block.index}]"
            answer = _ask(
                process,
                connection,
                worker.Request(
                    block.source, filename, block.options.raises, block.values
                ),
                limit,
                folder,
            )
            if isinstance(answer, worker.Failure):
                message = _report(name, blocks, block, answer)
                return PageRun(outputs, Failed(block.index, message))
            outputs.append(answer)
    return PageRun(outputs)


@contextlib.contextmanager
def _process(limit: float) -> Iterator[tuple[Process, Connection, Path]]:
    """A page's process, a connection to it, and the folder it works in."""
    context = _context()
    here, there = context.Pipe()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        folder = Path(name)
        process = context.Process(target=worker.serve, args=(there, folder, limit))
        with _lock:
            process.start()
            _running.add(process)
        there.close()
        try:
            yield process, here, folder
        finally:
            here.close()
            process.join(timeout=2)
            _kill(process)
            with _lock:
                _running.discard(process)


def _ask(
    process: Process,
    connection: Connection,
    request: worker.Request,
    limit: float,
    folder: Path,
) -> worker.Output | worker.Failure:
    try:
        connection.send(request)
        if connection.poll(limit + 10):  # the process itself stops at `limit`
            return connection.recv()
    except (EOFError, OSError):
        process.join(timeout=10)
    _kill(process)
    return worker.Failure(_death(process.exitcode, limit, folder))


def _death(code: int | None, limit: float, folder: Path) -> str:
    """Why a page's process is gone, with what it left on standard error."""
    left = (folder / "stderr").read_text("utf8", errors="replace")
    if "Timeout (" in left or code is None:
        why = f"it ran longer than {limit:g} s; a page may set `limit:` at its head"
    elif code < 0:
        why = f"its process was killed by {signal.Signals(-code).name}"
        if -code == getattr(signal, "SIGKILL", None):
            why += ", most often for want of memory"
    else:
        why = f"it ended its process with exit code {code}"
    return f"{why}\n{left[-4000:]}".rstrip()


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
            env={**os.environ, **worker.ENVIRONMENT, "PYTHONPATH": _python_path()},
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
