"""The process of one page: runs its blocks the way a notebook does.

The blocks of a page share one namespace, which is the process's `__main__`. What they
write to standard output, child processes included, is caught at the file descriptor.
"""

import ast
import contextlib
import faulthandler
import linecache
import os
import re
import sys
import time
import traceback
import types
import warnings
from dataclasses import dataclass, field, replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, TextIO

from literate.running import figures

CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
MOST_TEXT = 20_000  # characters that one block may print
ENVIRONMENT = {
    "MPLBACKEND": "agg",
    "PYTHONHASHSEED": "0",
    # A sum split over threads rounds differently: with one thread each, pages print the
    # same on machines with any number of cores, and as many pages run as there are.
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "TOKENIZERS_PARALLELISM": "false",
}


@dataclass(frozen=True)
class Request:
    """A block to run: its code, the file name of its frames, the error to raise.

    `values` are expressions in the prose, evaluated when the block has run.
    """

    source: str
    filename: str
    raises: str = ""
    values: tuple[str, ...] = ()


@dataclass(frozen=True)
class Output:
    """What a block printed and drew, and the seconds it took, by the clock and of work.

    Where the value of the last expression has a form for the web, as in notebooks
    (`_repr_html_`), that is `html`, and `plain` is its `repr`.
    """

    text: str = ""
    figures: list[str] = field(default_factory=list)
    seconds: float = 0.0
    work: float = 0.0  # seconds of processor time, child processes included
    html: str = ""
    plain: str = ""
    values: dict[str, str] = field(default_factory=dict)  # by their code


@dataclass(frozen=True)
class Failure:
    """Why a block failed; frames are in the block's own lines.

    Where a value in the prose failed, `value` is its code.
    """

    message: str
    value: str = ""


def serve(connection: Connection, folder: Path, limit: float) -> None:
    """Answer each `Request` by an `Output` or a `Failure`, until the other side closes.

    The page's working directory is `folder/work`. Standard error goes to
    `folder/stderr`, so that it can be read even when the process dies; a block that
    runs longer than `limit` seconds ends the process and leaves its stack there.
    """
    if hasattr(os, "setsid"):
        os.setsid()  # one group, so that what a page starts can be stopped with it
    printed = _redirect(folder)
    work = folder / "work"
    work.mkdir()
    os.chdir(work)
    page = types.ModuleType("__main__")
    sys.modules["__main__"] = page
    figures.configure()
    _configure_warnings()
    with contextlib.suppress(EOFError):
        while True:
            request = connection.recv()
            faulthandler.dump_traceback_later(limit, exit=True)
            answer = _answer(request, page.__dict__, printed)
            if isinstance(answer, Output):
                answer = _with_values(answer, request, page.__dict__, printed)
            faulthandler.cancel_dump_traceback_later()
            connection.send(answer)


def _redirect(folder: Path) -> TextIO:
    """Send both standard streams to files, and give a handle on what is printed."""
    printed = (folder / "stdout").open(
        "w+", encoding="utf8", errors="backslashreplace", newline="\n"
    )
    failed = (folder / "stderr").open("w", encoding="utf8")
    os.dup2(printed.fileno(), 1)
    os.dup2(failed.fileno(), 2)
    sys.stdout = os.fdopen(1, "w", encoding="utf8", newline="\n", closefd=False)
    sys.stderr = os.fdopen(2, "w", encoding="utf8", buffering=1, closefd=False)
    sys.stdin = open(os.devnull, encoding="utf8")  # noqa: PTH123, SIM115
    faulthandler.enable()
    return printed


def _configure_warnings() -> None:
    """Old API is an error; any other warning is printed, as the reader would see it."""
    warnings.resetwarnings()
    warnings.simplefilter("error", DeprecationWarning)
    warnings.simplefilter("error", FutureWarning)
    # Python 3.12 counts the watchdog of `faulthandler`, which holds no lock
    warnings.filterwarnings("ignore", ".*multi-threaded, use of fork")
    warnings.showwarning = lambda message, category, *place: print(
        f"{category.__name__}: {message}"
    )


