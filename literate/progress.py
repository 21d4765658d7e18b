"""A line in the terminal that says how far the running of pages and labs is."""

import shutil
import sys
import threading
import time
from typing import TextIO

from literate.running.schedule import SCHEDULE, Progress, Schedule


def line(progress: Progress, seconds: float) -> str:
    """The state of the work after so many seconds of it."""
    total = progress.done + len(progress.running) + progress.waiting
    parts = [f"{progress.done} of {total} run"]
    if progress.running:
        names = ", ".join(name.removeprefix("docs/") for name in progress.running)
        parts.append(f"running {names}")
    if progress.failed:
        parts.append(f"{progress.failed} failed")
    left = total - progress.done
    if progress.done and left:
        parts.append(f"about {_duration(seconds / progress.done * left)} left")
    elif not left:
        parts.append(f"took {_duration(seconds)}")
    return "pages and labs: " + " · ".join(parts)


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"


class Line:
    """Writes the line when the work changes: in place in a terminal, else sparingly."""

    EVERY = 10.0  # seconds between lines where they cannot be written in place

    def __init__(self, stream: TextIO = sys.stderr, schedule: Schedule = SCHEDULE):
        self.stream, self.schedule = stream, schedule
        self.started = self.written = 0.0
        self.lock = threading.Lock()
        schedule.listeners.append(self.tell)

    def tell(self) -> None:
        """Called at each change."""
        with self.lock:
            now = time.monotonic()
            self.started = self.started or now
            progress = self.schedule.progress()
            is_over = not (progress.running or progress.waiting)
            text = line(progress, now - self.started)
            if self.stream.isatty():
                columns = shutil.get_terminal_size().columns - 1
                end = "\n" if is_over else "\r"
                self.stream.write(f"\x1b[2K{text[:columns]}{end}")
            elif is_over or now - self.written > self.EVERY:
                self.written = now
                self.stream.write(text + "\n")
            self.stream.flush()
            if is_over:
                self.started = 0.0
