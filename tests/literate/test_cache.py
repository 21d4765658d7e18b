"""What is kept, for how long, and what makes a page run again."""

import threading
import time

import pytest

from literate import progress, store
from literate.block import Block, Options
from literate.page import Page
from literate.parse import Parsed, parse
from literate.project import SNIPPETS
from literate.running import cache, dependencies, schedule
from literate.running.process import PageRun
from literate.running.schedule import Progress, Schedule
from literate.running.worker import Output
from tools import portable


def block(source: str, index: int = 0, **options) -> Block:
    return Block(index, 1, f"top {index}", source, (2,), Options(**options))


@pytest.fixture
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setattr(cache, "CACHE", tmp_path)
    monkeypatch.setattr(store, "CACHE", tmp_path)
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


def test_the_key_changes_with_the_packages_that_pages_use(monkeypatch):
    before = store.environment()
    store.environment.cache_clear()
    monkeypatch.setattr(
        store, "version_of", lambda name: "0.1" if name == "torch" else "1"
    )
    assert store.environment() != before
    store.environment.cache_clear()


@pytest.mark.parametrize("name", sorted(portable.VARIABLES))
def test_outputs_of_another_setting_of_the_processor_are_others(monkeypatch, name):
    before = store.environment()
    store.environment.cache_clear()
    monkeypatch.setenv(name, "another")
    assert store.environment() != before
    store.environment.cache_clear()


def test_outputs_come_back_as_kept(own_cache):
    outputs = [Output("text\n√", ["<svg/>"], 1.5), Output()]
    cache.save("docs/a/page.md", "key", outputs)
    assert cache.load("docs/a/page.md", "key") == outputs
    assert cache.load("docs/a/page.md", "other") is None


@pytest.mark.parametrize("text", ["", "{", "[1]", '[{"wrong": 1}]', "null"])
def test_a_damaged_file_counts_as_none(own_cache, text):
    cache.save("page.md", "key", [])
    next(own_cache.rglob("key.json")).write_text(text)
    assert cache.load("page.md", "key") is None


def test_old_versions_are_dropped(own_cache):
    for number in range(store.KEPT + 3):
        cache.save("page.md", f"key{number}", [])
    assert len(list(own_cache.rglob("*.json"))) == store.KEPT


def page_of(source: str, **meta) -> Parsed:
    """A page with one block."""
    return parse(Page(None, f"```python\n{source}\n```", meta=meta))


def finished(parsed: Parsed) -> PageRun:
    return schedule.finished(parsed, Schedule())


def test_a_page_runs_once_and_is_then_read(own_cache):
    parsed = page_of("import time; time.time()")
    first = finished(parsed)
    assert finished(parsed).outputs == first.outputs
    key = cache.key(parsed.blocks)
    assert schedule.run(parsed, key).outputs == first.outputs  # another process did it
    (kept,) = own_cache.rglob("*.json")
    kept.unlink()
    assert finished(parsed).outputs != first.outputs


def test_a_failure_is_never_kept(own_cache):
    jobs, parsed = Schedule(), page_of("1 / 0")
    assert schedule.finished(parsed, jobs).failed
    assert list(own_cache.rglob("*.json")) == []
    assert schedule.finished(parsed, jobs).failed
    assert jobs.progress().failed == jobs.progress().done == 1
    jobs.forget_failures(parsed.page.name)
    assert jobs.progress().done == 0


def test_a_frozen_build_only_reads(own_cache, monkeypatch):
    parsed = page_of("'made by the tests'")
    monkeypatch.setenv("LITERATE", "frozen")
    refused = finished(parsed).failed.message
    assert "(text):1: LITERATE=frozen, and the tests have not run" in refused
    monkeypatch.setenv("LITERATE", "run")
    finished(parsed)
    monkeypatch.setenv("LITERATE", "frozen")
    assert finished(parsed).outputs[0].text == "'made by the tests'"


def test_a_page_that_runs_is_shown_without_its_outputs(own_cache):
    jobs, parsed = Schedule(), page_of("'at last'")
    assert schedule.at_once(parsed, jobs).running
    (job,) = jobs._jobs.values()
    job.future.result()
    assert schedule.at_once(parsed, jobs).outputs[0].text == "'at last'"


def test_what_somebody_waits_for_runs_before_the_rest(monkeypatch):
    monkeypatch.setattr(schedule, "cores", lambda: 1)
    jobs, order, go = Schedule(), [], threading.Event()
    jobs.start("zero", "", go.wait)
    rest = [jobs.start(name, "", lambda n=name: order.append(n)) for name in "abc"]
    wanted = jobs.start("c", "", lambda: None, first=True)
    assert wanted is rest[2]
    go.set()
    for future in rest:
        future.result()
    assert order == ["c", "a", "b"]


def test_progress_counts_what_runs_waits_and_failed(monkeypatch):
    monkeypatch.setattr(schedule, "cores", lambda: 1)
    jobs, go = Schedule(), threading.Event()
    told = []
    jobs.listeners.append(lambda: told.append(jobs.progress()))
    futures = [jobs.start(name, "", go.wait) for name in "ab"]
    jobs.start("wrong", "", lambda: 1 / 0)
    while not jobs.progress().running:
        time.sleep(0.01)
    assert jobs.progress() == Progress(done=0, failed=0, running=("a",), waiting=2)
    go.set()
    for future in futures:
        future.result()
    while jobs.progress().done < 3:
        time.sleep(0.01)
    assert told[0].running == ("a",)
    assert jobs.progress() == Progress(done=3, failed=1, running=(), waiting=0)


def test_the_line_of_progress_says_what_is_left():
    text = progress.line(Progress(10, 1, ("docs/a.md",), 9), 20.0)
    assert text == (
        "pages and labs: 10 of 20 run · running a.md · 1 failed · about 20 s left"
    )
    assert progress.line(Progress(20, 0, (), 0), 300.0).endswith("20 run · took 5 min")
