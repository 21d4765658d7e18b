"""What people type: make, its Python, pinned requirements, the workflows."""

import os
import re
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from literate.project import ROOT
from tests import browser

MAKE = pytest.mark.skipif(
    os.name == "nt" or not shutil.which("make"), reason="make is for Linux and macOS"
)
SH = pytest.mark.skipif(os.name == "nt", reason="sh is for Linux and macOS")


def fake_python(folder: Path, name: str, version: str) -> None:
    """A program that says it is this Python."""
    usable = (3, 11) <= tuple(map(int, version.split("."))) <= (3, 14)
    path = folder / name
    path.write_text(
        f'#!/bin/sh\ncase "$1" in --version) echo "Python {version}";; '
        f"*) exit {int(not usable)};; esac\n"
    )
    path.chmod(path.stat().st_mode | stat.S_IEXEC)


def find_python(folder: Path, *arguments: str) -> subprocess.CompletedProcess:
    """Run the script with no other Python on the path."""
    for name in ("sh", "echo", "cat"):
        if found := shutil.which(name):
            (folder / name).symlink_to(found)
    script = str(ROOT / "tools" / "find-python.sh")
    return subprocess.run(
        [shutil.which("sh"), script, *arguments],
        env={"PATH": str(folder)},
        capture_output=True,
        encoding="utf8",
    )


@SH
@pytest.mark.parametrize(
    ("installed", "found"),
    [
        ({"python3": "3.12"}, "python3"),
        ({"python3": "3.9", "python": "3.11"}, "python"),
        ({"python3": "3.15", "python3.13": "3.13"}, "python3.13"),
        ({"python3.11": "3.11", "python3.14": "3.14"}, "python3.14"),
    ],
)
def test_a_usable_python_is_found(tmp_path, installed, found):
    for name, version in installed.items():
        fake_python(tmp_path, name, version)
    assert find_python(tmp_path).stdout.strip() == found


@SH
def test_without_a_usable_python_the_versions_are_named(tmp_path):
    fake_python(tmp_path, "python3", "3.10")
    done = find_python(tmp_path)
    assert done.returncode == 1 and done.stdout == ""
    assert "needs Python 3.11, 3.12, 3.13 or 3.14" in done.stderr
    assert "python3 is Python 3.10" in done.stderr
    assert "make PYTHON=" in done.stderr


@SH
def test_without_any_python_that_is_said(tmp_path):
    assert "no python at all" in find_python(tmp_path).stderr


@MAKE
def test_make_stops_with_that_message(tmp_path):
    fake_python(tmp_path, "old", "3.8")
    command = [
        "make",
        f"VENV={tmp_path / 'venv'}",
        f"PYTHON={tmp_path / 'old'}",
        "site",
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, encoding="utf8")
    assert done.returncode != 0
    assert "needs Python 3.11, 3.12, 3.13 or 3.14" in done.stderr
    assert not (tmp_path / "venv").exists()


def test_this_python_is_one_of_those_promised():
    assert (3, 11) <= sys.version_info[:2] <= (3, 14)


def test_every_requirement_is_pinned():
    lines = (ROOT / "requirements.txt").read_text("utf8").splitlines()
    names = [line for line in lines if line and not line.startswith(("#", "-e "))]
    assert len(names) > 50
    for line in names:
        assert re.match(r"[\w.-]+==[\w.+]+( ;.*)?$", line), line
    assert not any(re.match("nvidia|cuda|triton", line) for line in names)


def test_what_is_asked_for_by_name_is_pinned_as_asked():
    pinned = (ROOT / "requirements.txt").read_text("utf8").splitlines()
    for line in (ROOT / "requirements.in").read_text("utf8").splitlines():
        if "==" in line:
            assert line in pinned


def test_the_readme_names_commands_that_exist():
    readme = (ROOT / "README.md").read_text("utf8")
    makefile = (ROOT / "Makefile").read_text("utf8")
    targets = set(re.findall(r"(?:`|^)make ([a-z]+)", readme, re.MULTILINE))
    assert {"serve", "test", "site", "outputs"} <= targets
    for target in targets:
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


def test_the_readme_names_the_torch_and_the_torchvision_that_are_pinned():
    readme = (ROOT / "README.md").read_text("utf8")
    named = set(re.findall(r"torch(?:vision)?==[\d.]+", readme))
    assert len(named) == 2
    assert named <= set((ROOT / "requirements.txt").read_text("utf8").splitlines())


@MAKE
def test_make_takes_torch_and_torchvision_from_the_same_index():
    dry = ["make", "--dry-run", "--always-make", ".venv/ready"]
    lines = subprocess.run(dry, cwd=ROOT, capture_output=True, encoding="utf8").stdout
    command = lines.replace("\\\n", " ").split("-m pip install")[1]
    assert re.search(
        r"--extra-index-url \S+/whl/cpu +torch==\S+ torchvision==", command
    )


def workflow() -> dict:
    path = ROOT / ".github" / "workflows" / "test.yml"
    return yaml.safe_load(path.read_text("utf8"))["jobs"]


def test_the_workflow_tests_every_system_with_the_oldest_and_newest_python():
    matrix = workflow()["test"]["strategy"]["matrix"]
    assert {name.split("-")[0] for name in matrix["os"]} == {
        "ubuntu",
        "macos",
        "windows",
    }
    assert matrix["python"] == ["3.11", "3.14"]


def test_the_workflow_publishes_only_what_it_tested():
    steps = workflow()["test"]["steps"]
    (build,) = [step for step in steps if step.get("run") == "make site"]
    assert build["env"] == {"LITERATE": "frozen"}
    publish = workflow()["publish"]
    assert publish["needs"] == "test"
    assert "refs/heads/main" in publish["if"]
    assert not any("mkdocs" in step.get("run", "") for step in publish["steps"])


def test_without_a_browser_all_attempts_are_told(monkeypatch):
    monkeypatch.setattr(browser, "_installed", lambda playwright: "")
    monkeypatch.setattr(browser, "_run", lambda command: "no network")
    with pytest.raises(browser.NoBrowserError) as caught:
        browser.find(None)
    assert "playwright install chromium (no network)" in str(caught.value)
    assert "apt-get install chromium" in str(caught.value)


@pytest.mark.parametrize("ci", ["true", ""])
def test_a_missing_browser_is_skipped_with_the_reason_and_an_error_in_ci(tmp_path, ci):
    (tmp_path / "test_it.py").write_text(
        "import pytest\n"
        "from tests import browser as browsers\n"
        "from tests.conftest import browser\n\n\n"
        "@pytest.fixture(autouse=True, scope='session')\n"
        "def none():\n"
        "    def find(playwright):\n"
        "        raise browsers.NoBrowserError('no Chromium was found')\n"
        "    browsers.find = find\n\n\n"
        "def test_it(none, browser):\n"
        "    pass\n"
    )
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-rs",
            "-p",
            "no:cacheprovider",
            str(tmp_path),
        ],
        env={**os.environ, "CI": ci, "PYTHONPATH": str(ROOT), "PYTHONUTF8": "1"},
        cwd=tmp_path,
        capture_output=True,
        encoding="utf8",
    )
    if ci:
        assert done.returncode == 1 and "CI=true, and no Chromium" in done.stdout
    else:
        assert done.returncode == 0 and "1 skipped" in done.stdout
        assert "no Chromium was found" in done.stdout
