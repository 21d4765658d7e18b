"""The file formats of day 4 against the libraries that write and read them."""

import io

import safetensors.torch
import torch
from torch import Tensor, nn

from proofs import Pairs, proof
from snippets.safetensors_file import DTYPE_NAMES, from_safetensors, to_safetensors
from snippets.torch_file import read_torch_file

PAGE = "pytorch/day-4/saving.md"


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


@proof(
    "Reading a file of torch.save",
    ours="snippets.torch_file.read_torch_file",
    theirs="torch.load",
    page=PAGE,
    bound=0,
)
def torch_save() -> Pairs:
    """A model and its optimizer after a step, views of one memory, other dtypes."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.LSTM(4, 2))
    optimizer = torch.optim.AdamW(model.named_parameters())
    model(torch.randn(5, 3))[0].sum().backward()
    optimizer.step()
    shared = torch.randn(6, 4)
    content = {"model": model.state_dict(), "optimizer": optimizer.state_dict()}
    content |= {"views": [shared[1:], shared.T, torch.empty(0)], "step": 7}
    content["dtypes"] = [shared.to(t) for t in (torch.bfloat16, torch.half, torch.bool)]
    file = io.BytesIO()
    torch.save(content, file)
    ours = read_torch_file(io.BytesIO(file.getvalue()))
    theirs = torch.load(io.BytesIO(file.getvalue()))
    yield from pairs(ours, theirs)
    ours["views"][0].zero_()  # the views share memory again
    yield ours["views"][1][:, 1:], torch.zeros(4, 5)


def pairs(ours: object, theirs: object) -> Pairs:
    """The leaves of two nested contents, which must have the same form."""
    if isinstance(theirs, dict):
        yield list(ours), list(theirs)
        for key in theirs:
            yield from pairs(ours[key], theirs[key])
    elif isinstance(theirs, list | tuple):
        yield len(ours), len(theirs)
        for mine, other in zip(ours, theirs, strict=True):
            yield from pairs(mine, other)
    else:
        if isinstance(theirs, Tensor):
            yield ours.dtype, theirs.dtype
        yield ours, theirs
