"""What worker processes do to random numbers, streams and time: a script to run.

    python workers.py seeds

A file of its own, since worker processes import the classes that they are given.
"""

# --8<-- [start:imports]
import random
import sys
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, IterableDataset, get_worker_info

# --8<-- [end:imports]


# --8<-- [start:noise]
SOURCES = ("torch", "random", "np.random", "own", "by index")


class NoiseDataset(Dataset[Tensor]):
    """Eight samples, each with a random number from each of the five sources."""

    def __init__(self) -> None:
        self.epoch = 0
        self.own = np.random.default_rng(0)  # copied into each worker, state included

    def __len__(self) -> int:
        return 8

    def __getitem__(self, index: int) -> Tensor:
        """Random numbers (5,), in the order of `SOURCES`."""
        by_index = np.random.default_rng([self.epoch, index])
        draws = torch.rand(()).item(), random.random(), np.random.random()
        return torch.tensor([*draws, self.own.random(), by_index.random()])


def seed_own(worker_id: int) -> None:
    """Give the dataset of this worker a generator of its own. A `worker_init_fn`."""
    info = get_worker_info()
    assert info is not None  # a worker calls this
    dataset: Any = info.dataset
    dataset.own = np.random.default_rng(info.seed)


# --8<-- [end:noise]


# --8<-- [start:streams]
class NumberStream(IterableDataset[int]):
    """The numbers 0 … n - 1, one after the other; all of them from each worker."""

    def __init__(self, n: int) -> None:
        self.n = n

    def __iter__(self) -> Iterator[int]:
        return iter(range(self.n))


class SharedNumberStream(NumberStream):
    """The same numbers; with workers, each of them takes its share."""

    def __iter__(self) -> Iterator[int]:
        info = get_worker_info()  # None where there are no workers
        first, step = (info.id, info.num_workers) if info else (0, 1)
        return iter(range(first, self.n, step))


# --8<-- [end:streams]


# --8<-- [start:slow]
class SlowDataset(Dataset[int]):
    """Samples that take a while each, as if read from a disk or a network."""

    def __init__(self, n: int, seconds: float) -> None:
        self.n, self.seconds = n, seconds

    def __len__(self) -> int:
        return self.n

    def __getitem__(self, index: int) -> int:
        time.sleep(self.seconds)
        return index


# --8<-- [end:slow]


# --8<-- [start:show]
def draw_noise(workers: int, epochs: int, **options: Any) -> Tensor:
    """Random numbers (epochs * 8, 5) from a loader whose generator is seeded."""
    dataset, generator = NoiseDataset(), torch.Generator().manual_seed(0)
    loader = DataLoader(
        dataset, batch_size=2, num_workers=workers, generator=generator, **options
    )
    batches = []
    for dataset.epoch in range(epochs):
        batches += list(loader)
    return torch.cat(batches)


def show_seeds() -> None:
    """Which random numbers repeat, and which depend on the number of workers."""
    two = draw_noise(2, 2)  # batches 0 and 2 from worker 0, 1 and 3 from 1
    again, one = draw_noise(2, 2), draw_noise(1, 2)
    print("source     worker 0    worker 1    next epoch  different  again  1 worker")
    for column, name in enumerate(SOURCES):
        draws = two[:, column]  # (16,)
        pairs = [f"{a:.2f} {b:.2f}" for a, b in draws[[0, 1, 2, 3, 8, 9]].view(3, 2)]
        same = torch.equal(draws, again[:, column])
        other = torch.equal(draws, one[:, column])
        count = len(draws.unique())
        print(
            f"{name:<10} {'   '.join(pairs)}   {count:>2} of 16   {same!s:<6} {other}"
        )


def show_repairs() -> None:
    """What `worker_init_fn` repairs, and what persistent workers do not see."""
    own, by_index = SOURCES.index("own"), SOURCES.index("by index")
    repaired = draw_noise(2, 2, worker_init_fn=seed_own)[:, own]
    print(f"own, with seed_own: {len(repaired.unique())} of 16 different")
    kept = draw_noise(2, 2, persistent_workers=True)[:, by_index]
    print(f"by index, persistent workers: {len(kept.unique())} of 16 different")


def show_streams() -> None:
    """Which numbers two workers hand over."""
    for stream in (NumberStream(8), SharedNumberStream(8)):
        for workers in (0, 2):
            loader = DataLoader(stream, batch_size=2, num_workers=workers)
            batches = [batch.tolist() for batch in loader]
            print(f"{type(stream).__name__}, {workers} workers: {batches}")


def show_times() -> None:
    """Seconds for an epoch of cheap samples and of slow ones."""
    for name, dataset in (
        ("nothing to do", SlowDataset(1000, 0.0)),
        ("5 ms a sample", SlowDataset(200, 0.005)),
    ):
        for workers in (0, 1, 2):
            started = time.perf_counter()
            for _ in DataLoader(dataset, batch_size=20, num_workers=workers):
                pass
            seconds = time.perf_counter() - started
            print(f"{name}, {workers} workers: {seconds:.2f} s")


# --8<-- [end:show]


# --8<-- [start:main]
SHOWS = {
    "seeds": show_seeds,
    "repairs": show_repairs,
    "streams": show_streams,
    "times": show_times,
}

if __name__ == "__main__":
    for name in sys.argv[1:]:
        SHOWS[name]()
        print()
# --8<-- [end:main]
