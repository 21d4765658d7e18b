"""`snippets/image_dataset.py`: every way in which files can be wrong has its message.

That folders are read as by torchvision is proved in `proofs/image_dataset.py`.
"""

import re
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch.utils.data import DataLoader

from snippets import image_dataset
from snippets.digit_images import to_gray, write_all_digits, write_digits, write_table
from snippets.digits import Digits, digits, split_digits
from snippets.image_dataset import (
    ImageDataset,
    ImageFileError,
    LabelledFiles,
    files_in_folders,
    files_in_table,
    find_problems,
    problem_of,
    read_image,
)
from snippets.transforms import pil_to_tensor, to_unit
from tests.processes import Done, run_program

DIGITS = tuple("0123456789")
pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork")


@pytest.fixture
def folder(tmp_path) -> Path:
    """Six digits in files: 0 to 5."""
    images, labels = digits()
    write_digits(tmp_path / "digits", Digits(images[:6], labels[:6]))
    return tmp_path / "digits"


def picture(path: Path, image: Image.Image, **options) -> Path:
    image.save(path, **options)
    return path


def folder_of(path: Path) -> Path:
    """A folder, made with those around it."""
    path.mkdir(parents=True, exist_ok=True)
    return path


def dataset_of(root: Path, transform=None) -> ImageDataset:
    return ImageDataset(files_in_folders(root), transform)


def tensor_of(image: Image.Image) -> torch.Tensor:
    return to_unit(pil_to_tensor(image))


class TestWriting:
    def test_written_and_read_again_the_images_are_the_same(self, folder):
        images, labels = digits()
        for index, (image, label) in enumerate(dataset_of(folder, tensor_of)):
            assert (image - images[index]).abs().max() <= 0.5 / 255 + 1e-6
            assert label == labels[index]

    def test_three_parts_are_written_as_they_are_split(self, tmp_path):
        write_all_digits(tmp_path)
        for name, part in zip(
            ("train", "validation", "test"), split_digits(), strict=True
        ):
            files = files_in_folders(tmp_path / name)
            assert files.classes == list(DIGITS)
            order = sorted(range(len(files.paths)), key=lambda i: files.paths[i].name)
            assert files.take(order).labels == part.labels.tolist()


class TestFolders:
    def test_paths_labels_and_classes(self, folder):
        files = files_in_folders(folder)
        assert files.classes == list("012345")
        assert files.labels == [0, 1, 2, 3, 4, 5]
        assert files.paths[3] == folder / "3" / "0003.png"

    def test_the_order_of_classes_can_be_given(self, folder):
        files = files_in_folders(folder, "543210")
        assert files.paths[0] == folder / "5" / "0005.png"
        assert files.labels[0] == 0

    def test_a_part_keeps_the_classes(self, folder):
        part = files_in_folders(folder).take([4, 1])
        assert part.labels == [4, 1] and part.classes == list("012345")
        assert [path.parent.name for path in part.paths] == ["4", "1"]

    def test_hidden_files_and_folders_are_left_out(self, folder):
        for hidden in (".ipynb_checkpoints", "1/.ipynb_checkpoints", "1/more/.cache"):
            picture(folder_of(folder / hidden) / "1.png", Image.new("L", (2, 2)))
        picture(folder_of(folder / "1" / "more") / "2.png", Image.new("L", (2, 2)))
        (folder / "0" / ".DS_Store").write_bytes(b"\0")
        (folder / "notes.txt").write_text("beside the classes, not in one")
        assert files_in_folders(folder).labels == [0, 1, 1, 2, 3, 4, 5]

    def test_a_class_in_a_folder_below_a_hidden_one_is_no_hidden_class(self, tmp_path):
        root = tmp_path / ".cache" / "pictures"
        picture(folder_of(root / "a") / "1.png", Image.new("L", (2, 2)))
        assert files_in_folders(root).labels == [0]

    def test_a_missing_folder_is_named(self, tmp_path):
        with pytest.raises(FileNotFoundError, match=r"gone is not a folder"):
            files_in_folders(tmp_path / "gone")

    def test_a_folder_of_images_without_classes(self, folder):
        with pytest.raises(ValueError, match=r"3 has the folders \[\]: expected a fol"):
            files_in_folders(folder / "3")

    def test_an_empty_class_is_named(self, folder):
        (folder / "7").mkdir()
        with pytest.raises(ValueError, match=r"7 holds no image"):
            files_in_folders(folder)

    def test_classes_that_differ_from_the_folders_are_named(self, folder):
        with pytest.raises(
            ValueError, match=r"'5'\]: expected the classes \['0', '1'\]"
        ):
            files_in_folders(folder, ["0", "1"])

    def test_no_classes_are_no_classes(self, folder):
        with pytest.raises(ValueError, match=r"a folder for each class"):
            files_in_folders(folder, [])

    def test_a_file_of_another_kind_is_named(self, folder):
        (folder / "2" / "notes.txt").write_text("not an image")
        with pytest.raises(ValueError, match=r"notes\.txt is none of \.png, .*: move"):
            files_in_folders(folder)


