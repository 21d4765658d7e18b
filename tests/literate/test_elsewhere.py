"""What runs on a page must run in its notebook and its script, or building says so."""

import pytest

from literate.handing_out.elsewhere import problem
from literate.project import PageError
from literate.running.worker import Output
from literate.showing import render
from tests.helpers import convert
from tests.literate.test_process import block

NOTEBOOK = "a notebook runs in a loop of its own"


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("import asyncio\nasyncio.run(f())", f"asyncio.run(f()): {NOTEBOOK}"),
        ("from asyncio import run\nrun(f())", f"import run: {NOTEBOOK}"),
        ("loop.run_until_complete(f())", NOTEBOOK),
        ("with asyncio.Runner() as runner: ...", NOTEBOOK),
        ("from __future__ import annotations", "move it to the first block"),
        ("parser.parse_args()", "a notebook has other arguments"),
    ],
)
def test_what_does_not_run_everywhere_is_told(source, reason):
    assert reason in problem(block(1, source))


@pytest.mark.parametrize(
    "source",
    [
        "import asyncio\nasyncio.sleep(1)",
        "model.run(x)",
        "parser.parse_args(['--help'])",
        "text = 'asyncio.run(f())'",
        "1 +",
    ],
)
def test_what_runs_everywhere_is_not_told(source):
    assert problem(block(1, source)) == ""


def test_the_first_block_may_look_into_the_future():
    assert problem(block(0, "from __future__ import annotations")) == ""


def test_a_block_that_does_not_run_may_show_anything():
    assert problem(block(1, "asyncio.run(f())", notest="a server")) == ""


def test_tests_and_builds_tell_it_with_the_line_of_the_block():
    source = "import asyncio\nasync def f(): return 3\nprint(asyncio.run(f()))"
    assert NOTEBOOK in render.problems(block(0, source), Output("3"))
    with pytest.raises(PageError, match=rf"\(text\):3: .*{NOTEBOOK}"):
        convert(f"text\n\n```python\n{source}\n```")
