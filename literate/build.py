"""Builds the site: what `python -m literate build` does.

MkDocs builds it, through the hook; here are a line that shows the progress, and errors
without tracebacks.
"""

import logging
import sys

from mkdocs.commands import build as mkdocs
from mkdocs.config import load_config
from mkdocs.exceptions import Abort, BuildError, ConfigurationError

from literate.parse import parsed_pages
from literate.progress import Line
from literate.project import ROOT
from literate.running.schedule import kept

MOST_SECONDS = 20.0  # of processor time, for the blocks of a page together


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
    for message in slow_pages():
        print(message, file=sys.stderr)
    print(f"The site is in {config.site_dir}")
    return 0


def slow_pages() -> list[str]:
    """The pages whose blocks take longer than they should; a warning, no more."""
    found = []
    for parsed in parsed_pages():
        run = kept(parsed)
        seconds = sum(output.work for output in run.outputs) if run else 0.0
        if seconds > MOST_SECONDS:
            told = f"its blocks took {seconds:.0f} s of processor time"
            found.append(f"{parsed.page.name}: {told}; aim at {MOST_SECONDS:.0f}")
    return found
