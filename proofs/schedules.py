"""Schedules by hand against `torch.optim.lr_scheduler`: the rate of every step."""

from collections.abc import Callable

import torch
from torch.optim import lr_scheduler

from proofs import Pairs, proof
from snippets import schedules
from snippets.schedules import Plateau, Schedule, Scheduler, rates_of

PAGE = "pytorch/day-6/schedules-deeper.md"
STEPS = 100
BOUND = 1e-12  # times a peak of 0.3, in float64


def optimizer() -> torch.optim.Optimizer:
    """Two groups, with peaks of their own."""
    groups = [torch.zeros(1, requires_grad=True) for _ in range(2)]
    return torch.optim.SGD(
        [{"params": groups[:1], "lr": 0.3}, {"params": groups[1:], "lr": 0.02}], lr=1.0
    )


def every_rate(scheduler: Scheduler | lr_scheduler.LRScheduler, steps: int):
    """The rates of both groups in each step, (steps + 1, 2)."""
    rates = []
    for _ in range(steps + 1):
        groups = scheduler.optimizer.param_groups
        rates.append([float(group["lr"]) for group in groups])
        scheduler.optimizer.step()
        if len(rates) <= steps:
            scheduler.step()
    return torch.tensor(rates, dtype=torch.float64)


def compare(*cases: tuple[Schedule, Callable], steps: int = STEPS) -> Pairs:
    """Our schedule in our scheduler and in `LambdaLR`, and PyTorch's own."""
    for schedule, make in cases:
        theirs = every_rate(make(optimizer()), steps)
        yield every_rate(Scheduler(optimizer(), schedule), steps), theirs
        by_lambda = lr_scheduler.LambdaLR(optimizer(), schedule)
        yield every_rate(by_lambda, steps), theirs


@proof(
    "Stairs",
    ours="snippets.schedules.step_decay",
    theirs="torch.optim.lr_scheduler.StepLR",
    page=PAGE,
    bound=BOUND,
)
def stairs() -> Pairs:
    """Even ones, and those of `MultiStepLR` at milestones."""
    yield from compare(
        (schedules.step_decay(7, 0.5), lambda o: lr_scheduler.StepLR(o, 7, 0.5)),
        (schedules.step_decay(1, 0.9), lambda o: lr_scheduler.StepLR(o, 1, 0.9)),
        (
            schedules.milestone_decay([60, 10, 10, 11]),
            lambda o: lr_scheduler.MultiStepLR(o, [60, 10, 10, 11]),
        ),
    )


@proof(
    "Exponential decay",
    ours="snippets.schedules.exponential_decay",
    theirs="torch.optim.lr_scheduler.ExponentialLR",
    page=PAGE,
    bound=BOUND,
)
def exponential() -> Pairs:
    """Down, and up, as in a range test."""
    yield from compare(
        (schedules.exponential_decay(0.9), lambda o: lr_scheduler.ExponentialLR(o, 0.9))
    )
    yield from compare(
        (
            schedules.exponential_decay(1.02),
            lambda o: lr_scheduler.ExponentialLR(o, 1.02),
        )
    )


@proof(
    "Lines",
    ours="snippets.schedules.linear_change",
    theirs="torch.optim.lr_scheduler.LinearLR",
    page=PAGE,
    bound=BOUND,
)
def lines() -> Pairs:
    """Up, down, to zero, and beyond their end."""
    yield from compare(
        (
            schedules.linear_change(40, 0.1),
            lambda o: lr_scheduler.LinearLR(o, 0.1, 1, 40),
        ),
        (
            schedules.linear_change(30, 1.0, 0.25),
            lambda o: lr_scheduler.LinearLR(o, 1.0, 0.25, 30),
        ),
        (
            schedules.linear_change(STEPS, 1.0, 0.0),
            lambda o: lr_scheduler.LinearLR(o, 1.0, 0.0, STEPS),
        ),
    )


@proof(
    "Powers",
    ours="snippets.schedules.polynomial_decay",
    theirs="torch.optim.lr_scheduler.PolynomialLR",
    page=PAGE,
    bound=BOUND,
)
def powers() -> Pairs:
    """A line, a parabola, a root, and beyond the end."""
    for power in (1.0, 2.0, 0.5):
        yield from compare(
            (
                schedules.polynomial_decay(80, power),
                lambda o, power=power: lr_scheduler.PolynomialLR(o, 80, power),
            )
        )


