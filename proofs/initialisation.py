"""Initialisation by hand against `torch.nn.init`, number by number from one seed."""

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn

from proofs import Pairs, proof
from snippets import initialisation

PAGE = "pytorch/day-6/initialisation.md"
DEEPER = "pytorch/day-6/initialisation-deeper.md"
SHAPES = (40, 40), (7, 90), (90, 7), (8, 4, 3, 3), (6, 5, 4), (1, 1)


def filled(fill_: Callable, shape: tuple[int, ...], **options: object) -> Tensor:
    """A new weight, filled from a seed."""
    generator = torch.Generator().manual_seed(5)
    return fill_(torch.empty(shape), generator=generator, **options)


@proof(
    "Xavier",
    ours="snippets.initialisation.xavier_normal_",
    theirs="torch.nn.init.xavier_normal_",
    page=DEEPER,
    bound=1e-6,
)
def xavier() -> Pairs:
    """Normal and uniform, two gains, weights of all shapes."""
    for shape in SHAPES:
        for gain in (1.0, 5 / 3):
            yield (
                filled(initialisation.xavier_normal_, shape, gain=gain),
                filled(nn.init.xavier_normal_, shape, gain=gain),
            )
            yield (
                filled(initialisation.xavier_uniform_, shape, gain=gain),
                filled(nn.init.xavier_uniform_, shape, gain=gain),
            )


@proof(
    "He",
    ours="snippets.initialisation.he_normal_",
    theirs="torch.nn.init.kaiming_normal_",
    page=PAGE,
    bound=1e-6,
)
def he() -> Pairs:
    """Normal and uniform, both modes, slopes of 0, 0.2 and √5."""
    for shape in SHAPES:
        for mode in ("fan_in", "fan_out"):
            for slope in (0.0, 0.2, math.sqrt(5)):
                yield (
                    filled(initialisation.he_normal_, shape, slope=slope, mode=mode),
                    filled(nn.init.kaiming_normal_, shape, a=slope, mode=mode),
                )
                yield (
                    filled(initialisation.he_uniform_, shape, slope=slope, mode=mode),
                    filled(nn.init.kaiming_uniform_, shape, a=slope, mode=mode),
                )


@proof(
    "Orthogonal weights",
    ours="snippets.initialisation.orthogonal_",
    theirs="torch.nn.init.orthogonal_",
    page=DEEPER,
    bound=1e-6,
)
def orthogonal() -> Pairs:
    """Square, wide, tall, kernels; two gains."""
    for shape in SHAPES:
        for gain in (1.0, math.sqrt(2)):
            yield (
                filled(initialisation.orthogonal_, shape, gain=gain),
                filled(nn.init.orthogonal_, shape, gain=gain),
            )


@proof(
    "The default of a linear layer",
    ours="snippets.initialisation.he_uniform_",
    theirs="torch.nn.Linear",
    page=PAGE,
    bound=0,
)
def default() -> Pairs:
    """U(-1/√fan-in, 1/√fan-in) is He's uniform one for a leaky ReLU of slope √5."""
    for d_in, d_out in ((256, 256), (64, 10), (3, 200)):
        torch.manual_seed(0)
        theirs = nn.Linear(d_in, d_out)
        torch.manual_seed(0)
        yield (
            initialisation.he_uniform_(torch.empty(d_out, d_in), math.sqrt(5)),
            theirs.weight,
        )
        bound = 1 / math.sqrt(d_in)
        yield torch.empty(d_out).uniform_(-bound, bound), theirs.bias
