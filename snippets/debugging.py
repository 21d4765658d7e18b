"""Checks of a training program that are run before it is trained, and after a change.

A check is given a function that builds the program, and spoils what it builds. It
raises `CheckFailed`, with the values that it found. Axes: `B` images of a batch, `V`
classes.
"""

# --8<-- [start:imports]
import contextlib
import copy
import math
import random
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from snippets.checkpoint import random_states, restore_random_states
from snippets.modes import evaluating
from snippets.table import Table

# --8<-- [end:imports]


# --8<-- [start:program]
class CheckFailed(AssertionError):
    """A check found something; the message has the values, and where to look."""


Step = Callable[[nn.Module, Optimizer, Tensor, Tensor], Tensor]


@dataclass(frozen=True)
class Program:
    """What the checks have to know of a training program for a classifier.

    `step(model, optimizer, images, labels)` is the program's own training step: it
    changes the model, and returns the loss before that. Images are (B, ...), labels
    (B,); a batch of 8 to 32 will do.
    """

    model: nn.Module
    optimizer: Optimizer
    step: Step
    images: Tensor
    labels: Tensor
    n_classes: int = 10
    image_range: tuple[float, float] = (-5.0, 5.0)  # what scaled images lie within
    frozen: Collection[str] | None = None  # parameters that stay; None: as they are set

    def copy(self) -> "Program":
        """The same program with a model and an optimizer that may be spoiled.

        What `step` uses besides, such as a scheduler, is not copied.
        """
        model, optimizer = copy.deepcopy((self.model, self.optimizer))
        return replace(self, model=model, optimizer=optimizer)

    def take_step(self) -> float:
        """One training step on the batch; the loss before it."""
        return float(self.step(self.model, self.optimizer, self.images, self.labels))


Build = Callable[[], Program]


def fresh(build: Build) -> Program:
    """A program that a check may spoil: model, optimizer and all that `step` changes.

    Raises TypeError unless `build` makes a new one in each call.
    """
    if not callable(build):
        raise TypeError("give a function that builds a program, not a program itself")
    one, other = build(), build()
    if one.model is other.model or one.optimizer is other.optimizer:
        raise TypeError("two calls gave one model or optimizer: build it in the call")
    return one


# --8<-- [end:program]


# --8<-- [start:batch]
def check_batch(build: Build) -> None:
    """Whether images and labels are what a classifier takes.

    Raises CheckFailed for images that are not floats, not finite, outside of
    `image_range`, or all the same; and for labels that are not (B,), int64, from 0 to
    V - 1.
    """
    program = build()
    images, labels, last = program.images, program.labels, program.n_classes - 1
    if not len(images):
        raise CheckFailed(f"the batch is empty: images are {tuple(images.shape)}")
    if not images.is_floating_point():
        raise CheckFailed(f"images are {images.dtype}: make them float, and scale them")
    if bad := int((~images.isfinite()).sum()):
        raise CheckFailed(
            f"{bad} of {images.numel()} numbers of the images are not finite"
        )
    least, most = images.min().item(), images.max().item()
    low, high = program.image_range
    if not low <= least <= most <= high:
        raise CheckFailed(
            f"images go from {least:g} to {most:g}, outside {low:g} … {high:g}:"
            " scale them, or give their image_range"
        )
    if len(images) > 1 and bool((images == images[0]).all()):
        raise CheckFailed(f"all {len(images)} images are the same")
    if labels.shape != images.shape[:1]:
        raise CheckFailed(f"labels are {tuple(labels.shape)}, for {len(images)} images")
    if labels.dtype != torch.int64:
        raise CheckFailed(f"labels are {labels.dtype}: class numbers are torch.int64")
    first, largest = int(labels.min()), int(labels.max())
    if first < 0 or largest > last:
        raise CheckFailed(f"labels go from {first} to {largest}, outside 0 … {last}")


# --8<-- [end:batch]


# --8<-- [start:start-loss]
def check_start_loss(build: Build, tolerance: float = 0.3) -> float:
    """The first loss, which should be that of an even guess: ln V.

    Raises CheckFailed if it is further away than `tolerance`.
    """
    program = fresh(build)
    loss, even = program.take_step(), math.log(program.n_classes)
    if not abs(loss - even) <= tolerance:  # NaN is not near either
        raise CheckFailed(
            f"the first loss is {loss:.2f}, and ln {program.n_classes} is {even:.2f}"
        )
    return loss


# --8<-- [end:start-loss]


# --8<-- [start:overfit]
def check_overfits(build: Build, steps: int = 2000, part: float = 0.3) -> int:
    """How many steps on one batch alone bring its loss below `part` of the first loss.

    Not to 0: with ten classes and label smoothing of 0.1, a fifth of it is left. Raises
    CheckFailed if so many `steps` are not enough, or if the loss is not finite.
    """
    program, losses = fresh(build), []
    for done in range(steps + 1):
        losses.append(program.take_step())
        if not math.isfinite(losses[-1]):
            raise CheckFailed(f"the loss is {losses[-1]} at step {done}")
        if losses[-1] < part * losses[0]:
            return done
    raise CheckFailed(
        f"the loss of one batch went from {losses[0]:.2f} to {losses[-1]:.2f} in"
        f" {steps} steps, not below {part * losses[0]:.2f}"
    )


