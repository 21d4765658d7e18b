"""What mkdocs.yml asks for when it is read: addresses, downloads, tasks.

MkDocs reads its configuration at the start of each build, before it looks for files:
the right moment to write the downloads beside the pages.
"""

import contextlib
import functools
import json
import os
import re

from literate import inline, labs, notebook
from literate.plan import data
from literate.project import DOCS, SNIPPETS, PageError, repository, serving
from literate.source import has_code, pages


def url() -> str:
    """The site's address, from `DAYBOOK_URL` or as GitHub Pages gives it, or empty."""
    address = os.environ.get("DAYBOOK_URL", "")
    if not address and repository():
        owner, name = repository().split("/")
        host = f"{owner.lower()}.github.io"
        address = (
            f"https://{host}/" if name.lower() == host else f"https://{host}/{name}/"
        )
    if address and not re.fullmatch(r"https?://[^\s]+", address):
        raise PageError(f"DAYBOOK_URL={address!r}: it must start with https://")
    return address.rstrip("/") + "/" if address else ""


def strict() -> bool:
    """Whether a warning stops the build; not while an author edits."""
    return not serving()


def extra() -> dict:
    """What mkdocs.yml calls `extra`; also checks the plan and writes downloads."""
    name = repository()
    link = {
        "icon": "fontawesome/brands/github",
        "link": f"https://github.com/{name}",
        "name": "Source on GitHub",
    }
    write_downloads()
    plan = json.dumps(data(), ensure_ascii=False)  # stops here if the plan is wrong
    _write(DOCS / "assets" / "reader" / "plan.json", plan)
    return {"generator": False, "repository": name, "social": [link] if name else []}


@functools.cache
def write_downloads() -> None:
    """Write the notebook and script of every page with code, every lab and snippet.

    Once a process: a second write during `mkdocs serve` would reload the page twice.
    """
    for page in pages():
        if has_code(page):
            with contextlib.suppress(PageError):  # the page's own conversion tells more
                book = notebook.dump(notebook.notebook(page, url()))
                _write(page.path.with_suffix(".ipynb"), book)
                _write(page.path.with_suffix(".py"), notebook.script(page, url()))
    for path in SNIPPETS.rglob("*.py"):
        if path.name != "__init__.py":
            target = DOCS / "snippets" / path.relative_to(SNIPPETS)
            target.parent.mkdir(parents=True, exist_ok=True)
            _write(target, inline.single_file(path))
    for lab in labs.labs():
        _write(lab.with_suffix(".ipynb"), notebook.dump(labs.stripped(lab, url())))


def _write(path, text: str) -> None:
    """Write a file only if that changes it: watchers look at its date."""
    if not path.exists() or path.read_text("utf8") != text:
        path.write_text(text, "utf8", newline="\n")