class TestTable:
    def test_a_table_gives_what_the_folders_give(self, folder):
        write_table(folder)
        assert files_in_table(folder / "labels.csv", "012345") == files_in_folders(
            folder
        )

    def test_a_byte_order_mark_is_no_part_of_a_column(self, folder):
        table = folder / "labels.csv"
        table.write_text("\ufefffile,label\n3/0003.png,3\n", "utf8")
        assert files_in_table(table, DIGITS).labels == [3]

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("", r"labels.csv: no columns file and label in \[\]"),
            (
                "file,digit\n3/0003.png,3\n",
                r"labels.csv: no columns .* in \['file', 'digit'\]",
            ),
            ("file,label\n", "labels.csv names no files"),
            ("file,label\n3/0003.png,12\n", "labels.csv:2: '12' is none of"),
            ("file,label\n3/0003.png\n", "labels.csv:2: None is none of"),
            ("file,label\n3/0003.png,3\n3/9.png,3\n", "labels.csv:3: there is no file"),
            ("file,label\n,3\n", "labels.csv:2: there is no file"),
            (
                "file,label\n3/0003.png,3\n1/0001.png,1\n3/0003.png,4\n",
                "labels.csv:4: .* is in line 2 already",
            ),
        ],
    )
    def test_what_is_wrong_is_told_with_its_line(self, folder, text, message):
        table = folder / "labels.csv"
        table.write_text(text, "utf8")
        with pytest.raises(ValueError, match=message):
            files_in_table(table, DIGITS)

    def test_a_missing_table_is_named(self, tmp_path):
        with pytest.raises(FileNotFoundError, match=r"labels\.csv"):
            files_in_table(tmp_path / "labels.csv", DIGITS)


