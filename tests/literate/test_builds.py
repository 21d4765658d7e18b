"""Builds, on a small book: the settings, what is kept, what is written where."""

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.helpers import replace
from tools import books

BUILD = ("-m", "literate", "build")
COUNTING = """\
import sys
from literate import parse, store
from literate.showing import result
from literate.handing_out import notebook, standing_alone

# a page without a path is no page of the book
counts = dict.fromkeys(("parsed", "converted", "notebooks", "bundles"), 0)

def count(module, name, key):
    function = getattr(module, name)
    def counted(*arguments, **keywords):
        counts[key] += getattr(arguments[0], "path", "") is not None
        return function(*arguments, **keywords)
    setattr(module, name, counted)

count(parse, "_parse", "parsed")
count(result, "_convert", "converted")
count(notebook, "notebook", "notebooks")
count(standing_alone, "single_file", "bundles")
from literate.build import build
assert build("site") == 0
import json
print("counts", json.dumps(counts))
"""


@pytest.fixture(scope="module")
def book(tmp_path_factory) -> Path:
    """A small book that was built once."""
    project = books.small(tmp_path_factory.mktemp("small"))
    build(project)
    return project


@pytest.fixture
def copy(book, tmp_path) -> Path:
    """A copy of it, with what it keeps."""
    return books.copy(book, tmp_path / "book")


def build(project: Path, *arguments: str, **variables: str) -> Path:
    """Build a book; the folder of its site."""
    done = books.run(project, *BUILD, *arguments, **variables)
    assert done.returncode == 0, done.stdout + done.stderr
    return project / "site"


