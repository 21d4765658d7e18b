"""Doctests of the pages, by pytest-markdown-docs, and how the tests are shared out.

The plugin finds the pages and makes a test of each block. It is given the blocks that
`literate.parse` finds (`SitePages`), and a runner (`PageRunner`) that runs each page in
a process of its own, as the site build does, and holds every block against
`tests/expected/`. A page runs once in a session, whoever needs it first; outputs that
are kept from before are taken, unless `CI=true`.

With pytest-xdist (`-n auto`), the tests of a file stay in one process, those of the
files in `SPREAD` in a few.
"""

import functools
import gc
import os
import shutil
import traceback
import zlib
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from pytest_markdown_docs._runners import DefaultRunner, register_runner
from pytest_markdown_docs.plugin import MarkdownDocstringCodeModule

from literate import expected, green
from literate.block import Block
from literate.page import Page, read
from literate.parse import Parsed, parse
from literate.project import CACHE, DOCS, ROOT, cores, relative
from literate.running import cache, schedule, vocabularies
from literate.running.process import PageRun
from literate.running.surroundings import ENVIRONMENT
from literate.showing import render

os.environ.update(ENVIRONMENT)  # one thread for torch in each process of the tests

# what fails soonest comes first; the site and the browser need all pages
KINDS = ("repository", "literate", "pages", "snippets", "site")
# While one process builds the site for this file, the others have the snippets to test.
BUILDS = ROOT / "tests" / "site" / "test_addresses.py"
SLOWEST = 20
PARTS = 8  # of each of these files, whose tests need not share a process
SPREAD = (
    "tests/site/test_browser.py",
    "tests/site/test_reader.py",
    "tests/site/test_practice.py",
    "tests/literate/test_labs.py",
    "tests/literate/test_builds.py",
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Accept what the pages print; run only what has something to say."""
    parser.addoption(
        "--update-outputs",
        action="store_true",
        help="write what the pages print to tests/expected/, and remove what is stale",
    )
    parser.addoption(
        "--changed",
        action="store_true",
        help="leave out what was green as it is now, and what needs the whole site",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Collect pages only where asked for by path: `docs` is in `testpaths`."""
    vocabularies.install()
    config.option.markdowndocs = True
    config.option.durations = config.option.durations or SLOWEST
    config.option.durations_min = 1.0
    PageRunner.update = config.getoption("--update-outputs")
    is_worker = hasattr(config, "workerinput")
    if os.environ.get("CI") == "true" and not is_worker:
        for kind in (cache.KIND, "labs"):  # prove it all on this machine
            shutil.rmtree(CACHE / kind, ignore_errors=True)
    if not is_worker:
        config.pluginmanager.register(Report(config), "daybook-report")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Share out the tests by file, large files in parts, in their order."""
    from xdist.scheduler import LoadScopeScheduling

    config.option.loadscopereorder = False  # else the largest file comes first

    class ByFile(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return group_of(nodeid)

    return ByFile(config, log)


def group_of(nodeid: str) -> str:
    """What is kept in one process: the file of a test, or a part of its tests."""
    path, _, name = nodeid.partition("::")
    part = zlib.crc32(name.encode()) % PARTS if path in SPREAD else 0
    return f"{path} {part}"


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None, object, object]:
    """Import and collect without looking for garbage: nearly all of it stays."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()
        gc.freeze()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """As many processes as cores, for `-n auto`."""
    return cores()


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    """Of `docs/` only pages: the plugin would import labs."""
    is_code = DOCS in collection_path.parents and collection_path.suffix == ".py"
    return True if is_code else None


@pytest.hookimpl(wrapper=True)
def pytest_collect_file() -> Iterator[None]:
    """Only pages: the plugin would also look for fences in the docstrings of tests."""
    found = yield
    return [each for each in found if not isinstance(each, MarkdownDocstringCodeModule)]


@functools.cache  # many tests have the same path
def kind_of(path: Path) -> str:
    """What a test is about, by the folder of its file."""
    parts = path.relative_to(ROOT).parts if ROOT in path.parents else ("",)
    kind = "pages" if parts[0] == "docs" else parts[1:2][0]
    return kind if kind in KINDS else "snippets"


def turn(path: Path) -> tuple[int, bool]:
    """When the tests of a file come: by kind, and `BUILDS` before the snippets."""
    kind = "snippets" if path == BUILDS else kind_of(path)
    return KINDS.index(kind), path != BUILDS


def pytest_collection_modifyitems(
    config: pytest.Config, items: list[pytest.Item]
) -> None:
    """Put the kinds in order; with `--changed`, leave out what is green."""
    if config.option.changed:
        paths = {item.path for item in items}
        left = {p for p in paths if kind_of(p) != "site" and not green.is_green(p)}
        config.hook.pytest_deselected(items=[i for i in items if i.path not in left])
        items[:] = [item for item in items if item.path in left]
    items.sort(key=lambda item: turn(item.path))


def is_whole(config: pytest.Config) -> bool:
    """Whether each file of tests was run from its first test to its last."""
    option = config.option
    last = getattr(option, "lf", False)
    some = option.keyword or option.markexpr or option.maxfail or last
    some = some or option.update_outputs
    return not some and not any("::" in name for name in config.args)


class Report:
    """Failures when they happen, and at the end where the time went."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.seconds: dict[str, float] = defaultdict(float)
        self.green: dict[Path, bool] = {}  # files of tests

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Called for each part of each test."""
        path = ROOT / report.nodeid.split("::")[0]
        self.seconds[kind_of(path)] += report.duration
        self.green[path] = self.green.get(path, True) and not report.failed
        if report.failed:
            terminal = self.config.pluginmanager.get_plugin("terminalreporter")
            terminal.write_line("")
            terminal.write_line(f"FAILED {report.nodeid}", red=True)
            terminal.write_line(report.longreprtext)

    def pytest_sessionfinish(self, exitstatus: int) -> None:
        """Note which files are green, unless somebody chose among their tests."""
        if exitstatus in (0, 1) and is_whole(self.config):
            for path in (path for path, ok in self.green.items() if ok):
                green.note_green(path)

    def pytest_terminal_summary(
        self, terminalreporter: pytest.TerminalReporter
    ) -> None:
        """The seconds of each kind, over all processes."""
        terminalreporter.section("time by kind, over all processes")
        for kind, seconds in sorted(self.seconds.items(), key=lambda pair: -pair[1]):
            terminalreporter.write_line(f"{kind:<12}{seconds:8.1f} s")


def pytest_markdown_docs_markdown_it() -> "SitePages":
    """Stands in for the plugin's own Markdown parser."""
    return SitePages()


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Iterator[None, pytest.CollectReport, pytest.CollectReport]:
    """The plugin's parser is given a text; here is the file that it comes from."""
    SitePages.path = collector.path
    return (yield)


class SitePages:
    """The blocks of a page as the site shows them, in the form the plugin reads."""

    path: Path | None = None

    def parse(self, text: str) -> list[SimpleNamespace]:
        """The fences of the page that is collected; none of other files."""
        if self.path is None or self.path.suffix != ".md":
            return []
        if DOCS not in self.path.parents:
            return []
        return [
            SimpleNamespace(
                type="fence",
                map=[block.line - 1, block.line],
                content=block.source + "\n",
                info="python notest" if block.options.notest else "python",
            )
            for block in PAGES[self.path].parsed.blocks
        ]


class TestedPage:
    """A page, its blocks, and its run."""

    def __init__(self, page: Page) -> None:
        self.parsed: Parsed = parse(page).sound()
        self._run: PageRun | None = None

    def run(self) -> PageRun:
        """The run of the page, which happens when it is first asked for."""
        self._run = self._run or schedule.finished(self.parsed)
        return self._run

    def block_at(self, line: int) -> Block:
        """The block whose fence is in this line."""
        return next(block for block in self.parsed.blocks if block.line == line)


class Pages(dict[Path, TestedPage]):
    """Tested pages by path, read when first asked for."""

    def __missing__(self, path: Path) -> TestedPage:
        self[path] = TestedPage(read(path))
        return self[path]


PAGES = Pages()


def pytest_collection_finish(session: pytest.Session) -> None:
    """Where one process has all tests, start all their pages side by side."""
    config = session.config
    is_alone = not hasattr(config, "workerinput") and not getattr(
        config.option, "numprocesses", None
    )
    if is_alone and not config.option.collectonly:
        for path in sorted({item.path for item in session.items} & set(PAGES)):
            if schedule.kept(PAGES[path].parsed) is None:
                schedule.start(PAGES[path].parsed)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """End what still runs; with --update-outputs, write what was printed."""
    if PageRunner.update and not session.config.option.collectonly:
        accept(item.path for item in session.items)
    schedule.SCHEDULE.stop()


def accept(paths: Iterable[Path]) -> None:
    """Write the expected file of each page that ran to its end."""
    for path in sorted(set(paths) & set(PAGES)):
        tested = PAGES[path]
        result = tested.run()
        if not result.failed:
            texts = expected.all_of(tested.parsed.blocks, result.outputs)
            expected.write(path, texts)
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
        page = tested.parsed.page
        place = f"{page.name}:{block.line}"
        if problem := render.problems(block, output):
            pytest.fail(f"{place}: {problem}", pytrace=False)
        if not self.update:
            self.compare(page, block, expected.text_of(block, output), place)

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
