"""The annotations are true: mypy, strict, as `pyproject.toml` sets it up."""

import subprocess
import sys

from literate.project import ROOT


def test_the_annotations_hold():
    command = [sys.executable, "-m", "mypy", "--no-error-summary"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_wrong_annotation_would_be_found(tmp_path):
    wrong = tmp_path / "wrong.py"
    wrong.write_text(
        "from snippets.digits import Digits\n\n\n"
        "def size(data: Digits) -> str:\n    return len(data.labels)\n",
        "utf8",
    )
    command = [sys.executable, "-m", "mypy", str(wrong)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 1
    assert 'wrong.py:5: error: Incompatible return value type (got "int"' in done.stdout
