"""`snippets/debugging.py`: each check passes a right program, and tells a wrong one."""

import copy
import functools
import math
import random
from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim import lr_scheduler
from torch.optim.lr_scheduler import CosineAnnealingLR as Cosine

from snippets import debugging
from snippets.debugging import (
    CHECKS,
    Build,
    CheckFailed,
    Program,
    check_batch,
    check_deterministic,
    check_disjoint,
    check_old_gradients,
    check_overfits,
    check_parameters,
    check_repeatable,
    check_repeats,
    check_rows,
    check_start_loss,
    dependence,
    findings,
    preflight,
    seed_everything,
)
from snippets.digit_classifier import DigitConfig, DigitMLP
from snippets.digits import split_digits
from snippets.optimizers import AdamW
from snippets.schedules import Scheduler, cosine_decay


def step(model, optimizer, images, labels) -> Tensor:
    loss = F.cross_entropy(model(images), labels)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.detach()


def network(*extra: nn.Module, bias: bool = True) -> nn.Sequential:
    layers = [
        nn.Flatten(),
        nn.Linear(9, 32, bias=bias),
        *extra,
        nn.ReLU(),
        nn.Linear(32, 4),
    ]
    return nn.Sequential(*layers)


def eight_images() -> tuple[torch.Tensor, torch.Tensor]:
    """8 images of 3 × 3, and labels of four classes."""
    return torch.randn(8, 1, 3, 3), torch.tensor([0, 1, 2, 3, 0, 1, 2, 3])


def program(
    model: nn.Module | None = None, step=step, lr: float = 0.5, **changes
) -> Build:
    """A program for 8 images of 3 × 3 and four classes."""
    seed_everything(0)
    model = model or network()
    images, labels = eight_images()

    def build() -> Program:
        own = copy.deepcopy(model)
        optimizer = torch.optim.SGD(own.parameters(), lr=lr)
        made = Program(own, optimizer, step, images, labels, n_classes=4)
        return replace(made, **changes)

    return build


def failure(check, *arguments, **options) -> str:
    with pytest.raises(CheckFailed) as caught:
        check(*arguments, **options)
    return str(caught.value)


MODELS = {
    "plain": network,
    "batch norm": lambda: network(nn.BatchNorm1d(32), bias=False),
    "bias before batch norm": lambda: network(nn.BatchNorm1d(32)),
    "dropout": lambda: network(nn.Dropout(0.5)),
}
OPTIMIZERS = {
    "AdamW": lambda p: torch.optim.AdamW(p),
    "AdamW, fast": lambda p: torch.optim.AdamW(p, 0.05),
    "much decay": lambda p: torch.optim.AdamW(p, 0.01, weight_decay=0.1),
    "SGD": lambda p: torch.optim.SGD(p, 0.5),
    "momentum": lambda p: torch.optim.SGD(p, 0.1, momentum=0.9, weight_decay=1e-3),
}


def told_by(build: Build) -> dict[str, str]:
    """What the checks find, without those that pass."""
    return {name: told for name, told in findings(build).items() if told}


@pytest.mark.parametrize("make", MODELS.values(), ids=MODELS)
@pytest.mark.parametrize("optimizer", OPTIMIZERS.values(), ids=OPTIMIZERS)
def test_a_right_program_passes_all_checks(make, optimizer):
    seed_everything(0)
    images, labels = eight_images()

    def build() -> Program:
        model = make()
        chosen = optimizer(model.parameters())
        return Program(model, chosen, step, images, labels, n_classes=4)

    assert told_by(build) == {}
    assert [row[1] for row in preflight(build).rows] == ["passed"] * len(CHECKS)


def digit_step(loss_function=F.cross_entropy, scheduler=None):
    """A step as a program has it, with or without a schedule."""

    def take(model, optimizer, images, labels) -> Tensor:
        loss = loss_function(model(images), labels)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 5.0)
        optimizer.step()
        if scheduler:
            scheduler.step()
        return loss.detach()

    return take


