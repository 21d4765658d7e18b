"""`snippets/schedules.py`: places of the ends, resuming, and errors.

That the rates are those of `torch.optim.lr_scheduler` is a proof, in
`proofs/schedules.py`.
"""

import math

import pytest
import torch
from torch.optim import lr_scheduler

from snippets.schedules import (
    Plateau,
    Scheduler,
    cosine_decay,
    cosine_restarts,
    exponential_decay,
    in_sequence,
    linear_change,
    milestone_decay,
    one_cycle,
    polynomial_decay,
    rates_of,
    step_decay,
    warmup_cosine,
)


def sgd(*rates: float) -> torch.optim.SGD:
    """An optimizer with a group of one number for each rate."""
    groups = [
        {"params": [torch.zeros(1, requires_grad=True)], "lr": rate} for rate in rates
    ]
    return torch.optim.SGD(groups, lr=1.0)


def test_closed_forms():
    """Against the formulas as the papers and the reference have them, written out."""
    for step in range(100):
        assert step_decay(30, 0.1)(step) == pytest.approx(0.1 ** math.floor(step / 30))
        passed = sum(milestone <= step for milestone in (10, 50))
        assert milestone_decay([10, 50])(step) == pytest.approx(0.1**passed)
        assert exponential_decay(0.97)(step) == pytest.approx(
            math.exp(step * math.log(0.97))
        )
        part = step / 100
        assert cosine_decay(100, 0.1)(step) == pytest.approx(
            0.1 + 0.9 * math.cos(math.pi * part / 2) ** 2
        )
        assert polynomial_decay(100, 3)(step) == pytest.approx((1 - part) ** 3)
        assert linear_change(100, 0.2, 0.8)(step) == pytest.approx(0.2 + 0.6 * part)


@pytest.mark.parametrize(
    ("schedule", "end"),
    [
        (linear_change(10, 0.2, 0.7), 0.7),
        (polynomial_decay(10), 0.0),
        (cosine_decay(10, 0.3), 0.3),
        (warmup_cosine(3, 10, end=0.2), 0.2),
    ],
)
def test_what_has_an_end_stays_there(schedule, end):
    assert schedule(9) != pytest.approx(end)
    assert [schedule(step) for step in (10, 11, 500)] == pytest.approx([end] * 3)


def test_restarts_begin_at_the_peak():
    schedule = cosine_restarts(4, growth=2)
    peaks = [step for step in range(40) if schedule(step) == 1]
    assert peaks == [0, 4, 12, 28]


def test_one_cycle_has_its_peak_and_its_ends():
    schedule = one_cycle(101, rise=0.5, start=0.2, end=0.01)
    factors = [schedule(step) for step in range(101)]
    assert factors[0] == pytest.approx(0.2)
    assert factors[-1] == pytest.approx(0.01)
    assert max(factors) == pytest.approx(1, abs=1e-3)
    assert factors.index(max(factors)) in (49, 50)
    assert schedule(101) == factors[-1]  # the scheduler steps once more at the end
    with pytest.raises(ValueError, match="step=102: the cycle has 101 steps"):
        schedule(102)


@pytest.mark.parametrize(("steps", "rise"), [(1, 0.3), (3, 0.3), (10, 0.0), (10, 1.0)])
def test_a_cycle_needs_both_ways(steps, rise):
    with pytest.raises(ValueError, match=f"rise={rise} of steps={steps}: no way"):
        one_cycle(steps, rise)


def test_each_schedule_in_a_sequence_counts_for_itself():
    ticks = in_sequence([lambda step: step, lambda step: 10 + step], [3])
    assert [ticks(step) for step in range(6)] == [0, 1, 2, 10, 11, 12]


def test_a_sequence_that_cannot_be():
    flat = cosine_decay(5)
    with pytest.raises(ValueError, match="2 schedules and 2 milestones"):
        in_sequence([flat, flat], [1, 2])
    with pytest.raises(ValueError, match=r"milestones=\[5, 3\]: they must rise"):
        in_sequence([flat, flat, flat], [5, 3])
    with pytest.raises(ValueError, match=r"milestones=\[-1\]: they must rise"):
        in_sequence([flat, flat], [-1])


def test_a_warm_up_reaches_its_peak():
    schedule = warmup_cosine(5, 20, start=0.1)
    factors = [schedule(step) for step in range(20)]
    assert factors[0] == pytest.approx(0.1)
    assert factors.index(1.0) == 5
    assert factors[:6] == sorted(factors[:6])
    assert factors[5:] == sorted(factors[5:], reverse=True)
    assert 0 < factors[-1] < 0.02


@pytest.mark.parametrize(("warmup", "steps"), [(60, 60), (1000, 60)])
def test_a_warm_up_longer_than_the_run(warmup, steps):
    message = f"warmup={warmup} of steps={steps}: the peak is never reached"
    with pytest.raises(ValueError, match=message):
        warmup_cosine(warmup, steps)


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (step_decay, "every"),
        (polynomial_decay, "steps"),
        (cosine_decay, "steps"),
        (cosine_restarts, "first"),
        (one_cycle, "steps"),
        (lambda steps: linear_change(steps, 0.1), "steps"),
        (lambda growth: cosine_restarts(5, growth), "growth"),
        (lambda warmup: warmup_cosine(warmup, 60), "warmup"),
    ],
)
def test_steps_are_counted_in_whole_numbers(make, name):
    for value in (0, -3):
        with pytest.raises(ValueError, match=f"{name}={value}: it must be at least 1"):
            make(value)
    with pytest.raises(TypeError, match=f"{name}=2.5: it must be a whole number"):
        make(2.5)


