"""Which pages and labs run, and when: side by side, as many as there are cores.

A page whose outputs are kept does not run. What somebody waits for runs first. Other
processes may run the same page (the tests do, several at once): a lock on the page sees
to it that one of them runs it and the others read what it kept.
"""

import itertools
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

from literate.parse import Parsed, parsed_pages
from literate.project import PageError, cores, mode
from literate.running import cache, process
from literate.running.process import Failed, PageRun
from literate.running.worker import Output

FIRST, LATER = 0, 1  # somebody waits for it, or it runs in its turn


@dataclass
class Job:
    """Something to run; `call` gives its result."""

    name: str
    call: Callable[[], Any]
    future: Future[Any] = field(default_factory=Future)
    taken: bool = False


@dataclass(frozen=True)
class Progress:
    """How far the work is, all told; `running` are names."""

    done: int
    failed: int
    running: tuple[str, ...]
    waiting: int


class Schedule:
    """The jobs of this process; results stay until what they depend on changes."""

    def __init__(self) -> None:
        self.listeners: list[Callable[[], None]] = []
        self._jobs: dict[tuple[str, str], Job] = {}
        self._queue: queue.PriorityQueue[tuple[int, int, Job]] = queue.PriorityQueue()
        self._count = itertools.count()
        self._threads: list[threading.Thread] = []
        self._lock = threading.Lock()

    def start(
        self, name: str, key: str, call: Callable[[], Any], first: bool = False
    ) -> Future[Any]:
        """Run a job in the background, once for the same name and key."""
        with self._lock:
            job = self._jobs.get((name, key))
            if job is None or job.future.cancelled():
                job = self._jobs[name, key] = Job(name, call)
                self._put(job, first)
            elif first and not job.taken:
                self._put(job, first)  # a second entry; the later one finds it taken
            return job.future

    def known(self, name: str, key: str) -> Future[Any] | None:
        """The job of this name and key, if it was started."""
        job = self._jobs.get((name, key))
        return job.future if job else None

    def forget_failures(self, name: str) -> None:
        """Let a job that failed run once more, when it is asked for again."""
        with self._lock:
            for place, job in list(self._jobs.items()):
                if place[0] == name and job.future.done() and _failed(job.future):
                    del self._jobs[place]

    def progress(self) -> Progress:
        """How far the work is."""
        jobs = list(self._jobs.values())
        done = [job for job in jobs if job.future.done()]
        running = [job.name for job in jobs if job.taken and not job.future.done()]
        return Progress(
            done=len(done),
            failed=sum(_failed(job.future) for job in done),
            running=tuple(running),
            waiting=len(jobs) - len(done) - len(running),
        )

    def stop(self) -> None:
        """Give up what waits, and end what runs."""
        with self._lock:
            for job in self._jobs.values():
                if not job.taken:
                    job.taken = True
                    job.future.cancel()
        process.stop()

    def _put(self, job: Job, first: bool) -> None:
        self._queue.put((FIRST if first else LATER, next(self._count), job))
        if len(self._threads) < cores():
            thread = threading.Thread(target=self._work, daemon=True)
            self._threads.append(thread)
            thread.start()

    def _work(self) -> None:
        while True:
            *_, job = self._queue.get()
            with self._lock:
                taken, job.taken = job.taken, True
            if taken:
                continue
            self._tell()
            try:
                job.future.set_result(job.call())
            except BaseException as error:
                job.future.set_exception(error)
            self._tell()

    def _tell(self) -> None:
        for listener in list(self.listeners):
            listener()


def _failed(future: Future[Any]) -> bool:
    if future.cancelled():
        return False
    return bool(future.exception() or getattr(future.result(), "failed", None))


SCHEDULE = Schedule()


def kept(parsed: Parsed) -> PageRun | None:
    """The outputs of a page that does not need to run."""
    if all(block.options.notest for block in parsed.blocks):
        return PageRun([Output() for _ in parsed.blocks])
    outputs = cache.load(parsed.page.name, cache.key(parsed.blocks))
    return None if outputs is None else PageRun(outputs)


def start(
    parsed: Parsed, first: bool = False, schedule: Schedule = SCHEDULE
) -> Future[PageRun]:
    """Run a page in the background, once for the same blocks."""
    key = cache.key(parsed.blocks)
    return schedule.start(parsed.page.name, key, lambda: run(parsed, key), first)


def start_all(schedule: Schedule = SCHEDULE) -> None:
    """Start each page whose outputs are not kept; those with problems are left out."""
    for parsed in parsed_pages():
        if not parsed.problems and kept(parsed) is None:
            start(parsed, schedule=schedule)


def finished(parsed: Parsed, schedule: Schedule = SCHEDULE) -> PageRun:
    """The outputs of a page, which runs first if they are not kept."""
    if found := kept(parsed):
        return found
    if mode() == "frozen":
        place = f"{parsed.page.name}:{parsed.blocks[0].line}"
        reason = "LITERATE=frozen, and the tests have not run this page as it is now"
        return PageRun([], Failed(0, f"{place}: {reason}"))
    return start(parsed, first=True, schedule=schedule).result()


def at_once(parsed: Parsed, schedule: Schedule = SCHEDULE) -> PageRun:
    """The outputs of a page as far as they are there; it runs in the background."""
    if found := kept(parsed):
        return found
    future = start(parsed, first=True, schedule=schedule)
    return future.result() if future.done() else PageRun([], running=True)


def values(parsed: Parsed) -> list[dict[str, str]]:
    """The values in a page's prose by their code, those after each of its blocks.

    A page that has none does not run for it. Raises `PageError` if the page fails.
    """
    if not any(block.values for block in parsed.blocks):
        return [{} for _ in parsed.blocks]
    result = finished(parsed)
    if result.failed:
        raise PageError(result.failed.message)
    return [output.values for output in result.outputs]


def run(parsed: Parsed, key: str) -> PageRun:
    """Run a page now and keep its outputs, unless another process just did."""
    name = parsed.page.name
    limit = float(parsed.page.meta.get("limit", process.DEFAULT_LIMIT))
    with cache.lock(name, key):
        outputs = cache.load(name, key)
        if outputs is not None:
            return PageRun(outputs)
        result = process.run_page(name, parsed.blocks, limit)
        if not result.failed:
            cache.save(name, key, result.outputs)
        return result
