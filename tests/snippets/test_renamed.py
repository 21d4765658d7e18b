"""Names that modules of `snippets` once had: they still work, and say the new one."""

import importlib
import subprocess
import sys

import pytest

import snippets
from literate.project import ROOT, SNIPPETS
from snippets import NAMES, RENAMED

CHANGED = [(where, *names) for where in NAMES for names in NAMES[where].items()]


@pytest.fixture
def unloaded(monkeypatch):
    """No old name has been imported in this process."""
    for old in RENAMED:
        monkeypatch.delitem(sys.modules, f"snippets.{old}", raising=False)


@pytest.mark.parametrize(("old", "new"), RENAMED.items(), ids=RENAMED)
def test_an_old_name_is_the_new_module_and_warns(old, new, unloaded):
    old, new = f"snippets.{old}", f"snippets.{new}"
    with pytest.warns(DeprecationWarning, match=f"^{old} is now {new}: import") as told:
        found = importlib.import_module(old)
    assert found is importlib.import_module(new)
    assert found.__name__ == found.__spec__.name == new
    assert len(told) == 1


def test_the_warning_points_at_the_import(unloaded):
    with pytest.warns(DeprecationWarning) as told:
        exec(compile("from snippets.init import fans", "a_reader.py", "exec"), {})
    assert told[0].filename == "a_reader.py"


@pytest.mark.parametrize("old", RENAMED)
def test_no_file_has_an_old_name(old):
    path = SNIPPETS.joinpath(*old.split("."))
    assert not path.with_suffix(".py").exists()
    assert not (path / "__init__.py").exists()


@pytest.mark.parametrize("new", RENAMED.values())
def test_no_new_name_is_an_old_one(new):
    assert new not in RENAMED
    assert SNIPPETS.joinpath(*new.split(".")).with_suffix(".py").is_file()


def test_names_in_a_module_that_have_changed():
    """All of the table: the old name is the new thing, it warns, and it is gone."""
    for where, old, new in CHANGED:
        module = importlib.import_module(f"snippets.{where}")
        assert old not in vars(module)
        with pytest.warns(DeprecationWarning, match=f"{where}.{old} is now {new}: use"):
            found = getattr(module, old)
        place, _, name = new.rpartition(".")
        owner = importlib.import_module(f"snippets.{place or where}")
        assert found is getattr(owner, name)


def test_a_name_that_has_changed(monkeypatch):
    monkeypatch.setitem(NAMES, "stopwatch", {"measure_call": "time_call"})
    monkeypatch.delitem(sys.modules, "snippets.stopwatch", raising=False)
    monkeypatch.delattr(snippets, "stopwatch", raising=False)
    code = "from snippets.stopwatch import measure_call, time_call"
    names: dict = {}
    with pytest.warns(
        DeprecationWarning, match="measure_call is now time_call"
    ) as told:
        exec(compile(code, "a_reader.py", "exec"), names)
    assert names["measure_call"] is names["time_call"]
    assert told[0].filename == "a_reader.py"
    with pytest.raises(ImportError, match="cannot import name 'measure'"):
        exec("from snippets.stopwatch import measure", {})


def test_other_names_are_not_found():
    with pytest.raises(ModuleNotFoundError, match=r"snippets\.initial"):
        importlib.import_module("snippets.initial")


def test_a_program_runs_by_its_old_name():
    done = subprocess.run(
        [sys.executable, "-m", "snippets.image_files", "no-such-folder"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    new = [sys.executable, SNIPPETS / "image_dataset.py", "no-such-folder"]
    expected = subprocess.run(new, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == expected.returncode == 1
    assert "no-such-folder" in done.stderr


def test_the_table_needs_no_torch():
    code = "import sys, snippets; print(len(snippets.RENAMED), 'torch' in sys.modules)"
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    assert done.stdout.split() == [str(len(RENAMED)), "False"]
