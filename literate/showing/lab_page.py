"""The page of a lab: solved, run, and rendered by mkdocs-jupyter; kept by content.

    python -m literate.showing.lab_page docs/labs/bpe.py

runs a lab and keeps its page, in a process of its own, so that labs run side by side.
"""

import functools
import logging
import re
import sys
from concurrent.futures import Future
from pathlib import Path
from typing import Any

from mkdocs.config import load_config
from mkdocs.exceptions import BuildError
from mkdocs.structure.pages import Page as MkDocsPage
from mkdocs.structure.toc import get_toc
from mkdocs_jupyter import convert, plugin
from mkdocs_jupyter.config import settings

from literate import store
from literate.handing_out.labs import FOLDER, labs
from literate.project import CACHE, ROOT, PageError, mode, relative, serving
from literate.running import dependencies, process, surroundings, vocabularies
from literate.running.schedule import SCHEDULE
from literate.showing import colours, render

KIND = "labs"
RENDERER = re.compile(r"^  - mkdocs-jupyter:\n(?: {6}.*\n)*", re.MULTILINE)
TEMPLATES = ROOT / "overrides" / "labs"
OWN = (Path(__file__), Path(surroundings.__file__))  # what shapes a lab's outputs
OPTIONS = (  # of mkdocs-jupyter, handed on to what it renders with
    "kernel_name",
    "theme",
    "show_input",
    "no_input",
    "no_prompt",
    "remove_tag_config",
    "highlight_extra_classes",
    "include_requirejs",
    "custom_mathjax_url",
)


def is_lab(path: Path) -> bool:
    """Whether this is the source of a lab."""
    return path.parent == FOLDER and path.suffix == ".py"


def key(lab: Path) -> str:
    """A digest of all that the page of a lab depends on.

    Of mkdocs.yml, the options of the renderer: a line more in the navigation runs no
    lab again.
    """
    text = lab.read_text("utf8")
    templates = [path for path in TEMPLATES.rglob("*") if path.is_file()]
    return store.digest(
        store.environment(),
        store.digest_of_files([lab, *OWN, *templates]),
        _renderer_options(),
        store.digest_of_files(dependencies.files([text])),
    )


def _renderer_options() -> str:
    """What mkdocs.yml sets for mkdocs-jupyter, as it is written there."""
    text = (ROOT / "mkdocs.yml").read_text("utf8")
    found = RENDERER.search(text)
    return found[0] if found else text


def kept(lab: Path) -> dict[str, Any] | None:
    """The page of a lab that does not need to run."""
    found = store.load(KIND, relative(lab), key(lab))
    return found if isinstance(found, dict) else None


def start(lab: Path, first: bool = False) -> Future[dict[str, Any]]:
    """Run a lab in the background and keep its page."""
    return SCHEDULE.start(relative(lab), key(lab), lambda: _run(lab), first)


def start_all() -> None:
    """Start each lab whose page is not kept."""
    for lab in labs():
        if kept(lab) is None:
            start(lab)


def make(page: MkDocsPage) -> None:
    """Give MkDocs's page of a lab its HTML, table of contents and title.

    Raises `BuildError` for a lab that fails; while serving, the page shows the error.
    """
    lab = Path(page.file.abs_src_path or "")
    made = kept(lab)
    if made is None and mode() == "frozen":
        reason = "LITERATE=frozen, and this lab has not been run as it is now"
        raise BuildError(f"{relative(lab)}: {reason}")
    if made is None:
        future = start(lab, first=True)
        try:
            made = _unsolved(lab, future) if serving() else future.result()
        except PageError as error:
            raise BuildError(str(error)) from None
    page.content = colours.lighter(made["content"])
    page.toc = get_toc(made["toc"])
    page.title = made["title"]


def _unsolved(lab: Path, future: Future[dict[str, Any]]) -> dict[str, Any]:
    """The page of a lab that still runs, or has failed: its code without outputs."""
    message = render.running()
    if future.done():
        error = future.exception()
        if error is None:
            return future.result()
        message = render.failure(str(error))
    made = _convert(lab, key(lab), execute=False)
    return made | {"content": message + made["content"]}


@functools.lru_cache(maxsize=32)
def _convert(lab: Path, key: str, execute: bool) -> dict[str, Any]:
    """The page of a lab, by mkdocs-jupyter; as JSON."""
    vocabularies.install()
    settings.templates_dir = str(TEMPLATES)
    options = load_config(str(ROOT / "mkdocs.yml")).plugins["mkdocs-jupyter"].config
    content = convert.nb2html(
        str(lab),
        execute=execute,
        allow_errors=False,
        **{name: options[name] for name in OPTIONS},
    )
    toc, title = plugin._get_nb_toc_tokens(str(lab), options["toc_depth"])
    return {"content": content, "toc": toc, "title": title}


def _run(lab: Path) -> dict[str, Any]:
    """Run a lab in a process of its own; raises `PageError` with what it said."""
    done = process.command([sys.executable, "-m", __name__, relative(lab)])
    made = kept(lab)
    if done.returncode or made is None:
        raise PageError(f"{relative(lab)}: this lab failed\n\n{done.stderr[-4000:]}")
    return made


def main() -> int:
    """Run the lab that the command line names."""
    logging.getLogger("traitlets").setLevel(logging.ERROR)
    lab = ROOT / sys.argv[1]
    place = key(lab)
    CACHE.mkdir(parents=True, exist_ok=True)
    store.save(KIND, relative(lab), place, _convert(lab, place, execute=True))
    return 0


if __name__ == "__main__":
    sys.exit(main())
