"""`mkdocs serve`: pages reload, and what is wrong shows in the page."""

import re

import pytest

from benchmarks.site import get, reload_after, serving
from tests.helpers import project_copy, replace


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """A copy of the project, and the port it is served on."""
    project = project_copy(tmp_path_factory.mktemp("serve"))
    with serving(project) as port:
        yield project / "docs" / "index.md", port


def after(served, old: str, new: str) -> str:
    """The home page after a replacement in its source."""
    page, port = served
    reload_after(port, lambda: replace(page, old, new), page="/")
    return get(port, "/")


def test_outputs_and_errors_follow_the_edits(served):
    _, port = served
    html = get(port, "/")
    assert "the same as PyTorch's: True" in html
    assert 'class="output failure"' not in html

    html = after(served, "print(weights)", "print(weight)")
    assert re.search(r"docs/index\.md:\d+: this block failed", html)
    assert "NameError: name &#x27;weight&#x27;" in html or "name 'weight'" in html

    html = after(served, "print(weight)", 'print("mended")')
    assert "mended\nthe same as PyTorch's: True" in html
    assert 'class="output failure"' not in html

    html = after(served, "```python\nimport torch", '```python wrong="1"\nimport torch')
    assert "unknown option wrong" in html
    assert "Learn how language models work" in html
