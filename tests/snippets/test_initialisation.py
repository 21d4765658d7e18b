"""`snippets/initialisation.py`: moments through depth within bounds, and errors.

That the numbers are those of `torch.nn.init` is a proof, in `proofs/init.py`.
"""

import math

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from snippets.hooks import recording, second_moment
from snippets.initialisation import (
    backward_factor,
    deep_stack,
    fans,
    fill_normal_,
    fill_uniform_,
    forward_factor,
    gaussian_mean,
    he_normal_,
    he_std,
    he_uniform_,
    orthogonal_,
    xavier_normal_,
    xavier_std,
    xavier_uniform_,
)

DEPTH, WIDTH = 50, 256
# Four times the standard deviation of the logarithm of the second moment behind all
# layers, for ReLU. A factor of 0.9 a layer would be further off than that.
SPREAD = 4 * math.sqrt(5 * DEPTH / WIDTH)


def through(fill_, activation, seed: int) -> tuple[list[float], list[float]]:
    """Second moments of outputs and gradients of fifty layers."""
    torch.manual_seed(seed)
    model = deep_stack([WIDTH] * (DEPTH + 1), fill_, activation)
    names = [str(2 * i) for i in range(DEPTH)]
    with recording(model, names) as record:
        y = model(torch.randn(16, WIDTH))
        y.backward(torch.randn_like(y))
    return (
        [record.outputs[name][0] for name in names],
        [record.gradients[name][0] for name in names],
    )


RIGHT = [
    (xavier_normal_, nn.Identity),
    (xavier_uniform_, nn.Identity),
    (orthogonal_, nn.Identity),
    (he_normal_, nn.ReLU),
    (he_uniform_, nn.ReLU),
]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("fill_", "activation"), RIGHT)
def test_signal_and_gradient_keep_their_size(fill_, activation, seed):
    forward, backward = through(fill_, activation, seed)
    assert abs(math.log(forward[-1] / forward[0])) < SPREAD
    assert abs(math.log(backward[0] / backward[-1])) < SPREAD


def test_orthogonal_weights_keep_it_exactly():
    forward, backward = through(orthogonal_, nn.Identity, 0)
    assert forward == pytest.approx([forward[0]] * DEPTH, rel=1e-4)
    assert backward == pytest.approx([backward[0]] * DEPTH, rel=1e-4)


WRONG = [
    (xavier_normal_, nn.ReLU, 1 / 2),
    (he_normal_, nn.Identity, 2),
    (lambda w: nn.init.kaiming_uniform_(w, a=math.sqrt(5)), nn.ReLU, 1 / 6),
    (lambda w: fill_normal_(w, 0.05), nn.Identity, 0.64),
]


@pytest.mark.parametrize(("fill_", "activation", "factor"), WRONG)
def test_a_wrong_size_is_off_by_the_factor_that_was_computed(fill_, activation, factor):
    forward, backward = through(fill_, activation, 1)
    expected = (DEPTH - 1) * math.log(factor)
    assert abs(math.log(forward[-1] / forward[0]) - expected) < SPREAD
    assert abs(math.log(backward[0] / backward[-1]) - expected) < SPREAD


def test_tanh_with_five_thirds():
    """The signal is at its fixed point; the gradient grows by a fifth a layer."""
    forward, backward = through(lambda w: xavier_normal_(w, 5 / 3), nn.Tanh, 0)
    assert forward[-1] == pytest.approx(1.178, rel=0.1)
    growth = (backward[24] / backward[-1]) ** (1 / 25)
    assert growth == pytest.approx(1.21, rel=0.05)


@pytest.mark.parametrize("fill_", [fill_normal_, fill_uniform_])
def test_both_fill_with_the_standard_deviation(fill_):
    torch.manual_seed(0)
    weight = fill_(torch.empty(500, 400), 0.3)
    assert weight.std() == pytest.approx(0.3, rel=0.01)
    assert abs(weight.mean()) < 0.01


def test_uniform_weights_have_a_bound():
    weight = he_uniform_(torch.empty(300, 100))
    bound = math.sqrt(6 / 100)
    assert 0.99 * bound < weight.abs().max() <= bound


def test_fans():
    assert fans(torch.empty(10, 64)) == (64, 10)
    assert fans(torch.empty(32, 16, 3, 5)) == (16 * 15, 32 * 15)


