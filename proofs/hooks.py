"""Numbers of layers, by hooks, against what PyTorch keeps when it is asked to."""

import torch
import torch.nn.functional as F
from torch import nn

from proofs import Pairs, proof
from snippets.hooks import layer_stats


@proof(
    "The slope at each layer",
    ours="snippets.hooks.layer_stats",
    theirs="torch.Tensor.retain_grad",
    page="pytorch/day-7/debugging.md",
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
