"""A folder of images against torchvision's."""

import tempfile
from pathlib import Path

import torch
from PIL import Image
from torchvision.datasets import ImageFolder
from torchvision.transforms import v2

from proofs import Pairs, proof
from snippets.digit_images import to_gray
from snippets.image_dataset import ImageDataset


def open_gray(path: str) -> Image.Image:
    """A file as a gray image."""
    with Image.open(path) as file:
        return file.convert("L")


@proof(
    "A folder of images",
    ours="snippets.image_dataset.ImageDataset",
    theirs="torchvision.datasets.ImageFolder",
    page="pytorch/day-5/datasets.md",
    bound=0,
)
def folder() -> Pairs:
    """Classes, paths, labels and gray pixels, of files with names in any order."""
    torch.manual_seed(0)
    with tempfile.TemporaryDirectory() as root:
        for name in ("10/a.png", "2/b.png", "2/C.PNG", "2/a.jpeg", "cat/x.jpg"):
            path = Path(root, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            to_gray(torch.rand(1, 6, 5)).save(path)
        ours = ImageDataset(root, v2.functional.to_image)
        theirs = ImageFolder(root, v2.functional.to_image, loader=open_gray)
        yield ours.classes, theirs.classes
        yield [path for path, _ in ours.samples], [Path(p) for p, _ in theirs.samples]
        for (mine, label), (other, target) in zip(ours, theirs, strict=True):
            yield label, target
            yield mine, other
