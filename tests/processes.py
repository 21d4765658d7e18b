"""Programs in processes of their own, for the price of a fork.

On Linux they are forked from a server that has imported torch and matplotlib, and that
never computes. On macOS and Windows, where that is not safe, and where a test asks for
it, each is a fresh interpreter. The server of `multiprocessing` will not do: a child of
it imports what the tests have imported, and these programs must find nothing of that.
"""

import atexit
import functools
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from literate.project import ROOT
from literate.running.surroundings import ENVIRONMENT
from tests.helpers import SLOW

Done = subprocess.CompletedProcess
FORKS = sys.platform == "linux"
PROJECT = ("snippets", "proofs", "literate", "tests")
SOURCE = Path(__file__).with_name("alone.py").read_text("utf8")


def inherited() -> dict[str, str]:
    """Our environment, without a path to the project that another test has set."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return kept | ENVIRONMENT


@dataclass(frozen=True)
class Program:
    """A file, or a module as for `python -m`, and what it finds when it starts."""

    folder: str  # where it works
    path: str = ""
    module: str = ""
    name: str = "__main__"  # what a file finds as `__name__`
    arguments: Sequence[str] = ()
    environment: dict[str, str] = field(default_factory=dict)
    hidden: Sequence[str] = ()  # packages that cannot be imported


def run_alone(
    file: Path, name: str, fresh: bool = False
) -> subprocess.CompletedProcess:
    """Run a file in its folder, where nothing of the project can be imported.

    `name` is what the file finds as `__name__`; `fresh` asks for a new interpreter.
    """
    program = Program(str(file.parent), str(file), name=name, hidden=PROJECT)
    return run_together([program], fresh)[0]


def run_program(program: str | Path, *arguments: str) -> Done:
    """Run a file, or a module by its dotted name, at the project's root with words."""
    given = {"path": str(program)} if isinstance(program, Path) else {"module": program}
    return run_together([Program(str(ROOT), arguments=arguments, **given)])[0]


def run_together(programs: Sequence[Program], fresh: bool = False) -> list[Done]:
    """Run programs side by side, to the end of each; the time of each is `SLOW`."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        requests = [
            request(program, Path(name, str(number)))
            for number, program in enumerate(programs)
        ]
        codes = start_afresh(requests) if fresh or not FORKS else fork(requests)
        return [
            Done(
                program.path or program.module,
                code,
                Path(asked["stdout"]).read_text("utf8"),
                Path(asked["stderr"]).read_text("utf8"),
            )
            for program, asked, code in zip(programs, requests, codes, strict=True)
        ]


def request(program: Program, files: Path) -> dict:
    """What `alone.py` is told; the streams go to files that begin with this name."""
    return asdict(program) | {
        "environment": {**inherited(), **program.environment},
        "stdout": f"{files}.stdout",
        "stderr": f"{files}.stderr",
        "seconds": SLOW,
    }


def fork(requests: list[dict]) -> list[int]:
    """Have the server run programs; their exit codes."""
    started = server()
    started.stdin.write(json.dumps(requests) + "\n")
    started.stdin.flush()
    if not (answer := started.stdout.readline()):
        raise RuntimeError("the server of processes has ended")
    return json.loads(answer)


@functools.cache
def server() -> subprocess.Popen:
    """The server of this process of the tests; it ends when its input does."""
    started = subprocess.Popen(
        [sys.executable, "-c", SOURCE],
        env=inherited(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        encoding="utf8",
        start_new_session=True,  # Ctrl-C is for the tests alone
    )
    atexit.register(started.communicate)
    return started


def start_afresh(requests: list[dict]) -> list[int]:
    """Run each program in an interpreter of its own; their exit codes."""
    started = []
    for asked in requests:
        with (
            Path(asked["stdout"]).open("wb") as stdout,
            Path(asked["stderr"]).open("wb") as stderr,
        ):
            started.append(
                subprocess.Popen(
                    [sys.executable, "-c", SOURCE, json.dumps(told(asked))],
                    env=asked["environment"],
                    stdin=subprocess.DEVNULL,
                    stdout=stdout,
                    stderr=stderr,
                )
            )
    try:
        return [process.wait(timeout=SLOW) for process in started]
    finally:
        for process in started:
            process.kill()
            process.wait()


def told(asked: dict) -> dict:
    """A request without the environment, which a new interpreter has already."""
    return asked | {"environment": {}}
