"""Images in files, as a dataset: listed at the start, read when they are asked for.

    python image_dataset.py FOLDER

prints the classes of a folder that has a folder of images for each of them, and which
files cannot be read.
"""

# --8<-- [start:imports]
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageOps
from torch.utils.data import Dataset

# --8<-- [end:imports]


# --8<-- [start:dataset]
class ImageDataset(Dataset[tuple[Any, int]]):
    """The images in `root/CLASS/`, in gray, with the number of their class.

    Raises ValueError if there are none.
    """

    suffixes = (".png", ".jpg", ".jpeg")

    def __init__(
        self, root: str | Path, transform: Callable[[Image.Image], Any] | None = None
    ) -> None:
        folders = [folder for folder in Path(root).iterdir() if folder.is_dir()]
        names = sorted(folder.name for folder in folders)
        self.classes = [name for name in names if not name.startswith(".")]
        self.samples = [
            (path, label)
            for label, name in enumerate(self.classes)
            for path in sorted(Path(root, name).iterdir(), key=lambda path: path.name)
            if path.suffix.lower() in self.suffixes
        ]
        if not self.samples:
            raise ValueError(f"no images in {root}/CLASS/: the folders are {names}")
        self.transform = transform

    def __len__(self) -> int:
        """How many images there are."""
        return len(self.samples)

    def __getitem__(self, index: int) -> tuple[Any, int]:
        """An image, transformed, and its label; what is raised names the file."""
        path, label = self.samples[index]
        try:
            with Image.open(path) as file:
                image = file.convert("L")  # reads all of the file
            return self.transform(image) if self.transform else image, label
        except Exception as error:
            error.add_note(f"the file is {path.as_posix()}")
            raise


# --8<-- [end:dataset]


# --8<-- [start:broken]
def broken_files(dataset: ImageDataset) -> list[str]:
    """Which samples cannot be made, and why; tries all of them."""
    found = []
    for index, (path, _) in enumerate(dataset.samples):
        try:
            dataset[index]
        except Exception as error:
            found.append(f"{path.as_posix()}: {type(error).__name__}: {error}")
    return found


# --8<-- [end:broken]


# --8<-- [start:read]
def read_image(path: str | Path, mode: str = "RGB") -> Image.Image:
    """An image from a file, whole and upright: in colour, or in gray with mode `L`.

    What is transparent becomes white, and 16 bits of gray become 8. What is raised
    names the file. Raises ValueError for numbers whose range is not known.
    """
    try:
        with Image.open(path) as file:
            image = ImageOps.exif_transpose(file)  # as the camera was held
            image.load()  # all of it: `open` reads the first bytes only
        if image.mode.startswith("I;16"):
            image = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
        if image.mode in ("I", "F"):
            raise ValueError(f"an image of mode {image.mode!r}: of unknown range")
        if image.has_transparency_data:
            image = image.convert("RGBA")
            white = Image.new("RGBA", image.size, "white")
            image = Image.alpha_composite(white, image)
        return image.convert(mode)
    except Exception as error:
        error.add_note(f"the file is {Path(path).as_posix()}")
        raise


# --8<-- [end:read]


if __name__ == "__main__":
    dataset = ImageDataset(sys.argv[1])
    counts = Counter(dataset.classes[label] for _, label in dataset.samples)
    print("images:", ", ".join(f"{name} {counts[name]}" for name in dataset.classes))
    print("broken:", *(broken_files(dataset) or ["none"]), sep="\n  ")
