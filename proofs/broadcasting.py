"""Strides, views and broadcasting of day 1 against PyTorch's."""

import itertools
import math
import random

import torch
from torch import Tensor

from proofs import Pairs, proof
from snippets.broadcasting import (
    broadcast_shape,
    broadcast_strides,
    contiguous_strides,
    place_of,
    view_strides,
)

PAGE = "pytorch/day-1/shapes-deeper.md"
SHAPES = [shape for n in range(4) for shape in itertools.product(range(4), repeat=n)]


def looked_at_differently(draw: random.Random) -> Tensor:
    """A tensor that was transposed, cut and stretched at random, never empty."""
    shape = [draw.choice((1, 2, 3, 4)) for _ in range(draw.randint(1, 4))]
    x = torch.arange(math.prod(shape)).view(shape)
    x = x.permute(draw.sample(range(x.ndim), x.ndim))
    if draw.random() < 0.5:
        axis = draw.randrange(x.ndim)
        x = x.narrow(axis, start := draw.randrange(x.size(axis)), x.size(axis) - start)
    if draw.random() < 0.3:
        x = x[..., ::2]
    if draw.random() < 0.3:
        x = x.expand(2, *x.shape)
    return x


def splits(count: int) -> list[tuple[int, ...]]:
    """All shapes of up to three axes that hold `count` numbers."""
    sizes = [n for n in range(1, count + 1) if count % n == 0]
    shapes = itertools.chain.from_iterable(
        itertools.product(sizes, repeat=n) for n in (1, 2, 3)
    )
    return [shape for shape in shapes if math.prod(shape) == count]


@proof(
    "Strides of a contiguous tensor",
    ours="snippets.broadcasting.contiguous_strides",
    theirs="torch.Tensor.stride",
    page=PAGE,
    bound=0,
)
def strides() -> Pairs:
    """All shapes of up to three axes of 0 to 3."""
    for shape in SHAPES:
        yield contiguous_strides(shape), torch.empty(shape).stride()


@proof(
    "Place of an index in memory",
    ours="snippets.broadcasting.place_of",
    theirs="torch.Tensor.__getitem__",
    page=PAGE,
    bound=0,
)
def places() -> Pairs:
    """Each number of random views of tensors that hold their own places."""
    draw = random.Random(0)
    for _ in range(60):
        x = looked_at_differently(draw)
        for index in itertools.product(*map(range, x.shape)):
            yield place_of(index, x.stride(), x.storage_offset()), x[index].item()


@proof(
    "Strides of a view, or none",
    ours="snippets.broadcasting.view_strides",
    theirs="torch.Tensor.view",
    page=PAGE,
    bound=0,
)
def views() -> Pairs:
    """Random views, read in all shapes of up to three axes.

    A stride along an axis of length 1 leads nowhere, and is not compared.
    """

    def taken(shape: tuple, strides: tuple | None) -> list | None:
        pairs = zip(shape, strides or shape, strict=True)
        return strides and [stride for size, stride in pairs if size > 1]

    draw = random.Random(0)
    for _ in range(200):
        x = looked_at_differently(draw)
        for shape in splits(x.numel()):
            try:
                theirs = x.view(shape).stride()
            except RuntimeError:
                theirs = None
            ours = view_strides(x.shape, x.stride(), shape)
            yield taken(shape, ours), taken(shape, theirs)


@proof(
    "Broadcast shapes",
    ours="snippets.broadcasting.broadcast_shape",
    theirs="torch.broadcast_shapes",
    page=PAGE,
    bound=0,
)
def shapes() -> Pairs:
    """All pairs of shapes of up to three axes of 0 to 3, also those that do not fit."""

    def outcome(broadcast, *shapes) -> object:
        try:
            return tuple(broadcast(*shapes))
        except (RuntimeError, ValueError):
            return "does not fit"

    for pair in itertools.product(SHAPES, repeat=2):
        yield outcome(broadcast_shape, *pair), outcome(torch.broadcast_shapes, *pair)


@proof(
    "Strides of a stretched tensor",
    ours="snippets.broadcasting.broadcast_strides",
    theirs="torch.Tensor.expand",
    page=PAGE,
    bound=0,
)
def stretched() -> Pairs:
    """Random views, stretched to fit other random shapes."""
    draw = random.Random(0)
    for _ in range(300):
        x = looked_at_differently(draw)
        target = [draw.choice((2, 3)) if size == 1 else size for size in x.shape]
        target = [2] * draw.randint(0, 2) + target
        expected = x.expand(target).stride()
        yield broadcast_strides(x.shape, x.stride(), target), expected