def digit_program(
    optimizer="SGD", schedule=None, loss_function=F.cross_entropy, frozen=False, **sizes
) -> Build:
    """The classifier of the book, with its usual settings."""
    makers = {
        "SGD": lambda p: torch.optim.SGD(p, lr=0.1),
        "AdamW": lambda p: torch.optim.AdamW(p, lr=1e-3),
        "ours": lambda p: AdamW(p, lr=1e-3),
    }

    def build() -> Program:
        train, _, _ = split_digits()
        model = DigitMLP(DigitConfig(**sizes))
        model.hidden.requires_grad_(not frozen)
        chosen = makers[optimizer](model.parameters())
        own = schedule(chosen) if schedule else None
        taken = digit_step(loss_function, own)
        return Program(model, chosen, taken, train.images[:32], train.labels[:32])

    return build


smoothed = functools.partial(F.cross_entropy, label_smoothing=0.1)
RIGHT_PROGRAMS = {
    "SGD 0.1": digit_program(),
    "AdamW 1e-3": digit_program("AdamW"),
    "our AdamW": digit_program("ours"),
    "label smoothing": digit_program(loss_function=smoothed),
    "label smoothing, AdamW": digit_program("AdamW", loss_function=smoothed),
    "dropout": digit_program("AdamW", dropout=0.5),
    "frozen body": digit_program(frozen=True),
    "warm-up from 0": digit_program(
        schedule=lambda o: lr_scheduler.LambdaLR(o, lambda step: min(1.0, step / 20))
    ),
    "cosine": digit_program(schedule=lambda o: lr_scheduler.CosineAnnealingLR(o, 380)),
    "our schedule": digit_program(schedule=lambda o: Scheduler(o, cosine_decay(380))),
    "one cycle": digit_program(
        schedule=lambda o: lr_scheduler.OneCycleLR(o, 0.5, total_steps=380)
    ),
}


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("build", RIGHT_PROGRAMS.values(), ids=RIGHT_PROGRAMS)
def test_a_usual_program_raises_no_false_alarm(build, seed):
    torch.manual_seed(seed)
    assert told_by(build) == {}


def test_checking_leaves_the_generators_as_they_were():
    build = program(network(nn.BatchNorm1d(32), nn.Dropout(0.5)))
    seed_everything(3)
    expected = random.random(), np.random.rand(), torch.rand(1)
    seed_everything(3)
    findings(build)
    assert (random.random(), np.random.rand(), torch.rand(1)) == expected


def test_generators_of_accelerators_are_kept_too(monkeypatch):
    restored = []
    states = {"cuda": ["a state"]}
    monkeypatch.setattr(debugging, "random_states", lambda: states)
    monkeypatch.setattr(debugging, "restore_random_states", restored.append)
    check_deterministic(lambda: torch.ones(1))
    assert restored == [states, states]


def test_a_program_is_built_anew_for_each_check():
    """So a scheduler that a step uses is one of the check's own."""
    made = []

    def build() -> Program:
        found = digit_program(
            schedule=lambda o: made.append(Cosine(o, 300)) or made[-1]
        )
        return found()

    findings(build)
    moves = [scheduler.last_epoch for scheduler in made]
    assert len(moves) > len(CHECKS) and max(moves) > 10
    assert moves[0] == moves[1] == 0  # of the first look, whether it builds anew


@pytest.mark.parametrize("check", CHECKS.values(), ids=CHECKS)
def test_what_is_not_built_anew_is_refused_and_stays(check):
    given = program(network(nn.BatchNorm1d(32), nn.Dropout(0.5)))()
    before = copy.deepcopy((given.model.state_dict(), given.optimizer.state_dict()))
    if check is not check_batch:
        with pytest.raises(TypeError, match="two calls gave one model or optimizer"):
            check(lambda: given)
        with pytest.raises(TypeError, match="give a function that builds a program"):
            check(given)
    with pytest.raises(TypeError, match="two calls gave one model"):
        preflight(lambda: given)
    state = given.model.state_dict()
    assert all(torch.equal(before[0][name], state[name]) for name in state)
    assert str(before[1]) == str(given.optimizer.state_dict())
    check(given.copy)
    assert all(torch.equal(before[0][name], state[name]) for name in state)


