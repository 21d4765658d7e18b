"""The site's own Markdown, for the tests and for starting pages side by side."""

import contextlib
import functools
from collections.abc import Iterator

from markdown import Markdown
from mkdocs.config import load_config

from literate.block import Block
from literate.project import ROOT, PageError
from literate.source import Page, pages


@functools.cache
def configuration():
    """What mkdocs.yml says."""
    return load_config(str(ROOT / "mkdocs.yml"))


def markdown() -> Markdown:
    """A Markdown object as the site makes one for each page."""
    config = configuration()
    return Markdown(
        extensions=config["markdown_extensions"],
        extension_configs=config["mdx_configs"],
    )


def blocks(page: Page) -> list[Block]:
    """The blocks of a page that its Markdown shows, in order.

    Only the preprocessors run: fences are found there. Raises `PageError` for problems
    that show so early, such as an option that does not exist.
    """
    md = markdown()
    lines = page.body.split("\n")
    for preprocessor in md.preprocessors:
        lines = preprocessor.run(lines)
    md.literate.check_all_shown()
    if md.literate.problems:
        raise PageError(md.literate.report())
    return md.literate.blocks


def blocks_of_all() -> Iterator[tuple[Page, list[Block]]]:
    """Each page that has blocks, with them; pages with problems are left out."""
    for page in pages():
        with contextlib.suppress(PageError):
            if found := blocks(page):
                yield page, found
