"""Finding a Chromium: Playwright's own, one of the system, or one to be installed."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import Browser, Playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PLACES = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    r"C:\Program Files\Google\Chrome\Application\chrome.exe",
    r"C:\Program Files (x86)\Google\Chrome\Application\chrome.exe",
)
# what Chromium does in the background would count as a request of the page
QUIET = (
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)


class NoBrowserError(Exception):
    """There is no Chromium, and none could be installed; says what was tried."""


def find(playwright: Playwright) -> str:
    """The path of a Chromium; installs one if there is none."""
    tried = []
    for attempt in (_nothing, _by_playwright, _by_debian):
        if message := attempt():
            tried.append(message)
        if path := _installed(playwright):
            return path
    raise NoBrowserError("no Chromium was found. Tried: " + "; ".join(tried))


def launch(playwright: Playwright) -> Browser:
    """Start the browser that `find` finds."""
    arguments = list(QUIET)
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        arguments.append("--no-sandbox")  # Chromium refuses its sandbox to root
    return playwright.chromium.launch(executable_path=find(playwright), args=arguments)


def _installed(playwright: Playwright) -> str:
    own = playwright.chromium.executable_path
    found = [own, *map(shutil.which, NAMES), *PLACES]
    return next((path for path in found if path and Path(path).exists()), "")


def _nothing() -> str:
    return ""


def _by_playwright() -> str:
    command = [sys.executable, "-m", "playwright", "install", "chromium"]
    return f"playwright install chromium ({_run(command)})"


def _by_debian() -> str:
    is_root = hasattr(os, "geteuid") and os.geteuid() == 0
    if not is_root or not shutil.which("apt-get"):
        return "apt-get install chromium (only as root on Debian)"
    _run(["apt-get", "update"])
    return (
        f"apt-get install chromium ({_run(['apt-get', 'install', '-y', 'chromium'])})"
    )


def _run(command: list[str]) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    lines = (done.stderr or done.stdout).strip().split("\n")
    return "done" if done.returncode == 0 else lines[-1]
