"""Losses by hand: hard numbers, and errors. Proofs compare the rest with PyTorch."""

import pytest
import torch
import torch.nn.functional as F

from snippets.losses import (
    binary_cross_entropy_with_logits,
    cross_entropy,
    huber_loss,
    log_softmax,
    log_sum_exp,
    mse_loss,
    nll_loss,
)

INF = float("inf")


@pytest.mark.parametrize(
    "row", [[1e4, 0.0], [-1e4, -1e4], [-INF, 0.0], [-INF, -INF], [INF, 0.0]]
)
def test_log_sum_exp_of_extreme_numbers(row):
    x = torch.tensor(row)
    assert log_sum_exp(x).item() == torch.logsumexp(x, dim=0).item()


def test_the_gradient_of_log_sum_exp_is_softmax_also_for_equal_numbers():
    for row in ([2.0, 2.0, 2.0], [500.0, 500.0, -500.0]):
        x = torch.tensor(row, requires_grad=True)
        log_sum_exp(x).backward()
        assert torch.allclose(x.grad, x.detach().softmax(dim=0))


def test_a_class_that_is_ruled_out_gets_no_probability_and_no_gradient():
    logits = torch.tensor([[0.0, -INF, 0.0]], requires_grad=True)
    loss = cross_entropy(logits, torch.tensor([2]))
    loss.backward()
    assert loss.item() == pytest.approx(torch.tensor(2.0).log().item())
    assert torch.allclose(logits.grad, torch.tensor([[0.5, 0.0, -0.5]]))
    assert log_softmax(logits)[0, 1].item() == -INF


def test_ignored_examples_change_nothing_even_if_they_are_infinite():
    torch.manual_seed(0)
    logits, targets = torch.randn(4, 3), torch.tensor([0, -100, 2, -100])
    kept = cross_entropy(logits[::2], targets[::2])
    spoiled = logits.clone()
    spoiled[1, 0] = -INF
    spoiled.requires_grad_()
    loss = cross_entropy(spoiled, targets)
    loss.backward()
    assert loss.item() == pytest.approx(kept.item())
    assert (spoiled.grad[1::2] == 0).all()


def test_a_mean_over_nothing_is_nan_as_in_pytorch():
    logits, targets = torch.zeros(2, 3), torch.tensor([-100, -100])
    assert cross_entropy(logits, targets).isnan()
    assert F.cross_entropy(logits, targets).isnan()
    assert cross_entropy(logits, targets, reduction="sum").item() == 0


def test_the_weighted_mean_divides_by_the_weights_that_counted():
    logits, targets = torch.zeros(3, 2), torch.tensor([0, 1, -100])
    loss = cross_entropy(logits, targets, weight=torch.tensor([1.0, 9.0]))
    assert loss.item() == pytest.approx(torch.tensor(2.0).log().item())


def test_the_gradient_of_cross_entropy_is_probability_minus_target():
    torch.manual_seed(0)
    logits, targets = torch.randn(5, 4, requires_grad=True), torch.arange(5) % 4
    cross_entropy(logits, targets, reduction="sum").backward()
    wanted = logits.detach().softmax(dim=1) - F.one_hot(targets, 4)
    assert torch.allclose(logits.grad, wanted, atol=1e-6)


@pytest.mark.parametrize("x", [-200.0, 0.0, 200.0])
def test_binary_cross_entropy_of_extreme_logits(x):
    for target in (0.0, 1.0):
        ours = torch.tensor([x], requires_grad=True)
        theirs = torch.tensor([x], requires_grad=True)
        goal = torch.tensor([target])
        found = binary_cross_entropy_with_logits(ours, goal)
        expected = F.binary_cross_entropy_with_logits(theirs, goal)
        found.backward()
        expected.backward()
        assert found.item() == pytest.approx(expected.item())
        assert ours.grad.item() == pytest.approx(theirs.grad.item())


@pytest.mark.parametrize("loss", [nll_loss, cross_entropy])
class TestTargets:
    """Targets that are not class numbers, or not one for each example."""

    def test_of_another_type(self, loss):
        with pytest.raises(TypeError, match=r"targets are torch.float32"):
            loss(torch.zeros(2, 3), torch.zeros(2))

    def test_of_another_shape(self, loss):
        for shape in ((3,), (2, 1), ()):
            with pytest.raises(ValueError, match=r"expected \(N, V\) and \(N,\)"):
                loss(torch.zeros(2, 3), torch.zeros(shape, dtype=torch.int64))

    @pytest.mark.parametrize("wrong", [3, -1])
    def test_without_such_a_class(self, loss, wrong):
        with pytest.raises(ValueError, match=f"no class {wrong}: classes are 0 to 2"):
            loss(torch.zeros(2, 3), torch.tensor([0, wrong]))


@pytest.mark.parametrize(
    "loss", [mse_loss, huber_loss, binary_cross_entropy_with_logits]
)
def test_shapes_that_would_broadcast_are_refused(loss):
    with pytest.raises(ValueError, match=r"\(4, 1\), targets \(4,\)"):
        loss(torch.zeros(4, 1), torch.zeros(4))


def test_an_unknown_reduction_is_named():
    with pytest.raises(ValueError, match="'average'"):
        mse_loss(torch.zeros(1), torch.zeros(1), reduction="average")


@pytest.mark.parametrize("delta", [0.0, -1.0])
def test_huber_needs_a_positive_delta(delta):
    with pytest.raises(ValueError, match="must be positive"):
        huber_loss(torch.zeros(1), torch.zeros(1), delta=delta)
