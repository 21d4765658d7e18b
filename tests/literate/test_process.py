"""The process of a page: state, output, figures, errors, and every way to die."""

import os
import re
import sys
import time
from pathlib import Path

import pytest

from literate.block import Block, Options
from literate.running import process

POSIX = pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")


def block(index: int, source: str, **options) -> Block:
    """A block as if it stood on lines 10, 20, 30 … of a page."""
    line = 10 * (index + 1)
    numbers = tuple(range(line + 1, line + 2 + source.count("\n")))
    return Block(index, line, f"top {index + 1}", source, numbers, Options(**options))


def run_all(*sources: str, limit: float = 60.0) -> process.PageRun:
    return process.run_page(
        "page.md", [block(i, s) for i, s in enumerate(sources)], limit
    )


def text_of(source: str) -> str:
    result = run_all(source)
    assert result.failed is None, result.failed.message
    return result.outputs[0].text


def failure_of(*sources: str, **options) -> str:
    result = run_all(*sources, **options)
    assert result.failed is not None
    return result.failed.message


def test_blocks_share_their_state_and_pages_do_not():
    result = run_all("x = 1", "x += 1", "x")
    assert [output.text for output in result.outputs] == ["", "", "2"]
    assert "NameError" in failure_of("x")


def test_the_value_of_a_last_expression_is_printed():
    assert text_of("print('a')\n'b'") == "a\n'b'"
    assert text_of("'b';") == ""
    assert text_of("None") == ""
    assert text_of("x = 3") == ""
    assert text_of("x = 3\nx  # shown;") == "3"
    assert text_of("x = 3\nx; # hidden") == ""
    assert text_of("';'  # a semicolon in a text") == "';'"


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("print('a\\x1b[31mred')", "control character '\\x1b'"),
        ("print('5 %\\r6 %')", "control character '\\r'"),
        ("print('a\\x9bb')", "control character '\\x9b'"),
        ("import sys, io; sys.stderr = io.StringIO()", "sys.stderr replaced"),
        ("import sys, io; sys.stdout = io.StringIO()", "sys.stdout replaced"),
    ],
)
def test_what_a_page_cannot_show_is_an_error(source, message):
    assert message in failure_of(source)


def test_bytes_that_are_no_text_are_shown_as_escapes():
    source = r"import sys; sys.stdout.buffer.write(b'\xff'); sys.stdout.buffer.flush()"
    assert text_of(source) == r"\xff"


def test_processor_time_is_measured_with_that_of_children():
    burn = "import time\nwhile time.process_time() < 0.3: pass"
    code = f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {burn!r}]);"
    busy, asleep = run_all(code, "import time; time.sleep(0.3)").outputs
    assert busy.work > 0.25
    assert asleep.work < asleep.seconds


def test_a_warning_is_printed_and_old_api_is_an_error():
    warn = "import warnings\nwarnings.warn('careful', {})"
    assert text_of(warn.format("UserWarning")) == "UserWarning: careful"
    for category in ("DeprecationWarning", "FutureWarning"):
        assert f"{category}: careful" in failure_of(warn.format(category))


def test_a_figure_is_svg_in_the_ink_of_the_page():
    source = "import matplotlib.pyplot as plt\nplt.plot([1, 2], label='0.123456')\n"
    (output,) = run_all(source + "plt.legend();").outputs
    (svg,) = output.figures
    assert svg.startswith("<svg") and svg.endswith("</svg>")
    assert "currentColor" in svg
    assert "<style" not in svg and "#010203" not in svg and "DejaVu" not in svg
    assert ">0.123456<" in svg  # text is never rounded
    assert run_all(source, "plt.get_fignums()").outputs[1].text == "[]"


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere they start afresh")
def test_data_loader_workers_can_be_used():
    source = """
import torch
from torch.utils.data import DataLoader, TensorDataset
data = TensorDataset(torch.arange(6))
for (batch,) in DataLoader(data, batch_size=3, num_workers=2):
    print(batch.tolist())
"""
    assert text_of(source) == "[0, 1, 2]\n[3, 4, 5]"


def test_a_page_computes_after_another_has_computed():
    product = "import torch\na = torch.randn(300, 300)\n(a @ a).shape"
    for _ in range(2):
        assert text_of(product) == "torch.Size([300, 300])"


