"""Python of the project: ruff, and functions short enough to be read on a page."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from literate.project import ROOT, relative

MOST_LINES = 30  # of a function that readers copy, its docstring left out
SNIPPETS = sorted((ROOT / "snippets").rglob("*.py"))


@pytest.mark.parametrize("arguments", [["check"], ["format", "--check"]], ids=" ".join)
def test_ruff(arguments):
    command = [sys.executable, "-m", "ruff", *arguments, str(ROOT)]
    done = subprocess.run(command, capture_output=True, encoding="utf8")
    assert done.returncode == 0, done.stdout + done.stderr


def test_ruff_looks_at_the_files_that_people_write_and_no_others():
    """Named in pyproject.toml: a tree that was downloaded has no git to ask."""
    command = [sys.executable, "-m", "ruff", "check", "--show-files", str(ROOT)]
    shown = subprocess.run(command, capture_output=True, encoding="utf8", check=True)
    seen = {relative(Path(line)) for line in shown.stdout.splitlines()}
    folders = ("benchmarks", "docs/labs", "literate", "proofs", "snippets", "tests")
    for folder in (*folders, "tools"):
        written = {relative(path) for path in (ROOT / folder).rglob("*.py")}
        assert written and written <= seen
    labs = {name for name in seen if name.startswith("docs/labs/")}
    assert {name for name in seen if name.startswith("docs/")} == labs
    assert not any(name.startswith((".", "site/", "node_modules/")) for name in seen)


def length(function: ast.FunctionDef) -> int:
    """Lines from the signature to the end, without the docstring."""
    body = function.body
    docstring = body[0] if ast.get_docstring(function) else None
    lines = function.end_lineno - function.lineno + 1
    return lines - (docstring.end_lineno - docstring.lineno + 1 if docstring else 0)


@pytest.mark.parametrize("path", SNIPPETS, ids=lambda path: path.name)
def test_functions_that_readers_copy_are_short(path: Path):
    for node in ast.walk(ast.parse(path.read_text("utf8"))):
        if isinstance(node, ast.FunctionDef):
            assert length(node) <= MOST_LINES, f"{path.name}:{node.lineno} {node.name}"


@pytest.mark.parametrize("path", SNIPPETS, ids=lambda path: path.name)
def test_snippets_stand_on_their_own(path: Path):
    for node in ast.walk(ast.parse(path.read_text("utf8"))):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or ""]
        assert not any(name.split(".")[0] in ("literate", "tests") for name in names)
