"""The finished HTML of a page for MkDocs, kept by what it depends on.

A page is converted once for the same text, includes, outputs, tasks, files it links to,
and code of ours. While an output is missing, or something is wrong, nothing is kept.
"""

from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import BuildError
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page as MkDocsPage
from mkdocs.structure.toc import AnchorLink, get_toc

from literate import glossary, not_done, store
from literate import page as source
from literate.page import Page
from literate.parse import Parsed, parse, parsed_pages
from literate.plan import served
from literate.project import PROOFS, ROOT, SNIPPETS, PageError, repository
from literate.running import cache
from literate.showing import widgets
from literate.showing.extension import converting

KIND = "html"


class Lookups:
    """The site's files, and a note of each file that was asked for."""

    def __init__(self, files: Files) -> None:
        self.files = files
        self.asked: dict[str, bool] = {}

    def get_file_from_path(self, path: str) -> File | None:
        """As `Files.get_file_from_path`."""
        found = self.files.get_file_from_path(path)
        self.asked[path] = found is not None
        return found

    def __getattr__(self, name: str) -> Any:
        return getattr(self.files, name)


def key(parsed: Parsed) -> str:
    """A digest of all that the HTML of a page depends on, but for what it links to."""
    page = parsed.page
    return store.digest(
        store.environment(),
        store.own_code(),
        store.digest_of_files([ROOT / "mkdocs.yml"]),
        "\n".join(widgets.known()),
        str(not_done.is_done(page.name, "numbers")),
        repository(),
        repr((page.name, page.meta, parsed.lines)),
        repr(served(page)),
        outputs_of(parsed),
        repr([glossary.terms().get(name) for name in glossary.used(page)]),
        whole_book() if any(box.name == "gather" for box in parsed.declared) else "",
    )


def whole_book() -> str:
    """A digest of what a page that gathers from all others depends on."""
    folders = (SNIPPETS, PROOFS, ROOT / "tests" / "snippets")  # the catalogue's
    code = [path for folder in folders for path in folder.rglob("*.py")]
    texts = [parsed.lines for parsed in parsed_pages()]
    values = [outputs_of(parsed) for parsed in parsed_pages() if parsed.inlines]
    return store.digest(store.digest_of_files(code), repr(texts), *values)


def outputs_of(parsed: Parsed) -> str:
    """What is kept of a page's run, as a digest."""
    return store.content(cache.KIND, parsed.page.name, cache.key(parsed.blocks))


def render(page: MkDocsPage, config: MkDocsConfig, files: Files) -> None:
    """Give a page of MkDocs its HTML, table of contents, title and anchors.

    Takes the place of `Page.render`. Raises `BuildError` for a page with problems.
    """
    own = source.read(Path(page.file.abs_src_path or ""))
    try:
        parsed = parse(own)
        place = key(parsed)
        kept = store.load(KIND, own.name, place)
        if kept is None or not _holds(kept["lookups"], files):
            kept = _convert(page, own, config, files)
            if kept.pop("is_final"):
                store.save(KIND, own.name, key(parsed), kept)
    except PageError as error:
        raise BuildError(str(error)) from None
    _fill(page, kept, files)


def _holds(lookups: dict[str, bool], files: Files) -> bool:
    """Whether all files that a page links to are still there."""
    return all(files.get_file_from_path(name) is not None for name in lookups)


def _convert(
    page: MkDocsPage, own: Page, config: MkDocsConfig, files: Files
) -> dict[str, Any]:
    """Convert a page with MkDocs's own method; as JSON."""
    lookups = Lookups(files)
    with converting(own) as conversion:
        MkDocsPage.render(page, config, lookups)  # type: ignore[arg-type]  # as Files
    links = page.links_to_anchors or {}
    return {
        "content": page.content,
        "toc": [_token(link) for link in page.toc],
        "title": page._title_from_render,
        "anchors": sorted(page.present_anchor_ids or []),
        "links": {file.src_uri: anchors for file, anchors in links.items()},
        "lookups": lookups.asked,
        "is_final": conversion.is_final and all(lookups.asked.values()),
    }


def _token(link: AnchorLink) -> dict[str, Any]:
    """An entry of the table of contents, as `get_toc` reads it."""
    children = [_token(child) for child in link.children]
    name = {"level": link.level, "id": link.id, "name": link.title}
    return name | {"children": children}


def _fill(page: MkDocsPage, kept: dict[str, Any], files: Files) -> None:
    """Set what `Page.render` sets."""
    page.content = kept["content"]
    page.toc = get_toc(kept["toc"])
    page._title_from_render = kept["title"]
    page.present_anchor_ids = set(kept["anchors"])
    page.links_to_anchors = {
        file: anchors
        for name, anchors in kept["links"].items()
        if (file := files.get_file_from_path(name)) is not None
    }
