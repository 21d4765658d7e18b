"""What is kept, for how long, and what makes a page run again."""

import pytest

from literate import cache, dependencies
from literate.block import Block, Options
from literate.outputs import Runs
from literate.project import SNIPPETS
from literate.source import Page
from literate.worker import Output
from tools import portable


def block(source: str, index: int = 0, **options) -> Block:
    return Block(index, 1, f"top {index}", source, (2,), Options(**options))


@pytest.fixture
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setattr(cache, "CACHE", tmp_path)
    return tmp_path


@pytest.fixture
def snippets(tmp_path, monkeypatch):
    """A folder of snippets to change, in place of the project's."""
    folder = tmp_path / "snippets"
    files = {
        "__init__.py": "",
        "alone.py": "x = 1",
        "base.py": "y = 1",
        "user.py": "from snippets.base import y",
        "relative.py": "from .base import y",
        "package/__init__.py": "from . import inner",
        "package/inner.py": "from ..base import y",
        "package/data.txt": "text",
    }
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    proofs = tmp_path / "proofs"
    proofs.mkdir()
    (proofs / "__init__.py").write_text("", "utf8")
    (proofs / "some.py").write_text("from snippets.alone import x", "utf8")
    packages = {"snippets": folder, "proofs": proofs}
    monkeypatch.setattr(dependencies, "PACKAGES", packages)
    monkeypatch.setattr(dependencies, "ROOT", tmp_path)
    return folder


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("import torch", set()),
        ("import snippets.alone", {"__init__.py", "alone.py"}),
        ("from snippets import alone", {"__init__.py", "alone.py"}),
        ("from snippets.alone import x", {"__init__.py", "alone.py"}),
        ("import snippets.user", {"__init__.py", "user.py", "base.py"}),
        ("import snippets.relative", {"__init__.py", "relative.py", "base.py"}),
        ("run('python -m snippets.alone')", {"__init__.py", "alone.py"}),
        ("open('snippets/alone.py')", {"__init__.py", "alone.py"}),
        (
            "import snippets.package",
            {"__init__.py", "data.txt", "inner.py", "base.py"},
        ),
        ("from proofs import table", {"__init__.py", "some.py", "alone.py"}),
        ("from snippets import alone\n1 +", set()),
        ("import snippets.alone\n1 +", {"__init__.py", "alone.py"}),
    ],
)
def test_dependencies_are_found_by_reading(snippets, source, names):
    assert {path.name for path in dependencies.files([source])} == names


def test_the_book_s_own_attention_is_found():
    found = dependencies.files(["from snippets.attention import causal_mask"])
    assert SNIPPETS / "attention.py" in found


def test_the_key_changes_with_what_matters_and_with_nothing_else(snippets):
    blocks = [block("import snippets.user"), block("x = 1", 1)]
    key = cache.key(blocks)
    assert cache.key(blocks) == key
    assert cache.key([blocks[0], block("x = 2", 1)]) != key
    assert cache.key([blocks[0], block("x = 1", 1, raises="ValueError")]) != key
    assert cache.key([*blocks, block("x", 2, notest="a reason")]) == key
    assert cache.key([blocks[0], block("x = 1", 1, title="a title")]) == key
    (snippets / "alone.py").write_text("x = 2")
    assert cache.key(blocks) == key
    (snippets / "base.py").write_text("y = 2")
    assert cache.key(blocks) != key


def test_the_key_changes_with_the_installed_packages(monkeypatch):
    before = cache.environment()
    cache.environment.cache_clear()
    monkeypatch.setattr(cache.importlib.metadata, "distributions", list)
    assert cache.environment() != before
    cache.environment.cache_clear()


@pytest.mark.parametrize("name", sorted(portable.VARIABLES))
def test_outputs_of_another_setting_of_the_processor_are_others(monkeypatch, name):
    before = cache.environment()
    cache.environment.cache_clear()
    monkeypatch.setenv(name, "another")
    assert cache.environment() != before
    cache.environment.cache_clear()


def test_outputs_come_back_as_stored(own_cache):
    outputs = [Output("text\n√", ["<svg/>"], 1.5), Output()]
    cache.store("docs/a/page.md", "key", outputs)
    assert cache.load("docs/a/page.md", "key") == outputs
    assert cache.load("docs/a/page.md", "other") is None


@pytest.mark.parametrize("text", ["", "{", "[1]", '[{"wrong": 1}]', "null"])
def test_a_damaged_file_counts_as_none(own_cache, text):
    cache.store("page.md", "key", [])
    next(own_cache.rglob("key.json")).write_text(text)
    assert cache.load("page.md", "key") is None


def test_old_versions_are_dropped(own_cache):
    for number in range(cache.KEPT + 3):
        cache.store("page.md", f"key{number}", [])
    assert len(list(own_cache.rglob("*.json"))) == cache.KEPT


def test_a_page_runs_once_and_is_then_read(own_cache):
    page = Page(None, "")
    blocks = [block("import time; time.time()")]
    first = Runs().of(page, blocks).outputs
    assert Runs().of(page, blocks).outputs == first
    started_anew = Runs().start(page, blocks).result().outputs
    assert started_anew != first


def test_a_failure_is_never_kept(own_cache):
    runs, page, blocks = Runs(), Page(None, ""), [block("1 / 0")]
    assert runs.of(page, blocks).failed
    assert list(own_cache.rglob("*.json")) == []
    again = runs.of(page, blocks)
    assert again.failed and len(runs._futures) == 1


def test_a_frozen_build_only_reads(own_cache, monkeypatch):
    page, blocks = Page(None, ""), [block("'made by the tests'")]
    monkeypatch.setenv("LITERATE", "frozen")
    refused = Runs().of(page, blocks).failed.message
    assert "(text):1: LITERATE=frozen, and the tests have not run" in refused
    monkeypatch.setenv("LITERATE", "run")
    Runs().of(page, blocks)
    monkeypatch.setenv("LITERATE", "frozen")
    assert Runs().of(page, blocks).outputs[0].text == "'made by the tests'"


def test_the_other_pages_start_beside_the_first(own_cache):
    runs, page, other = Runs(), Page(None, "a"), OtherPage(None, "b")
    runs.of(page, [block("1")], others=lambda: [(other, [block("2")])])
    (future,) = [f for (name, _), f in runs._futures.items() if name == "other.md"]
    assert future.result().outputs[0].text == "2"


class OtherPage(Page):
    name = "other.md"
