"""`literate serve`: pages come at once, follow edits, and show what is wrong."""

import re
from pathlib import Path

import pytest

from tests.helpers import replace
from tools import books
from tools.served import get, serving, settled, wait_for_news

PAGE = "llm/day-1/page"


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """A small book, and the port it is served on."""
    project = books.small(tmp_path_factory.mktemp("serve"))
    with serving(project) as (port, _):
        yield project, port


def after(served: tuple[Path, int], old: str, new: str, page: str = PAGE) -> str:
    """A page after a replacement in the source of `PAGE`."""
    project, port = served
    html = settled(port, page)
    replace(project / "docs" / f"{PAGE}.md", old, new)
    wait_for_news(port, page, html)
    return settled(port, page)


def test_a_page_is_there_before_it_has_run(tmp_path):
    project = books.small(tmp_path)
    slow = "import time\n\ntime.sleep(3)\ndouble(21)"
    replace(project / "docs" / "index.md", "double(21)", slow)
    with serving(project) as (port, _):
        status, html = get(port, "/")
        assert status == 200
        assert '<div class="output pending" role="status">running …</div>' in html
        assert ">42<" not in html
        assert ">42<" in settled(port, "")


def test_outputs_and_errors_follow_the_edits(served):
    html = settled(served[1], PAGE)
    assert "<code>2.5</code>" in html and 'class="output failure"' not in html

    html = after(served, "half(5)", "half(six)")
    assert re.search(r"docs/llm/day-1/page\.md:\d+: this block failed", html)
    assert "name &#x27;six&#x27;" in html or "name 'six'" in html

    html = after(served, "half(six)", "half(7)")
    assert "<code>3.5</code>" in html and 'class="output failure"' not in html

    html = after(served, "```python\nhalf", '```python wrong="1"\nhalf')
    assert "unknown option wrong" in html and "Text with a formula" in html

    html = after(served, '```python wrong="1"\nhalf', "```python\nhalf")
    assert "unknown option wrong" not in html


def test_a_page_follows_the_snippet_it_imports(served):
    project, port = served
    html = settled(port, "")
    assert ">42<" in html
    replace(project / "snippets" / "numbers.py", "return 2 * x", "return x + x + 1")
    wait_for_news(port, "", html)
    assert ">43<" in settled(port, "")


def test_only_what_the_edit_touched_runs_again(served):
    """The cost of an edit does not follow the number of pages."""
    project, port = served
    settled(port, "")
    before = {path: path.stat().st_mtime_ns for path in project.rglob("outputs/*/*")}
    after(served, "Know first: nothing.", "Know first: *nothing*.")
    kept = {path: path.stat().st_mtime_ns for path in project.rglob("outputs/*/*")}
    assert kept == before
    after(served, "half(7)", "half(9)")
    new = {path.parent.name for path in project.rglob("outputs/*/*")} - {
        path.parent.name for path in before
    }
    changed = [path for path in project.rglob("outputs/*/*") if path not in before]
    assert not new
    assert {path.parent.name for path in changed} == {"docs__llm__day-1__page.md"}


def test_new_pages_are_found_and_deleted_ones_forgotten(served):
    project, port = served
    path = project / "docs" / "new.md"
    html = settled(port, "")
    path.write_text("# New\n\nWords.\n", "utf8")
    replace(project / "docs" / "index.md", "# Home", "# Home, again")
    wait_for_news(port, "", html)
    status, html = get(port, "/new/")
    assert status == 200 and "Words." in html
    path.unlink()
    wait_for_news(port, "new/", html)
    assert get(port, "/new/")[0] == 404


@pytest.mark.parametrize(
    ("address", "status", "text"),
    [
        ("/llm/day-1/page", 302, ""),
        ("/llm/day-1/page/index.html", 200, "Text with a formula"),
        ("/assets/site.css", 200, "{"),
        ("/assets/reader/plan.json", 200, '"llm-1-page"'),
        ("/llm/day-1/page.ipynb", 200, '"nbformat": 4'),
        ("/llm/day-1/page.py", 200, "def half(x):"),
        ("/snippets/numbers.py", 200, "def double"),
        ("/labs/small.ipynb", 200, "NotImplementedError"),
        ("/search/search_index.json", 200, '"docs":'),
        ("/no/such/page/", 404, "<html"),
        ("/../mkdocs.yml", 404, "<html"),
    ],
)
def test_all_of_the_site_is_served(served, address, status, text):
    got, body = get(served[1], address)
    assert got == status and text in body


def test_a_lab_is_there_before_and_after_it_has_run(served):
    html = settled(served[1], "labs/small")
    assert "Task 1 is right" in html and "BEGIN SOLUTION" not in html


def test_the_tree_stays_clean(served, tmp_path):
    """What readers take along is made when it is asked for, and written nowhere."""
    project, port = served
    settled(port, "")
    for address in ("/assets/reader/plan.json", "/llm/day-1/page.ipynb"):
        assert get(port, address)[0] == 200
    fresh = books.small(tmp_path)
    made = {p.relative_to(project).as_posix() for p in project.rglob("*")}
    own = {p.relative_to(fresh).as_posix() for p in fresh.rglob("*")}
    new = {name for name in made - own if "__pycache__" not in name}
    assert {name for name in new if name.split("/")[0] != ".cache"} == set()


def test_a_port_that_is_taken_is_named(served):
    project, port = served
    done = books.run(project, "-m", "literate", "serve", "--port", str(port))
    assert done.returncode == 1
    assert f"port {port}: " in done.stderr and "--port" in done.stderr
