"""Builds the site: what `python -m literate build` does.

MkDocs builds it, through the hook; here are a line that shows the progress, and errors
without tracebacks.
"""

import logging
import sys

from mkdocs.commands import build as mkdocs
from mkdocs.config import load_config
from mkdocs.exceptions import Abort, BuildError, ConfigurationError

from literate.progress import Line
from literate.project import ROOT


def build(site_dir: str | None = None) -> int:
    """Build the site into a folder, `site` if none is named; returns the exit code."""
    logger = logging.getLogger("mkdocs")
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(levelname)s: %(message)s"))
    logger.addHandler(handler)
    logger.setLevel(logging.WARNING)
    Line()
    options = {"site_dir": site_dir} if site_dir else {}
    try:
        config = load_config(str(ROOT / "mkdocs.yml"), **options)
        config.plugins.on_startup(command="build", dirty=False)
        mkdocs.build(config)
        config.plugins.on_shutdown()
    except (Abort, BuildError, ConfigurationError) as error:
        print(error, file=sys.stderr)
        return 1
    finally:
        logger.removeHandler(handler)
    print(f"The site is in {config.site_dir}")
    return 0
