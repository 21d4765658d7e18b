"""What an augmentation is worth: the same training with and without it.

Axes: images are (1, 8, 8), the handwritten digits of the track.
"""

# --8<-- [start:imports]
from collections.abc import Callable

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from snippets.digit_classifier import DigitConfig, DigitMLP, evaluate, train_epoch
from snippets.digits import Digits

# --8<-- [end:imports]


# --8<-- [start:dataset]
class TransformedDigits(Dataset[tuple[Tensor, int]]):
    """Digits, each through a transform every time it is asked for."""

    def __init__(self, data: Digits, transform: Callable[[Tensor], Tensor]) -> None:
        self.data, self.transform = data, transform

    def __len__(self) -> int:
        """How many images there are."""
        return len(self.data.labels)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        """An image, transformed, and its label."""
        return self.transform(self.data.images[index]), int(self.data.labels[index])


# --8<-- [end:dataset]


# --8<-- [start:train]
def validation_curve(
    train: Dataset[tuple[Tensor, int]],
    validation: Digits,
    epochs: int,
    seed: int,
    every: int = 10,
) -> list[float]:
    """Validation accuracies of a `DigitMLP`, after every tenth epoch.

    Adam, batches of 64. The validation images are evaluated as they are.
    """
    torch.manual_seed(seed)
    model = DigitMLP(DigitConfig(d_hidden=128))
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    loader = DataLoader(train, batch_size=64, shuffle=True)
    found = []
    for epoch in range(1, epochs + 1):
        train_epoch(model, loader, optimizer)
        if epoch % every == 0:
            found.append(evaluate(model, [validation]).accuracy)
    return found


# --8<-- [end:train]