def test_a_scheduler_sets_all_groups_from_the_start():
    optimizer = sgd(1.0, 0.1)
    scheduler = Scheduler(optimizer, linear_change(4, 0.5, 1.0))
    assert [group["lr"] for group in optimizer.param_groups] == [0.5, 0.05]
    optimizer.step()
    scheduler.step()
    rates = [group["lr"] for group in optimizer.param_groups]
    assert rates == pytest.approx([0.625, 0.0625])


@pytest.mark.parametrize("factor", [-0.1, math.nan, math.inf])
def test_a_factor_that_is_no_factor(factor):
    schedule = [1.0, factor].__getitem__
    scheduler = Scheduler(sgd(1.0), schedule)
    with pytest.raises(ValueError, match=f"the schedule gives {factor} at step 1"):
        scheduler.step()


@pytest.mark.parametrize("made_first", [True, False])
@pytest.mark.parametrize("stop", [5, 10, 40])
def test_a_resumed_scheduler_goes_on_in_either_order(stop, made_first):
    schedule = warmup_cosine(10, 100)
    whole = rates_of(Scheduler(sgd(0.3), schedule), 100)
    optimizer = sgd(0.3)
    scheduler = Scheduler(optimizer, schedule)
    rates = rates_of(scheduler, stop)
    saved = optimizer.state_dict(), scheduler.state_dict()

    optimizer = sgd(0.3)
    if made_first:
        scheduler = Scheduler(optimizer, schedule)
    optimizer.load_state_dict(saved[0])
    if not made_first:
        scheduler = Scheduler(optimizer, schedule)
    scheduler.load_state_dict(saved[1])
    assert rates + rates_of(scheduler, 100 - stop) == whole


def test_a_state_is_a_copy():
    scheduler = Scheduler(sgd(0.3), cosine_decay(10))
    state = scheduler.state_dict()
    scheduler.step()
    assert state == {"steps": 0, "peaks": [0.3]}


def test_a_state_of_another_number_of_groups():
    state = Scheduler(sgd(1.0, 0.1), cosine_decay(5)).state_dict()
    with pytest.raises(ValueError, match="saved with 2 groups, the optimizer has 1"):
        Scheduler(sgd(1.0), cosine_decay(5)).load_state_dict(state)


def test_torch_schedulers_made_after_loading_are_wrong_to_the_end():
    """What the page warns of. If this fails, PyTorch has changed, and so must we."""

    def make(optimizer):
        rise = lr_scheduler.LinearLR(optimizer, 0.01, total_iters=10)
        fall = lr_scheduler.CosineAnnealingLR(optimizer, 90)
        return lr_scheduler.SequentialLR(optimizer, [rise, fall], [10])

    optimizer = sgd(1.0)
    scheduler = make(optimizer)
    rates_of(scheduler, 40)
    state = optimizer.state_dict()
    late = sgd(1.0)
    late.load_state_dict(state)
    late_scheduler = make(late)
    late_scheduler.load_state_dict(scheduler.state_dict())
    right, wrong = rates_of(scheduler, 50), rates_of(late_scheduler, 50)
    ratios = [a / b for a, b in zip(right, wrong, strict=True)]
    assert ratios == pytest.approx([75.0] * 50)


def test_a_plateau_lowers_after_patience():
    optimizer = sgd(1.0, 0.1)
    plateau = Plateau(optimizer, factor=0.5, patience=2)
    rates = []
    for loss in (1.0, 0.9, 0.9, 0.9, 0.9, 0.9, 0.9, 0.8, 0.9):
        plateau.step(torch.tensor(loss))
        rates.append(optimizer.param_groups[0]["lr"])
    assert rates == [1, 1, 1, 1, 0.5, 0.5, 0.5, 0.5, 0.5]
    assert optimizer.param_groups[1]["lr"] == pytest.approx(0.05)


@pytest.mark.parametrize("loss", [math.nan, math.inf])
def test_a_plateau_of_what_is_no_loss(loss):
    with pytest.raises(ValueError, match=f"loss={loss}: a lower rate does not"):
        Plateau(sgd(1.0)).step(loss)


@pytest.mark.parametrize("factor", [0.0, 1.0, -0.5, math.nan])
def test_a_plateau_lowers(factor):
    with pytest.raises(ValueError, match=f"factor={factor}: it must be between"):
        Plateau(sgd(1.0), factor)


def test_a_plateau_goes_on_from_its_state():
    losses = (1.0, 0.9, 0.95, 0.96, 0.97, 0.98, 0.5, 0.6, 0.7, 0.8)

    def rates(stop: int) -> list[float]:
        optimizer = sgd(1.0)
        plateau, found = Plateau(optimizer, 0.5, patience=1), []
        for step, loss in enumerate(losses):
            if step == stop:
                states = optimizer.state_dict(), plateau.state_dict()
                optimizer = sgd(1.0)
                plateau = Plateau(optimizer, 0.5, patience=1)
                optimizer.load_state_dict(states[0])
                plateau.load_state_dict(states[1])
            plateau.step(loss)
            found.append(optimizer.param_groups[0]["lr"])
        return found

    assert all(rates(stop) == rates(-1) for stop in range(10))


def test_patience_is_a_count():
    with pytest.raises(ValueError, match="patience=-1: it must be at least 0"):
        Plateau(sgd(1.0), patience=-1)
    Plateau(sgd(1.0), patience=0)


def test_rates_are_those_of_the_steps():
    assert rates_of(Scheduler(sgd(2.0), polynomial_decay(4)), 4) == [2, 1.5, 1, 0.5]
