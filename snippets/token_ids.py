"""Checks of token ids: their shape, which is free, and their values, which is not.

Comparing values makes Python wait for the device, and breaks a compiled model in two.
So a model checks shapes only, and values are checked once, where ids come in: what
`generate` is given, what a file holds. Axes: `B` batch, `T` tokens.
"""

# --8<-- [start:imports]
from torch import Tensor

# --8<-- [end:imports]


# --8<-- [start:checks]
def check_shape(ids: Tensor, context_length: int, seen: int = 0) -> None:
    """Raise ValueError for ids that are not (B, T), or too many, or none.

    `seen` tokens came before, and are in a cache.
    """
    if ids.dim() != 2:
        raise ValueError(f"ids are {tuple(ids.shape)}: they must be (B, T)")
    T = seen + ids.size(1)
    if ids.size(1) < 1 or context_length < T:
        raise ValueError(
            f"{T} tokens: there must be 1 … {context_length} (context_length)"
        )


def check_range(ids: Tensor, vocab_size: int) -> None:
    """Raise ValueError for ids that are not in the vocabulary, 0 … vocab_size - 1."""
    if ids.numel() and not 0 <= ids.min() <= ids.max() < vocab_size:
        raise ValueError(
            f"ids from {ids.min()} to {ids.max()}: they must lie in"
            f" 0 … {vocab_size - 1}"
        )


# --8<-- [end:checks]
