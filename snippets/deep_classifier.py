"""Classifiers of the digits with many layers, to try first weights on.

Axes: `B` images of a batch, `V` classes.
"""

# --8<-- [start:imports]
from collections.abc import Callable

import torch
from torch import Tensor, nn

from snippets.blocks import mlp
from snippets.digit_classifier import MiniBatches, fit
from snippets.digits import Digits

# --8<-- [end:imports]


# --8<-- [start:classifier]
def deep_classifier(
    depth: int, init_: Callable[[Tensor], object] | None = None
) -> nn.Sequential:
    """`depth` hidden layers of width 64, each with a ReLU.

    Takes images (B, 1, 8, 8) and returns logits (B, 10). `init_` fills the weight of
    each linear layer, and biases become zero; without it, all stay as PyTorch made
    them. Raises ValueError for a depth below 1.
    """
    if depth < 1:
        raise ValueError(f"depth={depth}: at least one hidden layer")
    model = nn.Sequential(nn.Flatten(), *mlp([64] + [64] * depth + [10]))
    for layer in model:
        if init_ and isinstance(layer, nn.Linear):
            init_(layer.weight)
            nn.init.zeros_(layer.bias)
    return model


def accuracies(
    model: nn.Module,
    train: Digits,
    validation: Digits,
    lr: float,
    epochs: int,
    seed: int = 0,
) -> list[float]:
    """Train with AdamW; accuracy on validation, 0 to 1, after each epoch."""
    # foreach: all parameters in one call, the same numbers sooner
    optimizer = torch.optim.AdamW(model.parameters(), lr, foreach=True)
    batches = MiniBatches(train, 32, seed)
    curve = fit(model, batches, [validation], optimizer, epochs)
    return [epoch.validation.accuracy for epoch in curve]


# --8<-- [end:classifier]
