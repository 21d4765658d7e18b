"""First weights by hand: Xavier, He, orthogonal, and what they do through depth.

A weight is (d_out, d_in), or (d_out, d_in, *kernel) of a convolution. Functions whose
name ends with `_` fill it in place and return it, as those of `torch.nn.init` do.
"""

# --8<-- [start:imports]
import math
from collections.abc import Callable
from itertools import pairwise
from typing import Literal

import torch
from torch import Tensor, nn

# --8<-- [end:imports]


# --8<-- [start:fans]
def fans(weight: Tensor) -> tuple[int, int]:
    """How many inputs an output sums over, and how many outputs an input goes to.

    For a convolution, both count the places of its kernel too. Raises ValueError for a
    tensor with fewer than two axes, such as a bias.
    """
    if weight.dim() < 2:
        shape = tuple(weight.shape)
        raise ValueError(f"weight has shape {shape}: at least two axes are needed")
    d_out, d_in, *kernel = weight.shape
    return d_in * math.prod(kernel), d_out * math.prod(kernel)


# --8<-- [end:fans]


# --8<-- [start:fill]
@torch.no_grad()
def fill_normal_(
    weight: Tensor, std: float, generator: torch.Generator | None = None
) -> Tensor:
    """Draw from N(0, std²). Raises ValueError unless std is positive and finite."""
    check_positive("std", std)
    return weight.normal_(0.0, std, generator=generator)


@torch.no_grad()
def fill_uniform_(
    weight: Tensor, std: float, generator: torch.Generator | None = None
) -> Tensor:
    """Draw from U(-a, a) with a = √3 · std, whose standard deviation is std.

    Raises ValueError unless std is positive and finite.
    """
    check_positive("std", std)
    bound = math.sqrt(3.0) * std  # the variance of U(-a, a) is a²/3
    return weight.uniform_(-bound, bound, generator=generator)


def check_positive(name: str, value: float) -> None:
    """Raise ValueError for what is zero, negative, infinite or NaN."""
    if not (value > 0 and math.isfinite(value)):
        raise ValueError(f"{name}={value}: it must be positive and finite")


# --8<-- [end:fill]


# --8<-- [start:xavier]
def xavier_std(fan_in: int, fan_out: int, gain: float = 1.0) -> float:
    """The standard deviation of Glorot and Bengio (2010, equation 12), times a gain.

    Raises ValueError for a gain that is not positive and finite.
    """
    check_positive("gain", gain)
    return gain * math.sqrt(2.0 / (fan_in + fan_out))


def xavier_normal_(
    weight: Tensor, gain: float = 1.0, generator: torch.Generator | None = None
) -> Tensor:
    """Fill a weight with N(0, std²), where std is that of `xavier_std`."""
    return fill_normal_(weight, xavier_std(*fans(weight), gain), generator)


def xavier_uniform_(
    weight: Tensor, gain: float = 1.0, generator: torch.Generator | None = None
) -> Tensor:
    """The same standard deviation, from a uniform distribution (equation 16)."""
    return fill_uniform_(weight, xavier_std(*fans(weight), gain), generator)


# --8<-- [end:xavier]

# --8<-- [start:he]
FanMode = Literal["fan_in", "fan_out"]


def he_std(weight: Tensor, slope: float = 0.0, mode: FanMode = "fan_in") -> float:
    """The standard deviation for a leaky ReLU (He et al. 2015, equations 10 and 15).

    `slope` is that of its negative side, 0 for a ReLU. `mode` says which way keeps its
    size: "fan_in" forward, "fan_out" backward. Raises ValueError for another mode and
    for a slope that is not finite.
    """
    if mode not in ("fan_in", "fan_out"):
        raise ValueError(f"mode={mode!r}: expected 'fan_in' or 'fan_out'")
    if not math.isfinite(slope):
        raise ValueError(f"slope={slope}: it must be finite")
    fan_in, fan_out = fans(weight)
    fan = fan_in if mode == "fan_in" else fan_out
    return math.sqrt(2.0 / (1 + slope**2) / fan)


