"""`snippets/hooks.py`: what is seen, what is changed, and that nothing stays."""

import math

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from snippets.blocks import DigitStack, Residual, mlp
from snippets.hooks import (
    Hookable,
    attached,
    backward_error,
    hooks_left,
    kept_for_backward,
    layer_stats,
    modules_by_name,
    naming_layers,
    recording,
    second_moment,
    shape_of,
    stats_table,
    stop_at_nan,
)


def test_a_handle_removes_its_own_hook_once():
    module, seen = Hookable(lambda x: x), []
    first = module.register_forward_hook(lambda m, x, y: seen.append("first"))
    module.register_forward_hook(lambda m, x, y: seen.append("second"))
    module(1)
    first.remove()
    first.remove()
    module.register_forward_hook(lambda m, x, y: seen.append("third"))
    module(1)
    assert seen == ["first", "second", "second", "third"]


def test_a_hook_that_removes_itself():
    module, seen = Hookable(lambda x: x), []

    def once(*_):
        seen.append(1)
        handle.remove()

    handle = module.register_forward_hook(once)
    module(1)
    module(1)
    assert seen == [1]


def test_attached_hooks_go_even_after_an_error():
    model = mlp([4, 3, 2])
    with pytest.raises(ZeroDivisionError), attached(model, lambda *_: None):
        assert hooks_left(model) == {"0": 1, "1": 1, "2": 1}
        raise ZeroDivisionError
    assert hooks_left(model) == {}


def test_hooks_of_all_kinds_are_counted():
    model = nn.Sequential(nn.Linear(2, 2))
    model.register_forward_pre_hook(lambda *_: None)
    model[0].register_forward_hook(lambda *_: None)
    model[0].register_full_backward_hook(lambda *_: None)
    model[0].register_full_backward_pre_hook(lambda *_: None)
    assert hooks_left(model) == {"the model": 1, "0": 3}


def test_modules_by_name():
    model = DigitStack(width=8, depth=2)
    found = modules_by_name(model, ["blocks.1", "head.1"])
    assert found == {"blocks.1": model.blocks[1], "head.1": model.head[1]}
    with pytest.raises(ValueError, match=r"no module 'blocks\.2': there are stem, "):
        modules_by_name(model, ["blocks.2"])


def test_the_second_moment():
    assert second_moment(torch.tensor([3.0, -1.0])) == 5
    assert second_moment(torch.full((4,), 1e20)) == pytest.approx(1e40)  # no overflow


@pytest.mark.parametrize("inplace", [False, True])
def test_recording_equals_autograd(inplace):
    torch.manual_seed(0)
    model, x = mlp([4, 6, 3]), torch.randn(5, 4)
    model[1].inplace = inplace
    with recording(model, ["0", "2"]) as record:
        model(x).square().sum().backward()
        model(x)  # no backward: no gradient
    assert hooks_left(model) == {}

    hidden = model[0](x).detach().requires_grad_()
    logits = model[2](hidden.relu())
    logits.retain_grad()
    logits.square().sum().backward()
    assert record.outputs["0"] == pytest.approx([second_moment(hidden)] * 2)
    assert record.outputs["2"] == pytest.approx([second_moment(logits)] * 2)
    assert record.gradients["0"] == pytest.approx([second_moment(hidden.grad)])
    assert record.gradients["2"] == pytest.approx([second_moment(logits.grad)])


def test_recording_without_gradients_and_with_another_measure():
    model = mlp([4, 3])
    with torch.no_grad(), recording(model, ["0"], lambda x: x.shape[0]) as record:
        model(torch.ones(7, 4))
    assert record.outputs == {"0": [7]}
    assert record.gradients == {"0": []}


def test_recording_names_what_it_cannot_measure():
    model = nn.Sequential(nn.LSTM(3, 4))
    message = "'0' returns a tuple: expected one tensor"
    with pytest.raises(TypeError, match=message), recording(model, ["0"]):
        model(torch.ones(2, 3))
    assert hooks_left(model) == {}
    with pytest.raises(ValueError, match="no module '1'"), recording(model, ["1"]):
        pass


def test_the_layer_is_named():
    model = mlp([64, 48, 32, 10])
    model[2] = nn.Linear(24, 32)
    message = "^mat1 and mat2 shapes cannot"
    with pytest.raises(RuntimeError, match=message) as caught, naming_layers(model):
        model(torch.ones(5, 64))
    assert caught.value.__notes__ == ["in 2, a Linear, got (5, 48)"]
    assert hooks_left(model) == {}


def test_the_innermost_module_that_raised_is_named():
    model = nn.Sequential(nn.Linear(8, 8), Residual(nn.Linear(8, 1)))
    message = "^the inner module made"
    with pytest.raises(ValueError, match=message) as caught, naming_layers(model):
        model(torch.ones(5, 8))
    assert caught.value.__notes__ == ["in 1, a Residual, got (5, 8)"]


class Exit(Exception):
    """Leaves a model early, on purpose."""


def test_an_exception_of_the_readers_own_stays_what_it_is():
    def leave(*arguments):
        raise Exit

    model = mlp([4, 3, 2])
    model[1].register_forward_hook(leave)
    with pytest.raises(Exit), naming_layers(model):
        model(torch.ones(1, 4))


class Tries(nn.Module):
    """Falls back to its input if the layer raises, then fails itself if told to."""

    def __init__(self, fail: bool) -> None:
        super().__init__()
        self.layer, self.fail = nn.Linear(3, 3), fail

    def forward(self, x):
        try:
            return self.layer(x)
        except RuntimeError:
            if self.fail:
                raise ValueError("no way out") from None
            return x


def test_an_error_that_was_caught_blames_nobody():
    model = nn.Sequential(Tries(fail=False), nn.Linear(3, 2))
    with pytest.raises(RuntimeError) as caught, naming_layers(model):
        model(torch.ones(5, 4))
    assert caught.value.__notes__ == ["in 1, a Linear, got (5, 4)"]


def test_errors_outside_of_the_model_stay_as_they_are():
    model = mlp([4, 2])
    with pytest.raises(ZeroDivisionError) as caught, naming_layers(model):
        model(torch.ones(1, 4))
        raise ZeroDivisionError
    assert not hasattr(caught.value, "__notes__")


def test_shapes_in_words():
    assert shape_of(torch.ones(2, 3)) == "(2, 3)"
    assert shape_of((1, 2)) == "tuple"


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
    table = str(stats_table([linear, relu])).split("\n")
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
    assert hooks_left(model) == {}


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
    told = r"^2 of the gradients that reach 1 \(ReLU\) are not finite$"
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
