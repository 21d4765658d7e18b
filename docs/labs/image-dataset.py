# %% [markdown] minutes=60 task="pytorch-5-datasets"
# # Lab: a dataset of your own images
#
# A folder of image files, as such folders are: some pictures are transparent, one is
# cut off, somebody left a text file. You write what makes a dataset of it, in five
# tasks: the list of files, the reader, the two pipelines, the dataset, and the split.
# After each task stands a check. You need PyTorch, torchvision, Pillow and
# scikit-learn, which brings the digits. Read [the chapters](../../pytorch/day-5/)
# first, and then close them.
#
# The files are written to a temporary folder: `root/3/0003.png` and so on.

# %%
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from sklearn.datasets import load_digits
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset
from torchvision.datasets import ImageFolder
from torchvision.transforms import v2

SUFFIXES = (".png", ".jpg", ".jpeg")
found = load_digits()
pixels = (found.images / 16 * 255).round().astype(np.uint8)  # (N, 8, 8), 255 is ink


def new_folder(numbers: Sequence[int]) -> Path:
    """These digits as files, below a folder of their own."""
    root = Path(tempfile.mkdtemp())
    for number in numbers:
        path = root / str(found.target[number]) / f"{number:04}.png"
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(pixels[number]).save(path)
    return root


def error_of(function: Callable, *arguments: object) -> Exception | None:
    """What a call raises; None if it raises nothing."""
    try:
        function(*arguments)
    except Exception as error:
        return error
    return None


# %% [markdown]
# ## The list
#
# The folders below `root` are the classes. Their names, sorted as text, get the numbers
# 0, 1, 2, … The images of a class come in the order of their names. Folders and files
# whose name starts with a dot are left out, and files that do not end in one of
# `SUFFIXES` (small or capital letters) too. A class without any image is a mistake:
# raise ValueError with its name in the message.


# %%
def find_files(root: Path) -> tuple[list[Path], list[int], list[str]]:
    """The paths of all images, the number of the class of each, and all classes."""
    # Task 1: list classes and images, and check that no class is empty.
    ### BEGIN SOLUTION
    folders = [p for p in root.iterdir() if p.is_dir() and not p.name.startswith(".")]
    classes = sorted(folder.name for folder in folders)
    paths, labels = [], []
    for label, name in enumerate(classes):
        images = [
            path
            for path in sorted((root / name).iterdir(), key=lambda path: path.name)
            if path.suffix.lower() in SUFFIXES and not path.name.startswith(".")
        ]
        if not images:
            raise ValueError(f"the class {name} has no images")
        paths += images
        labels += [label] * len(images)
    return paths, labels, classes
    ### END SOLUTION


# %% tags=["check-1"]
root = new_folder(range(300))
theirs = ImageFolder(root)
expected = [Path(path) for path, _ in theirs.samples]
paths, labels, classes = find_files(root)
assert classes == theirs.classes, f"the classes are {classes}"
assert paths == expected, "not the files of ImageFolder, in its order"
assert labels == theirs.targets, "the labels differ from those of ImageFolder"
(root / "3" / "notes.txt").write_text("no image", "utf8")
(root / "3" / ".hidden.png").touch()
(root / ".ipynb_checkpoints").mkdir()
error = error_of(find_files, root)
assert error is None, f"a hidden folder is no class: {error}"
assert find_files(root)[0] == expected, "text files and hidden names are no images"
assert find_files(root)[2] == classes, "a hidden folder is no class"
(root / "12").mkdir()
error = error_of(find_files, root)
assert isinstance(error, ValueError), "a class without images must raise ValueError"
assert "12" in str(error), f"the message does not name the class: {error}"
Image.fromarray(pixels[0]).save(root / "12" / "A.PNG")
error = error_of(find_files, root)
assert error is None, f"A.PNG is an image: {error}"
paths, labels, classes = find_files(root)
assert classes[:3] == ["0", "1", "12"], "as text, 12 comes before 2"
assert labels[paths.index(root / "12" / "A.PNG")] == 2, "12 is the third class"
print("Task 1 is right.")

# %% [markdown]
# ## The reader
#
# One gray image of mode `L`, whatever is in the file. What is transparent becomes
# white: lay the image on a white one of the same size (`Image.alpha_composite` wants
# both as `RGBA`). Read *all* of the file, since `Image.open` reads the start only. A
# file that cannot be read raises ValueError with its name in the message.


# %%
def read_gray(path: Path) -> Image.Image:
    """The image of a file as mode L, on white paper where it is transparent."""
    # Task 2: open, load, lay on white, convert; name the file if that fails.
    ### BEGIN SOLUTION
    try:
        with Image.open(path) as image:
            image.load()
    except Exception as error:
        raise ValueError(f"{path.name} cannot be read: {error}") from error
    image = image.convert("RGBA")
    white = Image.new("RGBA", image.size, "white")
    return Image.alpha_composite(white, image).convert("L")
    ### END SOLUTION