@pytest.mark.parametrize("shape", [(), (3,)])
@pytest.mark.parametrize("fill_", [xavier_normal_, he_normal_, orthogonal_])
def test_a_weight_has_two_axes(fill_, shape):
    with pytest.raises(ValueError, match="at least two axes are needed"):
        fill_(torch.empty(shape))


@pytest.mark.parametrize("gain", [-1.0, 0.0, math.inf, math.nan])
def test_a_gain_is_positive_and_finite(gain):
    weight = torch.ones(3, 4)
    message = f"gain={gain}: it must be positive and finite"
    for fill_ in (xavier_normal_, xavier_uniform_, orthogonal_):
        with pytest.raises(ValueError, match=message):
            fill_(weight, gain)
    with pytest.raises(ValueError, match=message):
        xavier_std(3, 4, gain)
    assert (weight == 1).all()


@pytest.mark.parametrize("std", [-0.1, 0.0, math.inf, math.nan])
def test_a_standard_deviation_is_positive_and_finite(std):
    for fill_ in (fill_normal_, fill_uniform_):
        with pytest.raises(ValueError, match=f"std={std}: it must be"):
            fill_(torch.ones(3, 4), std)


def test_slope_and_mode():
    weight = torch.empty(3, 4)
    assert he_std(weight, slope=1.0) == 0.5  # a linear function
    with pytest.raises(ValueError, match="mode='both': expected 'fan_in' or"):
        he_std(weight, mode="both")
    for slope in (math.nan, math.inf):
        with pytest.raises(ValueError, match=f"slope={slope}: it must be finite"):
            he_normal_(weight, slope)


@pytest.mark.parametrize(
    "shape", [(5, 5), (3, 8), (8, 3), (4, 2, 3, 3), (40, 2, 3, 3), (1, 1)]
)
def test_orthogonal_rows_or_columns(shape):
    torch.manual_seed(0)
    weight = orthogonal_(torch.empty(shape, dtype=torch.float64), gain=2.0).flatten(1)
    small = weight if weight.shape[0] < weight.shape[1] else weight.T
    product = small @ small.T
    assert torch.allclose(product, 4 * torch.eye(len(small), dtype=torch.float64))


def test_orthogonal_matrices_have_both_signs():
    """Without the signs of r, the first column of q would always point one way."""
    torch.manual_seed(0)
    corners = [orthogonal_(torch.empty(2, 2))[0, 0].item() for _ in range(50)]
    assert min(corners) < 0 < max(corners)


def test_parameters_are_filled_in_place_and_stay_leaves():
    weight = nn.Linear(4, 3).weight
    for fill_ in (xavier_normal_, xavier_uniform_, he_normal_, he_uniform_):
        assert fill_(weight) is weight
    assert orthogonal_(weight) is weight
    assert weight.is_leaf and weight.requires_grad


def test_gaussian_means():
    assert gaussian_mean(torch.ones_like) == pytest.approx(1)
    assert gaussian_mean(lambda z: z**4) == pytest.approx(3)
    assert gaussian_mean(torch.relu) == pytest.approx(1 / math.sqrt(2 * math.pi))


@pytest.mark.parametrize("variance", [0.1, 1.0, 7.0])
def test_a_relu_leaves_one_half(variance):
    assert forward_factor(torch.relu, variance) == pytest.approx(0.5, abs=1e-6)
    assert backward_factor(torch.relu, variance) == pytest.approx(0.5, abs=1e-6)


@pytest.mark.parametrize("activation", [torch.tanh, F.gelu, F.silu])
def test_factors_as_drawn(activation):
    torch.manual_seed(0)
    x = (1.5 * torch.randn(400_000)).requires_grad_()
    y = activation(x)
    y.sum().backward()
    drawn = second_moment(y) / 1.5**2
    assert forward_factor(activation, 1.5**2) == pytest.approx(drawn, rel=0.02)
    slope = second_moment(x.grad)
    assert backward_factor(activation, 1.5**2) == pytest.approx(slope, rel=0.02)


def test_a_deep_stack_has_its_sizes():
    model = deep_stack([5, 4, 3], he_normal_, nn.ReLU)
    assert [tuple(p.shape) for p in model.parameters()] == [(4, 5), (3, 4)]
    assert [type(layer) for layer in model] == [nn.Linear, nn.ReLU] * 2
