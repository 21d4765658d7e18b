"""The loader and the padding of day 3 against PyTorch's."""

import itertools
from typing import Any

import torch
from torch.nn.utils.rnn import pad_sequence
from torch.utils.data import DataLoader, Dataset, TensorDataset

from proofs import Pairs, proof
from snippets.data_loading import load_batches, pad_batch

PAGE = "pytorch/day-3/data-loading.md"


def in_its_order(
    data: Dataset, generator: torch.Generator | None, **options: Any
) -> list[Any]:
    """Our batches, in the order of `DataLoader`, which draws more numbers than it uses.

    First a seed for workers, even if it has none; without a generator another one for
    the order; and at the end of an epoch an order that nobody uses.
    """
    draw_seed(generator)
    if options.get("shuffle") and generator is None:
        generator = torch.Generator().manual_seed(draw_seed(None))
    batches = list(load_batches(data, generator=generator, **options))
    if options.get("shuffle"):
        torch.randperm(len(data), generator=generator)
    return batches


def draw_seed(generator: torch.Generator | None) -> int:
    """A random seed, from a generator or else from PyTorch's global one."""
    return int(torch.empty((), dtype=torch.int64).random_(generator=generator))


@proof(
    "Batches of a data loader",
    ours="snippets.data_loading.load_batches",
    theirs="torch.utils.data.DataLoader",
    page=PAGE,
    bound=0,
)
def loader() -> Pairs:
    """Three epochs in a row, with and without a generator, a shuffle, a last batch."""
    data = TensorDataset(torch.arange(22), torch.randn(22, 3))
    switches = (False, True)
    for shuffle, drop_last, own in itertools.product(switches, repeat=3):
        options = {"batch_size": 4, "shuffle": shuffle, "drop_last": drop_last}
        torch.manual_seed(0)
        generator = torch.Generator().manual_seed(1) if own else None
        theirs = DataLoader(data, generator=generator, **options)
        expected = [list(theirs) for _ in range(3)]
        torch.manual_seed(0)
        generator = torch.Generator().manual_seed(1) if own else None
        for epoch in expected:
            ours = in_its_order(data, generator, **options)
            yield len(ours), len(epoch)
            for mine, other in zip(ours, epoch, strict=True):
                yield from zip(mine, other, strict=True)


@proof(
    "Padding",
    ours="snippets.data_loading.pad_batch",
    theirs="torch.nn.utils.rnn.pad_sequence",
    page=PAGE,
    bound=0,
)
def padding() -> Pairs:
    """Sequences of 1 to 9 ids, filled up with 0 and with -100."""
    torch.manual_seed(0)
    samples = [torch.randint(1, 50, (length,)) for length in (3, 9, 1, 6)]
    for filling in (0, -100):
        ours = pad_batch(samples, filling)
        yield ours.ids, pad_sequence(samples, True, filling)
        yield (
            ours.real,
            pad_sequence([torch.ones_like(s).bool() for s in samples], True),
        )
