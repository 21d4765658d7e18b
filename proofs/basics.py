"""The small parts by hand against those of PyTorch."""

import torch
import torch.nn.functional as F
from torch import nn

from proofs import Pairs, proof
from snippets.basics import Embedding, clip_grad_norm_, silu, softmax

PAGE = "llm/day-3/llama-deeper.md"


@proof(
    "Softmax",
    ours="snippets.basics.softmax",
    theirs="torch.softmax",
    page=PAGE,
    bound=1e-6,
)
def softmaxes() -> Pairs:
    """Along each axis, with large and tiny numbers, masked ones, and its gradient."""
    torch.manual_seed(0)
    x = torch.randn(3, 4, 5)
    masked = x.masked_fill(torch.rand(3, 4, 5) < 0.3, float("-inf"))
    for scores in (x, 1e4 * x, 1e-8 * x, x + 1e8, masked, torch.full((2, 3), -1e30)):
        for dim in range(scores.dim()):
            yield softmax(scores, dim), torch.softmax(scores, dim)
    probe = torch.randn(3, 4, 5)
    x.requires_grad_()
    ours, theirs = (softmax(x) * probe).sum(), (x.softmax(-1) * probe).sum()
    yield torch.autograd.grad(ours, x)[0], torch.autograd.grad(theirs, x)[0]


@proof(
    "SiLU",
    ours="snippets.basics.silu",
    theirs="torch.nn.functional.silu",
    page=PAGE,
    bound=1e-6,
)
def silus() -> Pairs:
    """From far below zero to far above."""
    x = torch.cat([torch.linspace(-20, 20, 401), torch.tensor([-1e4, 1e4])])
    yield silu(x), F.silu(x)


@proof(
    "Embedding",
    ours="snippets.basics.Embedding",
    theirs="torch.nn.Embedding",
    page=PAGE,
    bound=1e-6,
)
def embedding() -> Pairs:
    """With the same table: rows, and the gradient where an id occurs more than once."""
    torch.manual_seed(0)
    ours, theirs = Embedding(10, 6), nn.Embedding(10, 6)
    theirs.load_state_dict(ours.state_dict())
    ids = torch.randint(10, (4, 9))
    probe = torch.randn(4, 9, 6)
    yield ours(ids), theirs(ids)
    for module in (ours, theirs):
        (module(ids) * probe).sum().backward()
    yield ours.weight.grad, theirs.weight.grad


@proof(
    "Gradient clipping",
    ours="snippets.basics.clip_grad_norm_",
    theirs="torch.nn.utils.clip_grad_norm_",
    page=PAGE,
    bound=1e-6,
)
def clipping() -> Pairs:
    """A norm above the limit, and one below it."""
    for limit in (0.5, 1e3):
        torch.manual_seed(0)
        ours = [torch.randn(3, 4), torch.randn(7), torch.zeros(2)]
        theirs = [p.clone() for p in ours]
        for mine, other in zip(ours, theirs, strict=True):
            mine.grad = torch.randn(mine.shape)
            other.grad = mine.grad.clone()
        norm = clip_grad_norm_(ours, limit)
        yield norm, nn.utils.clip_grad_norm_(theirs, limit)
        for mine, other in zip(ours, theirs, strict=True):
            yield mine.grad, other.grad