def test_a_program_that_stops_is_told_and_not_fatal():
    told = findings(program(labels=torch.full((8,), 4)))
    assert told["batch"] == "labels go from 4 to 4, outside 0 … 3"
    assert told["overfits"] == "IndexError: Target 4 is out of bounds."
    assert told["rows"] == ""


images, labels = eight_images()
BATCHES = {
    "bytes": ({"images": images.byte()}, "images are torch.uint8: make them float"),
    "unscaled": (
        {"images": images.clamp(0, 1) * 255},
        "go from 0 to 255, outside -5 … 5",
    ),
    "digits as they come": ({"images": images.clamp(0, 1) * 16}, "from 0 to 16, outs"),
    "NaN": ({"images": images / images.new_zeros(1, 1, 3, 3)}, "72 of 72 numbers"),
    "one infinite": (
        {"images": images.index_fill(0, torch.tensor(2), math.inf)},
        "9 of 72 numbers of the images are not finite",
    ),
    "all the same": ({"images": images * 0}, "all 8 images are the same"),
    "empty": ({"images": images[:0], "labels": labels[:0]}, r"empty: images are \(0,"),
    "too few labels": ({"labels": labels[:7]}, r"labels are \(7,\), for 8 images"),
    "a column": ({"labels": labels[:, None]}, r"labels are \(8, 1\), for 8 images"),
    "floats": ({"labels": labels.float()}, "labels are torch.float32"),
    "int32": ({"labels": labels.int()}, "labels are torch.int32: class numbers are"),
    "from one": ({"labels": labels + 1}, "labels go from 1 to 4, outside 0 … 3"),
    "negative": ({"labels": labels - 1}, "labels go from -1 to 2, outside 0 … 3"),
    "ignored": ({"labels": labels - 100}, "labels go from -100 to -97"),
}


@pytest.mark.parametrize(("change", "message"), BATCHES.values(), ids=BATCHES)
def test_a_wrong_batch_is_told(change, message):
    with pytest.raises(CheckFailed, match=message):
        check_batch(program(**change))


def test_a_batch_of_one_image_passes():
    check_batch(program(images=images[:1], labels=labels[:1]))


def test_images_of_another_range_can_be_meant():
    check_batch(program(images=images.clamp(0, 1) * 255, image_range=(0.0, 255.0)))


def step_of(loss_of):
    return lambda m, o, x, y: step(lambda images: loss_of(m(images)), o, x, y)


def test_the_first_loss():
    assert check_start_loss(program()) == pytest.approx(math.log(4), abs=0.3)
    over_batch = program(step=step_of(lambda x: x.log_softmax(dim=0) * 9))
    assert "ln 4 is 1.39" in failure(check_start_loss, over_batch)
    nan = program(step=step_of(lambda x: x * math.nan))
    assert "the first loss is nan" in failure(check_start_loss, nan)
    assert failure(check_start_loss, program(), tolerance=0.0)


def test_overfitting():
    assert 3 < check_overfits(program()) < 100
    told = failure(check_overfits, program(step=step_of(lambda x: x.softmax(dim=1))))
    assert told.startswith("the loss of one batch went from 1.39 to ")
    assert told.endswith(" in 2000 steps, not below 0.42")
    told = failure(check_overfits, program(lr=1e-4), steps=7, part=0.5)
    assert " in 7 steps, not below 0." in told


def test_a_schedule_that_runs_ahead_does_not_overfit():
    halved = digit_program(schedule=lambda o: lr_scheduler.StepLR(o, 2, 0.5))
    assert "not below 0.69" in told_by(halved)["overfits"]


