"""A book that is being served, as a browser meets it; for tests and benchmarks."""

import contextlib
import http.client
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from tools import books

PATIENCE = 300.0  # seconds after which a server counts as hanging


@contextlib.contextmanager
def serving(project: Path, **variables: str) -> Iterator[tuple[int, float]]:
    """The server of a book: its port, and the seconds until it answered."""
    port = free_port()
    command = [sys.executable, "-m", "literate", "serve", "--port", str(port)]
    started = time.perf_counter()
    server = subprocess.Popen(
        command,
        cwd=project,
        env=books.environment(project, **variables),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        while not answers(port):
            if server.poll() is not None:
                raise RuntimeError(f"the server ended with {server.returncode}")
            if time.perf_counter() - started > PATIENCE:
                raise TimeoutError(f"no answer on port {port}")
            time.sleep(0.02)
        yield port, time.perf_counter() - started
    finally:
        server.terminate()
        server.wait()


def free_port() -> int:
    """A port of this machine that nobody uses."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def answers(port: int) -> bool:
    """Whether the home page is there."""
    try:
        return get(port, "/")[0] == 200
    except OSError:
        return False


def get(port: int, path: str) -> tuple[int, str]:
    """The status and the text of an answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    connection.request("GET", path)
    answer = connection.getresponse()
    return answer.status, answer.read().decode()


def settled(port: int, page: str) -> str:
    """The HTML of a page, once all its outputs are there."""
    while "output pending" in (html := get(port, f"/{page}/")[1]):
        wait_for_news(port, page, html)
    return html


def wait_for_news(port: int, page: str, html: str) -> None:
    """Wait as a browser does, until the server has another version of the page."""
    version = re.search(r"version=(\w+)", html)
    assert version, html[-500:]
    news = f"/-/news?page={page}/&version={version[1]}"
    while get(port, news)[0] != 200:
        pass
