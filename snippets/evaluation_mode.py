"""Switch a model to evaluation for a while, and back to exactly what it was."""

# --8<-- [start:imports]
from collections.abc import Iterator
from contextlib import contextmanager

from torch import nn

# --8<-- [end:imports]


# --8<-- [start:mode]
@contextmanager
def evaluation_mode(model: nn.Module) -> Iterator[None]:
    """`model.eval()` inside of `with`; then each module is in the mode that it had.

    `model.train()` would not do: it also wakes what was frozen in evaluation mode.
    """
    before = {module: module.training for module in model.modules()}
    model.eval()
    try:
        yield
    finally:
        for module, training in before.items():
            module.training = training


# --8<-- [end:mode]
