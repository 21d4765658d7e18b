"""Serves the book while it is written: what `python -m literate serve` does.

A page is made when a browser asks for it, from what is kept where that is still right:
nothing is built before the first answer, and an edit costs what it changed. Pages and
labs that must run do so in the background, the one being looked at first; a browser
reloads its page when that becomes another one.
"""

import logging
import mimetypes
import os
import signal
import subprocess
import sys
import threading
import time
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from mkdocs.commands.build import _build_template, _populate_page, get_context
from mkdocs.config import load_config
from mkdocs.exceptions import BuildError
from mkdocs.structure.files import Files, get_files, set_exclusions
from mkdocs.structure.nav import get_navigation
from mkdocs.structure.pages import Page
from watchdog.events import FileSystemEvent, FileSystemEventHandler
from watchdog.observers import Observer

from literate import store
from literate.handing_out import downloads
from literate.progress import Line
from literate.project import DOCS, ROOT, PageError
from literate.running import process, schedule
from literate.showing import lab_page, render

WATCHED = ("docs", "snippets", "proofs", "overrides", "literate")
RESTART = 3  # the exit code of a server whose own code has changed
CHILD = "DAYBOOK_SERVER"  # set for the process that serves
WAIT = 25.0  # seconds after which a browser that waits for news asks again
NEWS = "/-/news"
INDEX = "search/search_index.json"
SCRIPT = """
<script type="module">
  // Loads the page anew when the server has another version of it.
  const news = "%s?page=" + encodeURIComponent("%s") + "&version=%s";
  for (;;) {
    try {
      const answer = await fetch(news);
      if (answer.status === 200) {
        location.reload();
        break;
      }
    } catch {
      await new Promise((resume) => setTimeout(resume, 1000));
    }
  }
</script>
"""


class Book:
    """The site as MkDocs knows it; a page is made when somebody asks for it."""

    def __init__(self, address: str) -> None:
        self.lock = threading.RLock()  # MkDocs keeps the current page in its objects
        self.config = load_config(str(ROOT / "mkdocs.yml"), site_url=address)
        plugins = self.config.plugins
        plugins.on_startup(command="serve", dirty=False)
        self.config = plugins.on_config(self.config)
        plugins.on_pre_build(config=self.config)
        found = (getattr(plugin, "search_index", None) for plugin in plugins.values())
        self.index = next(filter(None, found))
        self.entries: dict[str, list[Any]] = {}  # of the search index, by page
        self.read_files()

    def read_files(self) -> None:
        """Find the files of the site, and what the navigation calls its pages."""
        with self.lock:
            config = self.config
            self.known = self.sources()
            self.env = config.theme.get_env()
            files = get_files(config)
            files.add_files_from_theme(self.env, config)
            files = config.plugins.on_files(files, config=config)
            set_exclusions(files, config)
            nav = get_navigation(files, config)
            for page in nav.pages:
                if not lab_page.is_lab(Path(page.file.abs_src_path or "")):
                    page.read_source(config)  # for its title, in the navigation
            for file in files.documentation_pages():
                if file.page is None:
                    Page(None, file, config)
            self.nav = config.plugins.on_nav(nav, config=config, files=files)
            self.env = config.plugins.on_env(self.env, config=config, files=files)
            self.files: Files = files
            self.by_url = {file.url.removeprefix("./"): file for file in files}

    def page(self, url: str) -> Page | None:
        """The page with this address below the site."""
        with self.lock:
            file = self.by_url.get(url)
            is_there = file is not None and Path(file.abs_src_path or "").is_file()
            if not is_there and self.sources() != self.known:
                self.read_files()
                file = self.by_url.get(url)
            return file.page if file else None

    @staticmethod
    def sources() -> set[Path]:
        """All files below `docs/`."""
        return {path for path in DOCS.rglob("*") if path.is_file()}

    def html(self, page: Page) -> str:
        """The HTML of a page; what is wrong with it is shown in it."""
        with self.lock:
            try:
                _populate_page(page, self.config, self.files)
            except (BuildError, PageError) as error:
                page.content = render.failure(str(error))
            page.active = True
            try:
                return self._through_template(page)
            finally:
                page.active = False

    def _through_template(self, page: Page) -> str:
        config, plugins = self.config, self.config.plugins
        context = get_context(self.nav, self.files, config, page)
        template = self.env.get_template(page.meta.get("template", "main.html"))
        self.index.entries = []
        context = plugins.on_page_context(
            context, page=page, config=config, nav=self.nav
        )
        self.entries[page.url] = self.index.entries
        made = template.render(context)
        return str(plugins.on_post_page(made, page=page, config=config))

    def missing(self) -> str:
        """The site's own page for what is not there."""
        with self.lock:
            template = self.env.get_template("404.html")
            made = _build_template(
                "404.html", template, self.files, self.config, self.nav
            )
            return str(made)

    def search_index(self) -> str:
        """The search index of the pages that were made so far."""
        with self.lock:
            self.index.entries = [e for found in self.entries.values() for e in found]
            return str(self.index.generate_search_index(None))

    def index_all(self) -> None:
        """Make all pages, one after the other, for the search index."""
        for file in self.files.documentation_pages():
            if file.page and file.page.url not in self.entries:
                self.html(file.page)
                time.sleep(0.05)  # others want the lock


