"""Networks that read printed characters, and that learn handwriting from them.

Axes: `B` images of a batch, `C` channels, `V` classes.
"""

# --8<-- [start:imports]
import copy
import itertools

import torch
import torch.nn.functional as F
from torch import nn

from snippets.digits import Digits

# --8<-- [end:imports]


# --8<-- [start:networks]
def stages(*channels: int) -> list[nn.Module]:
    """For each step from one number of channels to the next: convolve, ReLU, pool.

    `stages(1, 8, 16)` takes (B, 1, 28, 28) to (B, 16, 7, 7).
    """
    layers: list[nn.Module] = []
    for before, after in itertools.pairwise(channels):
        convolution = nn.Conv2d(before, after, kernel_size=3, padding=1)
        layers += [convolution, nn.ReLU(), nn.MaxPool2d(2)]
    return layers


def flat_cnn(n_classes: int = 10) -> nn.Sequential:
    """Images (B, 1, 28, 28) to logits (B, V): a weight for each channel and place."""
    head = [nn.Flatten(), nn.Linear(16 * 7 * 7, n_classes)]
    return nn.Sequential(*stages(1, 8, 16), *head)


def pooled_cnn(n_classes: int = 10) -> nn.Sequential:
    """Images (B, 1, 28, 28) to logits (B, V): the largest of each channel, anywhere."""
    body = [*stages(1, 8, 16), nn.Conv2d(16, 32, 3, padding=1), nn.ReLU()]
    head = [nn.AdaptiveMaxPool2d(1), nn.Flatten(), nn.Linear(32, n_classes)]
    return nn.Sequential(*body, *head)


# --8<-- [end:networks]


# --8<-- [start:shifted]
def shifted(data: Digits, pixels: int) -> Digits:
    """The images moved to the right; what leaves on one side comes in on the other."""
    return Digits(data.images.roll(pixels, dims=3), data.labels)


# --8<-- [end:shifted]


# --8<-- [start:enlarged]
def enlarged(data: Digits) -> Digits:
    """Handwritten digits (N, 1, 8, 8) as large as glyphs: 20 x 20 and a margin of 4."""
    images = F.interpolate(data.images, size=(20, 20), mode="bilinear")
    return Digits(F.pad(images, (4, 4, 4, 4)), data.labels)  # (N, 1, 28, 28)


# --8<-- [end:enlarged]


# --8<-- [start:some]
def some(data: Digits, count: int, seed: int) -> Digits:
    """A random choice of examples. Raises ValueError for none or too many."""
    if not 0 < count <= len(data.labels):
        raise ValueError(f"count={count}: there are {len(data.labels)} examples")
    generator = torch.Generator().manual_seed(seed)
    chosen = torch.randperm(len(data.labels), generator=generator)[:count]
    return Digits(data.images[chosen], data.labels[chosen])


# --8<-- [end:some]


# --8<-- [start:new-head]
def with_new_head(pretrained: nn.Sequential, n_classes: int = 10) -> nn.Sequential:
    """A copy whose last layer, which must be linear, is new and knows nothing.

    Raises ValueError for another last layer.
    """
    old = pretrained[-1]
    if not isinstance(old, nn.Linear):
        raise ValueError(f"the last layer is {old}: expected nn.Linear")
    model = copy.deepcopy(pretrained)
    model[-1] = nn.Linear(old.in_features, n_classes)
    return model


# --8<-- [end:new-head]


# --8<-- [start:two-rates]
def two_rates(
    model: nn.Sequential, body_lr: float, head_lr: float
) -> torch.optim.AdamW:
    """AdamW with a learning rate for the last layer, and one for all before it.

    `body_lr=0` freezes the body: no gradients are computed for it. Raises ValueError
    for a negative rate.
    """
    if body_lr < 0 or head_lr < 0:
        raise ValueError(f"rates must not be negative: {body_lr}, {head_lr}")
    body, head = model[:-1], model[-1]
    body.requires_grad_(body_lr > 0)
    groups = [{"params": head.parameters(), "lr": head_lr}]
    if body_lr:
        groups.append({"params": body.parameters(), "lr": body_lr})
    return torch.optim.AdamW(groups)


# --8<-- [end:two-rates]
