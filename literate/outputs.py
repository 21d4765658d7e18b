"""The outputs of pages: from the cache, or by running them, a page on each core.

A build converts one page after the other. When it meets the first one whose outputs are
not kept, every other such page is started too, so that they run side by side.
"""

import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from literate import cache, run
from literate.block import Block
from literate.project import cores, mode
from literate.run import Failed, Run
from literate.source import Page
from literate.worker import Output


class Runs:
    """Pages that run, or have run, in this process of the builder or the tests."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(cores(), thread_name_prefix="page")
        self._futures: dict[tuple[str, str], Future[Run]] = {}
        self._lock = threading.Lock()

    def kept(self, page: Page, blocks: Sequence[Block]) -> Run | None:
        """What the cache holds for these blocks."""
        outputs = cache.load(page.name, cache.key(blocks))
        return None if outputs is None else Run(outputs)

    def start(self, page: Page, blocks: Sequence[Block]) -> Future[Run]:
        """Run a page in the background, once for the same blocks."""
        key = cache.key(blocks)
        with self._lock:
            future = self._futures.get((page.name, key))
            if future is None or future.cancelled() or _failed(future):
                future = self._pool.submit(_run, page, blocks, key)
                self._futures[page.name, key] = future
            return future

    def of(
        self,
        page: Page,
        blocks: Sequence[Block],
        others: Callable[[], Iterable[tuple[Page, Sequence[Block]]]] = tuple,
    ) -> Run:
        """The outputs of a page; `others` gives the pages to start beside it."""
        if all(block.options.notest for block in blocks):
            return Run([Output() for _ in blocks])
        if found := self.kept(page, blocks):
            return found
        if mode() == "frozen":
            reason = (
                "LITERATE=frozen, and the tests have not run this page as it is now"
            )
            return Run([], Failed(0, f"{page.name}:{blocks[0].line}: {reason}"))
        future = self.start(page, blocks)
        for other, its_blocks in others():
            if other.name != page.name and not self.kept(other, its_blocks):
                self.start(other, its_blocks)
        return future.result()

    def stop(self) -> None:
        """Give up what waits, and end what runs."""
        with self._lock:
            for future in self._futures.values():
                future.cancel()
        run.stop()


def _failed(future: Future[Run]) -> bool:
    return future.done() and (bool(future.exception()) or bool(future.result().failed))


def _run(page: Page, blocks: Sequence[Block], key: str) -> Run:
    limit = float(page.meta.get("limit", run.DEFAULT_LIMIT))
    result = run.run(page.name, blocks, limit)
    if not result.failed:
        cache.store(page.name, key, result.outputs)
    return result


RUNS = Runs()
