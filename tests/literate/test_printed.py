"""What blocks print: both streams, in order, in their own block or refused."""

import os
import sys

import pytest

from literate.running import process
from tests.literate.test_process import block, failure_of, run_all, text_of

CHILD = "import subprocess, sys\nsay = [sys.executable, '-c', {!r}]\n"
SLEEPS = CHILD.format("import time; time.sleep(60)")
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="processes by fork")


def texts(*sources: str) -> list[str]:
    result = run_all(*sources)
    assert result.failed is None, result.failed.message
    return [output.text for output in result.outputs]


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("import sys\nprint('careful', file=sys.stderr)", "careful"),
        ("import logging\nlogging.warning('look out')", "WARNING:root:look out"),
        (CHILD.format("import sys; sys.exit('no')") + "subprocess.run(say);", "no"),
        ("import sys\nsys.__stdout__.write('below');", "below"),
        ("import os\nos.write(2, b'raw');", "raw"),
    ],
)
def test_what_goes_to_standard_error_is_shown(source, text):
    assert text_of(source) == text


def test_a_traceback_that_is_printed_is_shown():
    source = "import traceback\ntry:\n    1 / 0\nexcept ArithmeticError:\n"
    assert text_of(source + "    traceback.print_exc()").endswith(
        "ZeroDivisionError: division by zero"
    )


def test_an_error_in_a_thread_is_shown():
    source = (
        "import threading\nthread = threading.Thread(target=lambda: 1 / 0)\n"
        "thread.start()\nthread.join()"
    )
    assert text_of(source).endswith("ZeroDivisionError: division by zero")


def test_a_progress_bar_is_refused():
    message = failure_of("from tqdm import tqdm\nfor i in tqdm(range(2)): pass")
    assert "control character '\\r'" in message and "disable=True" in message


def test_both_streams_and_child_processes_stand_in_order():
    source = (
        CHILD.format("import sys; print('two'); print('three', file=sys.stderr)")
        + "print('one')\nsubprocess.run(say)\nprint('four', file=sys.stderr)\n"
        "print('five', end='')\nsubprocess.run(say);"
    )
    wanted = ["one", "two", "three", "four", "fivetwo", "three"]
    assert text_of(source).split("\n") == wanted


@LINUX
def test_what_a_fork_prints_is_shown():
    source = (
        "import os\nprint('parent')\nchild = os.fork()\nif child == 0:\n"
        "    print('child')\n    os._exit(0)\nos.waitpid(child, 0);"
    )
    assert text_of(source) == "parent\nchild"


@LINUX
def test_what_a_library_in_c_prints_is_shown():
    source = "import ctypes\nprint('a')\nctypes.CDLL(None).printf(b'b\\n');\nprint('c')"
    assert text_of(source) == "a\nb\nc"


@LINUX
def test_a_fork_that_goes_on_is_refused():
    message = failure_of("x = 1", "import os\nos.fork();", "import time\ntime.sleep(1)")
    assert message.startswith("page.md:20: ")
    assert "a child of os.fork ran this block to its end, too" in message


@LINUX
def test_a_fork_that_fails_says_why():
    source = (
        "import os\nchild = os.fork()\nif child == 0:\n    1 / 0\n"
        "os.waitpid(child, 0)[1] != 0"
    )
    shown = text_of(source).split("\n")
    assert shown[-2:] == ["ZeroDivisionError: division by zero", "True"]


LATE_THREAD = "import threading\nthreading.Timer({}, print, ['late']).start()"


def test_a_thread_that_prints_after_its_block_is_refused():
    message = failure_of("x = 1", LATE_THREAD.format(0.3))
    assert message.startswith("page.md:20: ")
    assert "late\n\nthis came after the block had ended" in message


def test_a_thread_that_prints_in_a_later_block_is_not_shown_there():
    wait = "import time\ntime.sleep(0.6)\nprint('mine')"
    result = run_all("x = 1", LATE_THREAD.format(0.2), wait, "1 / 0")
    assert result.failed.block == 1
    assert [output.text for output in result.outputs] == [""]
    assert "late\n\nthis came after the block had ended" in result.failed.message
    assert "mine" not in result.failed.message


