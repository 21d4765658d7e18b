"""Learning-rate schedules by hand, equal to those of `torch.optim.lr_scheduler`.

A schedule is a function from the number of steps done to a factor, by which the rate
that the optimizer was made with is multiplied. A step is one update of the weights.
"""

# --8<-- [start:imports]
import math
from bisect import bisect_right
from collections.abc import Callable, Sequence
from typing import Any

from torch.optim import Optimizer as TorchOptimizer

# --8<-- [end:imports]

# --8<-- [start:check]
Schedule = Callable[[int], float]


def check_count(name: str, value: int, least: int = 1) -> None:
    """Raise TypeError for what is no whole number, ValueError for one below `least`."""
    if not isinstance(value, int):
        raise TypeError(f"{name}={value!r}: it must be a whole number of steps")
    if value < least:
        raise ValueError(f"{name}={value}: it must be at least {least}")


# --8<-- [end:check]


# --8<-- [start:stairs]
def step_decay(every: int, factor: float = 0.1) -> Schedule:
    """Times `factor` after each `every` steps (`StepLR`)."""
    check_count("every", every)
    return lambda step: factor ** (step // every)


def milestone_decay(milestones: Sequence[int], factor: float = 0.1) -> Schedule:
    """Times `factor` at each of the milestones (`MultiStepLR`)."""
    places = sorted(milestones)
    return lambda step: factor ** bisect_right(places, step)


# --8<-- [end:stairs]


# --8<-- [start:curves]
def exponential_decay(factor: float) -> Schedule:
    """Times `factor` after each step (`ExponentialLR`)."""
    return lambda step: factor**step


def linear_change(steps: int, start: float, end: float = 1.0) -> Schedule:
    """From `start` to `end` in a straight line, then `end` for ever (`LinearLR`)."""
    check_count("steps", steps)
    return lambda step: start + (end - start) * min(step, steps) / steps


def polynomial_decay(steps: int, power: float = 1.0) -> Schedule:
    """From 1 to 0 as a power of what is left of the steps (`PolynomialLR`)."""
    check_count("steps", steps)
    return lambda step: (1 - min(step, steps) / steps) ** power


def cosine_decay(steps: int, end: float = 0.0) -> Schedule:
    """From 1 to `end` as half a wave of a cosine, then `end` for ever.

    Loshchilov and Hutter 2017, equation 5, without restarts. `CosineAnnealingLR` with
    `T_max=steps` is the same for so many steps; then it goes up again.
    """
    check_count("steps", steps)

    def factor(step: int) -> float:
        part = min(step, steps) / steps
        return end + (1 - end) * (1 + math.cos(math.pi * part)) / 2

    return factor


# --8<-- [end:curves]


# --8<-- [start:cycles]
def cosine_restarts(first: int, growth: int = 1, end: float = 0.0) -> Schedule:
    """Cosine decay again and again, each time over `growth` times as many steps.

    Loshchilov and Hutter 2017, equation 5 (`CosineAnnealingWarmRestarts`).
    """
    check_count("first", first)
    check_count("growth", growth)

    def factor(step: int) -> float:
        length = first
        while step >= length:
            step, length = step - length, length * growth
        return cosine_decay(length, end)(step)

    return factor


def one_cycle(
    steps: int, rise: float = 0.3, start: float = 1 / 25, end: float = 4e-6
) -> Schedule:
    """Up from `start` to 1 in a part `rise` of the steps, down to `end` in the rest.

    After Smith and Topin 2018, who go in straight lines; here both ways are half a
    wave of a cosine, as in `OneCycleLR`, which gives `start` and `end` by divisors.
    Raises ValueError for a step past the end, and where `rise` leaves one way less than
    a step.
    """
    check_count("steps", steps)
    top, last = rise * steps - 1, steps - 1
    if not 0 < top < last:
        raise ValueError(f"rise={rise} of steps={steps}: no way up, or no way down")

    def factor(step: int) -> float:
        if step > steps:
            raise ValueError(f"step={step}: the cycle has {steps} steps")
        if step <= top:
            return cosine_between(start, 1.0, step / top)
        return cosine_between(1.0, end, min(1.0, (step - top) / (last - top)))

    return factor


def cosine_between(start: float, end: float, part: float) -> float:
    """From `start` (part 0) to `end` (part 1), flat at both ends."""
    return end + (start - end) * (1 + math.cos(math.pi * part)) / 2


# --8<-- [end:cycles]


# --8<-- [start:sequence]
def in_sequence(schedules: Sequence[Schedule], milestones: Sequence[int]) -> Schedule:
    """One schedule after the other, each counting from its own start (`SequentialLR`).

    Raises ValueError unless there is one milestone fewer than schedules, in order.
    """
    if len(milestones) != len(schedules) - 1:
        raise ValueError(
            f"{len(schedules)} schedules and {len(milestones)} milestones:"
            " there must be one milestone between each two"
        )
    starts = [0, *milestones]
    if starts != sorted(starts):
        raise ValueError(f"milestones={list(milestones)}: they must rise from 0")

    def factor(step: int) -> float:
        number = bisect_right(starts, step) - 1
        return schedules[number](step - starts[number])

    return factor


# --8<-- [end:sequence]


# --8<-- [start:warmup-cosine]
def warmup_cosine(
    warmup: int, steps: int, start: float = 0.01, end: float = 0.0
) -> Schedule:
    """Up to 1 in a line for `warmup` steps, then a cosine down to `end` at `steps`.

    Raises ValueError for a warm-up that leaves nothing to decay.
    """
    check_count("warmup", warmup)
    if warmup >= steps:
        raise ValueError(f"warmup={warmup} of steps={steps}: the peak is never reached")

    def factor(step: int) -> float:
        if step < warmup:
            return start + (1 - start) * step / warmup
        part = min(1.0, (step - warmup) / (steps - warmup))  # of the way down, 0 to 1
        return end + (1 - end) * (1 + math.cos(math.pi * part)) / 2

    return factor


# --8<-- [end:warmup-cosine]


# --8<-- [start:scheduler]
class Scheduler:
    """Keeps the rates of an optimizer on a schedule.

    Each group keeps the rate that it was made with as its peak; the schedule gives the
    factor. Call `step` after each step of the optimizer. Raises ValueError where the
    schedule gives a factor that is negative, infinite or NaN.
    """

    def __init__(self, optimizer: TorchOptimizer, schedule: Schedule) -> None:
        self.optimizer, self.schedule = optimizer, schedule
        self.peaks = [group["lr"] for group in optimizer.param_groups]
        self.steps = 0
        self.set_rates()

    def step(self) -> None:
        """Count a step, and set the rates of the next one."""
        self.steps += 1
        self.set_rates()

    def set_rates(self) -> None:
        """Peak times factor, in each group; computed anew, not from the last rate."""
        factor = self.schedule(self.steps)
        if not (factor >= 0 and math.isfinite(factor)):
            raise ValueError(f"the schedule gives {factor} at step {self.steps}")
        pairs = zip(self.optimizer.param_groups, self.peaks, strict=True)
        for group, peak in pairs:
            group["lr"] = peak * factor

    def state_dict(self) -> dict[str, Any]:
        """All there is to save: the place, and the peaks."""
        return {"steps": self.steps, "peaks": list(self.peaks)}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from there. Raises ValueError for another number of groups."""
        saved, have = len(state["peaks"]), len(self.optimizer.param_groups)
        if saved != have:
            raise ValueError(f"saved with {saved} groups, the optimizer has {have}")
        self.steps, self.peaks = state["steps"], list(state["peaks"])
        self.set_rates()


# --8<-- [end:scheduler]


# --8<-- [start:plateau]
class Plateau:
    """Lowers the rates when a loss has stopped falling (`ReduceLROnPlateau`).

    A loss counts as better if it is below the best by more than the part `threshold`.
    After more than `patience` that are not, rates are multiplied by `factor`. `step`
    raises ValueError for a loss that is not finite, and for a factor of 1 or more.
    """

    def __init__(
        self,
        optimizer: TorchOptimizer,
        factor: float = 0.1,
        patience: int = 10,
        threshold: float = 1e-4,
    ) -> None:
        check_count("patience", patience, least=0)
        if not 0 < factor < 1:
            raise ValueError(f"factor={factor}: it must be between 0 and 1")
        self.optimizer, self.factor = optimizer, factor
        self.patience, self.threshold = patience, threshold
        self.best, self.waited = math.inf, 0

    def step(self, loss: float) -> None:
        """Look at a loss, and lower the rates if it was time to."""
        loss = float(loss)
        if not math.isfinite(loss):
            raise ValueError(f"loss={loss}: a lower rate does not repair that")
        if loss < self.best * (1 - self.threshold):
            self.best, self.waited = loss, 0
        else:
            self.waited += 1
        if self.waited > self.patience:
            self.waited = 0
            for group in self.optimizer.param_groups:
                group["lr"] *= self.factor

    def state_dict(self) -> dict[str, Any]:
        """All there is to save: settings, the best loss, and the wait since then."""
        return {
            name: value for name, value in vars(self).items() if name != "optimizer"
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from there; the rates themselves are in the optimizer's state."""
        vars(self).update(state)


# --8<-- [end:plateau]


# --8<-- [start:rates]
def rates_of(scheduler: Any, steps: int) -> list[float]:
    """The rate of the first group in each of the next steps, without any training.

    Works for ours and for PyTorch's. Moves the scheduler, so give it one of its own.
    """
    rates = []
    for _ in range(steps):
        rates.append(float(scheduler.optimizer.param_groups[0]["lr"]))
        scheduler.optimizer.step()
        scheduler.step()
    return rates


# --8<-- [end:rates]