def test_a_loss_that_becomes_nan_is_told_with_its_step():
    count = []

    def spoiled(model, optimizer, images, labels) -> Tensor:
        count.append(1)
        return torch.tensor(math.nan if len(count) == 4 else 1.0)

    told = failure(check_overfits, program(step=spoiled))
    assert told == "the loss is nan at step 3"
    assert len(count) == 4


def test_dependence_of_rows():
    x = torch.randn(4, 3)
    assert torch.equal(dependence(lambda x: x.exp(), x), torch.eye(4).bool())
    assert dependence(lambda x: x - x.mean(dim=0), x).all()
    lower = torch.ones(4, 4).tril().bool()
    assert torch.equal(dependence(lambda x: x.cumsum(dim=0), x), lower)
    # softmax sums to one: a plain sum of the row would have no slope
    assert torch.equal(dependence(lambda x: x.softmax(dim=1), x), torch.eye(4).bool())
    assert x.grad is None and not x.requires_grad


def test_dependence_makes_its_tensors_where_the_rows_are():
    x = torch.randn(4, 3)
    with torch.device("meta"):
        assert torch.equal(
            dependence(lambda x: x.exp(), x), torch.eye(4, device="cpu").bool()
        )
    half = dependence(lambda x: x.exp(), x.bfloat16())
    assert torch.equal(half, torch.eye(4).bool())


def test_dependence_tells_what_it_cannot_answer():
    x = torch.randn(4, 3)
    told = failure(dependence, lambda x: x[:3], x)
    assert told == "4 rows go in, and 3 come out"
    assert "no graph" in failure(dependence, lambda x: x.detach(), x)


class Mixing(nn.Module):
    """Adds the next image, or uses none at all."""

    def __init__(self, weight: float, own: float = 1.0) -> None:
        super().__init__()
        self.out, self.weight, self.own = nn.Linear(9, 4), weight, own

    def forward(self, images: Tensor) -> Tensor:
        x = images.flatten(1)
        return self.out(self.own * x + self.weight * x.roll(-1, 0))


def test_rows():
    check_rows(program(Mixing(0.0)))
    told = failure(check_rows, program(Mixing(0.1)))
    assert told == "row 0 of the output depends on images 0, 1"
    told = failure(check_rows, program(Mixing(0.0, own=0.0)))
    assert told == "row 0 of the output depends on no image"
    everything = program(nn.Sequential(nn.Flatten(), nn.Linear(9, 4), nn.Softmax(0)))
    told = failure(check_rows, everything)
    assert told == "row 0 of the output depends on images 0, 1, 2, 3 …"


