"""The process of one page: runs its blocks the way a notebook does.

The blocks of a page share one namespace, which is the process's `__main__`. What they
write to standard output and standard error is `printed`, what a last value looks like
in a notebook `forms`, and what the page finds around it `surroundings`.
"""

import ast
import atexit
import contextlib
import faulthandler
import gc
import inspect
import io
import linecache
import multiprocessing
import os
import re
import sys
import threading
import time
import tokenize
import traceback
import types
import warnings
from dataclasses import dataclass, field
from multiprocessing import spawn
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NoReturn

import psutil

from literate.running import figures, forms
from literate.running.printed import LATE, Printed
from literate.running.values import ValueFailedError, evaluated

CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
MOST_TEXT = 20_000  # characters that one block may print
LONGEST_END = 20.0  # seconds for the threads of a page to end
OWN = str(Path(__file__).parent)
STARTS = ("subprocess.Popen", "os.fork", "os.forkpty", "os.posix_spawn", "os.spawn")
CLASSES: dict[str, str] = {}  # of the page, and the file names of their blocks
BLANK = (tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.ENDMARKER)


@dataclass(frozen=True)
class Request:
    """A block to run: its code, the file name of its frames, the error to raise.

    `values` are expressions in the prose, evaluated when the block has run.
    """

    source: str
    filename: str
    raises: str = ""
    block: int = 0
    values: tuple[str, ...] = ()


@dataclass(frozen=True)
class End:
    """No block is left: end the page as a script ends."""


@dataclass(frozen=True)
class Output:
    """What a block printed and drew, and the seconds it took, by the clock and of work.

    Where the value of the last expression has a form of its own, as in notebooks, that
    is `form`, of the type `kind` (`text/html`), and `plain` is its `repr`. A picture is
    one of the `figures`: SVG, or an `img` that holds it.
    """

    text: str = ""
    figures: list[str] = field(default_factory=list)
    seconds: float = 0.0
    work: float = 0.0  # seconds of processor time, child processes included
    form: str = ""
    kind: str = ""
    plain: str = ""
    values: dict[str, str] = field(default_factory=dict)  # in the prose, by their code


@dataclass(frozen=True)
class Failure:
    """Which block failed, and why; frames are in the block's own lines.

    Where a value in the prose after the block failed, `value` is its code.
    """

    message: str
    block: int
    value: str = ""


@dataclass
class Shown:
    """How the value of a last expression is shown, if it is not printed."""

    form: str = ""
    kind: str = ""
    plain: str = ""
    picture: str = ""
    figure: Any = None


def serve(connection: Connection, folder: Path, limit: float, name: str) -> None:
    """Answer each `Request` by an `Output`, `End` by None, or either by a `Failure`.

    The page's working directory is `folder/work`. A block that runs longer than `limit`
    seconds ends the process and leaves its stack in `folder/stack`, as a crash does.
    """
    if hasattr(os, "setsid"):
        os.setsid()  # one group, so that what a page starts can be stopped with it
    stack = (folder / "stack").open("w", encoding="utf8")
    faulthandler.enable(stack)
    page = Page(folder, name)
    with contextlib.suppress(EOFError):
        while True:
            request = connection.recv()
            faulthandler.dump_traceback_later(limit, exit=True, file=stack)
            ends = isinstance(request, End)
            answer = page.end(limit) if ends else page.answer(request)
            faulthandler.cancel_dump_traceback_later()
            connection.send(answer)


