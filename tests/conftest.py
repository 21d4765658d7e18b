"""The built site, a server for it, and a browser, for the whole session."""

import functools
import http.server
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from filelock import FileLock
from playwright.sync_api import Browser, expect, sync_playwright

from literate.project import CACHE, ROOT
from tests.visit import SLOW_PAGE, VIEWS, Visit
from tools import books
from tools import browser as browsers

REPOSITORY = "somebody/daybook"  # GitHub Pages serves it below /daybook/
URL = "https://somebody.github.io/daybook/"


def pytest_addoption(parser: pytest.Parser) -> None:
    """One option: the tests marked `deep` as well."""
    parser.addoption(
        "--deep",
        action="store_true",
        default=os.environ.get("DEEP") == "true",
        help="run the tests marked `deep` too, as the weekly job does",
    )


def pytest_collection_modifyitems(
    config: pytest.Config, items: list[pytest.Item]
) -> None:
    """Leave out the tests marked `deep`, unless they are asked for."""
    if config.getoption("--deep"):
        return
    deep = [item for item in items if item.get_closest_marker("deep")]
    config.hook.pytest_deselected(items=deep)
    items[:] = [item for item in items if item not in deep]


@pytest.fixture(scope="session")
def site(tmp_path_factory) -> Path:
    """The site as published: of a known repository, in a folder below the root.

    Built by the first process of the tests that asks for it; the others wait. Where the
    environment variable `DAYBOOK_SITE` names the folder of one that is ready, built
    with `GITHUB_REPOSITORY=somebody/daybook` into a folder named `daybook`, that is it.
    """
    if ready := os.environ.get("DAYBOOK_SITE"):
        return Path(ready).resolve()
    shared = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent  # of all processes of this session
    folder, said = shared / "published" / "daybook", shared / "site-build.txt"
    with FileLock(shared / "site.lock"):
        if not said.exists():
            command = ("-m", "literate", "build", "--site-dir", str(folder))
            settings = {"GITHUB_REPOSITORY": REPOSITORY, "DAYBOOK_CACHE": str(CACHE)}
            done = books.run(ROOT, *command, **settings)
            failed = done.stdout + done.stderr if done.returncode else ""
            said.write_text(failed, "utf8")
    assert not said.read_text("utf8"), said.read_text("utf8")
    return folder


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    """Serves files, and the site's own page for what is not there, without a log."""

    protocol_version = "HTTP/1.1"
    # the header and the body are two packets: the second would wait for the first's
    # acknowledgement, which browsers delay by 40 ms
    disable_nagle_algorithm = True

    def log_message(self, *arguments) -> None:
        pass

    def send_error(self, code, message=None, explain=None) -> None:
        page = Path(self.directory) / "daybook" / "404.html"
        body = page.read_bytes() if code == 404 and page.exists() else b""
        self.send_response(code)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture(scope="session")
def serve() -> Iterator:
    """A function that serves a folder and returns its address."""
    servers = []

    def start(folder: Path) -> str:
        handler = functools.partial(QuietHandler, directory=str(folder))
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_port}/"

    yield start
    for server in servers:
        server.shutdown()


@pytest.fixture(scope="session")
def address(site, serve) -> str:
    """Where the site is served, below a path as on GitHub Pages."""
    return serve(site.parent) + "daybook/"


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A Chromium; without one, browser tests are skipped, and in CI they fail."""
    with sync_playwright() as playwright:
        try:
            started = browsers.launch(playwright)
        except browsers.NoBrowserError as error:
            if os.environ.get("CI") == "true":
                pytest.fail(f"CI=true, and {error}", pytrace=False)
            pytest.skip(str(error))
        expect.set_options(timeout=SLOW_PAGE)
        yield started
        started.close()


@pytest.fixture(scope="module")
def visits(browser, address) -> Iterator[dict[str, Visit]]:
    """A visit for each view; what one test loads, the next has in its cache."""
    made = {
        view: Visit.start(browser, address, width, color_scheme=scheme)
        for view, (width, scheme) in VIEWS.items()
    }
    yield made
    for visit in made.values():
        visit.page.context.close()
