"""Functions that make tensors: on the device of their inputs, and in their dtype.

`meta` is the second device. Inputs are on the CPU and `meta` is the default: what is
made without a device is then in the wrong place, as it would be for inputs on a GPU.
"""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from snippets import initialisation, losses, metrics, transforms
from snippets.data_loading import pad_batch
from snippets.debugging import dependence
from snippets.hooks import second_moment
from snippets.optimizers import SGD, Adam, AdamW, RMSprop

IMAGE, X = torch.rand(3, 6, 5), torch.randn(4, 3)
LABELS, GUESSES = torch.tensor([0, 1, 2, 1]), torch.tensor([0, 2, 2, 1])
GOALS, WEIGHT = torch.rand(4, 3), torch.tensor([1.0, 2.0, 0.5])
SURE, RIGHT = torch.tensor([0.1, 0.55, 0.9]), torch.tensor([False, True, True])
MATRIX = metrics.confusion_matrix(LABELS, GUESSES, 3)


def filled(fill_: Callable[..., Any]) -> Callable[[Tensor], Tensor]:
    """A weight like the input, filled from a generator of its own."""

    def fill(weight: Tensor) -> Tensor:
        draw = torch.Generator(device=weight.device).manual_seed(0)
        return fill_(weight.clone(), generator=draw)

    return fill


def stepped(make: Callable[..., Any]) -> Callable[[Tensor], Tensor]:
    """A parameter after three steps."""

    def step(x: Tensor) -> Tensor:
        p = nn.Parameter(x.clone())
        optimizer = make([p], lr=0.1)
        for _ in range(3):
            p.grad = x.sign()
            optimizer.step()
        return p.detach()

    return step


FLOATING = {  # functions of one tensor of floats that give one of the same dtype
    "log_softmax": (losses.log_softmax, X),
    "log_sum_exp": (losses.log_sum_exp, X),
    "cross_entropy": (lambda x: losses.cross_entropy(x, LABELS), X),
    "weighted cross_entropy": (
        lambda x: losses.cross_entropy(x, LABELS, WEIGHT.to(x.dtype)),
        X,
    ),
    "binary_cross_entropy": (
        lambda x: losses.binary_cross_entropy_with_logits(x, GOALS.to(x.dtype)),
        X,
    ),
    "mse_loss": (lambda x: losses.mse_loss(x, GOALS.to(x.dtype)), X),
    "huber_loss": (lambda x: losses.huber_loss(x, GOALS.to(x.dtype)), X),
    "xavier_normal_": (filled(initialisation.xavier_normal_), X),
    "he_uniform_": (filled(initialisation.he_uniform_), X),
    "orthogonal_": (filled(initialisation.orthogonal_), X),
    "SGD": (stepped(lambda p, lr: SGD(p, lr, momentum=0.9)), X),
    "RMSprop": (stepped(RMSprop), X),
    "Adam": (stepped(Adam), X),
    "AdamW": (stepped(AdamW), X),
}
OTHERS = {
    "confusion_matrix": lambda: metrics.confusion_matrix(LABELS, GUESSES, 3),
    "class_scores": lambda: metrics.class_scores(MATRIX),
    "reliability_bins": lambda: metrics.reliability_bins(SURE, RIGHT),
    "fit_temperature": lambda: metrics.fit_temperature(X, LABELS[:4]),
    "pad_batch": lambda: pad_batch([LABELS, GUESSES[:2]]),
    "dependence": lambda: dependence(lambda x: x.exp(), X),
    "channel_statistics": lambda: transforms.channel_statistics([IMAGE]),
    "normalize": lambda: transforms.normalize(IMAGE, WEIGHT, WEIGHT),
    "to_unit": lambda: transforms.to_unit(IMAGE.byte()),
    "second_moment": lambda: second_moment(X),
}


def same(one: Any, other: Any) -> bool:
    """Equal, and tensors on one device and in one dtype."""
    if isinstance(one, Tensor):
        kept = (one.device, one.dtype) == (other.device, other.dtype)
        return kept and torch.equal(one, other)
    if isinstance(one, tuple):
        return all(map(same, one, other))
    return one == other


@pytest.mark.parametrize("name", FLOATING)
def test_the_dtype_is_that_of_the_input(name):
    function, x = FLOATING[name]
    expected = function(x)
    for dtype in (torch.float64, torch.float16, torch.bfloat16):
        found = function(x.to(dtype))
        assert found.dtype == dtype
        assert torch.allclose(found.float(), expected, rtol=0.03, atol=0.03) or (
            name in ("xavier_normal_", "he_uniform_", "orthogonal_")  # other numbers
        )


CALLS = {
    **{name: lambda f=f, x=x: f(x) for name, (f, x) in FLOATING.items()},
    **OTHERS,
}


@pytest.mark.parametrize("name", CALLS)
def test_tensors_are_made_where_the_inputs_are(name):
    expected = CALLS[name]()
    with torch.device("meta"):
        found = CALLS[name]()
    assert same(found, expected)
