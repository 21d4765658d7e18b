"""What `nn.Module` does, by hand."""

import torch
from torch import nn

from snippets.modules import Linear, TinyModule, count_parameters


def build(base: type) -> object:
    """The same nested module on either base."""

    class Part(base):
        def __init__(self) -> None:
            super().__init__()
            self.scale = nn.Parameter(torch.ones(3))
            self.note = "not a parameter"
            self.constant = torch.ones(3)

        def forward(self, x):
            return self.scale * x + self.constant

    class Whole(base):
        def __init__(self) -> None:
            super().__init__()
            self.first = Part()
            self.shift = nn.Parameter(torch.zeros(3))
            self.second = Part()
            self.hidden = [Part()]

        def forward(self, x):
            return self.second(self.first(x)) + self.shift

    return Whole()


def test_the_tiny_module_finds_what_the_real_one_finds():
    names = [
        [name for name, _ in build(base).named_parameters()]
        for base in (TinyModule, nn.Module)
    ]
    assert names[0] == names[1] == ["shift", "first.scale", "second.scale"]


def test_the_tiny_module_computes_and_keeps_attributes():
    module, x = build(TinyModule), torch.arange(3.0)
    assert torch.equal(module(x), build(nn.Module)(x))
    assert module.first.note == "not a parameter"


def test_linear_starts_within_its_bound():
    torch.manual_seed(0)
    layer = Linear(100, 200)
    for parameter in layer.parameters():
        assert parameter.abs().max() <= 0.1
    assert layer.weight.abs().max() > 0.09


def test_parameters_are_counted_once_and_frozen_ones_on_request():
    layer = nn.Linear(3, 3)
    twice = nn.Sequential(layer, layer)
    assert count_parameters(twice) == 12
    layer.bias.requires_grad_(False)
    assert count_parameters(twice) == 12
    assert count_parameters(twice, trainable=True) == 9