class News:
    """Wakes those who wait for something to change."""

    def __init__(self) -> None:
        self.condition = threading.Condition()
        self.count = 0
        self.done = 0

    def tell(self) -> None:
        """Something has changed."""
        with self.condition:
            self.count += 1
            self.condition.notify_all()

    def tell_of_runs(self) -> None:
        """A page or lab has started, or ended; only the latter is news."""
        done = schedule.SCHEDULE.progress().done
        if done != self.done:
            self.done = done
            self.tell()

    def wait(self, seen: int, seconds: float) -> int:
        """The number of changes: when another one than was seen, or time is up."""
        with self.condition:
            self.condition.wait_for(lambda: self.count != seen, seconds)
            return self.count


class Watcher(FileSystemEventHandler):
    """Hears of changed files."""

    def __init__(self, book: Book, news: News, restart: threading.Event) -> None:
        self.book, self.news, self.restart = book, news, restart

    def on_any_event(self, event: FileSystemEvent) -> None:
        """A file was written, moved, made or deleted."""
        if event.event_type not in ("created", "modified", "moved", "deleted"):
            return
        names = (
            [event.src_path, event.dest_path] if event.dest_path else [event.src_path]
        )
        for path in (Path(os.fsdecode(name)) for name in names):
            if event.is_directory or self._is_of_no_interest(path):
                continue
            top = path.relative_to(ROOT).parts[0]
            if top == "literate" or path.name == "mkdocs.yml":
                self.restart.set()
            elif top == "overrides" or (
                top == "docs" and event.event_type != "modified"
            ):
                self.book.read_files()
            schedule.SCHEDULE.forget_failures(path.relative_to(ROOT).as_posix())
            self.news.tell()

    @staticmethod
    def _is_of_no_interest(path: Path) -> bool:
        parts = path.relative_to(ROOT).parts
        hidden = any(part.startswith(".") or part == "__pycache__" for part in parts)
        is_own = parts[0] in WATCHED or parts == ("mkdocs.yml",)
        return hidden or not is_own or path.name.endswith("~")


class Server(ThreadingHTTPServer):
    """The book, on this machine only."""

    daemon_threads = True

    def __init__(self, port: int) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.address = f"http://127.0.0.1:{self.server_port}/"
        self.book = Book(self.address)
        self.news = News()
        self.restart = threading.Event()
        self.indexing = threading.Lock()
        schedule.SCHEDULE.listeners.append(self.news.tell_of_runs)

    def watch(self) -> None:
        """Hear of changes from now on."""
        watcher = Watcher(self.book, self.news, self.restart)
        observer = Observer()
        observer.schedule(watcher, str(ROOT))  # mkdocs.yml
        for name in WATCHED:
            observer.schedule(watcher, str(ROOT / name), recursive=True)
        observer.start()

    def start_runs(self) -> None:
        """Run in the background all that must run."""
        process.prepare()
        schedule.start_all()
        lab_page.start_all()

    def start_indexing(self) -> None:
        """Make the search index in the background, once."""
        if self.indexing.acquire(blocking=False):
            threading.Thread(target=self.book.index_all, daemon=True).start()


