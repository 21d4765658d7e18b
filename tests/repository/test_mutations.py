"""Tests of the tests: each of these mistakes must turn them red.

Mistakes are made on a small book, or in the source of one snippet, and only the part
that guards against them is run: the doctests of the pages, the build, or one test. The
small book without mistakes passes the same parts.
"""

import importlib.util
import re
import shutil
import sys
from pathlib import Path
from types import ModuleType

import pytest

from literate import expected, plan
from literate.page import Page
from literate.project import ROOT
from tests.helpers import replace
from tests.literate import test_frozen, test_labs, test_pages
from tests.snippets import test_attention
from tools import books

DOCTESTS = ("-m", "pytest", "-q", "-p", "no:cacheprovider", "docs")
BUILD = ("-m", "literate", "build")


@pytest.fixture(scope="module")
def book(tmp_path_factory) -> Path:
    """A small book whose outputs a person has accepted."""
    project = books.small(tmp_path_factory.mktemp("small"))
    done = books.run(project, *DOCTESTS, "--update-outputs")
    assert done.returncode == 0, done.stdout + done.stderr
    return project


@pytest.fixture
def copy(book, tmp_path) -> Path:
    """A copy of the small book, to make mistakes in; nobody has built it."""
    made = books.copy(book, tmp_path / "book")
    shutil.rmtree(made / "site", ignore_errors=True)
    return made


def told(project: Path, command: tuple[str, ...]) -> str:
    """What a command says, which must fail."""
    done = books.run(project, *command)
    assert done.returncode != 0, done.stdout
    return done.stdout + done.stderr


@pytest.mark.parametrize("command", [DOCTESTS, BUILD], ids=["doctests", "build"])
def test_the_small_book_is_green(book, command):
    done = books.run(book, *command)
    assert done.returncode == 0, done.stdout + done.stderr


PAGE_MISTAKES = {
    "printed": ("```python\n1 + 2\n```", "this block prints something new"),
    "failing": (
        "!!! note\n\n    ```python\n    assert 1 == 2\n    ```",
        "this block failed",
    ),
    "drawing": (
        "```python\nimport matplotlib.pyplot as plt\nplt.plot([1]);\n```",
        "say what it shows",
    ),
    "spelling": ("```Py\n1\n```", "not ```Py"),
    "twice": ('```python tol="0.1" tol="0.2"\n1.0\n```', "given twice"),
}


def test_doctests_find_each_mistake_of_a_page_and_name_its_line(copy):
    for name, (text, _) in PAGE_MISTAKES.items():
        path = copy / "docs" / f"{name}.md"
        path.write_text(f"# {name}\n\n{text}\n", "utf8")
    said = told(copy, (*DOCTESTS, "--continue-on-collection-errors"))
    for name, (_, message) in PAGE_MISTAKES.items():
        assert f"docs/{name}.md:" in said and message in said, (name, said)


def test_doctests_find_an_expectation_that_is_no_longer_met(copy):
    replace(copy / "tests" / "expected" / "index.txt", "42", "43")
    said = told(copy, (*DOCTESTS[:-1], "docs/index.md"))
    assert "docs/index.md:" in said and "prints something new" in said


def test_a_build_finds_links_anchors_and_images_that_lead_nowhere(copy):
    page = copy / "docs" / "llm" / "day-1" / "page.md"
    text = "[a](/llm/day-9/index.md) [b](index.md#gone) ![c](/assets/gone.png)"
    page.write_text(page.read_text("utf8") + f"\n\n{text}\n", "utf8")
    said = told(copy, BUILD)
    for message in ("llm/day-9/index.md", "#gone", "assets/gone.png"):
        assert message in said


def test_a_build_tells_all_that_is_wrong_with_a_page(copy):
    page = copy / "docs" / "index.md"
    wrong = '$\\frac{1}{2$\n\n--8<-- "numbers.py:gone"\n\n<no-widget></no-widget>\n\n'
    wrong += "```Py\n1\n```\n"
    page.write_text(page.read_text("utf8") + f"\n\n{wrong}", "utf8")
    said = told(copy, BUILD)
    unknown = "unknown widget <no-widget>"
    for message in ("does not parse", "'gone'", unknown, "not ```Py"):
        assert message in said
    assert said.count("docs/index.md:") == 4


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        ("docs/index.md", "double(21)", "double(one)", "this block failed"),
        ("docs/index.md", "double(21)", FIGURE := "import matplotlib.pyplot as plt\n"
         "plt.plot([1]);", "say what it shows"),
        ("docs/plan.md", "{#llm-1-page}", "{#llm-2-page}", "docs/plan.md:"),
        ("docs/plan.md", "{#llm-1-page}", "{#llm-1-pages}", "has no task"),
        ("docs/labs/small.py", "assert two == 2", "assert two == 3", "this lab failed"),
    ],
)  # fmt: skip
def test_a_build_stops_at(copy, file, old, new, message):
    replace(copy / file, old, new)
    assert message in told(copy, BUILD)
    assert not (copy / "site" / "llm").exists() or file.startswith("docs/labs")


