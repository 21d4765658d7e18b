"""`snippets/hooks.py`: what is seen, what is changed, and that nothing stays."""

import pytest
import torch
from torch import nn

from snippets.blocks import DigitStack, Residual, mlp
from snippets.hooks import (
    Hookable,
    attached,
    hooks_left,
    layer_table,
    modules_by_name,
    naming_layers,
    recording,
    second_moment,
    shape_of,
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
    message = r"^2, a Linear, got \(5, 48\): mat1 and mat2 shapes cannot"
    with pytest.raises(RuntimeError, match=message), naming_layers(model):
        model(torch.ones(5, 64))
    assert hooks_left(model) == {}


def test_the_innermost_module_that_raised_is_named():
    model = nn.Sequential(nn.Linear(8, 8), Residual(nn.Linear(8, 1)))
    message = r"^1, a Residual, got \(5, 8\): the inner module made"
    with pytest.raises(RuntimeError, match=message) as caught, naming_layers(model):
        model(torch.ones(5, 8))
    assert isinstance(caught.value.__cause__, ValueError)


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
    with pytest.raises(RuntimeError, match=r"^1, a Linear, got"), naming_layers(model):
        model(torch.ones(5, 4))


def test_errors_outside_of_the_model_stay_as_they_are():
    model = mlp([4, 2])
    with pytest.raises(ZeroDivisionError), naming_layers(model):
        model(torch.ones(1, 4))
        raise ZeroDivisionError


def test_shapes_in_words():
    assert shape_of(torch.ones(2, 3)) == "(2, 3)"
    assert shape_of((1, 2)) == "tuple"


def test_the_table_of_layers():
    model = DigitStack(width=8, depth=1).train()
    model.head.eval()
    modes = [module.training for module in model.modules()]
    table = layer_table(model, torch.rand(2, 1, 8, 8))
    assert [module.training for module in model.modules()] == modes
    assert hooks_left(model) == {}
    assert table.rows[1] == ("stem.1", "Linear", "(2, 8)", 64 * 8 + 8)
    assert table.rows[-1] == ("head.1", "Linear", "(2, 10)", 8 * 10 + 10)
    total = sum(p.numel() for p in model.parameters())
    assert sum(row[3] for row in table.rows) == total


def test_a_layer_that_runs_twice_has_two_rows():
    layer = nn.Linear(3, 3)
    table = layer_table(nn.Sequential(layer, nn.Sequential(layer)), torch.ones(1, 3))
    assert len(table.rows) == 2
