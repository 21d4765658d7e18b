"""The safetensors format, written and read by hand.

Eight bytes with the length of the header, little end first; the header, JSON padded by
spaces to a multiple of eight; the numbers of all tensors, one after the other. See
https://github.com/huggingface/safetensors, "Format".
"""

# --8<-- [start:imports]
import json
import math
import struct
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

# --8<-- [end:imports]


# --8<-- [start:names]
DTYPE_NAMES = {  # in the order in which the library writes them: wide ones first
    torch.uint64: "U64",
    torch.int64: "I64",
    torch.float64: "F64",
    torch.float32: "F32",
    torch.uint32: "U32",
    torch.int32: "I32",
    torch.bfloat16: "BF16",
    torch.float16: "F16",
    torch.uint16: "U16",
    torch.int16: "I16",
    torch.int8: "I8",
    torch.uint8: "U8",
    torch.bool: "BOOL",
}
DTYPES = {name: dtype for dtype, name in DTYPE_NAMES.items()}
LONGEST_HEADER = 100_000_000  # bytes, the library's limit
# --8<-- [end:names]


# --8<-- [start:write]
def to_safetensors(
    tensors: Mapping[str, Tensor], metadata: Mapping[str, str] | None = None
) -> bytes:
    """The bytes of a safetensors file with these tensors, and notes as strings.

    Raises TypeError for what is not a tensor of a known dtype.
    """
    for name, tensor in tensors.items():
        if getattr(tensor, "dtype", None) not in DTYPE_NAMES:
            raise TypeError(f"{name} is not a tensor of a dtype that the format has")
    ranks = {dtype: rank for rank, dtype in enumerate(DTYPE_NAMES)}
    ordered = sorted(tensors, key=lambda name: (ranks[tensors[name].dtype], name))
    header: dict[str, Any] = {"__metadata__": dict(metadata)} if metadata else {}
    pieces, end = [], 0
    for name in ordered:
        tensor = tensors[name].detach().cpu()
        raw = tensor.reshape(-1).view(torch.uint8).numpy().tobytes()
        header[name] = {
            "dtype": DTYPE_NAMES[tensor.dtype],
            "shape": list(tensor.shape),
            "data_offsets": [end, end + len(raw)],
        }
        pieces.append(raw)
        end += len(raw)
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)  # so that the numbers begin at a multiple of eight
    return struct.pack("<Q", len(text)) + text + b"".join(pieces)


# --8<-- [end:write]


# --8<-- [start:header]
def read_header(file: bytes) -> tuple[dict[str, Any], bytes]:
    """The header of a file, and the numbers behind it.

    Raises ValueError for a header that is too short, too long or not JSON.
    """
    if len(file) < 8:
        raise ValueError(f"{len(file)} bytes: the length of the header alone takes 8")
    (length,) = struct.unpack("<Q", file[:8])  # an unsigned integer of 64 bits
    if length > min(LONGEST_HEADER, len(file) - 8):
        raise ValueError(f"a header of {length} bytes in a file of {len(file)}")
    header = json.loads(file[8 : 8 + length])  # its errors are ValueErrors
    if not isinstance(header, dict):
        raise ValueError("the header is not a JSON object")
    return header, file[8 + length :]


# --8<-- [end:header]


# --8<-- [start:read]
def from_safetensors(file: bytes) -> dict[str, Tensor]:
    """The tensors of a safetensors file.

    Raises ValueError for a damaged file: each byte must belong to exactly one tensor.
    """
    header, data = read_header(file)
    header.pop("__metadata__", None)
    for name, entry in header.items():
        check_entry(name, entry)
    tensors, end = {}, 0
    for name in sorted(header, key=lambda name: header[name]["data_offsets"]):
        begin, stop = header[name]["data_offsets"]
        dtype, shape = DTYPES.get(header[name]["dtype"]), header[name]["shape"]
        if dtype is None:
            raise ValueError(f"{name} has the unknown dtype {header[name]['dtype']}")
        if begin != end or stop - begin != math.prod(shape) * dtype.itemsize:
            raise ValueError(f"{name}: bytes {begin} to {stop} do not fit {shape}")
        raw = bytearray(data[begin:stop])
        if len(raw) != stop - begin:
            raise ValueError(f"{name} ends at byte {stop} of {len(data)}")
        empty = torch.empty(0, dtype=dtype)  # frombuffer refuses no bytes at all
        flat = torch.frombuffer(raw, dtype=dtype) if raw else empty
        tensors[name], end = flat.reshape(shape), stop
    if end != len(data):
        raise ValueError(f"{len(data) - end} bytes belong to no tensor")
    return tensors


def check_entry(name: str, entry: Any) -> None:
    """Raise ValueError unless an entry of the header says what a tensor's must say."""
    parts = entry if isinstance(entry, dict) else {}
    shape, offsets = parts.get("shape"), parts.get("data_offsets")
    lists = isinstance(shape, list) and isinstance(offsets, list)
    counts = [*shape, *offsets] if lists else [None]  # type: ignore[misc]
    if (
        not isinstance(parts.get("dtype"), str)
        or not all(type(count) is int and count >= 0 for count in counts)
        or len(offsets) != 2  # type: ignore[arg-type]
    ):
        raise ValueError(f"{name} has no dtype, shape and data_offsets: {entry}")


# --8<-- [end:read]