@proof(
    "Cosine",
    ours="snippets.schedules.cosine_decay",
    theirs="torch.optim.lr_scheduler.CosineAnnealingLR",
    page=PAGE,
    bound=BOUND,
)
def cosine() -> Pairs:
    """To zero at `T_max`; PyTorch's goes up again after that."""
    yield from compare(
        (
            schedules.cosine_decay(STEPS),
            lambda o: lr_scheduler.CosineAnnealingLR(o, STEPS),
        )
    )
    # eta_min is a rate, and so the same for all groups; ours is a part of each peak
    one = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.3)
    two = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.3)
    ours = rates_of(Scheduler(one, schedules.cosine_decay(90, end=0.1)), 91)
    theirs = rates_of(lr_scheduler.CosineAnnealingLR(two, 90, eta_min=0.03), 91)
    yield torch.tensor(ours).double(), torch.tensor(theirs).double()


@proof(
    "Cosine with restarts",
    ours="snippets.schedules.cosine_restarts",
    theirs="torch.optim.lr_scheduler.CosineAnnealingWarmRestarts",
    page=PAGE,
    bound=BOUND,
)
def restarts() -> Pairs:
    """Equal lengths, and lengths that double."""
    for first, growth in ((7, 1), (10, 2), (1, 3)):
        yield from compare(
            (
                schedules.cosine_restarts(first, growth),
                lambda o, first=first, growth=growth: (
                    lr_scheduler.CosineAnnealingWarmRestarts(o, first, growth)
                ),
            )
        )


@proof(
    "One cycle",
    ours="snippets.schedules.one_cycle",
    theirs="torch.optim.lr_scheduler.OneCycleLR",
    page=PAGE,
    bound=BOUND,
)
def cycle() -> Pairs:
    """The settings that PyTorch has if none are given, and others."""
    yield from compare(
        (
            schedules.one_cycle(STEPS),
            lambda o: lr_scheduler.OneCycleLR(o, [0.3, 0.02], STEPS),
        ),
        (
            schedules.one_cycle(STEPS, rise=0.5, start=0.1, end=0.001),
            lambda o: lr_scheduler.OneCycleLR(
                o,
                [0.3, 0.02],
                STEPS,
                pct_start=0.5,
                div_factor=10,
                final_div_factor=100,
            ),
        ),
        steps=STEPS - 1,
    )


@proof(
    "Warm-up and cosine",
    ours="snippets.schedules.warmup_cosine",
    theirs="torch.optim.lr_scheduler.SequentialLR",
    page="pytorch/day-6/schedules.md",
    bound=BOUND,
)
def warmup() -> Pairs:
    """A line and a cosine in sequence, with warm-ups of one step and of many."""
    for steps in (1, 10, STEPS - 1):

        def make(o: torch.optim.Optimizer, steps: int = steps):
            rise = lr_scheduler.LinearLR(o, 0.01, total_iters=steps)
            fall = lr_scheduler.CosineAnnealingLR(o, STEPS - steps)
            return lr_scheduler.SequentialLR(o, [rise, fall], [steps])

        yield from compare((schedules.warmup_cosine(steps, STEPS), make))


@proof(
    "Lower rates on a plateau",
    ours="snippets.schedules.Plateau",
    theirs="torch.optim.lr_scheduler.ReduceLROnPlateau",
    page=PAGE,
    bound=0,
)
def plateau() -> Pairs:
    """Noisy losses that fall and stop, for three settings."""
    noise = torch.Generator().manual_seed(0)
    for settings in (
        {"patience": 0, "factor": 0.5},
        {"patience": 3, "factor": 0.1, "threshold": 0.05},
        {"patience": 2, "factor": 0.9},
    ):
        ours, theirs = optimizer(), optimizer()
        one = Plateau(ours, **settings)
        two = lr_scheduler.ReduceLROnPlateau(theirs, eps=0.0, **settings)
        for step in range(60):
            loss = 1 / (1 + min(step, 25)) + 0.02 * torch.rand(1, generator=noise)
            one.step(loss.item())
            two.step(loss.item())
            yield (
                torch.tensor([group["lr"] for group in ours.param_groups]),
                torch.tensor([group["lr"] for group in theirs.param_groups]),
            )
