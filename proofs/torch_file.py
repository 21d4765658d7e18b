"""Files of `torch.save`, read by hand, against `torch.load`."""

import io

import torch
from torch import Tensor, nn

from proofs import Pairs, proof
from snippets.torch_file import read_torch_file


@proof(
    "Reading a file of torch.save",
    ours="snippets.torch_file.read_torch_file",
    theirs="torch.load",
    page="pytorch/day-4/saving.md",
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
