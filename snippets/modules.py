"""What `nn.Module` does for you, by hand: a linear layer, and the registration."""

# --8<-- [start:imports]
import math
from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn

# --8<-- [end:imports]


# --8<-- [start:linear]
class Linear(nn.Module):
    """A linear layer, y = x Wᵀ + b: `nn.Linear` by hand.

    `forward` takes `x` (..., d_in) and returns (..., d_out). The weight is stored as
    (d_out, d_in): a row for each output. Both start uniform within ±1/√d_in.
    """

    def __init__(self, d_in: int, d_out: int) -> None:
        super().__init__()
        bound = 1 / math.sqrt(d_in)
        self.weight = nn.Parameter(torch.empty(d_out, d_in).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.empty(d_out).uniform_(-bound, bound))

    def forward(self, x: Tensor) -> Tensor:
        """Each output is a weighted sum of all inputs, and a bias."""
        return x @ self.weight.T + self.bias  # (..., d_in) -> (..., d_out)


# --8<-- [end:linear]


# --8<-- [start:tiny-module]
class TinyModule:
    """The heart of `nn.Module`: it notes what is assigned to it."""

    own_parameters: dict[str, nn.Parameter]
    own_modules: dict[str, "TinyModule"]
    forward: Callable[..., Tensor]

    def __init__(self) -> None:
        self.own_parameters = {}
        self.own_modules = {}

    def __setattr__(self, name: str, value: object) -> None:
        """Sort a new attribute by its type."""
        if isinstance(value, nn.Parameter):
            self.own_parameters[name] = value
        elif isinstance(value, TinyModule):
            self.own_modules[name] = value
        object.__setattr__(self, name, value)

    def named_parameters(self, prefix: str = "") -> Iterator[tuple[str, nn.Parameter]]:
        """Own parameters first, then those of the modules inside, named by path."""
        for name, parameter in self.own_parameters.items():
            yield prefix + name, parameter
        for name, module in self.own_modules.items():
            yield from module.named_parameters(f"{prefix}{name}.")

    def __call__(self, *args: Tensor) -> Tensor:
        """Compute; the real one also runs hooks, before and after."""
        return self.forward(*args)


# --8<-- [end:tiny-module]


# --8<-- [start:count]
def count_parameters(module: nn.Module, trainable: bool = False) -> int:
    """How many numbers the module holds as parameters; a shared one counts once."""
    parameters = module.parameters()
    return sum(p.numel() for p in parameters if p.requires_grad or not trainable)


# --8<-- [end:count]