class Handler(BaseHTTPRequestHandler):
    """Answers one browser."""

    server: Server
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """A page, a download, a file, or news of a page."""
        address = urlsplit(self.path)
        url = unquote(address.path).removeprefix("/").removesuffix("index.html")
        book = self.server.book
        if address.path == NEWS:
            query = parse_qs(address.query, keep_blank_values=True)
            self._news(query["page"][0], query["version"][0])
        elif page := book.page(url):
            html = book.html(page)
            script = SCRIPT % (NEWS, url, store.digest(html))
            self._send(html.replace("</body>", script + "</body>", 1).encode(), ".html")
        elif url == INDEX:
            self.server.start_indexing()
            self._send(book.search_index().encode(), url)
        elif (file := book.by_url.get(url)) and not file.is_documentation_page():
            self._send(file.content_bytes, url)
        elif make := downloads.files(self.server.address).get(url):
            self._send(make(), url)
        elif book.page(f"{url}/"):
            self.send_response(HTTPStatus.FOUND)
            self.send_header("Location", f"/{url}/")
            self.send_header("Content-Length", "0")
            self.end_headers()
        else:
            self._send(book.missing().encode(), ".html", HTTPStatus.NOT_FOUND)

    def _news(self, url: str, version: str) -> None:
        """Answer 200 when the page has another version, 204 if it keeps this one."""
        news, seen = self.server.news, -1
        ends = time.monotonic() + WAIT
        while time.monotonic() < ends:
            seen = news.wait(seen, ends - time.monotonic())
            page = self.server.book.page(url)
            if page is None or store.digest(self.server.book.html(page)) != version:
                self._send(b"", ".txt")
                return
        self._send(b"", ".txt", HTTPStatus.NO_CONTENT)

    def _send(self, body: bytes, name: str, status: HTTPStatus = HTTPStatus.OK) -> None:
        kind = mimetypes.guess_type("x" + name)[0] or "application/octet-stream"
        if kind.startswith("text/") or kind == "application/javascript":
            kind += "; charset=utf-8"
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: Any) -> None:
        """Say nothing: what is wrong shows in the page and on standard error."""


def serve(port: int) -> int:
    """Serve until interrupted; the server starts anew when its own code changes."""
    if CHILD in os.environ:
        return _serve(port)
    command = [sys.executable, "-m", "literate", "serve", "--port", str(port)]
    environment = {**os.environ, CHILD: "1", "LITERATE": "serve"}
    signal.signal(signal.SIGTERM, _interrupt)
    code = RESTART
    while code == RESTART:
        child = subprocess.Popen(command, cwd=ROOT, env=environment)
        try:
            code = child.wait()
        except KeyboardInterrupt:
            child.terminate()
            child.wait()
            return 0
    return code


def _interrupt(*arguments: Any) -> None:
    raise KeyboardInterrupt


def _serve(port: int) -> int:
    signal.signal(signal.SIGTERM, _interrupt)
    logging.getLogger("mkdocs").setLevel(logging.ERROR)
    mimetypes.add_type("text/javascript", ".js")  # some systems say otherwise
    try:
        server = Server(port)
    except OSError as error:
        print(f"port {port}: {error.strerror}; try --port 8001", file=sys.stderr)
        return 1
    Line()
    server.watch()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(f"The book is at {server.address}", flush=True)
    try:
        server.start_runs()
        server.restart.wait()
    except KeyboardInterrupt:
        return 0
    finally:
        schedule.SCHEDULE.stop()
    print("The builder has changed: starting anew", flush=True)
    return RESTART
