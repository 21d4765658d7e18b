"""Where MkDocs meets this package: the hook that mkdocs.yml names.

Pages and labs that must run are started side by side, each page's HTML comes from what
is kept, what has moved leads on, and downloads are written into the site after the
build. Last of all, the pages get their policy, and the site what lets it be read
without a network.
"""

import functools
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import BuildError
from mkdocs.plugins import event_priority
from mkdocs.structure.files import Files
from mkdocs.structure.pages import Page

from literate import moved, store
from literate.handing_out import downloads
from literate.project import PageError, mode
from literate.publishing import offline, policy
from literate.running import schedule
from literate.sharing import cards, history
from literate.sharing.about import about
from literate.showing import lab_page, result, search


def on_pre_build(config: MkDocsConfig) -> None:
    """Start what must run, and keep what the search index says of each page."""
    if mode() == "run":
        schedule.start_all()
        lab_page.start_all()
    for plugin in config.plugins.values():
        if index := getattr(plugin, "search_index", None):
            add = functools.partial(_add_entries, index, index.add_entry_from_context)
            index.add_entry_from_context = add


def on_pre_page(page: Page, config: MkDocsConfig, files: Files) -> Page:
    """Let a page get its HTML from us. After mkdocs-jupyter, which does the same."""
    if lab_page.is_lab(Path(page.file.abs_src_path or "")):
        page.render = lambda config, files: lab_page.make(page)  # type: ignore[method-assign]
    else:
        page.render = functools.partial(result.render, page)  # type: ignore[method-assign]
    return page


def on_page_content(html: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Add the anchors of headings that have moved, and when the page was changed."""
    if page.file.abs_src_path and (date := history.changed(_source(page))):
        page.update_date = date  # else that of the build, which MkDocs gives
    try:
        return moved.with_anchors(html, address_of(page))
    except PageError as error:
        raise BuildError(str(error)) from None


def on_page_context(
    context: dict[str, Any], page: Page, config: MkDocsConfig, nav: Any
) -> dict[str, Any]:
    """Tell the template what others are to know, former addresses, and who searches."""
    written = str(page.meta.get("description", ""))
    known = about(_source(page), address_of(page), written)
    page.meta["description"] = known["description"]
    former = " ".join(moved.former(address_of(page)))
    own_search = mode() != "serve"
    return context | {"former": former, "about": known, "own_search": own_search}


def _source(page: Page) -> Path:
    return Path(page.file.abs_src_path or "")


def address_of(page: Page) -> str:
    """The address of a page below the site: `/llm/day-3/llama/`."""
    return "/" + page.url.removeprefix("./")


@event_priority(-100)  # when all others have written what they write
def on_post_build(config: MkDocsConfig) -> None:
    """Write the downloads and the pages that lead on; then what is said of them all."""
    if mode() == "serve":
        return  # the server makes them when they are asked for
    try:
        moved.write(Path(config.site_dir), config.site_url or "")
        downloads.write(Path(config.site_dir), config.site_url or "")
        cards.write(Path(config.site_dir))
        search.write(Path(config.site_dir))
        policy.write(Path(config.site_dir))
        offline.write(Path(config.site_dir))
    except PageError as error:
        raise BuildError(str(error)) from None


def on_build_error(error: Exception) -> None:
    """Leave nothing running behind a build that failed."""
    schedule.SCHEDULE.stop()


def _add_entries(index: Any, add: Any, page: Page) -> None:
    """What Material's search index says of a page, kept by the page's HTML."""
    about = repr((page.url, str(page.title), page.meta))
    key = store.digest(store.environment(), about, page.content or "")
    kept = store.load("search", page.file.src_uri, key)
    if kept is None:
        before = len(index.entries)
        add(page)
        store.save("search", page.file.src_uri, key, index.entries[before:])
    else:
        index.entries += kept