class Dropping(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.out = nn.Linear(9, 4)

    def forward(self, images: Tensor) -> Tensor:
        return self.out(F.dropout(images.flatten(1)))


def test_repeatable():
    check_repeatable(program(network(nn.Dropout())))
    told = failure(check_repeatable, program(Dropping()))
    assert told.startswith("two passes in evaluation mode differ by up to ")


class Faulty(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.listed = [nn.Linear(9, 9), nn.ReLU()]
        self.named = {"a": nn.Linear(9, 9)}
        self.numbers = [1, 2]
        self.block = nn.Module()
        self.block.both = (nn.Linear(9, 9),)
        self.unused, self.cut, self.out = (nn.Linear(9, 9) for _ in range(3))
        self.frozen = nn.Parameter(torch.ones(9), requires_grad=False)

    def forward(self, images: Tensor) -> Tensor:
        x = self.cut(images.flatten(1)).detach()
        return self.out(x * self.frozen)


def test_parameters_that_do_not_move_are_told_with_their_reason():
    model = Faulty()

    def build(frozen=None) -> Program:
        made = replace(program(model)(), frozen=frozen)
        own = made.model
        kept = [own.unused.weight, own.cut.weight, own.cut.bias, own.out.bias]
        return replace(made, optimizer=torch.optim.SGD(kept, lr=0.1))

    told = failure(check_parameters, functools.partial(build, frozen=())).split("; ")
    assert told.pop(3) == "frozen: requires no gradient"
    assert told == failure(check_parameters, build).split("; ")
    assert told == [
        "listed: 2 modules in a list",
        "named: 1 modules in a dict",
        "block.both: 1 modules in a tuple",
        "unused.weight: has no gradient",
        "unused.bias: not in the optimizer",
        "cut.weight: has no gradient",
        "cut.bias: has no gradient",
        "out.weight: not in the optimizer",
    ]


def without_a_step(model, optimizer, images, labels) -> Tensor:
    loss = F.cross_entropy(model(images), labels)
    optimizer.zero_grad()
    loss.backward()
    return loss.detach()


def test_zero_gradients_and_steps_of_nothing_are_told():
    zero = program(step=step_of(lambda x: 0 * x))
    assert "1.weight: its gradient is zero" in failure(check_parameters, zero)

    def moved_by_decay() -> Program:
        made = zero()
        decaying = torch.optim.SGD(made.model.parameters(), 0.1, weight_decay=0.1)
        return replace(made, optimizer=decaying)

    assert "1.weight: its gradient is zero" in failure(check_parameters, moved_by_decay)
    still = program(lr=0.0)
    assert "1.weight: its learning rate is 0" in failure(check_parameters, still)
    forgotten = program(step=without_a_step)
    assert "1.weight: did not move" in failure(check_parameters, forgotten)


def test_parameters_that_are_meant_to_stay():
    body = {"1.weight", "1.bias"}
    model = network()
    model[1].requires_grad_(False)
    check_parameters(program(model))
    check_parameters(program(model, frozen=body))
    told = failure(check_parameters, program(model, frozen={"1.weight"}))
    assert told == "1.bias: requires no gradient"
    told = failure(check_parameters, program(frozen=body))
    assert told == "1.weight: is frozen, and moved; 1.bias: is frozen, and moved"


def no_zero_grad(model, optimizer, images, labels) -> Tensor:
    loss = F.cross_entropy(model(images), labels)
    loss.backward()
    optimizer.step()
    return loss.detach()


def zero_after(model, optimizer, images, labels) -> Tensor:
    loss = no_zero_grad(model, optimizer, images, labels)
    optimizer.zero_grad()
    return loss


def test_old_gradients():
    check_old_gradients(program())
    told = failure(check_old_gradients, program(step=no_zero_grad))
    assert told == "1.weight: a step depends on the gradients before it"
    check_old_gradients(program(step=zero_after))  # as good as before
    check_old_gradients(program(network(nn.Dropout())))


def test_determinism_of_a_function():
    check_deterministic(lambda: torch.rand(3) + random.random() + np.random.rand())
    check_deterministic(lambda: torch.full((2,), math.nan))
    unseeded = np.random.default_rng()
    told = failure(check_deterministic, lambda: torch.tensor([1.0, unseeded.random()]))
    assert told.startswith("two runs with seed 0 differ in 1 of 2 numbers, by up to 0.")
    sizes = iter([2, 3])
    told = failure(check_deterministic, lambda: torch.ones(next(sizes)))
    assert told == "two runs give (2,) and (3,)"
    seeds = []
    check_deterministic(lambda: seeds.append(torch.initial_seed()) or torch.ones(1), 7)
    assert seeds == [7, 7]


def test_a_program_that_repeats():
    check_repeats(program(network(nn.Dropout())))
    unseeded = np.random.default_rng()

    def noisy(model, optimizer, images, labels) -> Tensor:
        return step(model, optimizer, images + unseeded.random(), labels)

    assert "two runs with seed 0 differ" in failure(check_repeats, program(step=noisy))


def test_disjoint_parts():
    train = torch.rand(5, 1, 2, 2)
    check_disjoint(train, torch.rand(4, 1, 2, 2))
    held_out = torch.cat([train[[1, 1]], torch.rand(3, 1, 2, 2)])
    told = failure(check_disjoint, train, held_out)
    assert told == "2 of 5 held-out examples are in the training part"
    assert failure(check_disjoint, train.bfloat16(), held_out.bfloat16()) == told