# ---- one test each, on a changed source, in this process ------------------------


def changed(path: Path, old: str, new: str) -> ModuleType:
    """The module in a file, as it would be with a replacement in its text."""
    text = path.read_text("utf8")
    assert old in text
    spec = importlib.util.spec_from_loader("changed", loader=None)
    module = importlib.util.module_from_spec(spec)
    sys.modules["changed"] = module  # dataclasses look there
    exec(compile(text.replace(old, new, 1), str(path), "exec"), module.__dict__)
    return module


ATTENTION_MISTAKES = {
    "no causal mask": (
        "device=device).tril()",
        "device=device)",
        test_attention.test_attention_with_a_causal_mask_equals_is_causal,
        (),
    ),
    "beyond the mask": (
        "    weights = scores.softmax(dim=-1)\n    if mask is not None:",
        "    weights = scores.softmax(dim=-1)\n    if mask is None:",
        test_attention.test_attention_equals_pytorch_in_values_and_gradients,
        (test_attention.MASKS["none"],),
    ),
    "no root": (
        "(q / math.sqrt(q.size(-1))) @ k",
        "q @ k",
        test_attention.test_attention_equals_pytorch_in_values_and_gradients,
        (test_attention.MASKS["none"],),
    ),
}


@pytest.mark.parametrize("mistake", ATTENTION_MISTAKES)
def test_a_wrong_attention_is_found(mistake, monkeypatch):
    old, new, test, arguments = ATTENTION_MISTAKES[mistake]
    test(*arguments)  # green as it is
    module = changed(ROOT / "snippets" / "attention.py", old, new)
    for name in vars(test_attention):
        if hasattr(module, name):
            monkeypatch.setattr(test_attention, name, getattr(module, name))
    with pytest.raises((AssertionError, TypeError)):
        test(*arguments)


def test_a_renamed_task_is_found(monkeypatch):
    text = plan.PLAN.read_text("utf8")
    assert "{#llm-3-llama}" in text
    page = Page(plan.PLAN, text.replace("{#llm-3-llama}", "{#llm-3-llamas}"))
    monkeypatch.setattr(plan, "read", lambda path: page)
    frozen = test_frozen.listed(test_frozen.FROZEN / "tasks.txt")
    (told,) = test_frozen.wrong(test_frozen.used()["tasks"], frozen, [])
    assert told.startswith("llm-3-llama is gone")


def test_a_wrong_lab_is_found(tmp_path, monkeypatch):
    lab = test_labs.labs.FOLDER / "self-attention.py"
    wrong = test_labs.labs.DOCS / "labs" / "self-attention.py"
    text = lab.read_text("utf8")
    assert "dtype=torch.bool).tril()" in text
    copy = tmp_path / "self-attention.py"
    copy.write_text(
        text.replace("dtype=torch.bool).tril()", "dtype=torch.bool).triu()")
    )
    monkeypatch.setattr(test_labs.labs, "relative", lambda path: wrong.name)
    error, _ = test_labs.run(test_labs.labs.solved(copy))
    assert "differs from is_causal=True" in str(error)


def test_a_stale_expectation_is_found(monkeypatch):
    page = next(page for page in test_pages.PAGES if page.name == "docs/index.md")
    test_pages.test_no_expectation_is_stale(page)
    kept = expected.read(page.path) | {"gone 1": "text"}
    monkeypatch.setattr(expected, "read", lambda path: kept)
    with pytest.raises(AssertionError, match="make outputs removes what is stale"):
        test_pages.test_no_expectation_is_stale(page)


def test_the_tests_of_a_file_run_in_one_process(copy):
    """Else two processes would run one page, or build what a module shares twice."""
    done = books.run(copy, *DOCTESTS, "-v", "-v", "-n", "2")
    assert done.returncode == 0, done.stdout + done.stderr
    ran = re.findall(r"\[(gw\d)\].* (docs/\S+?)::", done.stdout)
    assert len(ran) > len({path for _, path in ran}) > 1
    assert len(set(ran)) == len({path for _, path in ran})
