"""From a picture to what a model wants, written out: bytes, floats, about zero.

Axes: images are (C, H, W), C channels of H rows and W columns.
"""

# --8<-- [start:imports]
from collections.abc import Iterable

import numpy as np
import torch
from PIL import Image
from torch import Tensor

# --8<-- [end:imports]


# --8<-- [start:basic]
def pil_to_tensor(image: Image.Image) -> Tensor:
    """The pixels of a PIL image of mode L or RGB, (C, H, W), uint8.

    As torchvision's function of this name (not its `to_tensor`, which divides by 255).
    Raises ValueError for another mode: its numbers would mean something else.
    """
    if image.mode not in ("L", "RGB"):
        raise ValueError(f"an image of mode {image.mode}: convert it to L or RGB")
    pixels = torch.from_numpy(np.array(image))  # (H, W) or (H, W, C)
    return pixels.reshape(*pixels.shape[:2], -1).permute(2, 0, 1)  # (C, H, W)


def to_unit(image: Tensor) -> Tensor:
    """Bytes 0 … 255 as floats 0 … 1. Raises TypeError for anything but uint8."""
    if image.dtype != torch.uint8:
        raise TypeError(f"an image of {image.dtype}: only bytes have a known range")
    return image.float() / 255


def normalize(image: Tensor, mean: Tensor, std: Tensor) -> Tensor:
    """Subtract a mean and divide by a standard deviation, both (C,), in each channel.

    Raises ValueError for a standard deviation that is not above 0, and unless the image
    has as many channels: broadcasting would make more of them.
    """
    if not len(mean) == len(std) == len(image):
        found = f"{len(mean)} means and {len(std)} deviations"
        raise ValueError(f"{found} for an image of {len(image)} channels")
    if not (std > 0).all():
        raise ValueError(f"std={std.tolist()}: a constant channel cannot be scaled")
    return (image - mean[:, None, None]) / std[:, None, None]


# --8<-- [end:basic]


# --8<-- [start:statistics]
def channel_statistics(images: Iterable[Tensor]) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation of each channel over all pixels of all images.

    Images (C, H, W) may differ in size, and are iterated over once. Sums are kept in
    float64: millions of float32 numbers would not add up. Returns float32, (C,) each.
    Raises ValueError if there are no images.
    """
    count, sums = 0, []
    for image in images:
        pixels = image.double().flatten(1)  # (C, H * W)
        count += pixels.size(1)
        sums.append(torch.stack([pixels.sum(dim=1), pixels.square().sum(dim=1)]))
    if not count:
        raise ValueError("there are no images to take statistics of")
    mean, square = torch.stack(sums).sum(dim=0) / count  # (C,), (C,)
    variance = (square - mean**2).clamp(min=0)  # rounding can go below 0
    return mean.float(), variance.sqrt().float()


# --8<-- [end:statistics]