class Page:
    """A page while it runs: its namespace, and what its blocks leave behind."""

    def __init__(self, folder: Path, name: str) -> None:
        self.pid = os.getpid()
        self.forked = folder / "forked"  # a block that a second process ran to its end
        self.starts = False  # whether the block starts processes
        self.children: dict[int, int] = {}  # by process: the block that started it
        self.printed = Printed(folder)
        self.printed.replace_streams()
        self.streams = sys.stdout, sys.stderr
        (folder / "work").mkdir()
        os.chdir(folder / "work")
        sys.argv = [Path(name).with_suffix(".py").name]
        self.module = types.ModuleType("__main__")
        sys.modules["__main__"] = self.module
        figures.configure()
        _configure_warnings()
        _configure_processes()
        gc.freeze()  # what the server imported is no garbage: not looked through again
        inspect.getfile = _file_of  # type: ignore[assignment]  # more than files
        sys.addaudithook(self._notice)

    def answer(self, request: Request) -> Output | Failure:
        """Run a block."""
        block = request.block
        self.printed.begin(block)
        self.starts = False
        began, work = time.perf_counter(), _work()
        raised, shown = None, Shown()
        try:
            shown = execute(request.source, request.filename, self.module.__dict__)
        except BaseException as error:  # SystemExit and KeyboardInterrupt too
            raised = error
        if os.getpid() != self.pid:
            self._end_fork(block, raised)
        seconds, work = time.perf_counter() - began, _work() - work
        drawn, undrawn = _drawn(shown)
        text = self.printed.end(block)
        if self.starts:
            for child in psutil.Process().children(recursive=True):
                self.children.setdefault(child.pid, block)
        if problem := _unexpected(raised, request) or undrawn:
            return Failure(text + problem, block)
        if problem := self._unshown(text):
            return Failure(problem, block)
        try:
            values = evaluated(request.values, self.module.__dict__)
        except ValueFailedError as error:
            why = _traceback(error.__cause__ or error)
            return Failure(why, block, str(error))
        if left := self._left_behind():
            return left
        if raised:
            text += _last_line(raised)
        times = round(seconds, 3), round(work, 3)
        rich = shown.form, shown.kind, shown.plain
        return Output(text.rstrip(), drawn, *times, *rich, values)

    def end(self, limit: float) -> Failure | None:
        """End as a script does: wait for threads, then call what waits for the exit."""
        for call in reversed(getattr(threading, "_threading_atexits", [])):
            call()  # pools of threads end
        ends = time.monotonic() + min(limit, LONGEST_END)
        for thread in threading.enumerate():
            if thread is threading.main_thread() or thread.daemon:
                continue
            thread.join(max(0.0, ends - time.monotonic()))
            if thread.is_alive():
                block = self.printed.threads.get(thread, 0)
                return Failure(f"the thread {thread.name} does not end: join it", block)
        atexit._run_exitfuncs()
        for process in psutil.Process().children(recursive=True):
            if command := _command_of(process):
                last = max(self.children.values(), default=0)
                block = self.children.get(process.pid, last)
                why = f"it leaves a process running: {process.pid} ({command})"
                return Failure(f"{why}; end it in the block, and wait for it", block)
        return self._left_behind()

    def _notice(self, event: str, arguments: object) -> None:
        """Hear of what Python does: whether it starts processes."""
        if event in STARTS:
            self.starts = True

    def _left_behind(self) -> Failure | None:
        """What earlier blocks printed after their end, or ran in a second process."""
        if self.forked.exists():
            block = int(self.forked.read_text("utf8"))
            why = "a child of os.fork ran this block to its end, too"
            return Failure(f"{why}: let the child end by os._exit(0)", block)
        if late := self.printed.first_late():
            return Failure(f"{late.text.rstrip()}\n\n{LATE}", late.block)
        return None

    def _unshown(self, text: str) -> str:
        """Why the page cannot show what a block printed; empty if it can."""
        if control := CONTROL.search(text):
            hint = "print a repr"
            if control[0] == "\r":
                hint += "; a progress bar can be switched off (disable=True)"
            return f"it prints the control character {control[0]!r}: {hint}"
        for name, stream in zip(("stdout", "stderr"), self.streams, strict=True):
            if getattr(sys, name) is not stream:
                return f"it leaves sys.{name} replaced: what is printed would be lost"
        if len(text) > MOST_TEXT:
            return f"it prints {len(text)} characters; at most {MOST_TEXT} may be"
        return ""

    def _end_fork(self, block: int, raised: BaseException | None) -> NoReturn:
        """End a child of `os.fork` that has come to the end of the block."""
        if raised is None:
            self.forked.write_text(str(block), "utf8")
        elif not isinstance(raised, SystemExit):
            print(_traceback(raised), end="", file=sys.stderr)
        os._exit(0 if raised is None else 1)


def _command_of(process: psutil.Process) -> str:
    """The command of a process that runs; empty for a helper of Python's own."""
    try:
        command = " ".join(process.cmdline())[:200] or process.name()
        has_ended = process.status() == psutil.STATUS_ZOMBIE
    except psutil.Error:  # it has just ended
        return ""
    helps = "multiprocessing.resource_tracker" in command
    return "" if has_ended or helps else command


def _configure_warnings() -> None:
    """Old API is an error; other warnings are printed, but for those Python hides."""
    warnings.resetwarnings()
    for hidden in (ImportWarning, PendingDeprecationWarning, ResourceWarning):
        warnings.simplefilter("ignore", hidden)
    warnings.simplefilter("error", DeprecationWarning)
    warnings.simplefilter("error", FutureWarning)
    # Python 3.12 counts the watchdog of `faulthandler`, which holds no lock
    warnings.filterwarnings("ignore", ".*multi-threaded, use of fork")
    warnings.showwarning = lambda message, category, *place: print(
        f"{category.__name__}: {message}"
    )


