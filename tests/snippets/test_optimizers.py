"""The optimizers by hand: groups, state, and errors; equality is a proof."""

import copy
import math

import pytest
import torch
from torch import nn
from torch.optim.lr_scheduler import StepLR

from snippets.optimizers import SGD, Adam, AdamW, RMSprop, decay_groups
from snippets.schedules import Plateau, Scheduler, cosine_decay

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


@pytest.mark.parametrize("make", ALL)
def test_each_is_an_optimizer_of_pytorch(make):
    w = weight(1.0)
    optimizer = make([{"params": [w], "lr": 0.5}], lr=0.1)
    assert isinstance(optimizer, torch.optim.Optimizer)
    assert optimizer.param_groups[0]["lr"] == 0.5
    StepLR(optimizer, 1, 0.1)
    Scheduler(optimizer, cosine_decay(10)).step()
    Plateau(optimizer).step(1.0)
    loss = optimizer.step(lambda: (2 * w).sum().backward() or torch.tensor(2.0))
    assert loss.item() == 2 and w.item() < 1


def run_of(make, steps: int, resume_at: int | None = None) -> list[float]:
    """Weights after each step; with `resume_at`, in objects made anew on the way."""
    w = weight(2.0, -3.0)
    optimizer = make([w], lr=0.05)
    scheduler = Scheduler(optimizer, cosine_decay(steps))
    seen = []
    for step in range(steps):
        if step == resume_at:
            states = copy.deepcopy((optimizer.state_dict(), scheduler.state_dict()))
            w = weight(*w.tolist())
            optimizer = make([w], lr=0.05)
            scheduler = Scheduler(optimizer, cosine_decay(steps))
            optimizer.load_state_dict(states[0])
            scheduler.load_state_dict(states[1])
        optimizer.zero_grad()
        (w**2).sum().backward()
        optimizer.step()
        scheduler.step()
        seen += w.tolist()
    return seen


MADE = [*ALL, lambda params, lr: SGD(params, lr, momentum=0.9, nesterov=True)]


@pytest.mark.parametrize("make", MADE)
def test_a_saved_state_goes_on(make):
    assert run_of(make, 20, resume_at=7) == run_of(make, 20)


@pytest.mark.parametrize("make", MADE)
def test_the_state_is_made_once_and_has_the_parameters_dtype_and_device(make):
    for dtype, device in ((torch.float64, "cpu"), (torch.bfloat16, "meta")):
        w = torch.ones(3, dtype=dtype, device=device, requires_grad=True)
        optimizer = make([w], lr=0.1)
        places = []
        for _ in range(3):
            w.grad = torch.ones_like(w)
            optimizer.step()
            state = optimizer.state[w].values()
            tensors = [value for value in state if isinstance(value, torch.Tensor)]
            assert all((t.dtype, t.device) == (dtype, w.device) for t in tensors)
            places.append([id(tensor) for tensor in tensors])
        assert places[0] == places[1] == places[2]


@pytest.mark.parametrize(
    ("ours", "theirs", "settings"),
    [
        (SGD, torch.optim.SGD, {"momentum": 0.9}),
        (RMSprop, torch.optim.RMSprop, {}),
        (AdamW, torch.optim.AdamW, {}),
    ],
)
def test_the_state_has_pytorchs_names(ours, theirs, settings):
    names = []
    for make in (ours, theirs):
        w = weight(1.0)
        w.grad = torch.ones(1)
        optimizer = make([w], lr=0.1, **settings)
        optimizer.step()
        names.append(set(optimizer.state[w]))
    assert names[0] == names[1] - {"step"} or names[0] == names[1]


def test_a_decay_of_zero_leaves_infinite_weights_alone():
    w = weight(math.inf)
    w.grad = torch.ones(1)
    SGD([w], lr=0.1).step()
    assert w.item() == math.inf


def test_bad_input():
    w = weight(1.0)
    with pytest.raises(ValueError, match="empty parameter list"):
        SGD([], lr=0.1)
    for name, setting in (("lr", -1), ("lr", math.nan), ("momentum", -0.5)):
        with pytest.raises(ValueError, match=f"{name}={setting}: it must not be neg"):
            SGD([w], **{"lr": 0.1, name: setting})
    with pytest.raises(ValueError, match="more than one parameter group"):
        SGD([{"params": [w]}, {"params": [w]}], lr=0.1)
    with pytest.raises(TypeError, match="one of the params is float"):
        SGD([1.0], lr=0.1)
    with pytest.raises(ValueError, match=r"no such setting: \['rate'\]"):
        SGD([{"params": [w], "rate": 1}], lr=0.1)
    with pytest.raises(ValueError, match=r"betas=\(0.9, 1.0\): each must be"):
        Adam([w], betas=(0.9, 1.0))
    with pytest.raises(ValueError, match="nesterov=True looks ahead"):
        SGD([w], lr=0.1, nesterov=True)
