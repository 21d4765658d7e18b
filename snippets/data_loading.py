"""Batches: what `DataLoader` does in a loop of ten lines, and padding.

Axes: `B` samples of a batch, `T` tokens of the longest one. Masks are boolean, True for
what is real.
"""

# --8<-- [start:imports]
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.utils.data import Dataset, default_collate

from snippets.digits import Digits

# --8<-- [end:imports]


# --8<-- [start:dataset]
class DigitDataset(Dataset[tuple[Tensor, int]]):
    """Images of digits with their labels, one at a time."""

    def __init__(self, data: Digits) -> None:
        self.data = data

    def __len__(self) -> int:
        """How many there are."""
        return len(self.data.labels)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        """An image (1, 8, 8) and the digit that it shows."""
        return self.data.images[index], int(self.data.labels[index])


# --8<-- [end:dataset]


# --8<-- [start:loader]
def load_batches(
    dataset: Any,
    batch_size: int,
    shuffle: bool = False,
    drop_last: bool = False,
    collate_fn: Callable[[Any], Any] = default_collate,
    generator: torch.Generator | None = None,
) -> Iterator[Any]:
    """Give a dataset once, in batches, as `DataLoader` does without workers.

    With `shuffle`, in an order that `generator` draws (PyTorch's global one if None).
    Raises ValueError for a `batch_size` below 1.
    """
    if batch_size < 1:
        raise ValueError(f"batch_size={batch_size}: a batch needs at least one sample")
    order = list(range(len(dataset)))
    if shuffle:
        order = torch.randperm(len(dataset), generator=generator).tolist()
    for start in range(0, len(order), batch_size):
        chosen = order[start : start + batch_size]
        if len(chosen) == batch_size or not drop_last:
            yield collate_fn([dataset[index] for index in chosen])


# --8<-- [end:loader]


# --8<-- [start:pad]
class PaddedBatch(NamedTuple):
    """Sequences of different lengths in one tensor."""

    ids: Tensor  # (B, T), filled up at the end
    real: Tensor  # (B, T), bool: True where an id is not padding


def pad_batch(samples: Sequence[Tensor], padding: int = 0) -> PaddedBatch:
    """Fill sequences (T_i,) up to the longest of them. For use as `collate_fn`.

    Raises ValueError for no sequences, and for tensors that have other than one axis.
    """
    if not samples or any(sample.dim() != 1 for sample in samples):
        shapes = [tuple(sample.shape) for sample in samples]
        raise ValueError(f"need one or more sequences of one axis, got {shapes}")
    T = max(len(sample) for sample in samples)
    ids = samples[0].new_full((len(samples), T), padding)  # (B, T)
    real = torch.zeros_like(ids, dtype=torch.bool)
    for row, sample in enumerate(samples):
        ids[row, : len(sample)] = sample
        real[row, : len(sample)] = True
    return PaddedBatch(ids, real)


# --8<-- [end:pad]


# --8<-- [start:buckets]
class SimilarLengths:
    """Batches of indices whose samples have about the same length, in random order.

    For use as `batch_sampler`: each time it is iterated, every index comes once. A
    little noise on the lengths, up to `spread`, mixes the batches anew. Raises
    ValueError for a `batch_size` below 1.
    """

    def __init__(
        self, lengths: Sequence[int], batch_size: int, spread: float = 8, seed: int = 0
    ) -> None:
        if batch_size < 1:
            raise ValueError(f"batch_size={batch_size}: it must be at least 1")
        self.lengths = torch.tensor(lengths, dtype=torch.float)  # (N,)
        self.batch_size, self.spread = batch_size, spread
        self.generator = torch.Generator().manual_seed(seed)

    def __len__(self) -> int:
        """How many batches there are, the smaller one counted."""
        return -(-len(self.lengths) // self.batch_size)  # rounded up

    def __iter__(self) -> Iterator[list[int]]:
        """The indices of each batch."""
        noise = torch.rand(len(self.lengths), generator=self.generator) * self.spread
        batches = (self.lengths + noise).argsort().split(self.batch_size)
        batches = batches[: len(self)]  # nothing is split into one empty batch
        for number in torch.randperm(len(batches), generator=self.generator).tolist():
            yield batches[number].tolist()


# --8<-- [end:buckets]
