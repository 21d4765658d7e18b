"""Printed digits as files: a folder of PNG images for each digit."""

# --8<-- [start:imports]
from pathlib import Path

import numpy as np
from PIL import Image
from torch import Tensor

from snippets.glyphs import TRAIN_FONTS, glyphs

# --8<-- [end:imports]


# --8<-- [start:write]
def to_gray(image: Tensor) -> Image.Image:
    """An image (1, H, W) of numbers from 0 to 1 as one of bytes: 0 to 255."""
    return Image.fromarray((image[0].cpu().numpy() * 255).round().astype(np.uint8))


def write_digits(
    root: str | Path,
    fonts: tuple[str, ...] = TRAIN_FONTS,
    copies: int = 4,
    seed: int = 0,
) -> None:
    """Write `root/DIGIT/FONT-NUMBER.png`: each digit in each font, `copies` times."""
    images, labels = glyphs(fonts, copies, seed)
    for number, (image, label) in enumerate(zip(images, labels.tolist(), strict=True)):
        font = fonts[number // 10 % len(fonts)]  # ten digits of a font, then the next
        path = Path(root) / str(label) / f"{font}-{number:04}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        to_gray(image).save(path)


# --8<-- [end:write]
