"""Images in files, as a dataset: found, checked, and read when they are asked for.

    python image_dataset.py FOLDER

prints what is in a folder that has a folder of images for each class, and which files
cannot be used. Images are (C, H, W): C is 1 for gray and 3 for colour.
"""

# --8<-- [start:imports]
import csv
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from PIL import Image, ImageOps, UnidentifiedImageError
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

# --8<-- [end:imports]


# --8<-- [start:files]
SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff")


class LabelledFiles(NamedTuple):
    """Which files there are, and what each of them shows. Nothing is read yet."""

    paths: list[Path]
    labels: list[int]  # numbers of classes, one for each path
    classes: list[str]  # their names, in the order of their numbers

    def take(self, indices: Iterable[int]) -> "LabelledFiles":
        """Some of the files, with the same classes: a part of a split."""
        chosen = list(indices)
        paths = [self.paths[index] for index in chosen]
        return LabelledFiles(paths, [self.labels[i] for i in chosen], self.classes)


# --8<-- [end:files]


# --8<-- [start:folders]
def files_in_folders(
    root: str | Path, classes: Sequence[str] | None = None
) -> LabelledFiles:
    """The images below `root/NAME` for each class NAME, in the order of their paths.

    Without `classes` the folders are the classes, sorted as text. Files and folders
    whose names start with a dot are left out, inside a class too. Raises
    FileNotFoundError if there is no folder `root`, and ValueError if folders and
    classes differ, for a class without images, and for a file of another kind.
    """
    root = Path(root)
    if not root.is_dir():
        raise FileNotFoundError(f"{root.as_posix()} is not a folder")
    entries = [entry for entry in root.iterdir() if not entry.name.startswith(".")]
    found = sorted(entry.name for entry in entries if entry.is_dir())
    names = list(classes) if classes is not None else found
    if not names or set(names) != set(found):
        wanted = f"the classes {names}" if names else "a folder for each class"
        place = root.as_posix()
        raise ValueError(f"{place} has the folders {found}: expected {wanted}")
    paths, labels = [], []
    for label, name in enumerate(names):
        images = images_below(root / name)
        paths += images
        labels += [label] * len(images)
    return LabelledFiles(paths, labels, names)


def images_below(folder: Path) -> list[Path]:
    """All images in a folder and its folders. Raises ValueError: see above."""
    files = [
        path
        for path in folder.rglob("*")
        if path.is_file()
        and not any(name.startswith(".") for name in path.relative_to(folder).parts)
    ]
    known = ", ".join(SUFFIXES)
    for path in files:
        if path.suffix.lower() not in SUFFIXES:
            raise ValueError(f"{path.as_posix()} is none of {known}: move it away")
    if not files:
        raise ValueError(f"{folder.as_posix()} holds no image: a class must have some")
    return sorted(files, key=lambda path: (str(path.parent), path.name))


# --8<-- [end:folders]


# --8<-- [start:table]
def files_in_table(table: str | Path, classes: Sequence[str]) -> LabelledFiles:
    """The images that a CSV file names in its columns `file` and `label`.

    Paths start at the folder of the table; a label is one of `classes`. Raises
    FileNotFoundError if there is no table, and ValueError, with the line, for a missing
    column, a label that is no class, a file that is not there, and one named twice.
    """
    table, number = Path(table), {name: i for i, name in enumerate(classes)}
    lines: dict[Path, int] = {}  # of each path
    labels = []
    with table.open(encoding="utf-8-sig", newline="") as file:  # with or without a BOM
        rows = csv.DictReader(file)
        columns = rows.fieldnames or []
        if not {"file", "label"} <= {*columns}:
            raise ValueError(f"{table.name}: no columns file and label in {columns}")
        for row in rows:
            name, label = row["file"] or "", row["label"]
            place, path = f"{table.name}:{rows.line_num}", table.parent / name
            if label not in number:
                raise ValueError(f"{place}: {label!r} is none of {list(classes)}")
            if not path.is_file():
                raise ValueError(f"{place}: there is no file {name!r}")
            if path in lines:
                raise ValueError(f"{place}: {name} is in line {lines[path]} already")
            lines[path] = rows.line_num
            labels.append(number[label])
    if not lines:
        raise ValueError(f"{table.name} names no files")
    return LabelledFiles(list(lines), labels, list(classes))


# --8<-- [end:table]


# --8<-- [start:read]
class ImageFileError(Exception):
    """A file that cannot be used as an image; the message names it and says why."""


def read_image(path: str | Path, mode: str = "L") -> Image.Image:
    """An image from a file, whole and upright: gray (`L`) or in colour (`RGB`).

    What is transparent becomes white, and 16 bits of gray become 8. Raises
    FileNotFoundError, ImageFileError for a file that is damaged, no image, or of
    numbers without a known range, and ValueError for another `mode`.
    """
    if mode not in ("L", "RGB"):
        raise ValueError(f"mode={mode!r}: it must be 'L' or 'RGB'")
    path = Path(path)
    name = path.as_posix()
    try:
        with Image.open(path) as file:
            image = ImageOps.exif_transpose(file)  # as the camera was held
            image.load()  # all of it: `open` reads the first bytes only
    except (FileNotFoundError, IsADirectoryError, PermissionError, MemoryError):
        raise
    except Exception as error:  # damage can make readers stumble over anything
        raise ImageFileError(f"{name} cannot be read: {reason(path, error)}") from error
    if image.mode.startswith("I;16"):
        image = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    if image.mode in ("I", "F"):
        raise ImageFileError(f"{name} has the mode {image.mode!r}: of unknown range")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(white, image)
    return image.convert(mode)


