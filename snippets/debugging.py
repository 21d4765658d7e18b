"""Checks of a training program that are run before it is trained, and after a change.

A check raises `CheckFailed`, with the values that it found. Axes: `B` images of a
batch, `V` classes.
"""

# --8<-- [start:imports]
import contextlib
import copy
import math
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim import Optimizer

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

    def copy(self) -> "Program":
        """The same program with a model and an optimizer that may be spoiled."""
        model, optimizer = copy.deepcopy((self.model, self.optimizer))
        return replace(self, model=model, optimizer=optimizer)

    def take_step(self) -> float:
        """One training step on the batch; the loss before it."""
        return float(self.step(self.model, self.optimizer, self.images, self.labels))


# --8<-- [end:program]


# --8<-- [start:batch]
def check_batch(program: Program) -> None:
    """Whether images and labels are what a classifier takes.

    Raises CheckFailed for images that are not floats, not finite, not scaled, or all
    the same; and for labels that are not (B,), int64, from 0 to V - 1.
    """
    images, labels, last = program.images, program.labels, program.n_classes - 1
    if not len(images):
        raise CheckFailed(f"the batch is empty: images are {tuple(images.shape)}")
    if not images.is_floating_point():
        raise CheckFailed(f"images are {images.dtype}: make them float, and scale them")
    if bad := int((~images.isfinite()).sum()):
        raise CheckFailed(
            f"{bad} of {images.numel()} numbers of the images are not finite"
        )
    if (largest := images.abs().max().item()) > 20:
        raise CheckFailed(f"images go up to {largest:g}: scale them to about 1")
    if len(images) > 1 and bool((images == images[0]).all()):
        raise CheckFailed(f"all {len(images)} images are the same")
    if labels.shape != images.shape[:1]:
        raise CheckFailed(f"labels are {tuple(labels.shape)}, for {len(images)} images")
    if labels.dtype != torch.int64:
        raise CheckFailed(f"labels are {labels.dtype}: class numbers are torch.int64")
    low, high = int(labels.min()), int(labels.max())
    if low < 0 or high > last:
        raise CheckFailed(f"labels go from {low} to {high}, outside 0 … {last}")


# --8<-- [end:batch]


# --8<-- [start:shape]
def check_shape(name: str, tensor: Tensor, shape: str, **sizes: int) -> dict[str, int]:
    """Whether a tensor has a shape such as "B 1 8 8"; returns the letters' sizes.

    Give them to the next call, as `**sizes`: a letter must be as large there as here.
    Raises CheckFailed with the shape that was found.
    """
    expected, found = shape.split(), tuple(tensor.shape)
    sizes = dict(sizes)
    right = len(expected) == len(found)
    for axis, size in zip(expected, found, strict=False):
        fixed = int(axis) if axis.isdigit() else sizes.setdefault(axis, size)
        right = right and size == fixed
    if not right:
        known = ", ".join(f"{k} = {v}" for k, v in sizes.items() if k in expected)
        hint = f" with {known}" if known else ""
        raise CheckFailed(f"{name} is {found}: expected ({', '.join(expected)}){hint}")
    return sizes


# --8<-- [end:shape]


# --8<-- [start:start-loss]
def check_start_loss(program: Program, tolerance: float = 0.3) -> float:
    """The first loss, which should be that of an even guess: ln V.

    Raises CheckFailed if it is further away than `tolerance`.
    """
    loss, even = program.copy().take_step(), math.log(program.n_classes)
    if not abs(loss - even) <= tolerance:  # NaN is not near either
        raise CheckFailed(
            f"the first loss is {loss:.2f}, and ln {program.n_classes} is {even:.2f}"
        )
    return loss


# --8<-- [end:start-loss]


# --8<-- [start:overfit]
def check_overfits(program: Program, steps: int = 150, target: float = 0.1) -> float:
    """The loss of the batch after some steps on it alone, which should be near 0.

    Raises CheckFailed if it is not below `target`, or not finite on the way.
    """
    trained, losses = program.copy(), []
    for number in range(steps):
        losses.append(trained.take_step())
        if not math.isfinite(losses[-1]):
            raise CheckFailed(f"the loss is {losses[-1]} at step {number}")
    if losses[-1] >= target:
        raise CheckFailed(
            f"the loss of one batch went from {losses[0]:.2f} to {losses[-1]:.2f} in"
            f" {steps} steps, not below {target}"
        )
    return losses[-1]


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
        weights = torch.linspace(1, 2, len(row), dtype=row.dtype)  # a sum may be fixed
        (slope,) = torch.autograd.grad(weights @ row, x, retain_graph=True)
        rows.append(slope.flatten(1).ne(0).any(dim=1))  # (B,)
    return torch.stack(rows)


def check_rows(program: Program) -> None:
    """Whether each row of the output depends on its own image, and on no other.

    In evaluation mode, since batch normalisation mixes rows in training. Raises
    CheckFailed with the first row for which it is not so.
    """
    model = program.copy().model.eval()
    for row, found in enumerate(dependence(model, program.images)):
        rows = found.nonzero().flatten().tolist()
        if rows != [row]:
            shown = ", ".join(map(str, rows[:4])) + (" …" if len(rows) > 4 else "")
            what = f"images {shown}" if rows else "no image"
            raise CheckFailed(f"row {row} of the output depends on {what}")