# %% tags=["check-2"]
folder = Path(tempfile.mkdtemp())
plain = Image.fromarray(pixels[4])
for name, image in (("gray", plain), ("colour", plain.convert("RGB"))):
    image.save(folder / f"{name}.png")
    read = read_gray(folder / f"{name}.png")
    assert read.mode == "L", f"{name}: the mode is {read.mode}"
    assert np.array_equal(np.asarray(read), pixels[4]), f"{name}: other pixels"
plain.convert("RGB").quantize(8).save(folder / "palette.png")
read = np.asarray(read_gray(folder / "palette.png")).astype(int)
assert np.abs(read - pixels[4]).max() < 40, "palette: places in the list, not colours?"
black = Image.new("L", (8, 8), 0)
clear = Image.merge("LA", (black, plain))  # black ink, as opaque as there is ink
for mode in ("LA", "RGBA"):
    clear.convert(mode).save(folder / "clear.png")
    read = np.asarray(read_gray(folder / "clear.png")).astype(int)
    assert np.abs(read - (255 - pixels[4])).max() <= 1, f"{mode}: not on white"
whole = (folder / "gray.png").read_bytes()
for content, what in ((whole[:60], "cut off"), (b"", "empty"), (b"text", "no image")):
    (folder / "bad.png").write_bytes(content)
    error = error_of(read_gray, folder / "bad.png")
    assert isinstance(error, ValueError), f"{what}: it must raise ValueError"
    assert "bad.png" in str(error), f"{what}: the message does not name the file"
print("Task 2 is right.")

# %% [markdown]
# ## Two pipelines
#
# Both end with the same numbers: a tensor (1, H, W), floats from 0 to 1, minus the
# mean, divided by the spread. The one for training turns the image before that, by up
# to ten degrees either way, at random; the one for evaluation does not.


# %%
def pipelines(mean: float, std: float) -> tuple[v2.Transform, v2.Transform]:
    """One pipeline for training and one for evaluation; both take PIL images."""
    # Task 3: compose the transforms of `v2`; the random one is for training only.
    ### BEGIN SOLUTION
    to_numbers = [
        v2.ToImage(),
        v2.ToDtype(torch.float32, scale=True),
        v2.Normalize([mean], [std]),
    ]
    return v2.Compose([v2.RandomRotation(10), *to_numbers]), v2.Compose(to_numbers)
    ### END SOLUTION


# %% tags=["check-3"]
training, evaluation = pipelines(0.3, 0.4)
image = evaluation(plain)
expected = (torch.from_numpy(pixels[4]).float()[None] / 255 - 0.3) / 0.4
assert image.shape == (1, 8, 8), f"the shape is {tuple(image.shape)}"
assert image.dtype == torch.float32, f"the dtype is {image.dtype}"
assert torch.allclose(image, expected, atol=1e-5), "other numbers than (x - mean) / std"
large = Image.fromarray(np.kron(pixels[4], np.ones((8, 8), np.uint8)))
assert torch.equal(evaluation(large), evaluation(large)), (
    "evaluation must not be random"
)
torch.manual_seed(0)
turned = torch.stack([training(large) for _ in range(60)])
assert len(turned.flatten(1).unique(dim=0)) > 10, "training must change images"
kept = torch.cosine_similarity(turned.flatten(1), evaluation(large).flatten()[None])
assert kept.min() > 0.5, "not the same numbers as in evaluation"
angles = range(-44, 45, 2)
known = torch.stack([evaluation(large.rotate(angle)) for angle in angles])
nearest = torch.cdist(turned.flatten(1), known.flatten(1)).argmin(dim=1)
turns = [angles[place] for place in nearest]
assert max(map(abs, turns)) <= 12, f"turned by {min(turns)} to {max(turns)} degrees"
assert min(turns) < -3 and max(turns) > 3, "it must turn images either way"
print("Task 3 is right.")

# %% [markdown]
# ## The dataset
#
# Lazy: nothing is read before it is asked for. `dataset[index]` gives the transformed
# image and its label, a plain int. An index beyond the end raises IndexError.


# %%
class FileDataset(Dataset):
    """Images of files with their labels."""

    def __init__(
        self, paths: list[Path], labels: list[int], transform: Callable
    ) -> None:
        self.paths, self.labels, self.transform = paths, labels, transform

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        # Task 4: read the file of this index, and return the image and its label.
        ### BEGIN SOLUTION
        image = read_gray(self.paths[index])
        return self.transform(image), self.labels[index]
        ### END SOLUTION


