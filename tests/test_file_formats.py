"""`snippets/safetensors_file.py` and `snippets/torch_file.py`: what they refuse.

That they read and write what the libraries do is proved in `proofs/saving.py`.
"""

import io
import json
import pickle
import struct
import zipfile

import pytest
import safetensors.torch
import torch
from safetensors import SafetensorError

from snippets.safetensors_file import from_safetensors, read_header, to_safetensors
from snippets.torch_file import read_torch_file

W = torch.arange(6.0).reshape(2, 3)
GOOD = to_safetensors({"w": W, "n": torch.tensor([1, 2])}, {"by": "hand"})


def file_of(header: object, data: bytes = bytes(24)) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def entry(begin: int, end: int, shape=(2, 3), dtype: str = "F32") -> dict:
    return {"dtype": dtype, "shape": list(shape), "data_offsets": [begin, end]}


BAD = {
    "nothing": (b"", "0 bytes"),
    "shorter than a length": (b"1234567", "7 bytes"),
    "a header longer than the file": (GOOD[:20], r"a header of \d+ bytes in"),
    "a length from nowhere": (b"\xff" * 16, "a header of 18446744073709551615 bytes"),
    "no JSON": (file_of(b"{]      "), "Expecting"),
    "a list": (file_of([1]), "not a JSON object"),
    "a byte too few": (GOOD[:-1], "ends at byte 40 of 39"),
    "a byte too many": (GOOD + b"x", "1 bytes belong to no tensor"),
    "a hole": (file_of({"w": entry(4, 28)}, bytes(28)), "bytes 4 to 28 do not fit"),
    "an overlap": (file_of({"a": entry(0, 24), "b": entry(12, 36)}), "b: bytes 12"),
    "another shape": (file_of({"w": entry(0, 24, (2, 2))}), r"do not fit \[2, 2\]"),
    "an unknown dtype": (file_of({"w": entry(0, 24, dtype="F7")}), "unknown dtype F7"),
}


@pytest.mark.parametrize(("file", "message"), BAD.values(), ids=BAD)
def test_a_bad_file_is_refused_as_by_the_library(file, message):
    with pytest.raises(ValueError, match=message):
        from_safetensors(file)
    with pytest.raises(SafetensorError):
        safetensors.torch.load(file)


def test_numbers_begin_at_a_multiple_of_eight():
    for name in ("w", "we", "wei", "weight", "a longer name"):
        header, data = read_header(to_safetensors({name: W}))
        assert len(data) == 24
        assert list(header) == [name]
        assert (len(to_safetensors({name: W})) - 24) % 8 == 0


def test_shared_and_transposed_tensors_are_written_in_full():
    back = from_safetensors(to_safetensors({"a": W, "b": W, "t": W.T}))
    assert torch.equal(back["a"], W)
    assert torch.equal(back["t"], W.T)
    back["a"].zero_()  # what comes back can be written to, and shares nothing
    assert torch.equal(back["b"], W)


@pytest.mark.parametrize("value", [1.0, [1.0], torch.tensor([1j])])
def test_only_tensors_of_known_dtypes_are_written(value):
    with pytest.raises(TypeError, match="lr is not a tensor of a dtype"):
        to_safetensors({"w": W, "lr": value})


def test_metadata_stays():
    assert read_header(GOOD)[0]["__metadata__"] == {"by": "hand"}
    assert list(from_safetensors(GOOD)) == ["n", "w"]


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
