"""Builds the site: what `python -m literate build` does.

MkDocs builds it, through the hook; here are a line that shows the progress, and errors
without tracebacks. It is built beside its place and put there when it is whole: a build
that fails or is killed leaves the site that was there.
"""

import contextlib
import logging
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from filelock import Timeout
from mkdocs.commands import build as mkdocs
from mkdocs.config import load_config
from mkdocs.exceptions import Abort, BuildError, ConfigurationError

from literate import store
from literate.parse import parsed_pages
from literate.progress import Line
from literate.project import ROOT
from literate.running import cache
from literate.running.schedule import SCHEDULE, kept

MOST_SECONDS = 20.0  # of processor time, for the blocks of a page together


def build(site_dir: str | None = None) -> int:
    """Build the site into a folder, `site` if none is named; returns the exit code."""
    logger = logging.getLogger("mkdocs")
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(levelname)s: %(message)s"))
    logger.addHandler(handler)
    logger.setLevel(logging.WARNING)
    Line()
    site = Path(site_dir).absolute() if site_dir else ROOT / "site"
    try:
        with whole(site) as folder:
            config = load_config(str(ROOT / "mkdocs.yml"), site_dir=str(folder))
            config.plugins.on_startup(command="build", dirty=False)
            mkdocs.build(config)
            config.plugins.on_shutdown()
    except (Abort, BuildError, ConfigurationError) as error:
        print(error, file=sys.stderr)
        return 1
    except OSError as error:
        print(f"{error}\nNothing was published: {left(site)}", file=sys.stderr)
        return 1
    finally:
        logger.removeHandler(handler)
        SCHEDULE.stop()
    for message in slow_pages():
        print(message, file=sys.stderr)
    print(f"The site is in {site}")
    return 0


@contextlib.contextmanager
def whole(site: Path) -> Iterator[Path]:
    """A folder to build in, which becomes the site when nothing was raised.

    Two builds into one place go one after the other.
    """
    part = site.with_name(f".{site.name}.part")
    before = site.with_name(f".{site.name}.before")
    site.parent.mkdir(parents=True, exist_ok=True)
    with alone(site):
        if before.exists() and not site.exists():  # one was killed as it changed them
            before.rename(site)
        shutil.rmtree(before, ignore_errors=True)
        shutil.rmtree(part, ignore_errors=True)  # of a build that was killed
        part.mkdir()
        try:
            yield part
            if site.exists():
                site.rename(before)
            part.rename(site)
        except BaseException:
            if before.exists() and not site.exists():
                before.rename(site)
            shutil.rmtree(part, ignore_errors=True)
            raise
        shutil.rmtree(before, ignore_errors=True)


@contextlib.contextmanager
def alone(site: Path) -> Iterator[None]:
    """Wait until no other build writes to this place."""
    lock = cache.lock("site", store.digest(str(site)))
    try:
        lock.acquire(timeout=0)
    except Timeout:
        print(f"Another build writes to {site}: waiting for it", file=sys.stderr)
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def left(site: Path) -> str:
    """What stands where the site would be."""
    there = site.exists()
    return f"{site} is as it was before" if there else f"there is no {site}"


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
