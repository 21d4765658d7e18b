"""A forked program finds what a fresh one does, and nothing of the project."""

import json
from pathlib import Path

import pytest

from literate.project import ROOT
from literate.running.surroundings import ENVIRONMENT
from tests.processes import FORKS, Program, run_alone, run_together

FINDS = """
import json, os, sys
imported = [name for name in sys.modules if name.startswith(
    ("snippets", "proofs", "literate", "tests", "pytest", "_pytest"))]
def can(name):
    try:
        __import__(name)
    except ImportError:
        return False
    return True
print(json.dumps({
    "name": __name__,
    "file": __file__,
    "folder": os.getcwd(),
    "files": os.listdir(),
    "environment": dict(os.environ),
    "arguments": sys.argv,
    "imported": [name for name in imported if sys.modules[name]],
    "importable": [n for n in ("snippets", "proofs", "literate", "tests") if can(n)],
    "path": sys.path,
    "input": sys.stdin.read(),
    "threads": __import__("torch").get_num_threads(),
    "hash": hash("text"),
    "backend": __import__("matplotlib").get_backend(),
    "names": sorted(globals()),
}))
"""
WAYS = [pytest.param(True, id="fresh"), pytest.param(False, id="forked")]


def written(folder: Path, source: str) -> Path:
    path = folder / "program.py"
    path.write_text(source, "utf8")
    return path


def finds(folder: Path, name: str, fresh: bool) -> dict:
    done = run_alone(written(folder, FINDS), name, fresh)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return json.loads(done.stdout)


@pytest.mark.parametrize("name", ["__main__", "alone"])
def test_a_forked_program_finds_what_a_fresh_one_does(tmp_path, name):
    fresh, forked = (finds(tmp_path, name, fresh) for fresh in (True, False))
    assert forked == fresh
    assert fresh["name"] == name
    assert fresh["files"] == ["program.py"]
    assert Path(fresh["folder"]) == tmp_path.resolve()
    assert fresh["imported"] == fresh["importable"] == []
    assert fresh["environment"].items() >= ENVIRONMENT.items()


@pytest.mark.parametrize("fresh", WAYS)
def test_how_a_program_ends_is_told(tmp_path, fresh):
    ends = {
        "print('a'); raise ValueError('b')": (1, "a\n", "ValueError: b\n"),
        "import sys; print('é'); sys.exit(3)": (3, "é\n", ""),
        "import atexit; atexit.register(print, 'last'); print('first')": (
            0,
            "first\nlast\n",
            "",
        ),
        "import os; os.write(1, b'raw'); os._exit(7)": (7, "raw", ""),
    }
    for source, (code, printed, told) in ends.items():
        done = run_alone(written(tmp_path, source), "__main__", fresh)
        assert (done.returncode, done.stdout) == (code, printed)
        assert done.stderr.endswith(told) and bool(done.stderr) == bool(told)


def test_a_program_leaves_nothing_to_the_next(tmp_path):
    leaves = "import os, torch; os.environ['LEFT'] = '1'; torch.left = 1"
    assert run_alone(written(tmp_path, leaves), "__main__").returncode == 0
    looks = "import os, torch; print('LEFT' in os.environ, hasattr(torch, 'left'))"
    assert run_alone(written(tmp_path, looks), "__main__").stdout == "False False\n"


def test_programs_draw_other_numbers(tmp_path):
    draws = "import numpy, torch; print(torch.rand(2), numpy.random.rand(2))"
    path = written(tmp_path, draws)
    assert len({run_alone(path, "__main__").stdout for _ in range(3)}) == 3


@pytest.mark.parametrize("fresh", WAYS)
def test_a_module_runs_with_its_words(fresh):
    program = Program(
        str(ROOT), module="json.tool", arguments=["--help"], environment={"A": "b"}
    )
    (done,) = run_together([program], fresh)
    assert done.returncode == 0, done.stderr
    assert "json.tool" in done.stdout


@pytest.mark.parametrize("fresh", WAYS)
def test_programs_run_side_by_side(tmp_path, fresh):
    """Each waits for what the other writes."""
    source = (
        "import os, pathlib, time\n"
        "pathlib.Path(os.environ['MINE']).touch()\n"
        "while not pathlib.Path(os.environ['OTHER']).exists():\n    time.sleep(0.01)\n"
    )
    path = written(tmp_path, source)
    names = [("a", "b"), ("b", "a")]
    programs = [
        Program(str(tmp_path), str(path), environment={"MINE": mine, "OTHER": other})
        for mine, other in names
    ]
    assert [done.returncode for done in run_together(programs, fresh)] == [0, 0]


@pytest.mark.skipif(not FORKS, reason="programs are forked on Linux alone")
def test_a_program_that_hangs_is_ended(tmp_path, monkeypatch):
    monkeypatch.setattr("tests.processes.SLOW", 1)
    done = run_alone(written(tmp_path, "import time; time.sleep(99)"), "__main__")
    assert done.returncode < 0


def test_a_forked_program_has_torch_at_once(tmp_path):
    source = "import sys; print('torch' in sys.modules)"
    done = run_alone(written(tmp_path, source), "alone")
    assert done.stdout == f"{FORKS}\n"
