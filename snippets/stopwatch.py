"""Time a piece of code, by the clock on the wall and by the processor's."""

# --8<-- [start:imports]
import time
from collections.abc import Callable
from typing import NamedTuple

import torch

# --8<-- [end:imports]


# --8<-- [start:stopwatch]
class Seconds(NamedTuple):
    """How long a call took."""

    wall: float  # until it was done
    work: float  # of processor time, of all threads of this process


def wait_for(device: str | torch.device) -> None:
    """Return when all that was queued on a device is done."""
    if torch.device(device).type not in ("cpu", "meta"):
        torch.accelerator.synchronize(device)


def time_call(
    function: Callable[[], object],
    repeats: int = 5,
    warmup: int = 1,
    device: str | torch.device = "cpu",
) -> Seconds:
    """The shortest times of some calls, each from an idle device until it is done.

    The shortest, since what disturbs a call can only make it longer. The first `warmup`
    calls do not count: they load code, ask for memory, choose kernels, compile. Raises
    ValueError for no repeat.
    """
    if repeats < 1:
        raise ValueError(f"repeats={repeats}: it must be at least 1")
    walls, works = [], []
    for _ in range(warmup + repeats):
        wait_for(device)  # the clock starts when nothing else is running
        wall, work = time.perf_counter(), time.process_time()
        function()
        wait_for(device)  # and stops when the work is done, not when it is queued
        works.append(time.process_time() - work)
        walls.append(time.perf_counter() - wall)
    return Seconds(min(walls[warmup:]), min(works[warmup:]))


# --8<-- [end:stopwatch]


# --8<-- [start:speedup]
def speedup(
    slow: Callable[[], object], fast: Callable[[], object], repeats: int = 5
) -> float:
    """How many times as much processor time the first takes as the second."""
    return time_call(slow, repeats).work / time_call(fast, repeats).work


# --8<-- [end:speedup]
