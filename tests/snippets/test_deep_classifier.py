"""`snippets/deep_classifier.py`, and what was recorded with it."""

import json

import pytest
import torch
from torch import nn

from benchmarks import initialisation
from snippets.data import read_data
from snippets.deep_classifier import accuracies, deep_classifier
from snippets.digits import Digits, split_digits
from snippets.initialisation import he_normal_


def test_it_has_so_many_hidden_layers():
    model = deep_classifier(3)
    linear = [layer for layer in model if isinstance(layer, nn.Linear)]
    assert [layer.out_features for layer in linear] == [64, 64, 64, 10]
    assert sum(isinstance(layer, nn.ReLU) for layer in model) == 3
    assert model(torch.rand(5, 1, 8, 8)).shape == (5, 10)


def test_weights_are_filled_and_biases_zero():
    model = deep_classifier(2, lambda weight: nn.init.constant_(weight, 0.5))
    for name, parameter in model.named_parameters():
        assert (parameter == (0.5 if name.endswith("weight") else 0.0)).all()


def test_without_a_start_all_stays_as_pytorch_made_it():
    torch.manual_seed(0)
    ours = deep_classifier(1)
    torch.manual_seed(0)
    theirs = nn.Linear(64, 64), nn.Linear(64, 10)
    assert torch.equal(ours[1].weight, theirs[0].weight)
    assert torch.equal(ours[3].bias, theirs[1].bias)


@pytest.mark.parametrize("depth", [0, -1])
def test_a_depth_below_one_is_an_error(depth):
    with pytest.raises(ValueError, match=f"depth={depth}: at least one"):
        deep_classifier(depth)


def test_a_network_learns_and_the_same_seed_gives_the_same():
    train, validation, _ = split_digits()
    few = Digits(train.images[:400], train.labels[:400])
    found = []
    for _ in range(2):
        torch.manual_seed(0)
        model = deep_classifier(2, he_normal_)
        found.append(accuracies(model, few, validation, lr=3e-3, epochs=3))
    assert len(found[0]) == 3 and found[0][-1] > 0.7
    assert found[0] == found[1]


def test_twenty_layers_of_the_default_learn_slowly_and_he_sooner():
    """Five seeds each; the first column is after five epochs, the last after sixty."""
    record = json.loads(read_data("initialisation.json"))
    assert record["depth"] == 20 and {"date", "processor"} <= set(record["machine"])
    at = {
        (run["start"], run["lr"]): torch.tensor(run["accuracy"])
        for run in record["runs"]
    }
    assert all(found.shape == (5, 12) for found in at.values())
    default, he = at["default", 3e-4], at["He", 3e-4]
    assert (default[:, 0] < 0.2).all() and (he[:, 0] > 0.7).all()
    assert sorted(default[:, -1])[1] > 0.6  # four of five
    assert (at["default", 1e-3] < 0.2).all() and (at["He", 1e-3][:, -1] > 0.9).all()


def test_what_was_recorded_can_be_measured_again():
    found = initialisation.curves("He", 1e-3, depth=1, epochs=2, every=2)
    assert len(found) == 5 and all(len(curve) == 1 for curve in found)
