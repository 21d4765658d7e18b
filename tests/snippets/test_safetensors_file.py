"""`snippets/safetensors_file.py`: what it refuses.

That it reads and writes what the library does is a proof of the same name.
"""

import json
import struct

import pytest
import safetensors.torch
import torch
from safetensors import SafetensorError

from snippets.safetensors_file import from_safetensors, read_header, to_safetensors

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
    "no dtype": (file_of({"w": {"shape": [1], "data_offsets": [0, 4]}}), "w has no dt"),
    "no offsets": (file_of({"w": {"dtype": "F32", "shape": [1]}}), "w has no dtype"),
    "one offset": (file_of({"w": {**entry(0, 24), "data_offsets": [0]}}), "w has no"),
    "a word for a shape": (file_of({"w": {**entry(0, 24), "shape": "2"}}), "w has no"),
    "half a number": (file_of({"w": entry(0, 24, (0.5, 12))}), "w has no dtype"),
    "a number for an entry": (file_of({"w": 1}), "w has no dtype"),
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
