"""The tools of day 7 against what PyTorch has for the same questions."""

import torch
import torch.nn.functional as F
from torch import nn

from proofs import Pairs, proof
from snippets.debugging import dependence
from snippets.layer_watch import layer_stats

PAGE = "pytorch/day-7/debugging.md"


@proof(
    "Which rows an output depends on",
    ours="snippets.debugging.dependence",
    theirs="torch.autograd.functional.jacobian",
    page=PAGE,
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


@proof(
    "The slope at each layer",
    ours="snippets.layer_watch.layer_stats",
    theirs="torch.Tensor.retain_grad",
    page=PAGE,
    bound=1e-9,
)
def slopes() -> Pairs:
    """Root mean squares of the gradients that PyTorch keeps, and of the outputs."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Linear(8, 3)).double()
    x, labels = torch.randn(9, 6).double(), torch.arange(9) % 3
    stats = layer_stats(model, lambda: F.cross_entropy(model(x), labels))
    outputs, current = [], x
    for layer in model:
        current = layer(current)
        current.retain_grad()
        outputs.append(current)
    F.cross_entropy(current, labels).backward()
    for found, output in zip(stats, outputs, strict=True):
        theirs = output.grad.square().mean().sqrt()
        yield torch.tensor(found.slope, dtype=torch.float64), theirs
        yield torch.tensor(found.std, dtype=torch.float64), output.std(correction=0)
