"""A page and a snippet begun by `python -m literate new`: they run as they are."""

import subprocess
import sys

import pytest

from literate import new
from literate.page import read
from literate.parse import parse
from literate.project import ROOT, PageError
from tools import books


@pytest.fixture
def book(tmp_path, monkeypatch):
    made = books.small(tmp_path)
    monkeypatch.setattr(new, "ROOT", made)
    return made


def test_a_page_has_its_parts_and_its_place(book):
    left = new.new("docs/llm/day-1/some-name.md")
    page = book / "docs" / "llm" / "day-1" / "some-name.md"
    parsed = parse(read(page))
    assert parsed.problems == ()
    assert len(parsed.blocks) == 3
    names = [box.name for box in parsed.declared]
    assert names == ["opening", "exercise", "solution", "question", "fact"]
    ids = [box.id for box in parsed.declared if box.id]
    assert all(name.startswith("llm-1-some-name-") for name in ids)
    listed = (book / "mkdocs.yml").read_text("utf8").splitlines()
    place = listed.index("      - Page: llm/day-1/page.md")
    assert listed[place + 1].strip() == "- Some name: llm/day-1/some-name.md"
    assert any("docs/plan.md" in line for line in left)


@pytest.mark.parametrize(
    "path",
    [
        "docs/llm/day-9/a.md",
        "docs/llm/a.md",
        "docs/llm/day-1/Über.md",
        "snippets/a-b.py",
        "snippets/../x.py",
        "",
    ],
)
def test_where_there_can_be_none_nothing_is_written(book, path):
    before = sorted(book.rglob("*"))
    with pytest.raises(PageError, match="nothing of the book is there; write docs/"):
        new.new(path)
    assert sorted(book.rglob("*")) == before


def test_nothing_is_written_over(book, capsys):
    (book / "proofs" / "some_name.py").write_text("mine", "utf8")
    before = sorted(book.rglob("*"))
    with pytest.raises(PageError, match=r"proofs/some_name.py: there already"):
        new.new("snippets/some_name.py")
    assert sorted(book.rglob("*")) == before
    assert new.main("snippets/some_name.py") == 1
    assert "nothing was written" in capsys.readouterr().err


def test_a_snippet_is_proved_tested_and_clean(book):
    assert new.main("snippets/some_name.py") == 0
    files = ["snippets/some_name.py", "proofs/some_name.py"]
    test = "tests/snippets/test_some_name.py"
    for name in ("proofs/__init__.py", "snippets/table.py"):
        (book / name).write_bytes((ROOT / name).read_bytes())
    proved = "from proofs import some_name, PROOFS; print([*PROOFS[0].pairs()][1])"
    for command in (
        ["-m", "ruff", "check", *files, test],
        ["-m", "ruff", "format", "--check", *files, test],
        ["-m", "pytest", "-q", "--noconftest", "-p", "no:cacheprovider", test],
        ["-c", proved],
    ):
        done = subprocess.run(
            [sys.executable, *command], cwd=book, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout + done.stderr
