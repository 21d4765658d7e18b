"""The losses that people use most, by hand, safe for large numbers.

Axes: `N` examples, `V` classes. A logit is any real number, before softmax or sigmoid.
Names and arguments are those of `torch.nn.functional`, with the same numbers and the
same gradients.
"""

# --8<-- [start:imports]
from typing import Literal

import torch
from torch import Tensor

# --8<-- [end:imports]

# --8<-- [start:reduce]
Reduction = Literal["none", "mean", "sum"]


def reduce(losses: Tensor, reduction: Reduction) -> Tensor:
    """All losses, their mean or their sum; raises ValueError for another word."""
    if reduction == "none":
        return losses
    if reduction == "mean":
        return losses.mean()
    if reduction == "sum":
        return losses.sum()
    raise ValueError(f"reduction={reduction!r}: use 'none', 'mean' or 'sum'")


# --8<-- [end:reduce]


# --8<-- [start:log-sum-exp]
def widened(x: Tensor) -> Tensor:
    """Half precision as float32, in which PyTorch sums it too; the rest as it is."""
    return x.to(torch.promote_types(x.dtype, torch.float32))


def log_sum_exp(x: Tensor, dim: int = -1) -> Tensor:
    """ln Σ exp(x) along an axis, without an overflow: (..., V) to (...).

    The largest number is taken out first: ln Σ exp(x) = m + ln Σ exp(x - m). The
    gradient is softmax(x), whatever m is, so m needs none.
    """
    wide = widened(x)
    m = wide.detach().amax(dim=dim, keepdim=True)
    m = m.where(m.isfinite(), 0.0)  # inf - inf would be NaN
    result = (wide - m).exp().sum(dim=dim).log() + m.squeeze(dim)
    return result.to(x.dtype)


def log_softmax(logits: Tensor, dim: int = -1) -> Tensor:
    """The logarithms of the probabilities, without computing the probabilities.

    Takes the largest out before it subtracts: next to 1e8, ln 2 would be rounded away.
    """
    wide = widened(logits)
    rest = wide - wide.detach().amax(dim=dim, keepdim=True)
    return (rest - rest.exp().sum(dim=dim, keepdim=True).log()).to(logits.dtype)


# --8<-- [end:log-sum-exp]


# --8<-- [start:nll]
def nll_loss(
    log_probs: Tensor,
    targets: Tensor,
    weight: Tensor | None = None,
    ignore_index: int = -100,
    reduction: Reduction = "mean",
) -> Tensor:
    """The negative logarithm of the probability that the right class got.

    Shapes: `log_probs` (N, V), `targets` (N,) of class numbers, `weight` (V,). Examples
    whose target is `ignore_index` count nowhere. The mean divides by the sum of the
    weights that counted; if none did, it is NaN. Raises ValueError and TypeError for
    targets that are not class numbers.
    """
    counted = targets != ignore_index  # (N,)
    check_targets(log_probs, targets, counted)
    safe = targets.where(counted, 0)  # any class: what it gives is struck out below
    chosen = log_probs.gather(1, safe[:, None]).squeeze(1)  # (N, V) -> (N,)
    weights = torch.ones_like(chosen) if weight is None else weight[safe]  # (N,)
    losses = (-weights * chosen).where(counted, 0.0)
    if reduction == "mean":
        total = widened(losses).sum() / widened(weights.where(counted, 0.0)).sum()
        return total.to(losses.dtype)
    return reduce(losses, reduction)


# --8<-- [end:nll]


# --8<-- [start:check-targets]
def check_targets(scores: Tensor, targets: Tensor, counted: Tensor) -> None:
    """Raise an error that says what is wrong with the targets."""
    if targets.dtype != torch.int64:
        raise TypeError(f"targets are {targets.dtype}: class numbers are torch.int64")
    if scores.dim() != 2 or targets.shape != scores.shape[:1]:
        raise ValueError(
            f"scores are {tuple(scores.shape)} and targets {tuple(targets.shape)}:"
            " expected (N, V) and (N,)"
        )
    V = scores.size(1)
    wrong = targets[counted & ((targets < 0) | (targets >= V))]
    if len(wrong):
        raise ValueError(f"there is no class {wrong[0]}: classes are 0 to {V - 1}")


# --8<-- [end:check-targets]


# --8<-- [start:cross-entropy]
def cross_entropy(
    logits: Tensor,
    targets: Tensor,
    weight: Tensor | None = None,
    ignore_index: int = -100,
    reduction: Reduction = "mean",
) -> Tensor:
    """Cross-entropy of class numbers (N,) under logits (N, V): log-softmax, then NLL.

    Arguments and errors as for `nll_loss`. Logits, not probabilities.
    """
    log_probs = log_softmax(logits)  # (N, V)
    return nll_loss(log_probs, targets, weight, ignore_index, reduction)


# --8<-- [end:cross-entropy]


# --8<-- [start:bce]
def binary_cross_entropy_with_logits(
    logits: Tensor,
    targets: Tensor,
    pos_weight: Tensor | None = None,
    reduction: Reduction = "mean",
) -> Tensor:
    """Cross-entropy of yes or no: targets from 0 to 1, one logit each, any shape.

    -ln sigmoid(x) is ln(exp(0) + exp(-x)), a log-sum-exp of 0 and -x. `pos_weight`
    multiplies the loss of the share that is 1. Raises ValueError for unequal shapes.
    """
    check_shapes_equal(logits, targets)
    if_yes, if_no = softplus(-logits), softplus(logits)  # -ln p, -ln (1 - p)
    if pos_weight is not None:
        if_yes = pos_weight * if_yes
    return reduce(targets * if_yes + (1 - targets) * if_no, reduction)


def softplus(x: Tensor) -> Tensor:
    """ln(exp(0) + exp(x)), any shape: the larger of the two exponents taken out."""
    return torch.maximum(x, torch.zeros_like(x)) + (-x.abs()).exp().log1p()


def check_shapes_equal(predictions: Tensor, targets: Tensor) -> None:
    """Raise ValueError where broadcasting would pair what does not belong together."""
    if predictions.shape != targets.shape:
        raise ValueError(
            f"predictions are {tuple(predictions.shape)}, targets"
            f" {tuple(targets.shape)}: they must have one shape"
        )


# --8<-- [end:bce]


# --8<-- [start:regression]
def mse_loss(
    predictions: Tensor, targets: Tensor, reduction: Reduction = "mean"
) -> Tensor:
    """The squared distance, any shape; raises ValueError for unequal shapes."""
    check_shapes_equal(predictions, targets)
    return reduce((predictions - targets).square(), reduction)


def huber_loss(
    predictions: Tensor,
    targets: Tensor,
    reduction: Reduction = "mean",
    delta: float = 1.0,
) -> Tensor:
    """Half the square up to `delta`, from there a straight line (Huber, 1964).

    Value and slope agree where the two meet. Raises ValueError for unequal shapes, and
    for a `delta` that is not positive.
    """
    check_shapes_equal(predictions, targets)
    if delta <= 0:
        raise ValueError(f"delta={delta}: it must be positive")
    distance = (predictions - targets).abs()
    near = distance.clamp(max=delta)  # squared alone: what is far could overflow
    return reduce(near.square() / 2 + delta * (distance - near), reduction)


# --8<-- [end:regression]
