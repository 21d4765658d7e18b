"""What a page finds around it: the same, whoever builds the book and how."""

import ast
import json
import os
import subprocess
import sys

import pytest

from literate.project import ROOT
from literate.running.surroundings import for_pages, inherited_by_pages
from tests.literate.test_process import run_all, text_of

ASK = (
    "import argparse, json, locale, os, shutil, sys, time\n"
    "import matplotlib\n"
    "locale.setlocale(locale.LC_ALL, '')\n"
    "json.dumps([sys.argv, argparse.ArgumentParser().parse_args().__dict__,\n"
    "    shutil.get_terminal_size().columns,\n"
    "    time.strftime('%H %Z', time.localtime(0)),\n"
    "    locale.localeconv()['decimal_point'],\n"
    "    sys.flags.optimize, sys.flags.utf8_mode, sys.warnoptions,\n"
    "    matplotlib.rcParams['axes.grid'], 'FORCE_COLOR' in os.environ])"
)
WANTED = [["page.py"], {}, 80, "00 UTC", ".", 0, 1, [], False, False]
STRANGE = {
    "COLUMNS": "33",
    "TZ": "Asia/Tokyo",
    "LC_ALL": "de_DE.UTF-8",
    "PYTHONOPTIMIZE": "1",
    "PYTHONWARNINGS": "ignore",
    "PYTHONUTF8": "0",
    "FORCE_COLOR": "1",
}
BUILDER = """
import sys
from tests.literate.test_process import run_all
if __name__ == "__main__":
    sys.argv = ["mkdocs", "build"]
    for source in {}:
        result = run_all(source)
        print(result.failed.message if result.failed else result.outputs[0].text)
"""
SHORT = "assert 1 == 2, 'asserts count'"
CHILD = "import subprocess, sys\nsubprocess.run([sys.executable, '-c', 'assert 0']);"


def test_a_page_sees_nothing_of_whoever_builds(tmp_path):
    style = tmp_path / "matplotlibrc"
    style.write_text("axes.grid: True\n", "utf8")
    done = subprocess.run(
        [sys.executable, "-O", "-c", BUILDER.format([ASK, SHORT, CHILD])],
        cwd=ROOT,
        env=os.environ | STRANGE | {"MPLCONFIGDIR": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    first, *others = done.stdout.split("\n")
    assert json.loads(ast.literal_eval(first)) == WANTED, done.stderr
    assert "AssertionError: asserts count" in others
    assert others.count("AssertionError") == 1  # of the child


def test_a_page_finds_the_defaults_where_nothing_is_strange():
    assert json.loads(ast.literal_eval(text_of(ASK))) == WANTED


def test_the_builder_keeps_its_own_environment():
    before = dict(os.environ)
    with inherited_by_pages():
        assert os.environ["TZ"] == "UTC"
    assert dict(os.environ) == before


def test_what_says_where_files_are_stays():
    kept = {"PATH": "a", "PYTHONPATH": "b", "HOME": "c", "TIKTOKEN_CACHE_DIR": "d"}
    assert kept.items() <= for_pages(kept | {"LC_NUMERIC": "de_DE"}).items()
    assert "LC_NUMERIC" not in for_pages({"LC_NUMERIC": "de_DE"})


@pytest.mark.parametrize(
    "source",
    [
        "open('a.txt', 'w').write('x');",
        "import warnings\nwarnings.warn('later', PendingDeprecationWarning)",
        "import warnings\nwarnings.warn('odd', ImportWarning)",
    ],
)
def test_warnings_that_python_hides_are_hidden(source):
    assert text_of(source) == ""


def test_the_source_of_what_a_page_defines_is_there():
    twice = "class A:\n    x = 2\n\nclass B:\n    class C:\n        y = 1"
    ask = "import inspect\nprint(inspect.getsource(A), inspect.getsource(B.C))"
    result = run_all("z = 1\nclass A:\n    x = 1", twice, ask)
    assert result.outputs[2].text == "class A:\n    x = 2\n     class C:\n        y = 1"
    function = run_all("def f():\n    return 1", "import inspect\ninspect.getsource(f)")
    assert function.outputs[1].text == repr("def f():\n    return 1\n") or (
        function.outputs[1].text == repr("def f():\n    return 1")
    )


def test_standard_input_is_empty():
    source = "import subprocess, sys\nsay = 'import sys; print([sys.stdin.read()])'\n"
    assert text_of(source + "subprocess.run([sys.executable, '-c', say]);") == "['']"