class TestReading:
    def test_gray_and_colour(self, tmp_path):
        path = picture(tmp_path / "red.png", Image.new("RGB", (3, 2), "red"))
        assert np.asarray(read_image(path, "RGB"))[0, 0].tolist() == [255, 0, 0]
        gray = read_image(path)
        assert (gray.mode, gray.size) == ("L", (3, 2))
        assert np.asarray(gray)[0, 0] == round(0.299 * 255)

    @pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
    def test_what_is_transparent_becomes_white(self, tmp_path, mode):
        clear = Image.new("RGBA", (2, 1), (0, 0, 0, 0))
        clear.putpixel((0, 0), (0, 0, 0, 255))
        path = picture(tmp_path / "clear.png", clear.convert(mode))
        assert np.asarray(read_image(path)).tolist() == [[0, 255]]

    def test_a_transparent_colour_becomes_white(self, tmp_path):
        gray = Image.fromarray(np.array([[0, 90]], np.uint8))
        path = picture(tmp_path / "key.png", gray, transparency=0)
        assert np.asarray(read_image(path)).tolist() == [[255, 90]]

    def test_a_palette_is_looked_up(self, tmp_path):
        colours = Image.new("RGB", (2, 1), (200, 100, 50))
        path = picture(tmp_path / "palette.png", colours.convert("P"))
        assert Image.open(path).mode == "P"
        expected = np.asarray(Image.open(path).convert("RGB"))
        assert np.array_equal(np.asarray(read_image(path, "RGB")), expected)

    def test_sixteen_bits_are_scaled_and_not_cut_off(self, tmp_path):
        deep = Image.fromarray(np.array([[0, 256, 40_000, 65_535]], np.uint16))
        path = picture(tmp_path / "deep.png", deep)
        assert np.asarray(read_image(path)).tolist() == [[0, 1, 156, 255]]
        assert np.asarray(deep.convert("L")).tolist() == [[0, 255, 255, 255]]

    def test_a_picture_is_turned_as_the_camera_was_held(self, tmp_path):
        exif = Image.Exif()
        exif[0x0112] = 6  # orientation: a quarter turn
        path = picture(tmp_path / "held.jpg", Image.new("RGB", (8, 4)), exif=exif)
        assert read_image(path).size == (4, 8)
        assert Image.open(path).size == (8, 4)

    def test_floats_have_no_known_range(self, tmp_path):
        path = picture(tmp_path / "depth.tif", Image.new("F", (2, 2), 0.5))
        with pytest.raises(ImageFileError, match=r"depth\.tif has the mode 'F'"):
            read_image(path)

    @pytest.mark.parametrize(
        ("content", "message"),
        [
            (b"", "it is empty"),
            (
                b"<html>not found</html>",
                "PIL finds no image in its 22 bytes, which begin b'<html>not fo'",
            ),
        ],
    )
    def test_a_file_that_is_no_image(self, tmp_path, content, message):
        path = tmp_path / "a.png"
        path.write_bytes(content)
        with pytest.raises(ImageFileError, match=rf"a\.png cannot be read: {message}"):
            read_image(path)

    @pytest.mark.parametrize("suffix", [".png", ".jpg"])
    @pytest.mark.parametrize("kept", [0.2, 0.5, 0.9])
    def test_a_truncated_file_is_named(self, tmp_path, suffix, kept):
        noise = np.random.default_rng(0).integers(0, 256, (32, 32), np.uint8)
        path = picture(tmp_path / f"cut{suffix}", Image.fromarray(noise))
        whole = path.read_bytes()
        path.write_bytes(whole[: int(kept * len(whole))])
        with pytest.raises(ImageFileError, match=rf"cut\{suffix} cannot be read"):
            read_image(path)

    def test_every_damaged_byte_is_noticed_or_harmless(self, tmp_path):
        path = picture(tmp_path / "a.png", to_gray(digits().images[0]))
        whole = path.read_bytes()
        for place in range(len(whole)):
            damaged = bytearray(whole)
            damaged[place] ^= 0x55
            path.write_bytes(damaged)
            try:
                read_image(path)
            except ImageFileError as error:
                assert path.as_posix() in str(error)

    def test_an_image_too_large_to_be_true_is_named(self, tmp_path, monkeypatch):
        path = picture(tmp_path / "a.png", Image.new("L", (100, 100)))
        monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
        with pytest.raises(ImageFileError, match=r"a\.png cannot be read: .*bomb"):
            read_image(path)

    def test_a_missing_file_stays_what_it_is(self, tmp_path):
        with pytest.raises(FileNotFoundError, match=r"gone\.png"):
            read_image(tmp_path / "gone.png")

    def test_another_mode_is_refused(self, folder):
        with pytest.raises(ValueError, match="mode='RGBA': it must be 'L' or 'RGB'"):
            read_image(folder / "0" / "0000.png", "RGBA")