# %% tags=["check-4"]
root = new_folder(range(200))
paths, labels, classes = find_files(root)
dataset = FileDataset(paths, labels, evaluation)
for index in (0, 77, 199):
    image, label = dataset[index]
    number = int(paths[index].stem)
    assert type(label) is int, f"the label is a {type(label).__name__}"
    assert label == found.target[number], f"sample {index}: the label is {label}"
    expected = evaluation(Image.fromarray(pixels[number]))
    assert torch.equal(image, expected), f"sample {index}: another image"
assert isinstance(error_of(dataset.__getitem__, 200), IndexError), "IndexError at 200"
assert len(list(dataset)) == 200, "a for loop must end"
assert [len(y) for _, y in DataLoader(dataset, 64)] == [64, 64, 64, 8]
late = FileDataset([*paths, root / "later.png"], [*labels, 0], evaluation)
Image.fromarray(pixels[0]).save(root / "later.png")
assert late[200][1] == 0, "read files when they are asked for"
shaken = FileDataset(paths, labels, v2.Compose([v2.RandomInvert(), evaluation]))
draws = [shaken[0][0].mean().item() for _ in range(20)]
assert len(set(draws)) == 2, "transform the image each time it is asked for"
print("Task 4 is right.")

# %% [markdown]
# ## Two parts
#
# The last `share` of the files *of each person* would be best; we do not know the
# people, but files were numbered in the order in which they were written. So the files
# with the highest numbers (`path.stem`) are for validation. Mean and spread for the
# pipelines come from the training files only, over all their pixels, between 0 and 1.


# %%
def make_datasets(root: Path, share: float) -> tuple[FileDataset, FileDataset]:
    """The training and the validation dataset; `share` of the files is validation."""
    # Task 5: sort by number, split, measure mean and spread, and make both datasets
    # with their pipelines.
    ### BEGIN SOLUTION
    paths, labels, _ = find_files(root)
    pairs = sorted(zip(paths, labels, strict=True), key=lambda pair: pair[0].stem)
    cut = len(pairs) - round(share * len(pairs))
    train, validation = pairs[:cut], pairs[cut:]
    gray = [np.asarray(read_gray(path)).ravel() for path, _ in train]
    unit = np.concatenate(gray) / 255
    training, evaluation = pipelines(float(unit.mean()), float(unit.std()))
    return (
        FileDataset([p for p, _ in train], [y for _, y in train], training),
        FileDataset([p for p, _ in validation], [y for _, y in validation], evaluation),
    )
    ### END SOLUTION


# %% tags=["check-5"]
dark = pixels.copy()
pixels[700:] = pixels[700:] // 2 + 100  # the last ones are paler: do not measure them
root = new_folder(range(1000))
pixels[:] = dark
train, validation = make_datasets(root, 0.3)
assert (len(train), len(validation)) == (700, 300), f"{len(train)}, {len(validation)}"
assert not {*train.paths} & {*validation.paths}, "a file is in both parts"
last = max(int(path.stem) for path in train.paths)
assert last == 699, f"training goes up to number {last}"
right = [found.target[int(path.stem)] for path in validation.paths]
assert validation.labels == right, "labels and paths do not belong together"
unit = dark[:700] / 255
pale = Image.fromarray(dark[900] // 2 + 100)
index = [path.stem for path in validation.paths].index("0900")
expected = (np.asarray(pale) / 255 - unit.mean()) / unit.std()
assert np.abs(validation[index][0][0].numpy() - expected).max() < 1e-3, (
    "mean and spread must be those of the training files"
)
assert torch.equal(validation[0][0], validation[0][0]), "validation must not be random"
draws = torch.stack([train[0][0] for _ in range(10)])
assert len(draws.flatten(1).unique(dim=0)) > 1, "training must be random"

train, validation = make_datasets(new_folder(range(1000)), 0.3)
torch.manual_seed(0)
model = nn.Sequential(nn.Flatten(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
for _ in range(15):
    for images, numbers in DataLoader(train, 64, shuffle=True):
        loss = F.cross_entropy(model(images), numbers)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
with torch.inference_mode():
    hits = [model(x).argmax(dim=1) == y for x, y in DataLoader(validation, 100)]
accuracy = torch.cat(hits).float().mean().item()
assert accuracy > 0.8, f"only {accuracy:.1%} right"
print(f"Task 5 is right: {100 * accuracy:.1f} % of the validation images.")

# %% [markdown]
# ## What now
#
# Take a folder of your own pictures: two kinds of leaves, cups and glasses, your own
# handwriting. Twenty of each are enough to meet most of what this lab was about. Mind
# which pictures belong together before you split them.
