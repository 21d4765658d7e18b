"""Strides and broadcasting by hand: where a number lies, and which shapes fit.

A tensor is a piece of memory, its storage, with three things that say how to read it: a
shape, a stride for each axis, and an offset. These functions work on tuples of integers
alone. The rules are those of PyTorch's notes *Tensor Views*, `Tensor.view` and
*Broadcasting semantics* (https://docs.pytorch.org/docs/stable/notes/broadcasting.html).
"""

# --8<-- [start:strides]
import math
from collections.abc import Sequence


def contiguous_strides(shape: Sequence[int]) -> tuple[int, ...]:
    """The strides of a tensor whose numbers lie in the order of its indices.

    The last axis has stride 1; each other one steps over all that the axes after it
    hold. An empty axis counts as one of length 1.
    """
    strides, step = [], 1
    for size in reversed(shape):
        strides.append(step)
        step *= max(size, 1)
    return tuple(reversed(strides))


# --8<-- [end:strides]


# --8<-- [start:place]
def place_of(index: Sequence[int], strides: Sequence[int], offset: int = 0) -> int:
    """Where in memory the number at an index lies: offset + Σ index · stride.

    Raises ValueError if there are not as many indices as strides.
    """
    if len(index) != len(strides):
        raise ValueError(f"{len(index)} indices for {len(strides)} axes")
    return offset + sum(i * stride for i, stride in zip(index, strides, strict=True))


# --8<-- [end:place]


# --8<-- [start:view]
def even_runs(shape: Sequence[int], strides: Sequence[int]) -> list[tuple[int, int]]:
    """Join neighbouring axes through which memory is read in even steps.

    Returns the length and the step of each run. A contiguous tensor is one run.
    """
    runs: list[tuple[int, int]] = []
    for size, stride in zip(shape, strides, strict=True):
        if size == 1:
            continue  # never stepped along
        if runs and runs[-1][1] == size * stride:
            size *= runs.pop()[0]
        runs.append((size, stride))
    return runs


def view_strides(
    shape: Sequence[int], strides: Sequence[int], new: Sequence[int]
) -> tuple[int, ...] | None:
    """The strides that read a tensor in a new shape, or None if it must be copied.

    An axis of the new shape must lie within one run. Raises ValueError for empty
    tensors, and where the new shape has not as many numbers as the old one.
    """
    if math.prod(shape) != math.prod(new) or not math.prod(new):
        raise ValueError(f"{tuple(shape)} and {tuple(new)} hold different numbers")
    runs = even_runs(shape, strides)
    found, left, step = [], 1, 1
    for size in reversed(new):
        if left == 1 and size > 1:
            left, step = runs.pop()
        if left % size:
            return None
        found.append(step)
        left, step = left // size, step * size
    return tuple(reversed(found))


# --8<-- [end:view]


# --8<-- [start:broadcast]
def broadcast_shape(*shapes: Sequence[int]) -> tuple[int, ...]:
    """The shape of a result of tensors with these shapes.

    Raises ValueError, with the axis and the sizes, if they do not fit.
    """
    result = []
    for axis in range(1, max(map(len, shapes), default=0) + 1):  # from the right
        sizes = {shape[-axis] for shape in shapes if len(shape) >= axis} - {1}
        if len(sizes) > 1:
            raise ValueError(f"axis -{axis} has the sizes {sorted(sizes)}")
        result.append(sizes.pop() if sizes else 1)
    return tuple(reversed(result))


def broadcast_strides(
    shape: Sequence[int], strides: Sequence[int], target: Sequence[int]
) -> tuple[int, ...]:
    """The strides that read a tensor in the shape of the result, without a copy.

    Along an axis that it lacks, or in which it has length 1, the step is 0. Raises
    ValueError if the tensor cannot be stretched to the target.
    """
    if broadcast_shape(shape, target) != tuple(target):
        raise ValueError(f"{tuple(shape)} cannot be stretched to {tuple(target)}")
    missing = len(target) - len(shape)
    own = zip(shape, strides, target[missing:], strict=True)
    return (0,) * missing + tuple(
        0 if size == 1 and wanted != 1 else stride for size, stride, wanted in own
    )


# --8<-- [end:broadcast]
