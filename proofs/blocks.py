"""The containers and the hooks of day 6 against those of `torch.nn`."""

import torch
from torch import nn

from proofs import Pairs, proof
from snippets.blocks import TinySequential
from snippets.hooks import Hookable

PAGE = "pytorch/day-6/building-blocks-deeper.md"


@proof(
    "A chain of modules",
    ours="snippets.blocks.TinySequential",
    theirs="torch.nn.Sequential",
    page=PAGE,
    bound=0,
)
def chain() -> Pairs:
    """Outputs, gradients and names; one layer stands in it twice, one is a chain."""
    torch.manual_seed(0)
    twice = nn.Linear(6, 6)
    inner = nn.Sequential(nn.LayerNorm(6), nn.Tanh())
    parts = nn.Linear(4, 6), twice, nn.ReLU(), twice, inner
    ours, theirs = TinySequential(*parts), nn.Sequential(*parts)
    yield list(ours.state_dict()), list(theirs.state_dict())
    x = torch.randn(5, 4)
    gradients = []
    for chain in (ours, theirs):
        chain.zero_grad()
        chain(x).square().sum().backward()
        gradients.append([p.grad.clone() for p in chain.parameters()])
    yield ours(x), theirs(x)
    yield from zip(*gradients, strict=True)


def story(module: Hookable | nn.Module) -> list[object]:
    """What hooks of all kinds see of five calls, while some of them are removed."""
    seen: list[object] = []

    def note(word: str):
        return lambda module, *found: seen.append((word, *found))

    pre = module.register_forward_pre_hook
    post = module.register_forward_hook
    steps = [
        lambda: pre(note("a")),
        lambda: pre(lambda module, inputs: inputs[0] + 1),
        lambda: pre(lambda module, inputs: (inputs[0] * 2,)),
        lambda: pre(note("b")),
        lambda: post(note("c")),
        lambda: post(lambda module, inputs, output: output - inputs[0]),
        lambda: post(note("d")),
    ]
    handles = []
    for step in steps:
        handles.append(step())
        seen.append(module(3))
    for handle in (handles[2], handles[5], handles[2]):
        handle.remove()
        seen.append(module(5))
    return seen


@proof(
    "Forward hooks: order and replacement",
    ours="snippets.hooks.Hookable",
    theirs="torch.nn.Module.register_forward_hook",
    page=PAGE,
    bound=0,
)
def hooks() -> Pairs:
    """All that the hooks saw, call by call."""
    yield from zip(story(Hookable(lambda x: x)), story(nn.Identity()), strict=True)