def _configure_processes() -> None:
    """Fork the processes that a page starts; a fresh Python finds no page to import."""
    if sys.platform == "linux":
        multiprocessing.set_start_method("fork", force=True)

    def refuse(name: str) -> NoReturn:
        raise RuntimeError(
            "processes that start afresh cannot import what a page defines: put the"
            " code in a file, under if __name__ == '__main__', and run that by"
            " subprocess"
        )

    spawn.get_preparation_data = refuse  # called before each start


def _file_of(thing: Any, known: Any = inspect.getfile) -> str:
    """As `inspect.getfile`, which knows no file of a class of the page."""
    if isinstance(thing, type) and thing.__module__ == "__main__":
        return CLASSES.get(thing.__name__) or known(thing)
    return known(thing)


def _work() -> float:
    """Seconds of processor time so far; children count once they have ended."""
    return sum(os.times()[:4])


def execute(source: str, filename: str, namespace: dict[str, Any]) -> Shown:
    """Execute a block; print the value of a last expression, unless it ends in `;`.

    A value with a form for notebooks is not printed, but given back.
    """
    lines = source.splitlines(keepends=True)
    linecache.cache[filename] = (len(source), None, lines, filename)
    tree = ast.parse(source, filename)
    classes = (node for node in ast.walk(tree) if isinstance(node, ast.ClassDef))
    CLASSES.update({node.name: filename for node in classes})
    if "IPython" in source:
        _refuse_display()
    last = tree.body[-1] if tree.body else None
    if isinstance(last, ast.Expr) and not ends_in_semicolon(source):
        tree.body.pop()
    else:
        last = None
    exec(compile(tree, filename, "exec", dont_inherit=True), namespace)
    if last is None:
        return Shown()
    value = ast.Expression(last.value)
    code = compile(value, filename, "eval", dont_inherit=True)
    return _shown(eval(code, namespace))


def ends_in_semicolon(source: str) -> bool:
    """Whether the last word of code is a semicolon; comments are none."""
    words = tokenize.generate_tokens(io.StringIO(source).readline)
    return [word.string for word in words if word.type not in BLANK][-1:] == [";"]


def _shown(value: Any) -> Shown:
    """The form of a value; prints its `repr` if it has none."""
    if figures.is_figure(value):
        return Shown(figure=value)
    if found := forms.form_of(value):
        kind, content = found
        if kind.startswith("image/"):
            return Shown(picture=forms.picture(kind, content))
        return Shown(content, kind, repr(value))
    if value is not None:
        print(repr(value))
    return Shown()


def _refuse_display() -> None:
    """Let IPython's `display` say that a script shows nothing by it."""
    import IPython.display
    from IPython.core import display_functions

    def display(*values: Any, **options: Any) -> NoReturn:
        raise RuntimeError(
            "display() shows nothing in a script: let the value be the last line of a"
            " block, or print it"
        )

    IPython.display.display = display_functions.display = display


def _drawn(shown: Shown) -> tuple[list[str], str]:
    """The figures of a block, and why they cannot be drawn; empty if they can."""
    try:
        drawn = figures.collect(shown.figure)
    except Exception as error:  # of matplotlib, which draws only now
        why = "".join(traceback.format_exception_only(error))
        return [], f"its figure cannot be drawn: {why}"
    picture = [shown.picture] if shown.picture else []
    if sum(map(len, picture)) > figures.HEAVIEST:
        why = f"its picture weighs {len(shown.picture):,} bytes in the page"
        return [], f"{why}, and may weigh {figures.HEAVIEST:,}: show a smaller one"
    return drawn + picture, ""


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
    """The traceback without the frames of this package around the block's own."""
    report = traceback.TracebackException.from_exception(error)
    seen: set[int] = set()
    part: traceback.TracebackException | None = report
    while part is not None and id(part) not in seen:
        seen.add(id(part))
        while part.stack and part.stack[0].filename.startswith(OWN):
            part.stack.pop(0)
        part = part.__cause__ or part.__context__
    return "".join(report.format())


def _last_line(error: BaseException) -> str:
    lines = traceback.format_exception_only(error)
    return lines[-1] if isinstance(error, SyntaxError) else "".join(lines)