def _answer(
    request: Request, namespace: dict[str, Any], printed: TextIO
) -> Output | Failure:
    started, work, stdout = time.perf_counter(), _work(), sys.stdout
    raised, rich = None, ("", "")
    try:
        rich = execute(request.source, request.filename, namespace)
    except BaseException as error:  # SystemExit and KeyboardInterrupt too
        raised = error
    stdout.flush()
    printed.seek(0)
    text = printed.read().replace("\r\n", "\n")  # child processes on Windows
    printed.seek(0)
    printed.truncate()
    seconds, work = time.perf_counter() - started, _work() - work
    drawn = figures.collect()
    if problem := _unexpected(raised, request):
        return Failure(text + problem)
    if control := CONTROL.search(text):
        return Failure(f"it prints the control character {control[0]!r}: print a repr")
    if sys.stdout is not stdout:
        return Failure("it leaves sys.stdout replaced: what is printed would be lost")
    if len(text) > MOST_TEXT:
        return Failure(f"it prints {len(text)} characters; at most {MOST_TEXT} may be")
    if raised:
        text += _last_line(raised)
    return Output(text.rstrip(), drawn, round(seconds, 3), round(work, 3), *rich)


def _with_values(
    made: Output, request: Request, namespace: dict[str, Any], printed: TextIO
) -> Output | Failure:
    """The output of a block, with the values in the prose that follows it."""
    values: dict[str, str] = {}
    for code in request.values:
        try:
            values[code] = evaluate(code, namespace)
        except BaseException as error:  # as in a block
            return Failure(_traceback(error), code)
    sys.stdout.flush()
    if os.fstat(printed.fileno()).st_size:
        return Failure("it prints: put that into a block", ", ".join(request.values))
    return replace(made, values=values)


def evaluate(code: str, namespace: dict[str, Any]) -> str:
    """A value of the prose, as text; raises TypeError for what has no one form."""
    value = eval(compile(code, "<value in the text>", "eval"), namespace)
    if isinstance(value, bool) or not isinstance(value, str | int):
        hint = 'write how it is shown, such as f"{x:.2f}"'
        raise TypeError(f"{value!r} is neither text nor a whole number: {hint}")
    text = str(value)
    if not text.strip() or CONTROL.search(text) or "\n" in text:
        raise ValueError(f"{text!r} cannot stand in a line of text")
    return text


def _work() -> float:
    """Seconds of processor time so far; children count once they have ended."""
    return sum(os.times()[:4])


def execute(source: str, filename: str, namespace: dict[str, Any]) -> tuple[str, str]:
    """Execute a block; print the value of a last expression, unless it ends in `;`.

    A value with a form for the web is not printed: returns that form and the `repr`.
    """
    lines = source.splitlines(keepends=True)
    linecache.cache[filename] = (len(source), None, lines, filename)
    tree = ast.parse(source, filename)
    last = tree.body[-1] if tree.body else None
    if isinstance(last, ast.Expr) and not source.rstrip().endswith(";"):
        tree.body.pop()
    else:
        last = None
    exec(compile(tree, filename, "exec", dont_inherit=True), namespace)
    if last is not None:
        expression = compile(ast.Expression(last.value), filename, "eval")
        value = eval(expression, namespace)
        if hasattr(value, "_repr_html_"):
            return value._repr_html_(), repr(value)
        if value is not None:
            print(repr(value))
    return "", ""


def _unexpected(raised: BaseException | None, request: Request) -> str:
    """What is wrong with the way the block ended; empty if nothing is."""
    names = [c.__name__ for c in type(raised).__mro__] if raised else []
    wanted = request.raises.rpartition(".")[2]
    if raised is None:
        return f"it must raise {wanted}, and raised nothing" if wanted else ""
    if wanted and wanted in names:
        return ""
    return _traceback(raised)


def _traceback(error: BaseException) -> str:
    """The traceback without the frames of this file above the block's own."""
    report = traceback.TracebackException.from_exception(error)
    seen: set[int] = set()
    part: traceback.TracebackException | None = report
    while part is not None and id(part) not in seen:
        seen.add(id(part))
        while part.stack and part.stack[0].filename == __file__:
            part.stack.pop(0)
        part = part.__cause__ or part.__context__
    return "".join(report.format())


def _last_line(error: BaseException) -> str:
    lines = traceback.format_exception_only(error)
    return lines[-1] if isinstance(error, SyntaxError) else "".join(lines)
