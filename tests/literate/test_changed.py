"""`pytest --changed`: what was green as it is now is left out."""

import re

import pytest

from tests.helpers import replace
from tools import books

TEST = "from snippets.numbers import double\n\n\ndef test_it():\n    assert {}\n"
CHANGED = ("-m", "pytest", "--changed")


@pytest.fixture
def book(tmp_path):
    """A small book with a test, and its outputs accepted."""
    project = books.small(tmp_path)
    for folder in ("tests/snippets", "tests/literate"):
        (project / folder).mkdir(parents=True)
        (project / folder / "__init__.py").write_text("")
    (project / "tests/snippets/test_numbers.py").write_text(TEST.format("double(1)"))
    (project / "tests/literate/test_page.py").write_text(
        "from literate.page import pages\n\n\ndef test_it():\n    assert pages()\n"
    )
    done = books.run(project, "-m", "pytest", "-q", "docs", "--update-outputs")
    assert done.returncode == 0, done.stdout
    return project


def ran(project) -> set[str]:
    """The files whose tests run; what ran is then green, unless it failed."""
    done = books.run(project, *CHANGED, "-v")
    assert done.returncode in (0, 1, 5), done.stdout + done.stderr
    found = re.findall(r"^(\S+?)::.* (?:PASSED|FAILED)", done.stdout, re.MULTILINE)
    return set(found)


def test_only_what_has_something_to_say_runs(book):
    home, page = "docs/index.md", "docs/llm/day-1/page.md"
    numbers, reads = "tests/snippets/test_numbers.py", "tests/literate/test_page.py"
    assert {home, page, numbers, reads} == ran(book)
    assert ran(book) == set()

    replace(book / page, "Text with", "Words with")  # prose: no snippet depends on it
    assert ran(book) == {page, reads}

    replace(book / "snippets" / "numbers.py", "Twice x.", "Two times x.")
    assert ran(book) == {home, numbers}

    replace(book / "tests" / "expected" / "index.txt", "42", "43")
    assert ran(book) == {home}
    assert ran(book) == {home}  # it failed, and is not green
    replace(book / "tests" / "expected" / "index.txt", "43", "42")
    assert ran(book) == set()  # as it was when it was green

    replace(book / "literate" / "page.py", "A page as", "A page, as")
    assert ran(book) >= {reads}


def test_a_file_of_which_only_some_tests_ran_is_not_noted(book):
    done = books.run(book, "-m", "pytest", "-q", "tests", "-k", "test_it")
    assert done.returncode == 0, done.stdout
    assert "tests/snippets/test_numbers.py" in ran(book)
