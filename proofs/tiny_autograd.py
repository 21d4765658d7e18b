"""The tiny autograd of day 1 against PyTorch's."""

import math
import random

import torch

from proofs import Pairs, proof
from snippets.tiny_autograd import Value

OPERATIONS = ("add", "mul", "sub", "div", "square", "exp", "log", "tanh", "relu")


def grow(numbers: list, draw: random.Random) -> None:
    """Append the result of a random operation on random earlier numbers."""
    name, a, b = draw.choice(OPERATIONS), draw.choice(numbers), draw.choice(numbers)
    results = {
        "add": lambda: a + b,
        "mul": lambda: a * b,
        "sub": lambda: a - b,
        "div": lambda: a / (b * b + 1),
        "square": lambda: a**2 * 0.5,
        "exp": lambda: (a * 0.1).exp(),
        "log": lambda: (a * a + 0.5).log(),
        "tanh": lambda: a.tanh(),
        "relu": lambda: a.relu(),
    }
    numbers.append(results[name]() * 0.7)


@proof(
    "Autograd: values and gradients of random expressions",
    ours="snippets.tiny_autograd.Value",
    theirs="torch.Tensor.backward",
    page="pytorch/day-1/autograd-deeper.md",
    bound=1e-10,
)
def random_expressions() -> Pairs:
    """Two hundred, of 40 operations on 4 numbers, in float64; relative differences."""
    for seed in range(200):
        draw = random.Random(seed)
        leaves = [draw.uniform(-2, 2) for _ in range(4)]
        ours = [Value(x) for x in leaves]
        theirs = [
            torch.tensor(x, dtype=torch.float64, requires_grad=True) for x in leaves
        ]
        for numbers in (ours, theirs):
            draw = random.Random(seed)
            for _ in range(40):
                grow(numbers, draw)
        a, b = sum(ours[4:]), sum(theirs[4:])
        a.backward()
        b.backward()
        found = [a.data, *(leaf.grad for leaf in ours[:4])]
        grads = [leaf.grad for leaf in theirs[:4]]
        expected = [b.item(), *(0.0 if g is None else g.item() for g in grads)]
        scale = max(1.0, max(map(abs, expected)))
        if math.isfinite(scale):
            wide = torch.float64
            yield (
                torch.tensor(found, dtype=wide) / scale,
                torch.tensor(expected, dtype=wide) / scale,
            )
