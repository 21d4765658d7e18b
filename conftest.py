"""Doctests of the pages, by pytest-markdown-docs.

The plugin finds the pages and makes a test of each block. It is given the blocks that
the site's own Markdown shows (`SitePages`), and a runner (`PageRunner`) that runs each
page in a process of its own, as the site build does, and holds every block against
`tests/expected/`. All pages run in the background from the start of the session, as
many as there are cores; a test waits for its page.
"""

import traceback
from pathlib import Path
from types import SimpleNamespace

import pytest
from pytest_markdown_docs._runners import DefaultRunner, register_runner

from literate import expected, render, site_pages, vocabularies
from literate.block import Block
from literate.outputs import RUNS
from literate.project import DOCS, relative
from literate.run import Run
from literate.source import Page, read

MOST_SECONDS = 20.0  # of processor time, for the blocks of a page together


def pytest_addoption(parser: pytest.Parser) -> None:
    """One option: accept what the pages print."""
    parser.addoption(
        "--update-outputs",
        action="store_true",
        help="write what the pages print to tests/expected/, and remove what is stale",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Collect pages only where asked for by path: `docs` is in `testpaths`."""
    vocabularies.install()
    config.option.markdowndocs = True
    PageRunner.update = config.getoption("--update-outputs")


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    """Of `docs/` only pages: the plugin would import labs and downloaded scripts."""
    is_code = DOCS in collection_path.parents and collection_path.suffix == ".py"
    return True if is_code else None


def pytest_markdown_docs_markdown_it() -> "SitePages":
    """Stands in for the plugin's own Markdown parser."""
    return SitePages()


class SitePages:
    """The blocks of a page as the site shows them, in the form the plugin reads."""

    def parse(self, text: str) -> list[SimpleNamespace]:
        """The fences of a page, given the text of its file; none for other texts."""
        known = (p for p in PAGES.values() if p.page.path.read_text("utf8") == text)
        page = next(known, None)
        return [
            SimpleNamespace(
                type="fence",
                map=[block.line - 1, block.line],
                content=block.source + "\n",
                info="python notest" if block.options.notest else "python",
            )
            for block in (page.blocks if page else [])
        ]


class TestedPage:
    """A page, its blocks, and its run."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.blocks = site_pages.blocks(page)
        self.future = None

    def run(self) -> Run:
        """The run of the page; starts it if nothing has."""
        self.future = self.future or RUNS.start(self.page, self.blocks)
        return self.future.result()

    def block_at(self, line: int) -> Block:
        """The block whose fence is in this line."""
        return next(block for block in self.blocks if block.line == line)


class Pages(dict):
    """Tested pages by path, read when first asked for."""

    def __missing__(self, path: Path) -> TestedPage:
        self[path] = TestedPage(read(path))
        return self[path]


PAGES = Pages()


def pytest_collect_file(file_path: Path) -> None:
    """Remember each page before the plugin parses it."""
    if file_path.suffix == ".md" and DOCS in file_path.parents:
        PAGES[file_path]


def pytest_collection_finish(session: pytest.Session) -> None:
    """Start all pages that have tests."""
    if session.config.option.collectonly:
        return
    wanted = {item.path for item in session.items if item.path.suffix == ".md"}
    for path in sorted(wanted):
        tested = PAGES[path]
        tested.future = RUNS.start(tested.page, tested.blocks)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """End what still runs; with --update-outputs, write what was printed."""
    if PageRunner.update and not session.config.option.collectonly:
        accept(item.path for item in session.items)
    RUNS.stop()


def accept(paths) -> None:
    """Write the expected file of each page that ran to its end."""
    for path in sorted(set(paths) & set(PAGES)):
        tested = PAGES[path]
        result = tested.run()
        if not result.failed:
            expected.write(path, expected.all_of(tested.blocks, result.outputs))
    for path in expected.stale():
        path.unlink()


@register_runner(default=True)
class PageRunner(DefaultRunner):
    """Holds a block of a page against what it is expected to print."""

    update = False

    def runtest(self, test, args, **options) -> None:
        """Called for each block, in page order."""
        tested = PAGES[Path(test.source_path)]
        block = tested.block_at(test.start_line)
        result = tested.run()
        if result.failed and result.failed.block == block.index:
            pytest.fail(result.failed.message, pytrace=False)
        if block.index >= len(result.outputs):
            pytest.fail("not run: an earlier block failed", pytrace=False)
        output = result.outputs[block.index]
        place = f"{tested.page.name}:{block.line}"
        if problem := render.problems(block, output):
            pytest.fail(f"{place}: {problem}", pytrace=False)
        if block is tested.blocks[-1]:
            seconds = sum(output.work for output in result.outputs)
            if seconds > MOST_SECONDS:
                pytest.fail(f"{place}: the page took {seconds:.0f} s", pytrace=False)
        if not self.update:
            self.compare(tested.page, block, expected.text_of(block, output), place)

    @staticmethod
    def compare(page: Page, block: Block, got: str, place: str) -> None:
        """Fail if a block prints something new."""
        wanted = expected.read(page.path).get(block.label, "")
        tolerance = block.options.tol or expected.TOLERANCE
        if not expected.same(wanted, got, tolerance):
            where = f"{relative(expected.file_of(page.path))}, {block.label}"
            pytest.fail(
                f"{place}: this block prints something new\n\n{where}:\n{wanted}\n\n"
                f"printed now:\n{got}\n\n"
                "If it is right now: make outputs, and read the diff.",
                pytrace=False,
            )

    def repr_failure(self, test, excinfo, style=None) -> str:
        """The message alone: tracebacks are in it, in the page's own lines."""
        if isinstance(excinfo.value, pytest.fail.Exception):
            return str(excinfo.value)
        return "".join(traceback.format_exception(excinfo.value))
