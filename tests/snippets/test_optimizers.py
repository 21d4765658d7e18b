"""The optimizers by hand: groups, state, and errors; equality is a proof."""

import pytest
import torch
from torch import nn

from snippets.optimizers import SGD, Adam, AdamW, RMSprop, decay_groups

ALL = [SGD, RMSprop, Adam, AdamW]


def weight(*numbers: float) -> torch.Tensor:
    return torch.tensor(numbers, requires_grad=True)


@pytest.mark.parametrize("make", ALL)
def test_each_goes_downhill(make):
    w = weight(2.0, -3.0)
    optimizer = make([w], lr=0.05)
    first = (w**2).sum().item()
    for _ in range(50):
        optimizer.zero_grad()
        (w**2).sum().backward()
        optimizer.step()
    assert (w**2).sum().item() < first


def test_a_step_of_sgd_by_hand():
    w = weight(2.0)
    optimizer = SGD([w], lr=0.1)
    (w**2).sum().backward()
    optimizer.step()
    assert w.item() == pytest.approx(2 - 0.1 * 4)


def test_adams_first_step_is_the_rate_whatever_the_gradient():
    for size in (1e-3, 1.0, 1e3):
        w = weight(1.0)
        optimizer = Adam([w], lr=0.01)
        (w * size).sum().backward()
        optimizer.step()
        assert w.item() == pytest.approx(1 - 0.01, rel=1e-4)


def test_adamw_decays_without_a_gradient_to_scale_it():
    w = weight(1.0)
    optimizer = AdamW([w], lr=0.1, weight_decay=0.5)
    (w * 0).sum().backward()
    optimizer.step()
    assert w.item() == pytest.approx(1 - 0.1 * 0.5)


@pytest.mark.parametrize("make", ALL)
def test_parameters_without_gradient_stay(make):
    used, unused = weight(1.0), weight(5.0)
    optimizer = make([used, unused], lr=0.1)
    used.sum().backward()
    optimizer.step()
    assert unused.item() == 5
    assert used.item() != 1


def test_groups_have_settings_of_their_own():
    fast, slow = weight(1.0), weight(1.0)
    groups = [{"params": [fast], "lr": 0.5}, {"params": [slow]}]
    optimizer = SGD(groups, lr=0.1)
    (fast + slow).sum().backward()
    optimizer.step()
    assert (fast.item(), slow.item()) == (0.5, pytest.approx(0.9))


def test_decay_groups_split_by_dimension():
    model = nn.Sequential(nn.Linear(3, 4), nn.LayerNorm(4))
    decayed, plain = decay_groups(model, 0.1)
    assert [p.dim() for p in decayed["params"]] == [2]
    assert [p.dim() for p in plain["params"]] == [1, 1, 1]


def test_zero_grad_forgets():
    w = weight(1.0)
    optimizer = SGD([w], lr=0.1)
    w.sum().backward()
    optimizer.zero_grad()
    assert w.grad is None
    optimizer.step()
    assert w.item() == 1


def test_bad_input():
    w = weight(1.0)
    with pytest.raises(ValueError, match="no parameters"):
        SGD([], lr=0.1)
    with pytest.raises(ValueError, match="lr=-1"):
        SGD([w], lr=-1)
    with pytest.raises(ValueError, match="twice"):
        SGD([w, w], lr=0.1)
    with pytest.raises(TypeError, match=r"not 1\.0"):
        SGD([1.0], lr=0.1)
    with pytest.raises(ValueError, match=r"no such setting: \['rate'\]"):
        SGD([{"params": [w], "rate": 1}], lr=0.1)
