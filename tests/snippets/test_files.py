"""`snippets/files.py`: all of a file or nothing, and errors that name it."""

import os
from pathlib import Path

import pytest

from snippets.files import naming_file, write_whole


@pytest.fixture
def old(tmp_path) -> Path:
    path = tmp_path / "some.bin"
    path.write_bytes(b"old")
    return path


def test_a_file_is_written_and_replaced(old):
    write_whole(old, lambda file: file.write(b"new\n"))
    assert old.read_bytes() == b"new\n"  # and no other line end on Windows
    assert list(old.parent.iterdir()) == [old]


def test_a_path_may_be_a_string_without_a_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_whole("new.txt", lambda file: file.write(b"new"))
    assert (tmp_path / "new.txt").read_bytes() == b"new"


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_what_fails_midway_leaves_the_old_file(old, error):
    def fail(file) -> None:
        file.write(bytes(100_000))
        raise error

    with pytest.raises(error):
        write_whole(old, fail)
    assert old.read_bytes() == b"old"
    assert list(old.parent.iterdir()) == [old]


@pytest.mark.parametrize("function", ["fsync", "replace"])
def test_a_full_disk_leaves_the_old_file(old, monkeypatch, function):
    def full(*arguments) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os if function == "fsync" else Path, function, full)
    with pytest.raises(OSError, match="No space left"):
        write_whole(old, lambda file: file.write(b"new"))
    assert old.read_bytes() == b"old"
    assert list(old.parent.iterdir()) == [old]


def test_the_data_is_on_the_disk_before_the_name(old, monkeypatch):
    log = []
    fsync, replace = os.fsync, Path.replace
    monkeypatch.setattr(os, "fsync", lambda handle: (log.append("disk"), fsync(handle)))
    monkeypatch.setattr(
        Path, "replace", lambda one, other: (log.append("name"), replace(one, other))
    )
    write_whole(old, lambda file: file.write(b"new"))
    assert log == (["disk", "name", "disk"] if os.name == "posix" else ["disk", "name"])
    assert old.read_bytes() == b"new"


def test_two_at_once_do_not_mix(old):
    def outer(file) -> None:
        file.write(b"a")
        write_whole(old, lambda other: other.write(b"bbb"))
        assert old.read_bytes() == b"bbb"
        file.write(b"a")

    write_whole(old, outer)
    assert old.read_bytes() == b"aa"
    assert list(old.parent.iterdir()) == [old]


@pytest.mark.skipif(os.name != "posix", reason="Windows has no such rights")
def test_others_may_read_what_they_could_before(tmp_path):
    plain = tmp_path / "plain"
    plain.write_bytes(b"")
    write_whole(tmp_path / "whole", lambda file: None)
    assert (tmp_path / "whole").stat().st_mode == plain.stat().st_mode


@pytest.mark.parametrize("error", [OSError("full"), RuntimeError("full")])
def test_an_error_of_writing_names_the_file(error):
    told = r"could not write a\.pt \(full\); what was saved before is still there"
    with pytest.raises(OSError, match=told), naming_file(Path("a.pt")):
        raise error


def test_other_errors_stay_as_they_are():
    with pytest.raises(ValueError, match=r"^other$"), naming_file(Path("a.pt")):
        raise ValueError("other")