def test_the_working_directory_is_the_page_s_own_and_gone_afterwards():
    folder = text_of("import os\nopen('file', 'w').write('x')\nprint(os.getcwd())")
    folder = folder.split("\n")[-1]
    assert not Path(folder).exists()


def test_snippets_can_be_imported_from_anywhere():
    assert text_of("from snippets.attention import causal_mask\ncausal_mask(1)")


def test_an_expected_error_is_the_output():
    result = process.run_page(
        "page.md", [block(0, "print('a')\nraise KeyError('b')", raises="LookupError")]
    )
    assert result.outputs[0].text == "a\nKeyError: 'b'"
    wrong = block(0, "1 +", raises="SyntaxError")
    assert (
        process.run_page("page.md", [wrong]).outputs[0].text
        == "SyntaxError: invalid syntax"
    )


def test_an_expected_error_that_does_not_come_fails():
    quiet = process.run_page("page.md", [block(0, "x = 1", raises="ValueError")])
    assert "it must raise ValueError, and raised nothing" in quiet.failed.message
    other = process.run_page("page.md", [block(0, "1 / 0", raises="ValueError")])
    assert "ZeroDivisionError" in other.failed.message


def test_a_failure_names_page_lines_and_shows_the_block():
    message = failure_of("def f(n):\n    return 1 / n", "x = 0\nf(x)")
    assert message.startswith("page.md:20: this block failed")
    assert "  22 | f(x)" in message
    assert 'File "page.md", line 22, in <module>\n    f(x)' in message
    assert 'File "page.md", line 12, in f\n    return 1 / n' in message
    assert "worker.py" not in message
    assert message.endswith("ZeroDivisionError: division by zero")


def test_blocks_after_a_failure_do_not_run():
    result = run_all("x = 1", "1 / 0", "print('never')")
    assert len(result.outputs) == 1 and result.failed.block == 1


def test_a_chained_error_is_told_whole():
    source = (
        "try:\n    1 / 0\nexcept ArithmeticError as e:\n    raise KeyError('b') from e"
    )
    message = failure_of(source)
    assert "ZeroDivisionError" in message and "KeyError: 'b'" in message


def test_a_block_that_runs_too_long_is_stopped_with_its_stack():
    message = failure_of("import time\n\ntime.sleep(10_000)", limit=1.0)
    assert message.startswith("page.md:10: ")
    assert "it ran longer than 1 s" in message
    assert 'File "page.md", line 13 in <module>' in message


@pytest.mark.parametrize(
    "source",
    ["import sys\nsys.exit(3)", "raise SystemExit(3)", "raise KeyboardInterrupt"],
)
def test_leaving_the_program_is_a_failure(source):
    assert "SystemExit: 3" in failure_of(source) or "Keyboard" in failure_of(source)


def test_a_process_that_ends_is_told_with_its_exit_code():
    assert "it ended its process with exit code 7" in failure_of(
        "import os\nos._exit(7)"
    )


@POSIX
def test_a_process_that_is_killed_is_told_with_a_guess_at_memory():
    source = "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)"
    assert "killed by SIGKILL, most often for want of memory" in failure_of(source)


@POSIX
def test_a_crash_leaves_the_stack():
    message = failure_of("import ctypes\n\nctypes.string_at(0)")
    assert "SIGSEGV" in message
    assert 'File "page.md", line 13 in <module>' in message


@POSIX
def test_what_a_page_starts_ends_with_it():
    source = (
        "import subprocess, sys\n"
        "code = 'import time; time.sleep(60)'\n"
        "child = subprocess.Popen([sys.executable, '-c', code])\n"
        "print('pid', child.pid)\n"
        "1 / 0"
    )
    pid = int(re.search(r"^pid (\d+)$", failure_of(source), re.M)[1])
    for _ in range(50):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return
        if sys.platform == "linux" and _is_zombie(pid):
            return
        time.sleep(0.1)
    pytest.fail("the child still runs")


def _is_zombie(pid: int) -> bool:
    status = Path(f"/proc/{pid}/stat").read_text("utf8")
    return status.rpartition(")")[2].split()[0] == "Z"


def test_a_flood_of_text_is_refused():
    assert "at most 20000 may be" in failure_of("print('x' * 30_000)")


def test_blocks_with_notest_do_not_run():
    blocks = [block(0, "1 / 0", notest="a reason"), block(1, "2")]
    result = process.run_page("page.md", blocks)
    assert [output.text for output in result.outputs] == ["", "2"]