def test_a_process_that_prints_in_a_later_block_is_refused():
    code = "import time; time.sleep(0.2); print('late')"
    start = CHILD.format(code) + "child = subprocess.Popen(say)"
    result = run_all("x = 1", start, "child.wait();")
    assert result.failed.block == 1 and "late" in result.failed.message


def test_a_process_that_is_left_behind_is_refused():
    start = SLEEPS + "child = subprocess.Popen(say)"
    message = failure_of("x = 1", start, "x")
    assert message.startswith("page.md:20: ")
    assert "it leaves a process running" in message and "time.sleep(60)" in message


def test_a_process_that_a_later_block_ends_is_none_left_behind():
    start = SLEEPS + "child = subprocess.Popen(say)"
    assert texts(start, "child.kill()\nchild.wait();", "1") == ["", "", "1"]


def test_a_pool_of_threads_may_stay():
    pool = (
        "from concurrent.futures import ThreadPoolExecutor\npool = ThreadPoolExecutor()"
        "\npool.submit(int).result()"
    )
    assert texts(pool, "pool.submit(abs, -1).result()") == ["0", "1"]


def test_a_quiet_thread_in_the_background_may_stay():
    start = "import threading, time\n"
    start += "threading.Thread(target=time.sleep, args=[60], daemon=True).start()"
    assert texts(start, "1") == ["", "1"]


def test_what_is_printed_at_exit_is_refused():
    message = failure_of("import atexit\natexit.register(print, 'bye');")
    assert "bye\n\nthis came after the block had ended" in message


def test_a_dead_process_leaves_what_it_printed():
    message = failure_of("import os\nprint('so far')\nos._exit(7)")
    assert "it ended its process with exit code 7\nso far" in message


@pytest.mark.parametrize("kind", ["spawn", "forkserver"])
def test_processes_that_start_afresh_are_refused_at_once(kind):
    if os.name == "nt" and kind == "forkserver":
        pytest.skip("not on Windows")
    source = (
        "import multiprocessing as mp\ndef f(x):\n    return x + 1\n"
        f"with mp.get_context({kind!r}).Pool(1) as p:\n    print(p.map(f, [1]))"
    )
    message = failure_of(source)
    assert "processes that start afresh cannot import what a page defines" in message


@LINUX
def test_the_usual_processes_know_the_page():
    source = (
        "import multiprocessing as mp\ndef f(x):\n    print('in the pool')\n"
        "    return x + 1\nwith mp.Pool(1) as p:\n    print(p.map(f, [1]))"
    )
    assert text_of(source) == "in the pool\n[2]"


def test_a_warning_of_drawing_stands_in_its_own_block():
    draw = (
        "import matplotlib.pyplot as plt\nfig, ax = plt.subplots(figsize=(0.3, 0.3))\n"
        "ax.set_ylabel('a very long label here'); ax.set_xlabel('another long label');"
    )
    first, second = texts(draw, "print('second')")
    assert first.startswith("UserWarning: constrained_layout not applied")
    assert second == "second"


@pytest.mark.parametrize(
    ("draw", "reason"),
    [
        (r"plt.title('$\\frac{1$');", "ValueError"),
        ("plt.rcParams['text.usetex'] = True\nplt.title('x');", "latex"),
        (
            "import random\npoints = [random.random() for _ in range(50_000)]\n"
            "plt.scatter(points, points);",
            "it weighs",
        ),
        (
            "from matplotlib.animation import FuncAnimation\n"
            "moving = FuncAnimation(plt.figure(), print, frames=2)",
            "an animation moves",
        ),
    ],
)
def test_a_figure_that_cannot_be_drawn_names_block_and_reason(draw, reason):
    message = failure_of("x = 1", f"import matplotlib.pyplot as plt\n{draw}")
    assert message.startswith("page.md:20: ")
    assert "its figure cannot be drawn: " in message and reason in message


def test_an_expected_error_does_not_hide_a_figure_that_fails():
    source = "import matplotlib.pyplot as plt\nplt.title('$\\\\frac{1$')\n1 / 0"
    result = process.run_page("page.md", [block(0, source, raises="ArithmeticError")])
    assert "its figure cannot be drawn" in result.failed.message
