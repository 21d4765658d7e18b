"""A folder of images against torchvision's."""

import tempfile
from pathlib import Path

import torch
from torchvision.datasets import ImageFolder
from torchvision.transforms import v2

from proofs import Pairs, proof
from snippets.digit_images import to_gray
from snippets.image_dataset import ImageDataset, files_in_folders


@proof(
    "A folder of images",
    ours="snippets.image_dataset.ImageDataset",
    theirs="torchvision.datasets.ImageFolder",
    page="pytorch/day-5/images.md",
    bound=0,
)
def folder() -> Pairs:
    """Classes, paths, labels, and pixels in colour, of files in nested folders."""
    torch.manual_seed(0)
    with tempfile.TemporaryDirectory() as root:
        for name in ("10/a.png", "2/b.png", "2/C.PNG", "2/more/a.png", "cat/x.jpg"):
            path = Path(root, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            to_gray(torch.rand(1, 6, 5)).save(path)
        files = files_in_folders(root)
        theirs = ImageFolder(root)
        yield files.classes, theirs.classes
        yield files.paths, [Path(path) for path, _ in theirs.samples]
        yield files.labels, theirs.targets
        ours = ImageDataset(files, v2.functional.to_image, mode="RGB")
        for (mine, label), (other, target) in zip(ours, theirs, strict=True):
            yield label, target
            yield mine, v2.functional.to_image(other)
