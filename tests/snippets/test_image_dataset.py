"""`snippets/image_dataset.py`: what is listed and read, and that errors name files.

That folders are read as by torchvision is proved in `proofs/image_dataset.py`.
"""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, UnidentifiedImageError
from torch.utils.data import DataLoader

from snippets import image_dataset
from snippets.digit_images import to_gray, write_digits
from snippets.glyphs import TRAIN_FONTS, glyphs
from snippets.image_dataset import ImageDataset, broken_files, read_image
from tests.processes import run_program

pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork")


@pytest.fixture
def folder(tmp_path) -> Path:
    """Six gray images in two classes."""
    for number in range(6):
        path = tmp_path / "images" / "ab"[number % 2] / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        to_gray(torch.full((1, 3, 2), number / 5)).save(path)
    return tmp_path / "images"


def picture(path: Path, image: Image.Image, **options) -> Path:
    image.save(path, **options)
    return path


def test_digits_are_written_by_class_and_font(tmp_path):
    fonts = TRAIN_FONTS[:2]
    write_digits(tmp_path, fonts, copies=2, seed=3)
    images, labels = glyphs(fonts, copies=2, seed=3)
    for number in (0, 9, 10, 25, 39):
        font = fonts[number // 10 % 2]
        path = tmp_path / str(labels[number].item()) / f"{font}-{number:04}.png"
        pixels = torch.from_numpy(np.array(Image.open(path)))
        assert (pixels / 255 - images[number, 0]).abs().max() < 1e-6
    assert len(list(tmp_path.glob("*/*.png"))) == 40


class TestDataset:
    def test_classes_and_samples_in_order(self, folder):
        dataset = ImageDataset(folder)
        assert dataset.classes == ["a", "b"]
        assert [path.name for path, _ in dataset.samples] == [
            f"{number}.png" for number in (0, 2, 4, 1, 3, 5)
        ]
        assert [label for _, label in dataset] == [0, 0, 0, 1, 1, 1]

    def test_names_are_in_one_order_on_all_systems(self, folder):
        for name in ("small", "Large"):  # as paths, the other way round on Windows
            to_gray(torch.zeros(1, 3, 2)).save(folder / "a" / f"{name}.png")
        samples = ImageDataset(folder).samples
        names = [path.name for path, label in samples if label == 0]
        assert names == ["0.png", "2.png", "4.png", "Large.png", "small.png"]

    def test_hidden_folders_and_other_files_are_left_out(self, folder):
        (folder / ".ipynb_checkpoints").mkdir()
        (folder / "a" / "notes.txt").write_text("not an image")
        (folder / "labels.csv").write_text("file,label")
        picture(folder / "b" / "6.JPG", Image.new("L", (2, 2)))
        dataset = ImageDataset(folder)
        assert dataset.classes == ["a", "b"] and len(dataset) == 7

    def test_no_images(self, folder):
        with pytest.raises(ValueError, match=r"no images in .*: the folders are \[\]"):
            ImageDataset(folder / "a")
        with pytest.raises(FileNotFoundError, match="gone"):
            ImageDataset(folder / "gone")

    def test_a_file_is_read_when_it_is_asked_for(self, folder):
        dataset = ImageDataset(folder)
        to_gray(torch.ones(1, 4, 4)).save(folder / "a" / "0.png")
        image, label = dataset[0]
        assert (image.mode, image.size, label) == ("L", (4, 4), 0)
        assert dataset[-1][1] == 1
        with pytest.raises(IndexError):
            dataset[6]

    def test_colour_becomes_gray(self, folder):
        picture(folder / "a" / "0.png", Image.new("RGB", (3, 2), "red"))
        image, _ = ImageDataset(folder, np.array)[0]
        assert image.shape == (2, 3) and image[0, 0] == round(0.299 * 255)

    def test_an_error_of_a_transform_names_the_file(self, folder):
        def failing(image):
            raise RuntimeError("no")

        with pytest.raises(RuntimeError, match="no") as caught:
            ImageDataset(folder, failing)[3]
        assert caught.value.__notes__ == [f"the file is {folder.as_posix()}/b/1.png"]

    @pytest.mark.parametrize("workers", [0, 1])
    def test_a_broken_file_is_named_through_a_loader(self, folder, workers):
        (folder / "b" / "3.png").write_bytes(b"")
        dataset = ImageDataset(folder, np.array)
        with pytest.raises(UnidentifiedImageError) as caught:
            list(DataLoader(dataset, 2, num_workers=workers))
        told = [str(caught.value), *getattr(caught.value, "__notes__", [])]
        assert "b/3.png" in told[-1]

    def test_broken_files_are_all_named(self, folder):
        assert broken_files(ImageDataset(folder)) == []
        (folder / "b" / "3.png").write_bytes(b"")
        (folder / "a" / "4.png").write_bytes(b"<html>")
        found = broken_files(ImageDataset(folder))
        assert ["4.png: Unid" in found[0], "3.png: Unid" in found[1]] == [True, True]
        assert len(found) == 2


class TestReading:
    def test_gray_and_colour(self, tmp_path):
        path = picture(tmp_path / "red.png", Image.new("RGB", (3, 2), "red"))
        assert np.asarray(read_image(path))[0, 0].tolist() == [255, 0, 0]
        gray = read_image(path, "L")
        assert (gray.mode, gray.size) == ("L", (3, 2))
        assert np.asarray(gray)[0, 0] == round(0.299 * 255)

    @pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
    def test_what_is_transparent_becomes_white(self, tmp_path, mode):
        clear = Image.new("RGBA", (2, 1), (0, 0, 0, 0))
        clear.putpixel((0, 0), (0, 0, 0, 255))
        path = picture(tmp_path / "clear.png", clear.convert(mode))
        assert np.asarray(read_image(path, "L")).tolist() == [[0, 255]]

    def test_a_transparent_colour_becomes_white(self, tmp_path):
        gray = Image.fromarray(np.array([[0, 90]], np.uint8))
        path = picture(tmp_path / "key.png", gray, transparency=0)
        assert np.asarray(read_image(path, "L")).tolist() == [[255, 90]]

    def test_a_palette_is_looked_up(self, tmp_path):
        colours = Image.new("RGB", (2, 1), (200, 100, 50))
        path = picture(tmp_path / "palette.png", colours.convert("P"))
        assert Image.open(path).mode == "P"
        expected = np.asarray(Image.open(path).convert("RGB"))
        assert np.array_equal(np.asarray(read_image(path)), expected)

    def test_sixteen_bits_are_scaled_and_not_cut_off(self, tmp_path):
        deep = Image.fromarray(np.array([[0, 256, 40_000, 65_535]], np.uint16))
        path = picture(tmp_path / "deep.png", deep)
        assert np.asarray(read_image(path, "L")).tolist() == [[0, 1, 156, 255]]
        assert np.asarray(deep.convert("L")).tolist() == [[0, 255, 255, 255]]

    def test_a_picture_is_turned_as_the_camera_was_held(self, tmp_path):
        exif = Image.Exif()
        exif[0x0112] = 6  # orientation: a quarter turn
        path = picture(tmp_path / "held.jpg", Image.new("RGB", (8, 4)), exif=exif)
        assert read_image(path).size == (4, 8)
        assert Image.open(path).size == (8, 4)

    def test_floats_have_no_known_range(self, tmp_path):
        path = picture(tmp_path / "depth.tif", Image.new("F", (2, 2), 0.5))
        with pytest.raises(ValueError, match="mode 'F'") as caught:
            read_image(path)
        assert caught.value.__notes__[0].endswith("depth.tif")

    @pytest.mark.parametrize("suffix", [".png", ".jpg"])
    @pytest.mark.parametrize("kept", [0.0, 0.2, 0.5, 0.9])
    def test_a_truncated_file_is_named(self, tmp_path, suffix, kept):
        noise = np.random.default_rng(0).integers(0, 256, (32, 32), np.uint8)
        path = picture(tmp_path / f"cut{suffix}", Image.fromarray(noise))
        whole = path.read_bytes()
        path.write_bytes(whole[: int(kept * len(whole))])
        with pytest.raises((OSError, SyntaxError)) as caught:
            read_image(path)
        assert caught.value.__notes__[0].endswith(path.name)


def test_the_script_tells_what_is_in_a_folder(folder):
    def shown() -> str:
        return run_program(Path(image_dataset.__file__), str(folder)).stdout

    assert shown() == "images: a 3, b 3\nbroken:\n  none\n"
    (folder / "b" / "3.png").write_bytes(b"")
    assert shown().startswith("images: a 3, b 3\nbroken:\n  ")
    assert "3.png: UnidentifiedImageError" in shown()
