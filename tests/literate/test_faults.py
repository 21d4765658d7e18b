"""Builds that are cut off, collide or find no room: what was published stays whole."""

import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.helpers import SLOW, replace
from tests.literate.test_builds import BUILD, build, files
from tools import books

NO_ROOM = """\
import resource, sys
# a disk that takes no file beyond this size; Linux and macOS say so as of a full one
resource.setrlimit(resource.RLIMIT_FSIZE, (30_000, 30_000))
from literate.build import build
sys.exit(build())
"""
WAITS = "half(5)\nimport time; time.sleep(600)"


@pytest.fixture(scope="module")
def book(tmp_path_factory) -> Path:
    """A small book that was built once."""
    project = books.small(tmp_path_factory.mktemp("faults"))
    build(project)
    return project


@pytest.fixture
def copy(book, tmp_path) -> Path:
    return books.copy(book, tmp_path / "book")


def start(project: Path) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, *BUILD],
        cwd=project,
        env=books.environment(project),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def until(right, process: subprocess.Popen) -> None:
    """Wait for something that a build does."""
    ends = time.monotonic() + SLOW
    while not right():
        assert process.poll() is None and time.monotonic() < ends
        time.sleep(0.05)


def test_two_builds_at_once_give_one_whole_site(copy):
    before = files(copy / "site")
    shutil.rmtree(copy / "site")
    running = [start(copy), start(copy)]
    told = [process.communicate(timeout=SLOW) for process in running]
    assert [process.returncode for process in running] == [0, 0], told
    waited = ["Another build writes to" in stderr for _, stderr in told]
    assert sum(waited) <= 1  # on a busy machine the first may be over by then
    assert files(copy / "site") == before
    assert not list(copy.glob(".site.*"))


def test_a_second_build_waits_and_says_so(copy):
    page = copy / "docs" / "llm" / "day-1" / "page.md"
    replace(page, "half(5)", WAITS)
    first = start(copy)
    until((copy / ".site.part").exists, first)
    second = start(copy)
    try:
        assert "Another build writes to" in second.stderr.readline()
        assert second.poll() is None
    finally:
        for process in (second, first):
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=SLOW)


@pytest.mark.skipif(sys.platform == "win32", reason="signals are of POSIX systems")
def test_a_killed_build_leaves_the_site_that_was_there(copy):
    before = files(copy / "site")
    page = copy / "docs" / "llm" / "day-1" / "page.md"
    replace(page, "half(5)", WAITS)
    process = start(copy)
    until((copy / ".site.part").exists, process)
    process.kill()
    process.wait(timeout=SLOW)
    assert files(copy / "site") == before
    replace(page, WAITS, "half(5)")
    build(copy)
    assert files(copy / "site") == before
    assert not list(copy.glob(".site.*"))


@pytest.mark.skipif(sys.platform == "win32", reason="limits are of POSIX systems")
def test_a_full_disk_is_told_with_the_file_and_publishes_nothing_half(copy):
    before = files(copy / "site")
    done = books.run(copy, "-c", NO_ROOM)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "File too large" in done.stderr and ".site.part" in done.stderr
    assert "site is as it was before" in done.stderr
    assert files(copy / "site") == before
    assert not (copy / ".site.part").exists()


def test_a_build_that_fails_leaves_the_site_that_was_there(copy):
    before = files(copy / "site")
    page = copy / "docs" / "llm" / "day-1" / "page.md"
    replace(page, "half(5)", "half('five')")
    done = books.run(copy, *BUILD)
    assert done.returncode == 1 and "this block failed" in done.stderr
    assert files(copy / "site") == before
    assert not list(copy.glob(".site.*"))


def test_a_place_that_cannot_be_written_to_is_named(copy):
    (copy / "a-file").write_text("in the way", "utf8")
    done = books.run(copy, *BUILD, "--site-dir", "a-file/site")
    assert done.returncode == 1
    assert "a-file" in done.stderr and "Traceback" not in done.stderr
    assert "Nothing was published" in done.stderr


def test_a_site_whose_exchange_was_cut_off_comes_back(copy):
    before = files(copy / "site")
    (copy / "site").rename(copy / ".site.before")
    page = copy / "docs" / "llm" / "day-1" / "page.md"
    replace(page, "half(5)", "half('five')")
    assert books.run(copy, *BUILD).returncode == 1
    assert files(copy / "site") == before


def test_damaged_results_are_made_anew(copy):
    before = files(copy / "site")
    for path in (copy / ".cache").rglob("*.json"):
        path.write_text('{"half', "utf8")
    build(copy)
    after = files(copy / "site")
    assert set(after) == set(before)
    assert after["llm/day-1/page.ipynb"] == before["llm/day-1/page.ipynb"]
