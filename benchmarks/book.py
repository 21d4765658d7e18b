"""What the machine costs, on the real book and on the book twice over.

    python -m benchmarks.book [--times 2] [--fresh]

Each row stands beside its goal. What must not grow with the book (an edit, a warm
start, a first answer) is measured at both sizes, and so is what may (a build,
collecting the tests), with the slope: 2.0 means twice the time for twice the pages.
Nothing else should run meanwhile. `--fresh` also runs all pages and labs once, with
nothing kept.
"""

import argparse
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tools import books
from tools.served import get, serving, settled, wait_for_news

FIRST = "first answer, nothing kept"
WARM = "first answer, all kept"
PROSE = "prose edited to new page"
CODE = "code edited to new page, beyond the blocks"
IMPORTED = "snippet edited to new page, beyond the blocks"
COLLECT = "collecting the tests, processor time"
BUILD = "build, all kept"
RUN_ALL = "build, all pages and labs run"
GOALS = {FIRST: 20.0, WARM: 4.0, PROSE: 1.0, CODE: 2.5, IMPORTED: 2.5, COLLECT: 8.0}
PAGE = "llm/day-3/self-attention"
SNIPPET = "attention"


def edit(port: int, page: str, file: Path, change: Callable[[str], str]) -> float:
    """Seconds from a change of a file until the page has it, all outputs included."""
    html = settled(port, page)
    text = file.read_text("utf8")
    changed = change(text)
    assert changed != text
    started = time.perf_counter()
    file.write_text(changed, "utf8", newline="\n")
    wait_for_news(port, page, html)
    settled(port, page)
    return time.perf_counter() - started


def own_seconds(port: int, page: str) -> float:
    """The seconds that the blocks of a page took, as it says itself."""
    match = re.search(r"its code ran in ([\d.]+) s", get(port, f"/{page}/")[1])
    assert match
    return float(match[1])


def run(project: Path, *arguments: str) -> tuple[float, float]:
    """Seconds by the clock and of processor time for a command."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.perf_counter()
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=project,
        env=books.environment(project),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    work = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return time.perf_counter() - started, work


def measure(project: Path) -> dict[str, float]:
    """All rows for one book whose outputs are kept."""
    found = {}
    run(project, "-m", "literate", "build")
    found[BUILD] = run(project, "-m", "literate", "build")[0]
    collect = ("-m", "pytest", "--collect-only", "-q")
    found[COLLECT] = run(project, *collect)[1]
    page = project / "docs" / f"{PAGE}.md"
    snippet = project / "snippets" / f"{SNIPPET}.py"
    with serving(project) as (port, seconds):
        found[WARM] = seconds
        found[PROSE] = min(
            edit(port, PAGE, page, lambda text: text + "\nMore words.\n")
            for _ in range(3)
        )
        for name, file, old in (
            (CODE, page, "```python\n"),
            (IMPORTED, snippet, "import math\n"),
        ):
            seconds = edit(port, PAGE, file, lambda t, o=old: t.replace(o, f"{o}\n", 1))
            found[name] = seconds - own_seconds(port, PAGE)
    with (
        tempfile.TemporaryDirectory() as empty,
        serving(project, DAYBOOK_CACHE=empty) as (_, seconds),
    ):
        found[FIRST] = seconds
    return found


def fresh(project: Path) -> float:
    """Seconds of a build with nothing kept."""
    shutil.rmtree(project / ".cache")
    return run(project, "-m", "literate", "build")[0]


def main() -> int:
    """Print the table; exit code 1 if a time is over its goal."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--times", type=int, default=2, help="copies of the book")
    parser.add_argument("--fresh", action="store_true", help="also run everything")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        sizes = [1, asked.times]
        found = []
        for times in sizes:
            project = books.real(Path(folder), times)
            found.append(measure(project))
            if asked.fresh:
                found[-1][RUN_ALL] = fresh(project)
    pages = [f"{'once' if times == 1 else f'{times} times':>9}" for times in sizes]
    print(f"{'the book':<48}{''.join(pages)}    slope  goal")
    over = False
    for name in found[0]:
        first, last = found[0][name], found[1][name]
        goal = GOALS.get(name)
        verdict = "" if goal is None else f"{goal:5.1f}  {verdict_of(last, goal)}"
        over = over or (goal is not None and last > goal)
        slope = last / max(first, 0.01)
        print(f"{name:<48}{first:8.2f}s{last:8.2f}s{slope:9.2f}  {verdict}")
    return int(over)


def verdict_of(seconds: float, goal: float) -> str:
    """Whether a goal is met."""
    return "ok" if seconds <= goal else "OVER"


if __name__ == "__main__":
    sys.exit(main())
