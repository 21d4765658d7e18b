"""A classifier of the digits, and the loop that trains it: the thread of the track.

Axes: `B` images of a batch, `H` hidden units, `V` classes. A batch is a pair of images
(B, 1, 8, 8) and labels (B,); anything that can be iterated over again and again and
gives such pairs will do, the `MiniBatches` of this file as well as a `DataLoader`.
Model and batches must be on the same device.
"""

# --8<-- [start:imports]
import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from snippets.digits import Digits
from snippets.metrics import RunningMean
from snippets.modes import evaluating

# --8<-- [end:imports]

# --8<-- [start:types]
Batch = tuple[Tensor, Tensor]
LossFunction = Callable[[Tensor, Tensor], Tensor]


class Evaluation(NamedTuple):
    """How well a model does on some data."""

    loss: float  # mean over the images
    accuracy: float  # share of the images named right, 0 to 1


class Epoch(NamedTuple):
    """One point of a training curve."""

    train: Evaluation  # measured while the weights changed
    validation: Evaluation  # measured after the epoch


# --8<-- [end:types]


# --8<-- [start:model]
@dataclass(frozen=True)
class DigitConfig:
    """The sizes of a `DigitMLP`."""

    image_shape: tuple[int, ...] = (1, 8, 8)
    d_hidden: int = 64
    n_classes: int = 10
    dropout: float = 0.0


class DigitMLP(nn.Module):
    """Two linear layers with a ReLU between them.

    `forward` takes images (B, 1, 8, 8) and returns logits (B, 10): any real numbers,
    the largest for the digit that the model believes in. Raises ValueError for images
    of another shape.
    """

    def __init__(self, config: DigitConfig | None = None) -> None:
        super().__init__()
        self.config = config or DigitConfig()
        n_pixels = math.prod(self.config.image_shape)
        self.hidden = nn.Linear(n_pixels, self.config.d_hidden)
        self.dropout = nn.Dropout(self.config.dropout)
        self.out = nn.Linear(self.config.d_hidden, self.config.n_classes)

    def forward(self, images: Tensor) -> Tensor:
        """Score each class for each image."""
        if images.shape[1:] != self.config.image_shape:
            raise ValueError(
                f"images are {tuple(images.shape)}: expected"
                f" (B, {', '.join(map(str, self.config.image_shape))})"
            )
        x = images.flatten(1)  # (B, 1, 8, 8) -> (B, 64)
        x = self.dropout(self.hidden(x).relu())  # (B, H)
        return self.out(x)  # (B, V)


# --8<-- [end:model]


# --8<-- [start:batches]
class MiniBatches:
    """Batches of `size` images, in a new random order each time.

    The last one is smaller if the data do not divide. The order depends on `seed` and
    on how many epochs came before. Raises ValueError for a size below 1.
    """

    def __init__(self, data: Digits, size: int, seed: int = 0) -> None:
        if size < 1:
            raise ValueError(f"size={size}: a batch needs at least one image")
        self.data, self.size = data, size
        self.generator = torch.Generator().manual_seed(seed)

    def __len__(self) -> int:
        """How many batches an epoch has."""
        return math.ceil(len(self.data.labels) / self.size)

    def __iter__(self) -> Iterator[Batch]:
        """Each image once."""
        order = torch.randperm(len(self.data.labels), generator=self.generator)
        for chosen in order.split(self.size):
            yield self.data.images[chosen], self.data.labels[chosen]


# --8<-- [end:batches]


# --8<-- [start:train-epoch]
def train_epoch(
    model: nn.Module,
    batches: Iterable[Batch],
    optimizer: torch.optim.Optimizer,
    loss_function: LossFunction = F.cross_entropy,
) -> Evaluation:
    """Iterate over the batches once, with a step of the optimizer for each.

    `loss_function` takes logits (B, V) and labels (B,), and returns the mean over the
    batch. The evaluation is a mean over the epoch, of a model that changed meanwhile.
    A step that needs more (clipping, a schedule for each step) is written in here.
    """
    model.train()
    losses, right = RunningMean(), RunningMean()
    for images, labels in batches:
        logits = model(images)  # (B, V)
        loss = loss_function(logits, labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.add(loss, len(labels))
        right.add(logits.argmax(dim=-1) == labels)
    return Evaluation(losses.value, right.value)


# --8<-- [end:train-epoch]


# --8<-- [start:evaluate]
@torch.no_grad()
def evaluate(
    model: nn.Module,
    batches: Iterable[Batch],
    loss_function: LossFunction = F.cross_entropy,
) -> Evaluation:
    """Loss and accuracy of the model as it is, without dropout and without a graph.

    Leaves the model in the mode in which it was, and its gradients as they were.
    """
    losses, right = RunningMean(), RunningMean()
    with evaluating(model):
        for images, labels in batches:
            logits = model(images)  # (B, V)
            losses.add(loss_function(logits, labels), len(labels))
            right.add(logits.argmax(dim=-1) == labels)
    return Evaluation(losses.value, right.value)


# --8<-- [end:evaluate]


# --8<-- [start:fit]
def fit(
    model: nn.Module,
    train: Iterable[Batch],
    validation: Iterable[Batch],
    optimizer: torch.optim.Optimizer,
    epochs: int,
    loss_function: LossFunction = F.cross_entropy,
    after_epoch: Callable[[Epoch], object] | None = None,
) -> list[Epoch]:
    """Train for some epochs and look at the validation data after each of them.

    `after_epoch` is called with what was found: a place for a scheduler's step, for a
    checkpoint or a log.
    """
    curve = []
    for _ in range(epochs):
        trained = train_epoch(model, train, optimizer, loss_function)
        checked = evaluate(model, validation, loss_function)
        curve.append(Epoch(trained, checked))
        if after_epoch:
            after_epoch(curve[-1])
    return curve


# --8<-- [end:fit]
