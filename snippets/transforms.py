"""What torchvision's transforms compute, written out, to be compared with them.

Axes: images are (C, H, W), C channels of H rows and W columns.
"""

# --8<-- [start:imports]
import math
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


def standardise(image: Tensor, mean: Tensor, std: Tensor) -> Tensor:
    """Subtract a mean and divide by a spread, both (C,), channel by channel.

    Raises ValueError for a spread that is not above 0, and unless the image has as many
    channels: broadcasting would make more of them.
    """
    if not len(mean) == len(std) == len(image):
        found = f"{len(mean)} means and {len(std)} spreads"
        raise ValueError(f"{found} for an image of {len(image)} channels")
    if not (std > 0).all():
        raise ValueError(f"std={std.tolist()}: a constant channel cannot be scaled")
    return (image - mean[:, None, None]) / std[:, None, None]


# --8<-- [end:basic]


# --8<-- [start:statistics]
def channel_statistics(images: Iterable[Tensor]) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation of each channel over all pixels of all images.

    Images (C, H, W) may differ in size, and are walked once. Sums are kept in float64:
    millions of float32 numbers would not add up. Returns float32, (C,) each. Raises
    ValueError if there are no images.
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


# --8<-- [start:resize]
def resize_weights(old: int, new: int, device: torch.device | None = None) -> Tensor:
    """How much each of `old` pixels counts for each of `new` ones: (new, old).

    A pixel is an area: its centre lies at its number plus a half. Weights fall off
    linearly from the centre of the new pixel, over one old pixel when enlarging, over
    the width of a new one when shrinking, so that no old pixel is left out.
    """
    scale = old / new  # old pixels a new one covers
    centres = (torch.arange(new, device=device) + 0.5) * scale  # (new,)
    places = torch.arange(old, device=device) + 0.5  # (old,)
    distance = (places - centres[:, None]).abs() / max(scale, 1.0)  # (new, old)
    weights = (1 - distance).clamp(min=0)
    return weights / weights.sum(dim=1, keepdim=True)


def resize_image(image: Tensor, height: int, width: int) -> Tensor:
    """An image (C, H, W) of floats in another size: first rows, then columns."""
    H, W = image.shape[1:]
    rows = resize_weights(H, height, image.device).to(image.dtype)  # (height, H)
    columns = resize_weights(W, width, image.device).to(image.dtype)  # (width, W)
    return rows @ image @ columns.T  # (C, height, width)


# --8<-- [end:resize]


# --8<-- [start:rotate]
def rotate_image(image: Tensor, degrees: float) -> Tensor:
    """Turn an image (C, H, W) of floats about its centre, anticlockwise.

    For each pixel of the result: where did it come from? Between four pixels there,
    weigh them by how near they are; outside the image is 0.
    """
    H, W = image.shape[1:]
    angle = math.radians(degrees)
    y = torch.arange(H, device=image.device)[:, None] - (H - 1) / 2  # (H, 1), down
    x = torch.arange(W, device=image.device)[None, :] - (W - 1) / 2  # (1, W), right
    from_x = math.cos(angle) * x - math.sin(angle) * y + (W - 1) / 2  # (H, W)
    from_y = math.sin(angle) * x + math.cos(angle) * y + (H - 1) / 2
    left, top = from_x.floor(), from_y.floor()
    result = torch.zeros_like(image)
    for column, row in ((0, 0), (1, 0), (0, 1), (1, 1)):
        i, j = (top + row).long(), (left + column).long()  # (H, W)
        weight = (1 - (from_y - i).abs()) * (1 - (from_x - j).abs())
        inside = (i >= 0) & (i < H) & (j >= 0) & (j < W)
        pixels = image[:, i.clamp(0, H - 1), j.clamp(0, W - 1)]  # (C, H, W)
        result += pixels * (weight * inside).to(image.dtype)
    return result


# --8<-- [end:rotate]


# --8<-- [start:crop]
def draw_crop(
    height: int,
    width: int,
    scale: tuple[float, float] = (0.08, 1.0),
    ratio: tuple[float, float] = (3 / 4, 4 / 3),
    generator: torch.Generator | None = None,
) -> tuple[int, int, int, int]:
    """A random part of an image: top, left, height, width, all in pixels.

    `scale` bounds the part of the area, `ratio` width over height, drawn on a
    logarithmic scale so that 3/4 and 4/3 are as likely. What does not fit in is drawn
    again; after ten times it is the middle of the image, as large as `ratio` lets it
    be. Szegedy et al., 2015, section 6.
    """
    logs = math.log(ratio[0]), math.log(ratio[1])
    for _ in range(10):
        area = height * width * draw_between(scale, generator)
        shape = math.exp(draw_between(logs, generator))
        h, w = round(math.sqrt(area / shape)), round(math.sqrt(area * shape))
        if 0 < h <= height and 0 < w <= width:
            top = int(torch.randint(height - h + 1, (1,), generator=generator))
            left = int(torch.randint(width - w + 1, (1,), generator=generator))
            return top, left, h, w
    shape = min(max(width / height, ratio[0]), ratio[1])
    h, w = min(height, round(width / shape)), min(width, round(height * shape))
    return (height - h) // 2, (width - w) // 2, h, w


def draw_between(
    bounds: tuple[float, float], generator: torch.Generator | None = None
) -> float:
    """A number from the uniform distribution between two bounds."""
    return torch.empty(1).uniform_(*bounds, generator=generator).item()


# --8<-- [end:crop]
