"""The linear layer of day 2 against PyTorch's."""

import torch
from torch import nn

from proofs import Pairs, proof
from snippets.modules import Linear


@proof(
    "Linear layer",
    ours="snippets.modules.Linear",
    theirs="torch.nn.Linear",
    page="pytorch/day-2/modules.md",
    bound=1e-5,
)
def linear() -> Pairs:
    """From one seed: the same first weights, outputs and gradients."""
    for shape, d_out in (((5, 12), 7), ((2, 3, 64), 10)):
        torch.manual_seed(0)
        ours = Linear(shape[-1], d_out)
        torch.manual_seed(0)
        theirs = nn.Linear(shape[-1], d_out)
        yield [name for name, _ in ours.named_parameters()], ["weight", "bias"]
        yield from zip(ours.parameters(), theirs.parameters(), strict=True)
        x = torch.randn(shape, requires_grad=True)
        y, expected = ours(x), theirs(x)
        yield y, expected
        factors = torch.randn_like(y)
        yield from zip(
            torch.autograd.grad((y * factors).sum(), [x, *ours.parameters()]),
            torch.autograd.grad((expected * factors).sum(), [x, *theirs.parameters()]),
            strict=True,
        )