# --8<-- [end:dependence]


# --8<-- [start:repeatable]
def check_repeatable(program: Program) -> None:
    """Whether evaluation mode gives the same output twice.

    Raises CheckFailed if something random is on in spite of `eval()`.
    """
    model = program.copy().model.eval()
    with torch.no_grad():
        one, other = model(program.images), model(program.images)
    if not torch.equal(one, other):
        apart = (one - other).abs().max().item()
        raise CheckFailed(f"two passes in evaluation mode differ by up to {apart:.2g}")


# --8<-- [end:repeatable]


# --8<-- [start:parameters]
def check_parameters(program: Program) -> None:
    """Whether one step moves each parameter of the model.

    Raises CheckFailed with those that it does not move, and why; and with modules that
    are hidden in a list or a dict. Frozen on purpose? Leave them out of the model.
    """
    own = program.copy()
    before = {name: p.detach().clone() for name, p in own.model.named_parameters()}
    own.take_step()
    groups = own.optimizer.param_groups
    held = {id(p) for group in groups for p in group["params"]}
    problems = hidden_modules(own.model)
    for name, p in own.model.named_parameters():
        if torch.equal(p, before[name]):
            problems[name] = why_still(p, id(p) in held)
    if problems:
        told = "; ".join(f"{name}: {problem}" for name, problem in problems.items())
        raise CheckFailed(told)


def why_still(parameter: Tensor, held: bool) -> str:
    """What kept a step from moving a parameter; `held` is whether by the optimizer."""
    if not parameter.requires_grad:
        return "requires no gradient"
    if not held:
        return "not in the optimizer"
    if parameter.grad is None:
        return "has no gradient"
    return "its gradient is zero" if not parameter.grad.any() else "did not move"


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
    """Give the global generators (on the CPU) the state back that they had before."""
    python, numpy = random.getstate(), np.random.get_state()
    with torch.random.fork_rng(devices=[]):
        try:
            yield
        finally:
            random.setstate(python)
            np.random.set_state(numpy)


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


def check_repeats(program: Program) -> None:
    """Whether five steps from the same seed end at the same weights."""

    def run() -> Tensor:
        own = program.copy()
        for _ in range(5):
            own.take_step()
        return nn.utils.parameters_to_vector(own.model.parameters())

    check_deterministic(run)


# --8<-- [end:deterministic]


# --8<-- [start:old-gradients]
def check_old_gradients(program: Program) -> None:
    """Whether a step forgets the gradients of the step before it.

    Takes two steps, and takes them again with all gradients cleared in between. Raises
    CheckFailed with the first parameter that ends elsewhere.
    """
    ends = []
    for clear in (False, True):
        own = program.copy()
        own.model.zero_grad()
        with random_state_kept():
            seed_everything(0)  # for dropout
            own.take_step()
            if clear:
                own.model.zero_grad()
            own.take_step()
        ends.append(dict(own.model.named_parameters()))
    for name, p in ends[0].items():
        if not torch.equal(p, ends[1][name]):
            raise CheckFailed(f"{name}: a step depends on the gradients before it")


# --8<-- [end:old-gradients]


# --8<-- [start:preflight]
CHECKS: dict[str, Callable[[Program], object]] = {
    "batch": check_batch,
    "start loss": check_start_loss,
    "rows": check_rows,
    "repeatable": check_repeatable,
    "parameters": check_parameters,
    "old gradients": check_old_gradients,
    "repeats": check_repeats,
    "overfits": check_overfits,
}


def findings(program: Program) -> dict[str, str]:
    """What each of the checks says of a program; nothing for those that pass."""
    found = {}
    for name, check in CHECKS.items():
        found[name] = ""
        try:
            with random_state_kept():
                check(program)
        except CheckFailed as failure:
            found[name] = str(failure)
        except Exception as error:  # the program itself stops
            found[name] = f"{type(error).__name__}: {str(error).splitlines()[0]}"
    return found


def preflight(program: Program) -> Table:
    """All checks, as a table. Leaves the program and the generators as they were."""
    rows = [(name, told or "passed") for name, told in findings(program).items()]
    return Table(("check", "found"), rows)


# --8<-- [end:preflight]


# --8<-- [start:evaluating]
@contextlib.contextmanager
def evaluating(model: nn.Module) -> Iterator[None]:
    """Evaluation mode inside, and the mode that each module had before, after it."""
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        yield
    finally:
        for module, mode in modes:
            module.training = mode


# --8<-- [end:evaluating]


# --8<-- [start:disjoint]
def check_disjoint(train: Tensor, held_out: Tensor) -> None:
    """Whether no example of `held_out` (M, ...) is in `train` (N, ...), bit by bit.

    Raises CheckFailed with their number. Does not see copies that were changed.
    """
    known = {row.tobytes() for row in train.flatten(1).numpy()}
    copies = sum(row.tobytes() in known for row in held_out.flatten(1).numpy())
    if copies:
        raise CheckFailed(
            f"{copies} of {len(held_out)} held-out examples are in the training part"
        )


# --8<-- [end:disjoint]