def files(folder: Path) -> dict[str, bytes]:
    """All files below a folder, but for the dates in compressed ones."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.suffix != ".gz"
    }


def counts(project: Path) -> dict[str, int]:
    """What a build does, in numbers."""
    done = books.run(project, "-c", COUNTING)
    assert done.returncode == 0, done.stdout + done.stderr
    line = next(t for t in done.stdout.split("\n") if t.startswith("counts "))
    return json.loads(line.removeprefix("counts "))


def test_without_a_repository_nothing_is_invented(book):
    for name, content in files(book / "site").items():
        if name.endswith(".html"):
            text = content.decode()
            assert "colab.research" not in text and "Source on GitHub" not in text, name
            assert 'rel="canonical"' not in text


def test_a_frozen_build_shows_what_was_run_and_runs_nothing(copy):
    site = files(copy / "site")
    assert files(build(copy, LITERATE="frozen")) == site
    replace(copy / "docs" / "index.md", "double(21)", "double(20)")
    done = books.run(copy, *BUILD, LITERATE="frozen")
    assert done.returncode == 1
    assert "docs/index.md:6: LITERATE=frozen, and the tests have not" in done.stderr


def test_a_frozen_build_runs_no_lab(copy):
    replace(copy / "docs" / "labs" / "small.py", "add one and one", "add two ones")
    done = books.run(copy, *BUILD, LITERATE="frozen")
    assert done.returncode == 1
    assert "docs/labs/small.py: LITERATE=frozen" in done.stderr


def test_a_snippet_is_handed_out_by_its_old_name_too(book):
    site = files(book / "site")
    assert site["snippets/figures.py"] == site["snippets/numbers.py"]


def test_mkdocs_alone_builds_the_same_site(copy):
    ours = files(copy / "site")
    done = books.run(copy, "-m", "mkdocs", "build", "--quiet")
    assert done.returncode == 0, done.stderr
    assert files(copy / "site") == ours


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"GITHUB_REPOSITORY": "no owner"}, "GITHUB_REPOSITORY='no owner': it must be"),
        ({"DAYBOOK_URL": "daybook.org"}, "DAYBOOK_URL='daybook.org': it must start"),
        ({"LITERATE": "icy"}, "LITERATE='icy': it must be one of run, frozen"),
    ],
)
def test_a_wrong_setting_is_named(book, variables, message):
    done = books.run(book, *BUILD, **variables)
    assert done.returncode == 1
    assert message in done.stderr and "Traceback" not in done.stderr


def test_a_build_writes_nothing_into_the_project_but_the_site_and_what_is_kept(book):
    made = {path.split("/")[0] for path in files(book)}
    own = {path.name for path in book.iterdir() if path.name not in (".cache", "site")}
    assert made - {".cache", "site"} == own
    assert not list((book / "docs").rglob("*.ipynb"))
    assert not (book / "docs" / "assets" / "reader" / "plan.json").exists()


def test_a_project_that_cannot_be_written_to_builds_elsewhere(copy, tmp_path):
    before = files(copy)
    site, kept = tmp_path / "site", tmp_path / "kept"
    build(
        copy,
        *("--site-dir", str(site)),
        DAYBOOK_CACHE=str(kept),
        PYTHONDONTWRITEBYTECODE="1",
    )
    assert files(copy) == before
    assert (site / "index.html").is_file() and (kept / "outputs").is_dir()
    build(
        copy,
        *("--site-dir", str(tmp_path / "published")),
        DAYBOOK_CACHE=str(kept),
        LITERATE="frozen",
        PYTHONDONTWRITEBYTECODE="1",
    )
    assert files(copy) == before
    assert files(tmp_path / "published") == files(site)


NAMES = "torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)\ntorch.randperm(n)[:3]"


def test_names_in_code_are_words_to_search_for(book):
    index = json.loads((book / "site" / "search" / "search_index.json").read_text())
    words = re.split(index["config"]["separator"], NAMES)
    for name in ("clip_grad_norm_", "randperm", "parameters", "1.0", "utils"):
        assert name in words


def test_search_finds_a_name_in_code(copy, serve, browser):
    page = copy / "docs" / "llm" / "day-1" / "page.md"
    replace(page, "Text with", f"```text\n{NAMES}\n```\n\nText with")
    address, tab = serve(build(copy)), browser.new_page()
    for name in ("clip_grad_norm_", "randperm"):
        tab.goto(address)
        tab.get_by_role("textbox", name="Search").press_sequentially(name)
        found = tab.locator(".md-search-result__link", has_text="Page")
        expect(found.first).to_be_visible()
    tab.close()


def test_a_page_that_is_opened_as_a_file_can_be_read_and_has_no_dead_search(
    book, browser
):
    tab = browser.new_page()
    tab.goto((book / "site" / "index.html").as_uri())
    expect(tab.get_by_role("heading", name="Home")).to_be_visible()
    expect(tab.locator(".output").first).to_have_text("42")
    expect(tab.locator(".md-search")).to_be_hidden()
    expect(tab.locator("label.md-header__button[for=__search]")).to_be_hidden()
    tab.close()


def test_a_page_without_scripts_has_no_dead_search(book, serve, browser):
    tab = browser.new_page(java_script_enabled=False)
    tab.goto(serve(book / "site"))
    expect(tab.get_by_role("heading", name="Home")).to_be_visible()
    expect(tab.locator(".md-search")).to_be_hidden()
    tab.close()


def test_reading_the_configuration_does_nothing(copy, tmp_path):
    before = files(copy)
    code = "from mkdocs.config import load_config; load_config('mkdocs.yml')"
    done = books.run(copy, "-B", "-c", code)
    assert done.returncode == 0, done.stderr
    assert files(copy) == before


def test_a_build_does_only_what_is_not_kept(copy):
    """Pages are taken apart once; the rest is not done again while it is right."""
    pages = len(list((copy / "docs").rglob("*.md")))
    assert counts(copy) == {
        "parsed": pages,
        "converted": 0,
        "notebooks": 0,
        "bundles": 0,
    }
    replace(copy / "docs" / "llm" / "day-1" / "page.md", "Text with", "Words with")
    assert counts(copy) == {
        "parsed": pages,
        "converted": 1,
        "notebooks": 1,
        "bundles": 0,
    }
    replace(copy / "snippets" / "numbers.py", "Twice x.", "Two times x.")
    assert counts(copy) == {
        "parsed": pages,
        "converted": 1,
        "notebooks": 0,
        "bundles": 1,
    }


@pytest.mark.parametrize(
    ("file", "old", "new", "shown", "text"),
    [
        ("docs/llm/day-1/page.md", "half(5)", "half(9)", "llm/day-1/page", "4.5"),
        ("snippets/numbers.py", "2 * x", "3 * x", "", ">63<"),
        ("docs/plan.md", "| 10 |", "| 77 |", "llm/day-1", "77"),
        ("docs/plan.md", "| 10 |", "| 77 |", "llm/day-1/page", "112 min"),
        (
            "docs/labs/small.py",
            "Task 1 is right",
            "Task 1 is it",
            "labs/small",
            "is it",
        ),
        ("mkdocs.yml", "toc_depth: 3", "toc_depth: 1", "llm/day-1/page", "More"),
        ("docs/assets/site.css", ".", "..", "assets/site.css", ".."),
    ],
)
def test_what_is_kept_follows_all_that_it_depends_on(copy, file, old, new, shown, text):
    replace(copy / file, old, new)
    site = build(copy)
    path = site / shown
    assert text in (path / "index.html" if path.is_dir() else path).read_text("utf8")


def test_what_has_moved_leads_on_and_is_in_no_list(copy):
    lines = "/llm/was/ /llm/day-1/page/\n/llm/day-1/page/#was /llm/day-1/page/#more"
    (copy / "docs" / "moved.txt").write_text(lines, "utf8")
    site = build(copy, DAYBOOK_URL="https://here.org/")
    text = (site / "llm" / "was" / "index.html").read_text("utf8")
    assert 'content="0; url=../day-1/page/"' in text
    assert 'href="https://here.org/llm/day-1/page/"' in text
    page = (site / "llm" / "day-1" / "page" / "index.html").read_text("utf8")
    assert '<a class="moved" id="was"></a><h2 id="more">' in page
    assert 'data-former="/llm/was/"' in page
    for name in ("sitemap.xml", "search/search_index.json"):
        assert "llm/was" not in (site / name).read_text("utf8")
    assert not (site / "moved.txt").exists()
    replace(copy / "docs" / "moved.txt", "#more", "#none")
    done = books.run(copy, *BUILD)
    assert done.returncode == 1
    assert "/llm/day-1/page/#none is no heading of its page" in done.stderr


def test_a_page_whose_link_leads_nowhere_any_more_is_told(copy):
    (copy / "docs" / "llm" / "day-1" / "page.md").unlink()
    done = books.run(copy, *BUILD)
    assert done.returncode == 1
    assert "'llm/day-1/page.md' is not found" in done.stderr
