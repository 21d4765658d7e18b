"""Time a piece of code, by the clock on the wall and by the processor's."""

# --8<-- [start:imports]
import time
from collections.abc import Callable
from typing import NamedTuple

# --8<-- [end:imports]


# --8<-- [start:stopwatch]
class Seconds(NamedTuple):
    """How long a call took."""

    wall: float  # until it was done
    work: float  # of processor time, of all threads of this process


def time_call(function: Callable[[], object], repeats: int = 5) -> Seconds:
    """The shortest times of some calls, after one that does not count.

    The shortest, since what disturbs a call can only make it longer. For a CPU: work
    that is queued on a GPU is not waited for. Raises ValueError for no repeat.
    """
    if repeats < 1:
        raise ValueError(f"repeats={repeats}: it must be at least 1")
    function()  # warm up: caches, memory, things made at the first use
    walls, works = [], []
    for _ in range(repeats):
        wall, work = time.perf_counter(), time.process_time()
        function()
        works.append(time.process_time() - work)
        walls.append(time.perf_counter() - wall)
    return Seconds(min(walls), min(works))


def speedup(
    slow: Callable[[], object], fast: Callable[[], object], repeats: int = 5
) -> float:
    """How many times as much processor time the first takes as the second."""
    return time_call(slow, repeats).work / time_call(fast, repeats).work


# --8<-- [end:stopwatch]
