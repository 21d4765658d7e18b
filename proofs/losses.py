"""The losses of day 2 against PyTorch's, values and gradients."""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from proofs import Pairs, proof
from snippets.losses import (
    binary_cross_entropy_with_logits,
    cross_entropy,
    huber_loss,
    log_softmax,
    log_sum_exp,
    mse_loss,
    nll_loss,
)

PAGE = "pytorch/day-2/losses.md"
REDUCTIONS = ("none", "mean", "sum")


def both(x: Tensor, ours: Callable, theirs: Callable) -> Pairs:
    """What two functions make of `x`, and the gradients that come back."""
    mine, other = x.clone().requires_grad_(), x.clone().requires_grad_()
    found, expected = ours(mine), theirs(other)
    yield found, expected
    # a factor of its own for each number, so that no mistake can cancel
    factors = torch.linspace(1, 2, found.numel(), dtype=x.dtype).view(found.shape)
    (found * factors).sum().backward()
    (expected * factors).sum().backward()
    yield mine.grad, other.grad


def logits_and_targets() -> list[tuple[Tensor, Tensor]]:
    """Small logits, huge ones, equal ones; some targets are to be ignored."""
    torch.manual_seed(0)
    targets = torch.randint(0, 7, (40,))
    targets[::5] = -100
    small = torch.randn(40, 7, dtype=torch.float64)
    return [(logits, targets) for logits in (small, 1e3 * small, 0 * small)]


@proof(
    "Log-sum-exp and log-softmax",
    ours="snippets.losses.log_sum_exp",
    theirs="torch.logsumexp",
    page=PAGE,
    bound=1e-10,
)
def log_sums() -> Pairs:
    """Along both axes."""
    for logits, _ in logits_and_targets():
        for dim in (0, 1):
            yield from both(
                logits,
                lambda x, dim=dim: log_sum_exp(x, dim),
                lambda x, dim=dim: torch.logsumexp(x, dim),
            )
            yield from both(
                logits,
                lambda x, dim=dim: log_softmax(x, dim),
                lambda x, dim=dim: F.log_softmax(x, dim),
            )


@proof(
    "Cross-entropy and NLL",
    ours="snippets.losses.cross_entropy",
    theirs="torch.nn.functional.cross_entropy",
    page=PAGE,
    bound=1e-10,
)
def classes() -> Pairs:
    """With and without weights and ignored targets, all reductions."""
    weight = torch.linspace(0.1, 3, 7, dtype=torch.float64)
    for logits, targets in logits_and_targets():
        for reduction in REDUCTIONS:
            for options in ({}, {"weight": weight}, {"ignore_index": 3}):
                kept = targets.clamp(min=0) if "ignore_index" in options else targets
                given = {**options, "reduction": reduction}
                for ours, theirs in (
                    (cross_entropy, F.cross_entropy),
                    (nll_loss, F.nll_loss),
                ):
                    yield from both(
                        logits,
                        lambda x, f=ours, t=kept, g=given: f(x, t, **g),
                        lambda x, f=theirs, t=kept, g=given: f(x, t, **g),
                    )


@proof(
    "Binary cross-entropy",
    ours="snippets.losses.binary_cross_entropy_with_logits",
    theirs="torch.nn.functional.binary_cross_entropy_with_logits",
    page=PAGE,
    bound=1e-10,
)
def yes_or_no() -> Pairs:
    """Hard and soft targets, with and without a weight for the positive ones."""
    pos_weight = torch.linspace(0.5, 4, 7, dtype=torch.float64)
    soft = torch.rand(40, 7, dtype=torch.float64)
    for logits, _ in logits_and_targets():
        for targets in (soft, soft.round()):
            for reduction in REDUCTIONS:
                for weight in (None, pos_weight):
                    given = {"pos_weight": weight, "reduction": reduction}
                    yield from both(
                        logits,
                        lambda x, t=targets, g=given: binary_cross_entropy_with_logits(
                            x, t, **g
                        ),
                        lambda x, t=targets, g=given: (
                            F.binary_cross_entropy_with_logits(x, t, **g)
                        ),
                    )


@proof(
    "Squared error and Huber",
    ours="snippets.losses.huber_loss",
    theirs="torch.nn.functional.huber_loss",
    page=PAGE,
    bound=1e-10,
)
def distances() -> Pairs:
    """Errors on both sides of delta, on it, and zero."""
    targets = torch.zeros(41, dtype=torch.float64)
    errors = torch.linspace(-4, 4, 41, dtype=torch.float64)
    for reduction in REDUCTIONS:
        yield from both(
            errors,
            lambda x, r=reduction: mse_loss(x, targets, r),
            lambda x, r=reduction: F.mse_loss(x, targets, reduction=r),
        )
        for delta in (0.4, 1.0, 3.0):
            yield from both(
                errors,
                lambda x, r=reduction, d=delta: huber_loss(x, targets, r, d),
                lambda x, r=reduction, d=delta: F.huber_loss(x, targets, r, d),
            )
