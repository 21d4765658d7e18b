"""`snippets/blocks.py`: containers, residual blocks, heads, and their errors."""

from itertools import pairwise

import pytest
import torch
from torch import nn

from snippets.blocks import DigitStack, ManyHeads, Residual, TinySequential, mlp


def test_a_module_that_stands_twice_runs_twice():
    double = nn.Linear(1, 1, bias=False)
    nn.init.constant_(double.weight, 2.0)
    assert TinySequential(double, double)(torch.ones(1, 1)).item() == 4


def test_a_chain_takes_modules_only():
    with pytest.raises(TypeError, match="relu is not a Module"):
        TinySequential(nn.Linear(2, 2), torch.relu)


@pytest.mark.parametrize("dropout", [0.0, 0.5])
@pytest.mark.parametrize("sizes", [[3, 2], [3, 5, 2], [3, 5, 4, 2]])
def test_an_mlp_ends_with_a_linear_layer(sizes, dropout):
    model = mlp(sizes, nn.Tanh, dropout)
    linear = [layer for layer in model if isinstance(layer, nn.Linear)]
    shapes = [(layer.in_features, layer.out_features) for layer in linear]
    assert shapes == list(pairwise(sizes))
    assert model[-1] is linear[-1]
    inside = len(sizes) - 2
    assert sum(isinstance(layer, nn.Tanh) for layer in model) == inside
    dropouts = [layer for layer in model if isinstance(layer, nn.Dropout)]
    assert len(dropouts) == (inside if dropout else 0)
    assert all(layer.p == dropout for layer in dropouts)
    assert model(torch.ones(7, 3)).shape == (7, 2)


@pytest.mark.parametrize("sizes", [[], [64], [64, 0, 10], [64, -1]])
def test_sizes_that_make_no_network(sizes):
    with pytest.raises(ValueError, match=r"sizes=\[.*\]: at least two sizes"):
        mlp(sizes)


def test_a_residual_block_adds():
    inner = nn.Linear(3, 3)
    x = torch.randn(5, 3)
    assert torch.equal(Residual(inner)(x), x + inner(x))
    nn.init.zeros_(inner.weight)
    nn.init.zeros_(inner.bias)
    assert torch.equal(Residual(inner)(x), x)


def test_a_residual_block_refuses_what_broadcasting_would_add():
    message = r"made \(5, 1\) of \(5, 8\): a residual block needs one shape"
    with pytest.raises(ValueError, match=message):
        Residual(nn.Linear(8, 1))(torch.ones(5, 8))


def test_a_stack_runs_the_blocks_asked_for():
    model, images = DigitStack(width=8, depth=3), torch.rand(4, 1, 8, 8)
    assert torch.equal(model(images), model(images, 3))
    calls = []
    for number, block in enumerate(model.blocks):
        block.register_forward_hook(lambda *_, number=number: calls.append(number))
    for n_blocks in range(4):
        calls.clear()
        assert model(images, n_blocks).shape == (4, 10)
        assert calls == list(range(n_blocks))


@pytest.mark.parametrize("n_blocks", [-1, 4])
def test_a_stack_has_so_many_blocks(n_blocks):
    with pytest.raises(ValueError, match=f"n_blocks={n_blocks}: there are 3 blocks"):
        DigitStack(width=8, depth=3)(torch.rand(1, 1, 8, 8), n_blocks)


def test_all_blocks_and_heads_are_registered():
    stack = DigitStack(width=8, depth=3)
    assert {"blocks.0.inner.1.0.weight", "blocks.2.inner.1.2.bias"} <= set(
        stack.state_dict()
    )
    heads = ManyHeads(nn.Flatten(), 64, {"digit": 10, "parity": 2})
    assert len(list(heads.parameters())) == 4


def test_each_task_has_its_head():
    model = ManyHeads(nn.Flatten(), 64, {"digit": 10, "parity": 2})
    images = torch.rand(3, 1, 8, 8)
    assert model(images, "digit").shape == (3, 10)
    assert model(images, "parity").shape == (3, 2)
    expected = model.heads["parity"](images.flatten(1))
    assert torch.equal(model(images, "parity"), expected)


def test_a_task_without_a_head():
    model = ManyHeads(nn.Flatten(), 64, {"digit": 10, "parity": 2})
    message = "task='letter' has no head: there are digit, parity"
    with pytest.raises(ValueError, match=message):
        model(torch.rand(3, 1, 8, 8), "letter")
    with pytest.raises(ValueError, match="there are none"):
        ManyHeads(nn.Flatten(), 64, {})(torch.rand(3, 1, 8, 8), "digit")
