"""The digits as files: a folder of PNG images for each class, and a table of labels."""

# --8<-- [start:imports]
import csv
from pathlib import Path

import numpy as np
from PIL import Image
from torch import Tensor

from snippets.digits import Digits, split_digits

# --8<-- [end:imports]


# --8<-- [start:write]
def to_gray(image: Tensor) -> Image.Image:
    """An image (1, H, W) of numbers from 0 to 1 as one of bytes: 0 to 255."""
    return Image.fromarray((image[0].cpu().numpy() * 255).round().astype(np.uint8))


def write_digits(root: str | Path, data: Digits) -> None:
    """Write each image to `root/DIGIT/NUMBER.png`, numbered as in the data."""
    for number, (image, label) in enumerate(zip(data.images, data.labels, strict=True)):
        path = Path(root) / str(label.item()) / f"{number:04}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        to_gray(image).save(path)


def write_all_digits(root: str | Path) -> None:
    """Three folders for training, validation and test, as `split_digits` cuts them."""
    for name, part in zip(("train", "validation", "test"), split_digits(), strict=True):
        write_digits(Path(root) / name, part)


def write_table(root: str | Path) -> None:
    """Write `root/labels.csv`: the path of each image below `root`, and its folder."""
    root = Path(root)
    with (root / "labels.csv").open("w", encoding="utf8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("file", "label"))
        for path in sorted(root.rglob("*.png")):
            writer.writerow((path.relative_to(root).as_posix(), path.parent.name))


# --8<-- [end:write]
