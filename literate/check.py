"""What a writer runs before a commit: what `python -m literate check` does.

Lint, types, the site with the pages that were touched, and the tests that have
something to say since they were last green. The browser is left to the whole of the
tests.
"""

import subprocess
import sys
import tempfile
import time

from literate.project import ROOT


def check() -> int:
    """Run all parts, and say what failed and how long each took; the exit code."""
    with tempfile.TemporaryDirectory() as site:
        parts = {
            "lint": ["ruff", "check"],
            "format": ["ruff", "format", "--check"],
            "types": ["mypy"],
            "site": ["literate", "build", "--site-dir", site],
            "tests": ["pytest", "-q", "--changed", "-n", "auto"],
        }
        took = {name: _run(name, arguments) for name, arguments in parts.items()}
    for name, (seconds, code) in took.items():
        print(f"{name:<8}{seconds:6.1f} s  {'ok' if code == 0 else 'FAILED'}")
    return int(any(code for _, code in took.values()))


def _run(name: str, arguments: list[str]) -> tuple[float, int]:
    """Run a module; the seconds, and the exit code."""
    print(f"== {name}", flush=True)
    started = time.perf_counter()
    code = subprocess.call([sys.executable, "-m", *arguments], cwd=ROOT)
    no_tests = name == "tests" and code == 5  # all are green
    return time.perf_counter() - started, 0 if no_tests else code