class TestDataset:
    def test_nothing_is_read_before_it_is_asked_for(self, folder, monkeypatch):
        read = []
        real = image_dataset.read_image
        monkeypatch.setattr(
            image_dataset, "read_image", lambda p, m: read.append(p) or real(p, m)
        )
        dataset = dataset_of(folder)
        assert len(dataset) == 6 and read == []
        image, label = dataset[2]
        assert read == [folder / "2" / "0002.png"]
        assert (image.mode, image.size, label) == ("L", (8, 8), 2)

    def test_it_ends_where_its_files_end(self, folder):
        dataset = dataset_of(folder)
        assert len(list(dataset)) == 6
        assert dataset[-1][1] == 5
        with pytest.raises(IndexError):
            dataset[6]

    @pytest.mark.parametrize("label", [-1, 3])
    def test_a_label_out_of_range_is_named(self, label):
        files = LabelledFiles([Path("a.png")], [label], ["x", "y", "z"])
        with pytest.raises(ValueError, match=rf"a\.png has the label {label}, outside"):
            ImageDataset(files)

    def test_as_many_labels_as_paths(self):
        with pytest.raises(ValueError, match="zip"):
            ImageDataset(LabelledFiles([Path("a.png")], [], ["x"]))

    def test_an_error_of_a_transform_names_the_file(self, folder):
        def broken(image):
            raise RuntimeError("no")

        with pytest.raises(RuntimeError, match="no") as caught:
            dataset_of(folder, broken)[1]
        (note,) = caught.value.__notes__
        assert re.search(r"transforming .*0001\.png, L \(8, 8\)", note)

    @pytest.mark.parametrize("workers", [0, 2])
    def test_a_broken_file_is_named_through_a_loader(self, folder, workers):
        (folder / "4" / "0004.png").write_bytes(b"")
        loader = DataLoader(dataset_of(folder, tensor_of), 2, num_workers=workers)
        with pytest.raises(ImageFileError, match=r"0004\.png cannot be read: it is em"):
            list(loader)


class TestProblems:
    def test_a_good_dataset_has_none(self, folder):
        assert find_problems(dataset_of(folder, tensor_of), 6) == []

    def test_each_is_told_with_its_index(self, folder):
        picture(folder / "1" / "0001.png", Image.new("L", (9, 8)))
        (folder / "3" / "0003.png").write_bytes(b"")
        found = find_problems(dataset_of(folder, tensor_of), 5)
        assert [re.match(r"sample (\d): ", line)[1] for line in found] == list("135")
        assert found[0].endswith("the image is (1, 8, 9), and most are (1, 8, 8)")
        assert "0003.png cannot be read: it is empty" in found[1]
        assert found[2].endswith("the label is 5, outside 0 … 4")
        assert len(find_problems(dataset_of(folder, tensor_of), 5, most=2)) == 2

    @pytest.mark.parametrize(
        ("image", "label", "problem"),
        [
            (Image.new("L", (1, 1)), 0, "a Image, not a tensor"),
            (torch.zeros(1, 2, 2, dtype=torch.uint8), 0, "torch.uint8"),
            (torch.full((1, 2, 2), float("nan")), 0, "not finite"),
            (torch.zeros(1, 2, 2), "0", "the label is a str"),
            (torch.zeros(1, 2, 2), torch.tensor(0), "the label is a Tensor"),
            (torch.zeros(1, 2, 2), -1, "the label is -1, outside 0 … 1"),
            (torch.zeros(1, 2, 2), 1, ""),
        ],
    )
    def test_what_a_sample_can_be(self, image, label, problem):
        assert problem in problem_of(image, label, 2)
        assert bool(problem) == bool(problem_of(image, label, 2))


def script(*arguments: object) -> Done:
    return run_program(Path(image_dataset.__file__), *map(str, arguments))


def test_the_script_tells_what_is_in_a_folder(folder):
    assert script(folder).stdout == (
        "classes: 0 1, 1 1, 2 1, 3 1, 4 1, 5 1\nsizes:   8 x 8: 6\nbroken:  none\n"
    )
    assert script(folder, 2).stdout == "images: 6\n"
    (folder / "3" / "0003.png").write_bytes(b"")
    done = script(folder)
    assert "8 x 8: 5\nbroken: \n  " in done.stdout
    assert done.stdout.endswith("0003.png cannot be read: it is empty\n")
    done = script(folder, 2)
    assert done.returncode == 1 and "0003.png cannot be read" in done.stderr
