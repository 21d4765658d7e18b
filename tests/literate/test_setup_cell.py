"""The cell that a notebook begins with: it installs on Colab, and prints versions."""

import importlib.metadata
import re
import subprocess
import sys
from types import ModuleType

import pytest

from literate.handing_out import labs, notebook, setup_cell
from literate.page import Page, pages
from literate.parse import parse

CHAPTERS = [page for page in pages() if parse(page).has_code]
SOURCES = ["import numpy as np\nimport math", "from PIL import Image\nimport torch"]


def pinned(package: str) -> str:
    (line,) = setup_cell.requirements()[package]
    return line


def run(cell, monkeypatch, on_colab: bool) -> list[list[str]]:
    """Run a cell; the commands that it started."""
    started: list[list[str]] = []
    monkeypatch.setattr(subprocess, "run", lambda done, check: started.append(done))
    if on_colab:
        monkeypatch.setitem(sys.modules, "google.colab", ModuleType("google.colab"))
    exec(compile(cell.source, "setup", "exec"), {})
    return started


def test_outside_of_colab_it_prints_versions_and_does_nothing_else(monkeypatch, capsys):
    (cell,) = setup_cell.cells(SOURCES)
    assert run(cell, monkeypatch, on_colab=False) == []
    names = ("numpy", "pillow", "torch")
    wanted = [f"{name} {importlib.metadata.version(name)}" for name in names]
    assert capsys.readouterr().out.splitlines() == wanted


def test_on_colab_it_installs_what_requirements_pin(monkeypatch):
    (cell,) = setup_cell.cells(SOURCES)
    (command,) = run(cell, monkeypatch, on_colab=True)
    assert command[:5] == [sys.executable, "-m", "pip", "install", "-q"]
    assert command[5:] == [pinned(name) for name in ("pillow", "torch", "torchvision")]
    assert pinned("torch").startswith("torch==2.")


def test_a_package_with_one_version_for_each_python_has_all_of_them():
    (cell,) = setup_cell.cells(["import scipy"])
    lines = setup_cell.requirements()["scipy"]
    assert len(lines) > 1
    assert all(f'"{line}",' in cell.source for line in lines)


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("def f():\n    import torchvision.transforms", {"torchvision"}),
        ("from torch.utils.tensorboard import SummaryWriter", {"torch", "tensorboard"}),
        ("from sklearn.datasets import load_digits", {"scikit-learn"}),
        ("import math, json\nfrom . import torch", set()),
        ("1 +", set()),
    ],
)
def test_packages_are_found_by_what_is_imported(source, found):
    assert setup_cell.packages([source]) == found


def test_a_notebook_that_needs_no_package_has_no_such_cell():
    book = notebook.notebook(Page(None, "```python\nimport math\nprint(1)\n```"))
    assert [cell.source for cell in book.cells] == ["import math\nprint(1)"]


@pytest.mark.parametrize("page", CHAPTERS, ids=lambda page: page.name)
def test_a_chapter_begins_with_what_it_imports_and_its_script_does_not(page):
    book = notebook.notebook(page)
    setup = [c for c in book.cells if setup_cell.TAG in c.metadata.get("tags", [])]
    assert setup == book.cells[: len(setup)]
    code = [c.source for c in book.cells if c.cell_type == "code"][len(setup) :]
    modules = {name for source in code for name in setup_cell.imported(source)}
    for module in modules - sys.stdlib_module_names:
        (package,) = setup_cell.packages([f"import {module}"])
        assert f" {package} " in named_by(setup[0])
    assert "google.colab" not in notebook.script(book)


def named_by(cell) -> str:
    """The packages whose versions a cell prints, with spaces around each."""
    (names,) = re.findall(r'for package in "(.*)"\.split', cell.source)
    return f" {names} "


@pytest.mark.parametrize("path", labs.labs(), ids=lambda path: path.stem)
def test_a_lab_begins_with_it_and_needs_no_file_of_the_project(path):
    cells = labs.stripped(path).cells
    assert cells[0].metadata["tags"] == [setup_cell.TAG]
    code = [cell.source for cell in cells if cell.cell_type == "code"]
    assert not any("snippets" in setup_cell.imported(source) for source in code)
    assert all(cell["id"] == f"cell-{n}" for n, cell in enumerate(cells))
