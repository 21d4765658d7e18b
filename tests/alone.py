"""Becomes a program: the text that `tests/processes.py` gives to `python -c`.

With an argument it runs one program. Without, it is a server: it imports torch and
matplotlib, computes nothing, and forks a child for each program that it is asked for.
It imports nothing of the project, since a program would find it imported.
"""

import gc
import json
import os
import runpy
import signal
import sys


def serve() -> dict | None:
    """Answer each line, a list of programs, by a line with their exit codes.

    The programs of a line run side by side. Returns twice: in a child the program that
    it is to become, and in the server, at the end of the input, nothing.
    """
    for line in sys.stdin:
        children = []
        for program in json.loads(line):
            child = os.fork()
            if child == 0:
                redirect(program)
                return program
            children.append(child)
        states = [os.waitpid(child, 0)[1] for child in children]
        print(json.dumps([os.waitstatus_to_exitcode(s) for s in states]), flush=True)
    return None


def redirect(program: dict) -> None:
    """Connect the three standard streams to the program's files, and set its alarm."""
    write = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    for stream, path, flags in (
        (0, os.devnull, os.O_RDONLY),
        (1, program["stdout"], write),
        (2, program["stderr"], write),
    ):
        opened = os.open(path, flags, 0o600)
        os.dup2(opened, stream)
        os.close(opened)
    os.environ.clear()
    os.environ.update(program["environment"])
    signal.alarm(program["seconds"])  # ends it, with exit code -14
    torch.default_generator.seed()  # at random, as in a fresh interpreter
    numpy.random.seed()


def become(program: dict) -> None:
    """Run a file, or a module as `python -m` does."""
    os.chdir(program["folder"])
    sys.modules |= dict.fromkeys(program["hidden"])  # None: not to be imported
    if program["module"]:
        sys.argv = [program["module"], *program["arguments"]]
        runpy.run_module(program["module"], run_name="__main__", alter_sys=True)
    else:
        sys.argv = [program["path"], *program["arguments"]]
        runpy.run_path(program["path"], run_name=program["name"])


if len(sys.argv) > 1:
    become(json.loads(sys.argv[1]))
else:
    import matplotlib.pyplot  # noqa: F401
    import numpy
    import torch

    gc.freeze()  # children need not look through what is here already
    if wanted := serve():
        become(wanted)
