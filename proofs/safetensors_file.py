"""Files of safetensors, written and read, against the library."""

import safetensors.torch
import torch
from torch import Tensor, nn

from proofs import Pairs, proof
from snippets.safetensors_file import DTYPE_NAMES, from_safetensors, to_safetensors

PAGE = "pytorch/day-4/saving-deeper.md"


def samples() -> dict[str, Tensor]:
    """A tensor of each dtype, and the awkward ones: a number, nothing, a transpose."""
    torch.manual_seed(0)
    every = {f"of {dtype}": (torch.rand(5) * 9).to(dtype) for dtype in DTYPE_NAMES}
    every |= {"ä number": torch.tensor(3.0), "nothing": torch.empty(0, 3)}
    return every | {'a "matrix"': torch.randn(4, 3).double()}


@proof(
    "Writing safetensors",
    ours="snippets.safetensors_file.to_safetensors",
    theirs="safetensors.torch.save",
    page=PAGE,
    bound=0,
)
def writing() -> Pairs:
    """Byte by byte."""
    for tensors, notes in (
        (samples(), {"epoch": "3"}),
        (nn.LSTM(3, 4).state_dict(), None),
        ({}, None),
    ):
        yield to_safetensors(tensors, notes), safetensors.torch.save(tensors, notes)


@proof(
    "Reading safetensors",
    ours="snippets.safetensors_file.from_safetensors",
    theirs="safetensors.torch.load",
    page=PAGE,
    bound=0,
)
def reading() -> Pairs:
    """Names, dtypes, shapes and values."""
    file = safetensors.torch.save(samples(), {"epoch": "3"})
    ours, theirs = from_safetensors(file), safetensors.torch.load(file)
    yield ours.keys(), theirs.keys()
    for name in theirs:
        yield ours[name].dtype, theirs[name].dtype
        yield ours[name], theirs[name]