def reason(path: Path, error: Exception) -> str:
    """Why an image could not be read, in words: what PIL says, or how it begins."""
    size = path.stat().st_size
    if size == 0:
        return "it is empty"
    if isinstance(error, UnidentifiedImageError):
        with path.open("rb") as file:
            start = file.read(12)
        return f"PIL finds no image in its {size:,} bytes, which begin {start!r}"
    return f"{error} ({size:,} bytes)"


# --8<-- [end:read]


# --8<-- [start:dataset]
class ImageDataset(Dataset[tuple[Any, int]]):
    """Images of files with their labels, each read when it is asked for.

    `transform` gets a PIL image and returns what the model is to see; without one, the
    PIL image itself is handed over. What is raised while a sample is made names its
    file. Raises ValueError for a label that is no number of a class.
    """

    def __init__(
        self,
        files: LabelledFiles,
        transform: Callable[[Image.Image], Any] | None = None,
        mode: str = "L",
    ) -> None:
        for path, label in zip(files.paths, files.labels, strict=True):
            if not 0 <= label < len(files.classes):
                last = len(files.classes) - 1
                name = path.as_posix()
                raise ValueError(f"{name} has the label {label}, outside 0 … {last}")
        self.files, self.transform, self.mode = files, transform, mode

    def __len__(self) -> int:
        """How many files there are."""
        return len(self.files.paths)

    def __getitem__(self, index: int) -> tuple[Any, int]:
        """An image and the number of its class; raises IndexError beyond the end."""
        path, label = self.files.paths[index], self.files.labels[index]
        image = read_image(path, self.mode)
        if self.transform is None:
            return image, label
        try:
            return self.transform(image), label
        except Exception as error:
            name = path.as_posix()
            error.add_note(f"while transforming {name}, {image.mode} {image.size}")
            raise


# --8<-- [end:dataset]


# --8<-- [start:check]
def find_problems(dataset: Dataset[Any], n_classes: int, most: int = 10) -> list[str]:
    """What is wrong with the samples of a dataset, by index; reads all of them.

    A sample must be an image, float and finite, of the shape that most have, and an
    int from 0 to `n_classes` - 1. Gives no more than `most` problems.
    """
    problems: dict[int, str] = {}
    shapes: dict[int, tuple[int, ...]] = {}
    count = len(dataset)  # type: ignore[arg-type]  # Dataset promises no length
    for index in range(count):
        try:
            image, label = dataset[index]
        except Exception as error:
            problems[index] = f"{type(error).__name__}: {error}"
            continue
        if problem := problem_of(image, label, n_classes):
            problems[index] = problem
        else:
            shapes[index] = tuple(image.shape)
    if shapes:
        usual = Counter(shapes.values()).most_common(1)[0][0]
        for index, shape in shapes.items():
            if shape != usual:
                problems[index] = f"the image is {shape}, and most are {usual}"
    return [f"sample {index}: {problems[index]}" for index in sorted(problems)][:most]


def problem_of(image: Any, label: Any, n_classes: int) -> str:
    """What is wrong with one sample; empty if nothing is."""
    if not isinstance(image, Tensor):
        return f"the image is a {type(image).__name__}, not a tensor"
    if not image.is_floating_point():
        return f"the image is {image.dtype}, and layers want floats"
    if not image.isfinite().all():
        return "the image has numbers that are not finite"
    if not isinstance(label, int):
        return f"the label is a {type(label).__name__}, not an int"
    if not 0 <= label < n_classes:
        return f"the label is {label}, outside 0 … {n_classes - 1}"
    return ""


# --8<-- [end:check]


# --8<-- [start:main]
def size_of(image: Image.Image) -> Tensor:
    """Width and height, (2,): a transform that lets a loader count sizes."""
    return torch.tensor(image.size)


def survey(root: str | Path) -> None:
    """Print classes, sizes and what cannot be read of a folder of images."""
    dataset = ImageDataset(files_in_folders(root), size_of)
    sizes: Counter[tuple[int, ...]] = Counter()
    broken: list[str] = []
    for index in range(len(dataset)):
        try:
            sizes[tuple(dataset[index][0].tolist())] += 1
        except ImageFileError as error:
            broken.append(str(error))
    counts = Counter(dataset.files.classes[label] for label in dataset.files.labels)
    print("classes:", ", ".join(f"{name} {n}" for name, n in counts.items()))
    print("sizes:  ", ", ".join(f"{w} x {h}: {n}" for (w, h), n in sizes.items()))
    print("broken: ", *(broken or ["none"]), sep="\n  " if broken else " ")


def read_with_workers(root: str | Path, workers: int = 2) -> None:
    """Walk a folder by a loader with workers, as training does; stops at an error."""
    dataset = ImageDataset(files_in_folders(root), size_of)
    loader = DataLoader(dataset, batch_size=16, num_workers=workers)
    print("images:", sum(len(labels) for _, labels in loader))


if __name__ == "__main__":
    if len(sys.argv) > 2:
        read_with_workers(sys.argv[1], int(sys.argv[2]))
    else:
        survey(sys.argv[1])
# --8<-- [end:main]
