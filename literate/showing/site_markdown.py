"""The site's own Markdown, for texts that are no page of it."""

import functools

from markdown import Markdown
from mkdocs.config import load_config
from mkdocs.config.defaults import MkDocsConfig

from literate.project import ROOT


@functools.cache
def configuration() -> MkDocsConfig:
    """What mkdocs.yml says."""
    return load_config(str(ROOT / "mkdocs.yml"))


def markdown() -> Markdown:
    """A Markdown object as the site makes one for each page."""
    config = configuration()
    return Markdown(
        extensions=config["markdown_extensions"],
        extension_configs=config["mdx_configs"],
    )
