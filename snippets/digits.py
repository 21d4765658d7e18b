"""The handwritten digits of the PyTorch track, and a split that does not flatter.

The 1,797 images come with scikit-learn: the test part of the UCI set *Optical
Recognition of Handwritten Digits* (Alpaydin and Kaynak, 1998), written by 13 people.
"""

# --8<-- [start:imports]
from typing import NamedTuple

import torch
from sklearn.datasets import load_digits
from torch import Tensor

# --8<-- [end:imports]

# --8<-- [start:digits]
VALIDATION = TEST = 300


class Digits(NamedTuple):
    """Images and what they show."""

    images: Tensor  # (N, 1, 8, 8), float32, 0 is paper and 1 is ink
    labels: Tensor  # (N,), int64, 0 to 9


def digits() -> Digits:
    """All 1,797 images, in the order of the file."""
    found = load_digits()
    images = torch.from_numpy(found.images).float() / 16  # (N, 8, 8)
    return Digits(images[:, None], torch.from_numpy(found.target).long())


def split_digits() -> tuple[Digits, Digits, Digits]:
    """Parts to train on, to choose by, and to test with once: 1,197, 300 and 300.

    The file seems to go from writer to writer, so it is cut and not shuffled: most of
    the test's writers were then never seen in training, as with those of a product.
    """
    images, labels = digits()
    parts = [len(labels) - VALIDATION - TEST, VALIDATION, TEST]
    pairs = zip(images.split(parts), labels.split(parts), strict=True)
    train, validation, test = (Digits(*pair) for pair in pairs)
    return train, validation, test


# --8<-- [end:digits]
