"""Keys and values of the tokens so far, so that each token is read once."""

# --8<-- [start:imports]
import torch
from torch import Tensor

# --8<-- [end:imports]


# --8<-- [start:cache]
class KVCache:
    """Keys and values of the tokens so far, for one layer: each (B, G, S, D)."""

    def __init__(self) -> None:
        self.keys: Tensor | None = None
        self.values: Tensor | None = None

    @property
    def seen(self) -> int:
        """How many tokens there are so far."""
        return 0 if self.keys is None else self.keys.size(2)

    def extend(self, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
        """Append those of new tokens; returns all of them."""
        if self.keys is not None and self.values is not None:
            k = torch.cat([self.keys, k], dim=2)
            v = torch.cat([self.values, v], dim=2)
        self.keys, self.values = k, v
        return k, v


def causal_mask_after(seen: int, T: int, device: torch.device | str) -> Tensor:
    """The causal mask (T, seen + T) of T tokens that follow those of a cache.

    Each may attend to all that are in the cache, to itself, and to those between.
    """
    S = seen + T
    return torch.ones(T, S, dtype=torch.bool, device=device).tril(S - T)


# --8<-- [end:cache]
