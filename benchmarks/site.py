"""How long builds and reloads take: `python -m benchmarks.site`.

A site of eight pages is made in a temporary folder; each page imports torch and
matplotlib, computes a little and draws a figure. From the cold build the seconds of the
pages' own blocks are taken off. Each time stands beside its budget.
"""

import contextlib
import http.client
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from literate.project import ROOT

PAGES = 8
PAGE = """\
# Page {number}

Text of page {number}.

```python
import matplotlib.pyplot as plt
import torch

from snippets.{module} import scale

x = torch.linspace(0, {number}, 50)
y = scale(x).sin()
print(y.sum() > -1000)
```

```python alt="A sine wave."
plt.plot(x, y);
```
"""
SNIPPET = '''"""A number."""


def scale(x):
    """Scale."""
    return x * {factor}
'''
BUDGETS = {  # seconds, from the plan of the site
    "cold build, beyond the pages' own time": 5.0,
    "warm build": 1.0,
    "prose edit to reload": 1.0,
    "code edit to reload": 2.5,
    "snippet edit to reload": 2.5,
}


def make(folder: Path) -> Path:
    """A site of eight pages that uses this project's own literate/ and look."""
    project = folder / "project"
    for name in ("literate", "overrides", "docs/assets"):
        shutil.copytree(ROOT / name, project / name)
    text = (ROOT / "mkdocs.yml").read_text("utf8")
    text = text[: text.index("\nnav:")]  # the pages below are found by themselves
    (project / "mkdocs.yml").write_text(text, "utf8")
    (project / "docs" / "plan.md").write_text("# Plan\n", "utf8")
    (project / "docs" / "index.md").write_text("# Home\n", "utf8")
    for module in ("first", "second"):
        _write(project / "snippets" / f"{module}.py", SNIPPET.format(factor=1))
    _write(project / "snippets" / "__init__.py", '"""Snippets."""\n')
    for number in range(1, PAGES + 1):
        module = "first" if number <= PAGES // 2 else "second"
        path = project / "docs" / f"page-{number}.md"
        _write(path, PAGE.format(number=number, module=module))
    return project


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf8")


def environment(project: Path) -> dict[str, str]:
    """The project first on the path."""
    return {**os.environ, "PYTHONPATH": str(project), "NO_MKDOCS_2_WARNING": "1"}


def build(project: Path) -> float:
    """Seconds of one `mkdocs build`, the start of Python included."""
    started = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--quiet"],
        cwd=project,
        env=environment(project),
        check=True,
    )
    return time.perf_counter() - started


def own_seconds(project: Path) -> float:
    """The seconds that the blocks of all pages took, as the cache has them."""
    kept = (project / ".cache" / "pages").rglob("*.json")
    outputs = [output for path in kept for output in json.loads(path.read_text())]
    return sum(output["seconds"] for output in outputs)


def runs(project: Path) -> int:
    """How many runs of pages the cache holds."""
    return len(list((project / ".cache" / "pages").rglob("*.json")))


@contextlib.contextmanager
def serving(project: Path) -> Iterator[int]:
    """`mkdocs serve` on a free port, once it answers.

    Raises TimeoutError if it does not within five minutes, or has ended.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = ["-m", "mkdocs", "serve", "--quiet", "--dev-addr", f"127.0.0.1:{port}"]
    server = subprocess.Popen(
        [sys.executable, *command], cwd=project, env=environment(project)
    )
    try:
        deadline = time.monotonic() + 300
        while not answers(port):
            if server.poll() is not None or time.monotonic() > deadline:
                raise TimeoutError(f"mkdocs serve does not answer on port {port}")
            time.sleep(0.1)
        yield port
    finally:
        server.terminate()
        server.wait()


def answers(port: int) -> bool:
    """Whether a server is there."""
    try:
        get(port, "/")
    except OSError:
        return False
    return True


def get(port: int, path: str) -> str:
    """The text of a page of the server."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    connection.request("GET", path)
    return connection.getresponse().read().decode()


def reload_after(port: int, edit, page: str = "/page-1/") -> float:
    """Seconds from an edit until the server tells browsers to reload."""
    epoch = re.search(r"livereload\((\d+),", get(port, page))[1]
    started = time.perf_counter()
    edit()
    while int(get(port, f"/livereload/{epoch}/0")) <= int(epoch):
        pass
    return time.perf_counter() - started


def measure(project: Path) -> dict[str, float]:
    """All times, in the order of the budgets."""
    cold = build(project)
    own = own_seconds(project)
    times = {"cold build, beyond the pages' own time": cold - own}
    times["warm build"] = min(build(project) for _ in range(3))
    page = project / "docs" / "page-1.md"
    prose, code = page.read_text("utf8"), SNIPPET.format(factor=2)
    with serving(project) as port:
        edited = prose.replace("Text of page", "The text of page")
        times["prose edit to reload"] = reload_after(port, lambda: _write(page, edited))
        assert "The text of page 1" in get(port, "/page-1/")
        edited = edited.replace("0, 1, 50", "0, 1, 60")
        times["code edit to reload"] = reload_after(port, lambda: _write(page, edited))
        before = runs(project)
        snippet = project / "snippets" / "first.py"
        seconds = reload_after(port, lambda: _write(snippet, code))
        times["snippet edit to reload"] = seconds
        ran = runs(project) - before
    print(f"{PAGES} pages, {own:.1f} s of their own; a snippet edit ran {ran} again")
    assert ran == PAGES // 2, "only the pages that import the snippet may run again"
    return times


def main() -> int:
    """Print the table; exit code 1 if a time is over its budget."""
    with tempfile.TemporaryDirectory() as folder:
        times = measure(make(Path(folder)))
    for name, seconds in times.items():
        verdict = "ok" if seconds <= BUDGETS[name] else "OVER"
        print(f"{name:<42} {seconds:5.2f} s  budget {BUDGETS[name]:.1f} s  {verdict}")
    return int(any(times[name] > BUDGETS[name] for name in times))


if __name__ == "__main__":
    sys.exit(main())
