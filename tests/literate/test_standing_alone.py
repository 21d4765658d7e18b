"""Files that stand alone: imports from `snippets` replaced by what they import."""

import re

import pytest

from literate.handing_out import standing_alone
from literate.handing_out.standing_alone import Inliner, Module
from literate.project import SNIPPETS, PageError
from tests.processes import run_alone

FILES = [p for p in sorted(SNIPPETS.rglob("*.py")) if p.name != "__init__.py"]


@pytest.fixture
def snippets(tmp_path, monkeypatch):
    """Snippets to inline, in place of the project's."""
    folder = tmp_path / "snippets"
    (folder / "data").mkdir(parents=True)
    files = {
        "__init__.py": "",
        "base.py": '"""The base."""\n\nimport math\n\n# --8<-- [start:x]\nx = math.pi\n'
        "# --8<-- [end:x]\n",
        "user.py": '"""Uses it."""\n\nfrom snippets.base import x\n\n\ndef double():\n'
        '    return 2 * x\n\n\nif __name__ == "__main__":\n    print(double())\n',
        "clash.py": "x = 3\n",
        "reads.py": "from snippets.data import read_data\n\n"
        "text = read_data('a.txt')\n",
        "data/__init__.py": "def read_data(name): ...\n",
        "data/a.txt": "some 'text' \"of\" \\ any kind\n" * 20,
    }
    for name, text in files.items():
        (folder / name).write_text(text, "utf8")
    monkeypatch.setattr(standing_alone, "ROOT", tmp_path)
    monkeypatch.setattr(standing_alone, "SNIPPETS", folder)
    monkeypatch.setattr(
        standing_alone, "relative", lambda p: p.relative_to(tmp_path).as_posix()
    )
    return folder


def replaced(source: str) -> tuple[list[Module], str]:
    return Inliner("page.md", [source]).replace(source)


def run(code: str) -> dict:
    namespace: dict = {"__name__": "alone"}
    exec(code, namespace)
    return namespace


def test_a_module_stands_before_the_code_that_imports_it(snippets):
    modules, code = replaced(
        "import os\nfrom snippets.user import double\ny = double()"
    )
    assert [module.path for module in modules] == [
        "snippets/base.py",
        "snippets/user.py",
    ]
    assert [module.summary for module in modules] == ["The base.", "Uses it."]
    assert code.split("\n")[1] == "# from snippets.user, above: double"
    together = "\n".join([*(module.code for module in modules), code])
    assert "--8<--" not in together
    assert "__main__" not in together
    assert run(together)["y"] == pytest.approx(6.2832, abs=1e-4)


def test_other_statements_that_name_things_are_no_imports(snippets):
    code = "def count():\n    global snippets\n    snippets = 1"
    assert replaced(code) == ([], code)


def test_a_module_comes_once(snippets):
    inliner = Inliner("page.md", [])
    assert len(inliner.replace("from snippets.user import double")[0]) == 2
    assert inliner.replace("from snippets.base import x")[0] == []


@pytest.mark.parametrize(
    "source",
    [
        "import snippets.base",
        "import snippets",
        "from snippets import base",
        "from snippets.base import x as y",
        "from snippets.base import *",
        "from .base import x",
        "def f():\n    from snippets.base import x",
        "y = 1; from snippets.base import x",
        "from snippets.base import x; y = x",
    ],
)
def test_other_imports_are_errors(snippets, source):
    with pytest.raises(PageError, match=r"page\.md: .* at the top level"):
        replaced(source)


def test_a_module_that_is_not_there(snippets):
    with pytest.raises(PageError, match=r"no module snippets\.gone"):
        replaced("from snippets.gone import x")


def test_two_modules_with_one_name(snippets):
    source = "from snippets.base import x\nfrom snippets.clash import x"
    with pytest.raises(PageError, match=r"snippets\.base and snippets\.clash both"):
        replaced(source)


def test_a_page_that_gives_a_name_another_meaning(snippets):
    inliner = Inliner("page.md", [])
    inliner.replace("from snippets.user import double")
    inliner.check_page(["import math\nx = math.pi", "z = 3", "1 +"])
    with pytest.raises(PageError, match=r"defines 'x' anew, which snippets\.base"):
        inliner.check_page(["for x in range(3):\n    pass"])


def test_data_goes_along(snippets, tmp_path):
    modules, code = replaced("from snippets.reads import text")
    made = run("\n".join([*(module.code for module in modules), code]))
    assert made["text"] == (snippets / "data" / "a.txt").read_bytes()
    with pytest.raises(FileNotFoundError, match=r"'b\.txt'; there are: a\.txt"):
        made["read_data"]("b.txt")


def test_the_name_of_data_must_be_literal(snippets):
    source = "from snippets.data import read_data\nread_data(name)"
    with pytest.raises(PageError, match="must be literal"):
        replaced(source)


def test_code_that_does_not_parse_is_left_alone(snippets):
    assert replaced("1 +") == ([], "1 +")


def test_a_snippet_keeps_its_docstring_and_its_program(snippets):
    text = standing_alone.single_file(snippets / "user.py")
    assert text.startswith('"""Uses it."""')
    assert 'if __name__ == "__main__":' in text
    assert run(text)["double"]() == pytest.approx(6.2832, abs=1e-4)


@pytest.mark.parametrize(
    "fresh",
    [
        pytest.param(False, id="forked"),
        pytest.param(True, id="fresh", marks=pytest.mark.deep),
    ],
)
@pytest.mark.parametrize(
    "path", FILES, ids=lambda p: p.relative_to(SNIPPETS).as_posix()
)
def test_a_snippet_of_the_book_stands_alone(path, fresh, tmp_path):
    text = standing_alone.single_file(path)
    assert not re.search(r"^\s*(from|import) snippets", text, re.MULTILINE)
    alone = tmp_path / "alone.py"
    alone.write_text(text, "utf8")
    done = run_alone(alone, "alone", fresh)
    assert done.returncode == 0, done.stderr
    assert set(standing_alone.definitions(path.read_text("utf8"))) <= set(
        standing_alone.definitions(text)
    )
