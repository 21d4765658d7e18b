"""What the programs of the gallery of bugs share: a right training, to put bugs into.

Axes: `B` images of a batch, `V` classes.
"""

# --8<-- [start:imports]
from collections.abc import Callable
from functools import cache

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim import Optimizer

from snippets.debugging import Build, Program, Step
from snippets.digit_classifier import MiniBatches, evaluate
from snippets.digits import Digits, split_digits
from snippets.hooks import layer_stats, stats_table
from snippets.table import Table

# --8<-- [end:imports]


# --8<-- [start:run]
@cache
def train_and_validation() -> tuple[Digits, Digits]:
    """The images that all programs train on, and those that they are judged by."""
    train, validation, _ = split_digits()
    return train, validation


def step_with(loss_function: Callable[[Tensor, Tensor], Tensor]) -> Step:
    """A training step without a mistake, except for those in the loss function.

    `loss_function` takes logits (B, V) and labels (B,).
    """

    def step(
        model: nn.Module, optimizer: Optimizer, images: Tensor, labels: Tensor
    ) -> Tensor:
        loss = loss_function(model(images), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss.detach()

    return step


RIGHT = step_with(F.cross_entropy)


def run(
    model: nn.Module,
    step: Step = RIGHT,
    data: Digits | None = None,
    held_out: Digits | None = None,
    optimizer: Optimizer | None = None,
    epochs: int = 5,
) -> None:
    """Train, and print the mean loss of the epochs and the accuracy at the end.

    Of twelve epochs and more, only the first and every sixth after it are printed.
    Without data of its own, a program gets `train_and_validation()`.
    """
    train, validation = train_and_validation()
    optimizer = optimizer or torch.optim.SGD(model.parameters(), lr=0.1)
    means = []
    for batches in [MiniBatches(data or train, 32, seed) for seed in range(epochs)]:
        model.train()
        losses = [float(step(model, optimizer, *batch)) for batch in batches]
        means.append(sum(losses) / len(losses))
    accuracy = 100 * evaluate(model, [held_out or validation]).accuracy
    shown = means if epochs < 12 else [means[0], *means[5::6]]
    print("loss", *(f"{mean:.2f}" for mean in shown), end="; ")
    print(f"validation {accuracy:.1f} %")


# --8<-- [end:run]


# --8<-- [start:program]
def program(
    make: Callable[[], nn.Module], step: Step = RIGHT, data: Digits | None = None
) -> Build:
    """What the checks take: a function that builds a program with a batch of 32."""
    data = data or train_and_validation()[0]

    def build() -> Program:
        model = make()
        optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
        return Program(model, optimizer, step, data.images[:32], data.labels[:32])

    return build


# --8<-- [end:program]


# --8<-- [start:layers]
def layers(model: nn.Module) -> Table:
    """What each layer makes of 32 images, and the gradient that comes back to it."""
    images, labels = (part[:32] for part in train_and_validation()[0])
    return stats_table(
        layer_stats(model, lambda: F.cross_entropy(model(images), labels))
    )


# --8<-- [end:layers]
