"""`snippets/torch_file.py`: what it refuses.

That it reads what `torch.load` does is proved in `proofs/torch_file.py`.
"""

import io
import pickle
import zipfile

import pytest
import torch

from snippets.torch_file import read_torch_file

W = torch.arange(6.0).reshape(2, 3)


class Loud:
    def __reduce__(self):
        return print, ("this ran",)


def saved(content: object) -> io.BytesIO:
    file = io.BytesIO()
    torch.save(content, file)
    return file


@pytest.mark.parametrize(
    ("content", "name"),
    [
        ({"w": W, "trap": Loud()}, "__builtin__.print"),
        (torch.nn.Linear(2, 2), "torch.nn.modules.linear.Linear"),
        ({"path": pickle.Unpickler}, "pickle.Unpickler"),
    ],
)
def test_other_names_are_refused(content, name, capsys):
    with pytest.raises(pickle.UnpicklingError, match=f"asks for {name}: refused"):
        read_torch_file(saved(content))
    assert capsys.readouterr().out == ""


def test_a_changed_bit_is_told():
    raw = bytearray(saved({"w": W}).getvalue())
    raw[raw.find(W.numpy().tobytes()) + 3] ^= 1
    with pytest.raises(zipfile.BadZipFile, match="Bad CRC-32"):
        read_torch_file(io.BytesIO(raw))


def rewritten(old: bytes, new: bytes, part: str) -> io.BytesIO:
    """A file of `torch.save` with something else in one part, and right checksums."""
    changed = io.BytesIO()
    with (
        zipfile.ZipFile(saved({"w": W})) as source,
        zipfile.ZipFile(changed, "w") as target,
    ):
        for name in source.namelist():
            data = source.read(name)
            if name.endswith(part):
                assert old in data
                data = data.replace(old, new)
            target.writestr(name, data)
    return changed


def test_numbers_that_are_not_there_are_refused():
    with pytest.raises(pickle.UnpicklingError, match="does not hold 6 numbers"):
        read_torch_file(rewritten(W.numpy().tobytes(), bytes(8), "data/0"))
    with pytest.raises(RuntimeError, match="out of bounds"):
        read_torch_file(rewritten(b"K\x02K\x03\x86", b"K\x09K\x03\x86", "data.pkl"))


def test_another_byte_order_is_refused():
    with pytest.raises(ValueError, match="another byte order"):
        read_torch_file(rewritten(b"little", b"big", "byteorder"))


def test_a_zip_file_of_another_program_is_told():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("a", "b")
    with pytest.raises(ValueError, match=r"is not of torch\.save: it has no data\.pkl"):
        read_torch_file(file)


def without(part: str) -> io.BytesIO:
    """A file of `torch.save` that lacks a part."""
    changed = io.BytesIO()
    with (
        zipfile.ZipFile(saved({"w": W})) as source,
        zipfile.ZipFile(changed, "w") as target,
    ):
        for name in source.namelist():
            if not name.endswith(part):
                target.writestr(name, source.read(name))
    return changed


def test_a_file_of_before_byte_orders_were_written_is_read():
    assert torch.equal(read_torch_file(without("byteorder"))["w"], W)


def test_numbers_that_the_file_lacks_are_told():
    with pytest.raises(pickle.UnpicklingError, match="the file has no data/0"):
        read_torch_file(without("data/0"))