def he_normal_(
    weight: Tensor,
    slope: float = 0.0,
    mode: FanMode = "fan_in",
    generator: torch.Generator | None = None,
) -> Tensor:
    """Fill a weight with N(0, std²), where std is that of `he_std`."""
    return fill_normal_(weight, he_std(weight, slope, mode), generator)


def he_uniform_(
    weight: Tensor,
    slope: float = 0.0,
    mode: FanMode = "fan_in",
    generator: torch.Generator | None = None,
) -> Tensor:
    """The same standard deviation, from a uniform distribution."""
    return fill_uniform_(weight, he_std(weight, slope, mode), generator)


# --8<-- [end:he]


# --8<-- [start:orthogonal]
@torch.no_grad()
def orthogonal_(
    weight: Tensor, gain: float = 1.0, generator: torch.Generator | None = None
) -> Tensor:
    """Fill a weight so that its rows, or its columns, are orthogonal, of length `gain`.

    Every such matrix is equally likely (Saxe et al. 2014; Mezzadri 2007 for the signs).
    A kernel is seen as (d_out, everything else). Raises ValueError for fewer than two
    axes, and for a gain that is not positive and finite.
    """
    check_positive("gain", gain)
    fans(weight)  # for its error
    wide = torch.promote_types(weight.dtype, torch.float32)  # qr takes no half
    flat = weight.new_empty(weight.shape[0], weight[0].numel(), dtype=wide)
    tall = flat.normal_(generator=generator)
    if tall.shape[0] < tall.shape[1]:
        tall = tall.T
    q, r = torch.linalg.qr(tall)  # columns of q are orthonormal
    q = q * r.diagonal().sign()  # else qr would prefer some matrices
    if flat.shape[0] < flat.shape[1]:
        q = q.T
    return weight.copy_(gain * q.reshape(weight.shape))


# --8<-- [end:orthogonal]


# --8<-- [start:theory]
def gaussian_mean(function: Callable[[Tensor], Tensor]) -> float:
    """E[f(z)] for a standard normal z, by a sum over a fine grid in float64."""
    z = torch.linspace(-10, 10, 20_000, dtype=torch.float64)
    density = torch.exp(-(z**2) / 2) / math.sqrt(2 * math.pi)
    return torch.trapezoid(function(z) * density, z).item()


def forward_factor(activation: Callable[[Tensor], Tensor], variance: float) -> float:
    """E[φ(x)²] / E[x²] for x from N(0, variance): what an activation leaves."""
    root = math.sqrt(variance)
    return gaussian_mean(lambda z: activation(root * z) ** 2) / variance


def backward_factor(activation: Callable[[Tensor], Tensor], variance: float) -> float:
    """E[φ'(x)²] for x from N(0, variance): what it leaves of a gradient's square."""

    def slope_squared(z: Tensor) -> Tensor:
        x = (math.sqrt(variance) * z).requires_grad_()
        (slope,) = torch.autograd.grad(activation(x).sum(), x)
        return slope**2

    return gaussian_mean(slope_squared)


# --8<-- [end:theory]


# --8<-- [start:deep]
def deep_stack(
    sizes: list[int],
    fill_: Callable[[Tensor], object],
    activation: type[nn.Module] = nn.Identity,
) -> nn.Sequential:
    """Linear layers without bias, each with an activation behind it.

    Layer `2 * i` of the chain is the i-th linear one; `fill_` gets each weight.
    """
    layers: list[nn.Module] = []
    for d_in, d_out in pairwise(sizes):
        linear = nn.Linear(d_in, d_out, bias=False)
        fill_(linear.weight)
        layers += [linear, activation()]
    return nn.Sequential(*layers)


# --8<-- [end:deep]
