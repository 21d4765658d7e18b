"""The optimizers of day 3 against those of `torch.optim`, over a hundred steps."""

from collections.abc import Callable

import torch
from torch import nn

from proofs import Pairs, proof
from snippets import optimizers
from snippets.digits import split_digits

PAGE = "pytorch/day-3/optimizers-deeper.md"
STEPS = 100


def network() -> nn.Module:
    """A small one, with the same first weights each time."""
    torch.manual_seed(0)
    layers = nn.Flatten(), nn.Linear(64, 16), nn.Tanh(), nn.Linear(16, 10)
    return nn.Sequential(*layers)


def trained(make: Callable) -> list[torch.Tensor]:
    """The weights after a hundred steps on batches of digits."""
    train, _, _ = split_digits()
    model = network()
    optimizer = make(optimizers.decay_groups(model, 0.05))
    for step in range(STEPS):
        at = 8 * step % 1000
        logits = model(train.images[at : at + 8])
        loss = nn.functional.cross_entropy(logits, train.labels[at : at + 8])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return [p.detach() for p in model.parameters()]


def compare(ours: Callable, theirs: Callable, settings: list[dict]) -> Pairs:
    """Both, with each of the settings; matrices decay in one group, vectors do not."""
    for some in settings:
        a = trained(lambda groups, some=some: ours(groups, **some))
        b = trained(lambda groups, some=some: theirs(groups, **some))
        yield from zip(a, b, strict=True)


@proof(
    "SGD, momentum, Nesterov: weights after 100 steps",
    ours="snippets.optimizers.SGD",
    theirs="torch.optim.SGD",
    page=PAGE,
    bound=1e-6,
)
def sgd() -> Pairs:
    """Plain, with momentum, with Nesterov's; all with L2."""
    settings = [{}, {"momentum": 0.9}, {"momentum": 0.9, "nesterov": True}]
    settings = [{"lr": 0.05, **some} for some in settings]
    yield from compare(optimizers.SGD, torch.optim.SGD, settings)


@proof(
    "RMSprop: weights after 100 steps",
    ours="snippets.optimizers.RMSprop",
    theirs="torch.optim.RMSprop",
    page=PAGE,
    bound=1e-6,
)
def rmsprop() -> Pairs:
    """In float64, without decay."""
    ends = []
    for make in (optimizers.RMSprop, torch.optim.RMSprop):
        w = torch.linspace(-1, 1, 12, dtype=torch.float64).reshape(3, 4)
        w.requires_grad_()
        optimizer = make([w], lr=0.01)
        for step in range(STEPS):
            optimizer.zero_grad()
            ((w - 0.3).pow(4).sum() + (w[0] * w[1]).sum() * (step % 3)).backward()
            optimizer.step()
        ends.append(w.detach())
    yield ends[0], ends[1]


@proof(
    "Adam: weights after 100 steps",
    ours="snippets.optimizers.Adam",
    theirs="torch.optim.Adam",
    page=PAGE,
    bound=1e-6,
)
def adam() -> Pairs:
    """Two settings; with L2."""
    settings = [{"lr": 1e-3}, {"lr": 1e-3, "betas": (0.8, 0.95), "eps": 1e-6}]
    yield from compare(optimizers.Adam, torch.optim.Adam, settings)


@proof(
    "AdamW: weights after 100 steps",
    ours="snippets.optimizers.AdamW",
    theirs="torch.optim.AdamW",
    page=PAGE,
    bound=1e-6,
)
def adamw() -> Pairs:
    """Two settings; with decoupled decay."""
    settings = [{"lr": 1e-3}, {"lr": 3e-3, "betas": (0.9, 0.95)}]
    yield from compare(optimizers.AdamW, torch.optim.AdamW, settings)
