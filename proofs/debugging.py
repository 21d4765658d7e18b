"""Which examples an output depends on, against the Jacobian."""

import torch
from torch import nn

from proofs import Pairs, proof
from snippets.debugging import dependence


@proof(
    "Which rows an output depends on",
    ours="snippets.debugging.dependence",
    theirs="torch.autograd.functional.jacobian",
    page="pytorch/day-7/debugging.md",
    bound=0,
)
def rows() -> Pairs:
    """Where the Jacobian of the whole batch is not zero."""
    torch.manual_seed(0)
    norm = nn.BatchNorm1d(4)
    for function in (
        lambda x: x * 2,
        lambda x: x + x.roll(1, dims=0),
        lambda x: x.softmax(dim=0),
        lambda x: x.softmax(dim=1),
        lambda x: x.cumsum(dim=0),
        lambda x: x.reshape(4, 5).T,
        norm,
    ):
        x = torch.randn(5, 4)
        jacobian = torch.autograd.functional.jacobian(function, x)  # (B, V, B, C)
        yield dependence(function, x).int(), jacobian.ne(0).any(3).any(1).int()