# --8<-- [end:overfit]


# --8<-- [start:dependence]
def dependence(function: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """Which rows of the input (columns) a row of the output depends on: (B, B), bool.

    By gradients, so `x` (B, ...) must be floating. Raises CheckFailed if as many rows
    do not come out as go in, or if the output has no graph back to the input.
    """
    x = x.detach().clone().requires_grad_()
    output = function(x)
    if len(output) != len(x):
        raise CheckFailed(f"{len(x)} rows go in, and {len(output)} come out")
    if not output.requires_grad:
        raise CheckFailed("no graph leads from the output back to the input")
    rows = []
    for row in output.flatten(1):
        weights = torch.linspace(
            1, 2, len(row), device=row.device
        )  # a sum may be fixed
        mixed = weights.to(row.dtype) @ row
        (slope,) = torch.autograd.grad(mixed, x, retain_graph=True)
        rows.append(slope.flatten(1).ne(0).any(dim=1))  # (B,)
    return torch.stack(rows)


def check_rows(build: Build) -> None:
    """Whether each row of the output depends on its own image, and on no other.

    In evaluation mode, since batch normalisation mixes rows in training. Raises
    CheckFailed with the first row for which it is not so.
    """
    program = fresh(build)
    for row, found in enumerate(dependence(program.model.eval(), program.images)):
        rows = found.nonzero().flatten().tolist()
        if rows != [row]:
            shown = ", ".join(map(str, rows[:4])) + (" …" if len(rows) > 4 else "")
            what = f"images {shown}" if rows else "no image"
            raise CheckFailed(f"row {row} of the output depends on {what}")


# --8<-- [end:dependence]


# --8<-- [start:repeatable]
def check_repeatable(build: Build) -> None:
    """Whether evaluation mode gives the same output twice.

    Raises CheckFailed if something random is on in spite of `eval()`.
    """
    program = fresh(build)
    model, images = program.model, program.images
    with evaluating(model), torch.no_grad():
        one, other = model(images), model(images)
    if not torch.equal(one, other):
        apart = (one - other).abs().max().item()
        raise CheckFailed(f"two passes in evaluation mode differ by up to {apart:.2g}")


# --8<-- [end:repeatable]


# --8<-- [start:parameters]
def check_parameters(build: Build, steps: int = 3) -> None:
    """Whether a gradient reaches each parameter, and the optimizer has it, with a rate.

    Some steps, since a warm-up may begin with a rate of 0. Parameters that require no
    gradient are taken as frozen on purpose, unless the program says which are `frozen`.
    Raises CheckFailed with those that cannot learn, and why; with all if none moves;
    and with modules that are hidden in a list, a tuple or a dict.
    """
    program = fresh(build)
    named = dict(program.model.named_parameters())
    before = {name: p.detach().clone() for name, p in named.items()}
    slopes = watch_gradients(named)
    for _ in range(steps):
        program.take_step()
    moved = {name for name, p in named.items() if not torch.equal(p, before[name])}
    problems = hidden_modules(program.model)
    for name, p in named.items():
        frozen = is_frozen(name, p, program.frozen)
        if frozen and name in moved:
            problems[name] = "is frozen, and moved"
        elif not frozen and (why := why_still(p, slopes[name], program.optimizer)):
            problems[name] = why
        elif not frozen and not moved:  # one alone may move by less than rounding
            problems[name] = "did not move"
    if problems:
        told = "; ".join(f"{name}: {problem}" for name, problem in problems.items())
        raise CheckFailed(told)


def is_frozen(name: str, parameter: Tensor, frozen: Collection[str] | None) -> bool:
    """Whether a parameter is meant to stay as it is."""
    return not parameter.requires_grad if frozen is None else name in frozen


def watch_gradients(named: dict[str, nn.Parameter]) -> dict[str, list[bool]]:
    """For each parameter, whether each gradient that came was more than zeros."""
    came: dict[str, list[bool]] = {name: [] for name in named}
    for name, p in named.items():
        if p.requires_grad:
            p.register_hook(lambda grad, name=name: came[name].append(bool(grad.any())))
    return came


def why_still(parameter: Tensor, slopes: list[bool], optimizer: Optimizer) -> str:
    """What keeps steps from teaching a parameter anything; empty if nothing does."""
    rates = [
        group["lr"]
        for group in optimizer.param_groups
        if any(p is parameter for p in group["params"])
    ]
    if not parameter.requires_grad:
        return "requires no gradient"
    if not rates:
        return "not in the optimizer"
    if not slopes:
        return "has no gradient"
    if not any(slopes):
        return "its gradient is zero"
    return "its learning rate is 0" if not any(rates) else ""


def hidden_modules(model: nn.Module) -> dict[str, str]:
    """Modules that stand in a plain list, tuple or dict, where nothing finds them."""
    problems = {}
    for path, module in model.named_modules():
        for name, value in vars(module).items():
            if name.startswith("_") or not isinstance(value, list | tuple | dict):
                continue
            values = value.values() if isinstance(value, dict) else value
            if count := sum(isinstance(item, nn.Module) for item in values):
                kind = type(value).__name__
                problems[f"{path}.{name}".strip(".")] = f"{count} modules in a {kind}"
    return problems


# --8<-- [end:parameters]


# --8<-- [start:deterministic]
def seed_everything(seed: int) -> None:
    """Seed the global generators of Python, NumPy and PyTorch, on all devices."""
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


@contextlib.contextmanager
def random_state_kept() -> Iterator[None]:
    """Give all global generators the state back that they had, on every device."""
    states = random_states()
    try:
        yield
    finally:
        restore_random_states(states)


def check_deterministic(run: Callable[[], Tensor], seed: int = 0) -> None:
    """Whether `run()` gives the same tensor, bit by bit, from the same seed.

    Raises CheckFailed with the difference.
    """
    results = []
    for _ in range(2):
        with random_state_kept():
            seed_everything(seed)
            results.append(run().detach().clone())
    one, other = results
    if one.shape != other.shape:
        raise CheckFailed(f"two runs give {tuple(one.shape)} and {tuple(other.shape)}")
    different = (one != other) & ~(one.isnan() & other.isnan())
    if count := int(different.sum()):
        apart = (one - other).abs()[different].max().item()
        raise CheckFailed(
            f"two runs with seed {seed} differ in {count} of {one.numel()} numbers,"
            f" by up to {apart:.2g}"
        )


def check_repeats(build: Build) -> None:
    """Whether building and five steps from the same seed end at the same weights."""

    def run() -> Tensor:
        program = fresh(build)
        for _ in range(5):
            program.take_step()
        return nn.utils.parameters_to_vector(program.model.parameters())

    check_deterministic(run)


# --8<-- [end:deterministic]


# --8<-- [start:old-gradients]
def check_old_gradients(build: Build) -> None:
    """Whether a step forgets the gradients of the step before it.

    Takes two steps, and takes them again with all gradients cleared in between. Raises
    CheckFailed with the first parameter that ends elsewhere.
    """
    ends = []
    for clear in (False, True):
        with random_state_kept():
            seed_everything(0)  # for first weights and dropout
            program = fresh(build)
            program.model.zero_grad()
            program.take_step()
            if clear:
                program.model.zero_grad()
            program.take_step()
        ends.append(dict(program.model.named_parameters()))
    for name, p in ends[0].items():
        if not torch.equal(p, ends[1][name]):
            raise CheckFailed(f"{name}: a step depends on the gradients before it")


# --8<-- [end:old-gradients]


# --8<-- [start:preflight]
CHECKS: dict[str, Callable[[Build], object]] = {
    "batch": check_batch,
    "start loss": check_start_loss,
    "rows": check_rows,
    "repeatable": check_repeatable,
    "parameters": check_parameters,
    "old gradients": check_old_gradients,
    "repeats": check_repeats,
    "overfits": check_overfits,
}


def findings(build: Build) -> dict[str, str]:
    """What each of the checks says of a program; nothing for those that pass.

    Leaves all random generators as they were. Raises TypeError unless `build` makes a
    new program in each call.
    """
    found = {}
    with random_state_kept():
        fresh(build)
    for name, check in CHECKS.items():
        found[name] = ""
        try:
            with random_state_kept():
                check(build)
        except CheckFailed as failure:
            found[name] = str(failure)
        except Exception as error:  # the program itself stops
            found[name] = f"{type(error).__name__}: {str(error).splitlines()[0]}"
    return found


def preflight(build: Build) -> Table:
    """All checks, as a table; raises what `findings` raises."""
    rows = [(name, told or "passed") for name, told in findings(build).items()]
    return Table(("check", "found"), rows)


# --8<-- [end:preflight]


# --8<-- [start:disjoint]
def check_disjoint(train: Tensor, held_out: Tensor) -> None:
    """Whether no example of `held_out` (M, ...) is in `train` (N, ...), bit by bit.

    Raises CheckFailed with their number. Does not see copies that were changed.
    """
    one, other = (
        part.flatten(1).cpu().contiguous().view(torch.uint8).numpy()
        for part in (train, held_out)
    )
    known = {row.tobytes() for row in one}
    copies = sum(row.tobytes() in known for row in other)
    if copies:
        raise CheckFailed(
            f"{copies} of {len(held_out)} held-out examples are in the training part"
        )


# --8<-- [end:disjoint]
