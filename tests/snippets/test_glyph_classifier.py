"""Networks that read glyphs, and what transfer needs of them."""

import json
from collections import Counter

import pytest
import torch
from torch import nn

from benchmarks.glyphs import METHODS, NETWORKS, shift
from snippets.data import read_data
from snippets.digits import Digits, split_digits
from snippets.glyph_classifier import (
    enlarged,
    flat_cnn,
    pooled_cnn,
    shifted,
    some,
    stages,
    two_rates,
    with_new_head,
)


@pytest.fixture
def data():
    images = torch.rand(12, 1, 28, 28, generator=torch.Generator().manual_seed(0))
    return Digits(images, torch.arange(12) % 10)


def test_stages_halve_height_and_width(data):
    assert nn.Sequential(*stages(1, 8, 16))(data.images).shape == (12, 16, 7, 7)
    assert stages(1) == []


@pytest.mark.parametrize("network", [flat_cnn, pooled_cnn])
def test_images_to_logits(network, data):
    assert network()(data.images).shape == (12, 10)
    assert network(26)(data.images).shape == (12, 26)


def test_pooling_forgets_where_something_was():
    """Moved by four pixels, which is a whole step of both poolings."""
    image = torch.zeros(1, 1, 28, 28)
    image[..., 12:16, 8:12] = 1
    torch.manual_seed(0)
    pooled, flat = pooled_cnn(), flat_cnn()
    for layer in (pooled[0], pooled[3], pooled[6]):
        nn.init.zeros_(layer.bias)  # else the border can be seen from everywhere
    moved = image.roll(4, dims=3)
    assert torch.allclose(pooled(image), pooled(moved), atol=1e-5)
    assert not torch.allclose(flat(image), flat(moved), atol=1e-3)


def test_shifted_moves_to_the_right(data):
    moved = shifted(data, 3)
    assert torch.equal(moved.images[..., 3:], data.images[..., :-3])
    assert torch.equal(moved.images[..., :3], data.images[..., -3:])
    assert torch.equal(moved.labels, data.labels)


def test_enlarged_keeps_labels_and_has_a_margin():
    small = split_digits()[1]
    large = enlarged(small)
    assert large.images.shape == (300, 1, 28, 28)
    assert torch.equal(large.labels, small.labels)
    assert large.images[..., :4].abs().max() == 0
    inner = large.images[..., 4:24, 4:24]
    assert torch.allclose(inner.mean(), small.images.mean(), atol=0.01)


def test_some_are_chosen_by_the_seed(data):
    first, again, other = (some(data, 5, seed) for seed in (0, 0, 1))
    assert torch.equal(first.images, again.images)
    assert not torch.equal(first.images, other.images)
    for image, label in zip(*first, strict=True):
        (place,) = (data.images == image).flatten(1).all(dim=1).nonzero()
        assert data.labels[place] == label


@pytest.mark.parametrize("count", [0, 13])
def test_as_many_as_there_are(data, count):
    with pytest.raises(ValueError, match=f"count={count}: there are 12 examples"):
        some(data, count, 0)


def test_a_new_head_leaves_the_old_model_alone():
    old = pooled_cnn(26)
    new = with_new_head(old, 10)
    assert new[-1].out_features == 10
    assert old[-1].out_features == 26
    assert torch.equal(new[0].weight, old[0].weight)
    assert new[0].weight is not old[0].weight


def test_a_head_that_is_not_linear_is_refused():
    with pytest.raises(ValueError, match=r"the last layer is ReLU\(\): expected"):
        with_new_head(nn.Sequential(nn.Linear(2, 2), nn.ReLU()))


def step(model, optimizer, data):
    before = [parameter.clone() for parameter in model.parameters()]
    nn.functional.cross_entropy(model(data.images), data.labels).backward()
    optimizer.step()
    pairs = zip(before, model.parameters(), strict=True)
    return [(old - new).abs().max().item() for old, new in pairs]


def test_a_body_without_a_rate_stays(data):
    model = pooled_cnn()
    *body, weight, bias = step(model, two_rates(model, 0, 1e-2), data)
    assert set(body) == {0}
    assert weight > 0 and bias > 0
    assert all(parameter.grad is None for parameter in model[:-1].parameters())


def test_each_part_has_its_rate(data):
    """A first step of Adam changes a number by its rate, weight decay aside."""
    model = pooled_cnn()
    *body, weight, _ = step(model, two_rates(model, 1e-3, 1e-2), data)
    assert max(body) == pytest.approx(1e-3, rel=0.05)
    assert weight == pytest.approx(1e-2, rel=0.05)


def test_a_frozen_body_can_learn_again(data):
    model = pooled_cnn()
    two_rates(model, 0, 1e-2)
    assert min(step(model, two_rates(model, 1e-3, 1e-2), data)[:-2]) > 0


@pytest.mark.parametrize("rates", [(-1e-3, 1e-2), (1e-3, -1e-2)])
def test_a_negative_rate_is_refused(rates):
    with pytest.raises(ValueError, match="rates must not be negative"):
        two_rates(pooled_cnn(), *rates)


RECORD = json.loads(read_data("glyphs.json"))


def test_every_recorded_comparison_has_five_seeds():
    """On data to choose by, and with the same rates to choose from for each number."""
    seeds = Counter(run["network"] for run in RECORD["shift"]["runs"])
    assert seeds == dict.fromkeys(NETWORKS, 5)
    runs = [run for run in RECORD["transfer"]["runs"] if run["labels"]]
    keys = Counter((r["method"], r["labels"], tuple(r["rates"])) for r in runs)
    assert set(keys.values()) == {5}
    tried = Counter((method, labels) for method, labels, _ in keys)
    wanted = [(method, labels) for method in METHODS for labels in (30, 100, 300)]
    assert tried == dict.fromkeys(wanted, 3)


def test_a_recorded_run_is_of_this_code():
    (again,) = shift({"MLP": NETWORKS["MLP"]}, seeds=[0])
    recorded = next(r for r in RECORD["shift"]["runs"] if r["network"] == "MLP")
    assert again["accuracies"] == pytest.approx(recorded["accuracies"], abs=0.05)
