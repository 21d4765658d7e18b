"""`snippets/layer_watch.py`: numbers of layers, the first NaN, what graphs keep."""

import math

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from snippets.layer_watch import (
    backward_error,
    kept_for_backward,
    layer_stats,
    layer_table,
    stop_at_nan,
)


def hooks(model: nn.Module) -> int:
    return sum(len(module._forward_hooks) for module in model.modules())


def tiny() -> nn.Sequential:
    model = nn.Sequential(nn.Linear(2, 2), nn.ReLU())
    with torch.no_grad():
        model[0].weight.copy_(torch.tensor([[1.0, 1.0], [0.0, 0.0]]))
        model[0].bias.copy_(torch.tensor([0.0, -1.0]))
    return model


def test_numbers_that_can_be_checked_by_hand():
    model, x = tiny(), torch.tensor([[0.0, 1.0], [1.0, 2.0]])
    linear, relu = layer_stats(model, lambda: model(x).sum())
    assert (linear.name, linear.kind, relu.name, relu.kind) == (
        "0",
        "Linear",
        "1",
        "ReLU",
    )
    assert (linear.mean, relu.mean) == (0.5, 1.0)
    assert (linear.dead, relu.dead) == (0.0, 0.5)
    assert linear.slope == pytest.approx(math.sqrt(0.5))
    assert relu.slope == 1.0
    assert relu.std == pytest.approx(math.sqrt(1.5))
    table = str(layer_table([linear, relu])).split("\n")
    assert table[2].split() == ["1", "ReLU", "1.00", "1.22", "50", "1.0e+00"]


def test_nothing_is_left_behind():
    model, x = tiny(), torch.ones(3, 2)
    model[0].weight.grad = torch.ones(2, 2)
    layer_stats(model, lambda: model(x).sum())
    assert torch.equal(model[0].weight.grad, torch.ones(2, 2))
    assert model[0].bias.grad is None
    with pytest.raises(RuntimeError):
        layer_stats(model, lambda: model(torch.ones(3, 5)).sum())
    with pytest.raises(FloatingPointError), stop_at_nan(model):
        model(x * math.nan)
    assert hooks(model) == 0


def test_a_layer_without_a_slope_counts_as_zero():
    model = nn.ModuleDict({"used": nn.Linear(2, 2), "lost": nn.Linear(2, 2)})

    def loss() -> Tensor:
        x = torch.ones(1, 2)
        model["lost"](x)
        return model["used"](x).sum()

    slopes = {s.name: s.slope for s in layer_stats(model, loss)}
    assert slopes == {"used": 1.0, "lost": 0.0}


def test_a_model_that_is_not_called_is_told():
    layer = nn.Linear(2, 2)
    with pytest.raises(ValueError, match=r"call model\(x\), and not model\.forward"):
        layer_stats(layer, lambda: layer.forward(torch.ones(1, 2)).sum())


class Log(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.log()


class Root(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.sqrt()


class Pair(nn.Module):
    """Returns nested values, of which one is bad."""

    def forward(self, x: Tensor) -> dict[str, list[Tensor]]:
        return {"numbers": torch.arange(3), "both": [x, x / 0]}


def test_the_first_module_is_named_and_not_those_around_it():
    model = nn.Sequential(nn.ReLU(), nn.Sequential(Log(), nn.Linear(3, 3)))
    x = torch.tensor([[1.0, -1.0, 2.0]])
    with stop_at_nan(model):
        model(x.abs())
    told = r"^1\.0 \(Log\) returns 1 that are not finite; its input is fine$"
    with pytest.raises(FloatingPointError, match=told), stop_at_nan(model):
        model(x)


def test_a_bad_input_is_told_as_such():
    model = nn.Sequential(nn.ReLU(), nn.Linear(2, 2))
    told = r"^0 \(ReLU\) returns 1 .*; 1 were in its input$"
    with pytest.raises(FloatingPointError, match=told), stop_at_nan(model):
        model(torch.tensor([[math.inf, 1.0]]))


def test_nested_outputs_and_the_model_itself():
    told = r"^the model \(Pair\) returns 2 that"
    model = Pair()
    with pytest.raises(FloatingPointError, match=told), stop_at_nan(model):
        model(torch.ones(2))


def test_going_back_the_module_that_gets_the_bad_slope_is_named():
    model = nn.Sequential(nn.Linear(2, 2), nn.ReLU(), Root())
    with torch.no_grad():
        model[0].bias.fill_(-100.0)
    told = r"^2 of the slopes that reach 1 \(ReLU\) are not finite$"
    with stop_at_nan(model):
        total = model(torch.ones(1, 2)).sum()
        with pytest.raises(FloatingPointError, match=told):
            total.backward()


def test_the_line_of_a_backward_error():
    def where_root() -> None:
        x = torch.tensor([4.0, 0.0], requires_grad=True)
        root = torch.where(x > 0, x.sqrt(), 0.0)
        root.sum().backward()

    told = backward_error(where_root)
    assert told.startswith(
        "Function 'SqrtBackward0' returned nan values in its 0th output"
    )
    assert told.endswith("made in where_root: root = torch.where(x > 0, x.sqrt(), 0.0)")

    def in_place() -> None:
        y = torch.ones(2, requires_grad=True).exp()
        y += 1
        y.sum().backward()

    told = backward_error(in_place)
    assert "modified by an inplace operation; made in in_place: y = torch.ones" in told
    assert not torch.is_anomaly_enabled()


def test_no_backward_error_and_other_errors():
    assert (
        backward_error(lambda: torch.ones(1, requires_grad=True).sum().backward()) == ""
    )
    with pytest.raises(ZeroDivisionError):
        backward_error(lambda: 1 / 0)
    assert not torch.is_anomaly_enabled()


def test_bytes_kept_for_backward():
    x = torch.randn(10, 4)
    weight = torch.randn(4, 3, requires_grad=True)
    with kept_for_backward() as kept:
        assert kept() == 0
        loss = (x @ weight).exp().sum()
        inputs, results = 10 * 4 * 4, 10 * 3 * 4  # of float32
        assert kept() == inputs + results  # x for the weight, exp for itself
        total = loss + (x @ weight).exp().sum()
        assert kept() == inputs + 2 * results
        del loss
        total.backward()
        assert kept() == 0
        losses = [F.mse_loss(x @ weight, x[:, :3]) for _ in range(2)]
        assert kept() > 0
        losses.clear()
        assert kept() == 0


def test_gradients_are_right_while_counting():
    x, weight = torch.randn(5, 4), torch.randn(4, 3, requires_grad=True)
    (expected,) = torch.autograd.grad((x @ weight).sigmoid().sum(), weight)
    with kept_for_backward():
        (found,) = torch.autograd.grad((x @ weight).sigmoid().sum(), weight)
    assert torch.equal(found, expected)
