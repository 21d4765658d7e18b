"""A training run: a model, its batches and optimizers, its steps, its losses."""

# --8<-- [start:imports]
import math
import sys
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from snippets.checkpoint import random_states, restore_random_states
from snippets.mini_gpt.data import (
    Corpus,
    RandomWindows,
    check_length,
    vocab_size_of,
    whole_text,
)
from snippets.mini_gpt.optimization import (
    NextTokenLoss,
    build_optimizers,
    can_compile,
    choose_dtype,
    compiled,
)
from snippets.mini_gpt.parallel import (
    Processes,
    all_reduce_sum,
    data_parallel,
    gradients_averaged,
    shard,
    to_local,
)
from snippets.mini_gpt.plan import Plan
from snippets.mini_gpt.presets import Recipe, build_model, learning_rate_factor
from snippets.modes import evaluating

# --8<-- [end:imports]


# --8<-- [start:errors]
class DivergedError(Exception):
    """The loss is not a number any more; says in which step."""


ADVICE = "nothing was saved since, so go back to last.pt or best.pt; try a smaller --lr"


# --8<-- [end:errors]


# --8<-- [start:run]
@dataclass
class Point:
    """One evaluation: steps and training seconds so far, and what was found."""

    step: int
    seconds: float  # of training steps, without compiling and evaluating
    train: float  # mean loss since the point before, nats a token
    validation: float  # nats a token


class Run:
    """A model being trained: its parts, and how far it is."""

    def __init__(
        self,
        plan: Plan,
        corpus: Corpus,
        processes: Processes,
        out: Path,
        sharded: bool = False,
    ) -> None:
        self.plan, self.corpus, self.processes, self.out = plan, corpus, processes, out
        self.recipe, self.device = plan.recipe, processes.device
        self.rows = rows_of_a_micro_batch(self.recipe, processes.world)
        self.dtype = choose_dtype(self.recipe.dtype, self.device)
        torch.manual_seed(plan.seed)  # the same weights everywhere
        sizes = {**plan.sizes, "vocab_size": vocab_size_of(corpus.tokenizer)}
        self.model = build_model(plan.architecture, sizes).to(self.device)
        if sharded:
            shard(self.model, self.model.blocks)
        self.optimizers = build_optimizers(self.model, self.recipe)
        self.T = self.model.config.context_length
        rank, world = processes.rank, processes.world
        size, ids = self.recipe.batch_size, corpus.train.ids
        self.batches = RandomWindows(ids, size, self.T, plan.seed, rank, world)
        check_length(corpus.validation.ids, self.T, "validation")
        self.step, self.seconds = 0, 0.0
        self.history: list[Point] = []
        self.recent: list[Tensor] = []  # losses that were not collected yet
        self.losses: list[float] = []  # of the steps since the last evaluation
        torch.manual_seed(plan.seed + processes.rank)  # dropout differs
        self.prepare(sharded)

    def prepare(self, sharded: bool) -> None:
        """What is called: `loss`, for any shape; `compiled`, for the usual one; and for
        training `module`, whose backward pass averages over processes.
        """
        self.loss = NextTokenLoss(self.model)
        self.compiled: nn.Module = self.loss
        compile_it = self.recipe.compile and can_compile(self.device)
        if compile_it:
            self.compiled = compiled(self.loss, self.device)
        self.module = data_parallel(self.compiled, self.processes, sharded)
        if compile_it:
            self.warm_up()
        elif self.recipe.compile and self.processes.first:
            print("note: there is no C++ compiler: not compiled", file=sys.stderr)

    @property
    def best(self) -> float:
        """The lowest validation loss so far."""
        return min((p.validation for p in self.history), default=float("inf"))

    def autocast(self) -> torch.autocast:
        """The context in which matrix products are in `dtype`."""
        on = self.dtype != torch.float32
        return torch.autocast(self.device.type, self.dtype, enabled=on)

    def warm_up(self) -> None:
        """Compile before the clock runs, and leave no trace."""
        before = random_states()
        window = torch.zeros(self.rows, self.T + 1, dtype=torch.long)
        # views of windows, as batches are: what is compiled is for one layout in memory
        ids, targets = (w.to(self.device) for w in (window[:, :-1], window[:, 1:]))
        with self.autocast():
            self.module(ids, targets).backward()
        self.zero_grad()
        restore_random_states(before)

    def zero_grad(self) -> None:
        """Forget all gradients."""
        for optimizer in self.optimizers:
            optimizer.zero_grad()


# --8<-- [end:run]


# --8<-- [start:rows]
def rows_of_a_micro_batch(recipe: Recipe, world: int) -> int:
    """Windows that a process computes at once; raises ValueError for uneven parts."""
    rows, rest = divmod(recipe.batch_size, recipe.accumulate * world)
    if rest or not rows:
        raise ValueError(
            f"batch_size={recipe.batch_size} does not divide by {recipe.accumulate}"
            f" micro-batches on {world} processes"
        )
    return rows


# --8<-- [end:rows]


# --8<-- [start:step]
def train_step(run: Run) -> None:
    """One change of the weights, from one batch in one or more pieces."""
    ids, targets = (part.to(run.device) for part in run.batches.next())
    pieces = list(zip(ids.split(run.rows), targets.split(run.rows), strict=True))
    losses = []
    for number, piece in enumerate(pieces, 1):
        last = number == len(pieces)
        with gradients_averaged(run.module, run.model, last), run.autocast():
            loss = run.module(*piece) / len(pieces)
            loss.backward()
        losses.append(loss.detach())
    if run.recipe.clip:
        nn.utils.clip_grad_norm_(run.model.parameters(), run.recipe.clip)
    factor = learning_rate_factor(run.step, run.recipe)
    for optimizer in run.optimizers:
        for group in optimizer.param_groups:
            group["lr"] = group["initial_lr"] * factor
        optimizer.step()
    run.zero_grad()
    run.recent.append(torch.stack(losses).sum())
    run.step += 1


# --8<-- [end:step]


# --8<-- [start:evaluate]
@torch.no_grad()
def evaluate(run: Run) -> float:
    """The mean loss over the validation split, in nats a token.

    Of a split with more than `evaluate_tokens` ids, windows at equal distances, always
    the same.
    """
    found = torch.zeros(2, dtype=torch.float64)  # sum of losses, tokens
    rank, world = run.processes.rank, run.processes.world
    ids, most = run.corpus.validation.ids, run.recipe.evaluate_tokens
    with evaluating(run.model), run.autocast():
        for batch in whole_text(ids, run.rows * world, run.T, most):
            mine = [part[rank::world].to(run.device) for part in batch]
            count = mine[0].numel()
            if not count:  # all processes must take part in each forward pass
                mine = [part[:1].to(run.device) for part in batch]
            usual = mine[0].shape == (run.rows, run.T)
            loss = (run.compiled if usual else run.loss)(*mine)
            found += torch.tensor([loss.item() * count, count], dtype=torch.float64)
    losses, tokens = all_reduce_sum(found, run.processes).tolist()
    return losses / tokens


# --8<-- [end:evaluate]


# --8<-- [start:losses]
def collect_losses(run: Run) -> list[float]:
    """The losses of the steps since the last call, means over all processes.

    Adds them to `run.losses`. Raises DivergedError for the first that is not finite.
    """
    if not run.recent:
        return []
    summed = all_reduce_sum(torch.stack(run.recent).float(), run.processes)
    losses = (summed / run.processes.world).tolist()
    first, run.recent = run.step - len(losses) + 1, []
    for step, loss in enumerate(losses, first):
        if not math.isfinite(loss):
            raise DivergedError(f"the loss is {loss} in step {step}: {ADVICE}")
    run.losses += losses
    return losses


def check_weights(run: Run) -> None:
    """Raise DivergedError, in all processes, if a weight is not finite."""
    parts = [to_local(p) for p in run.model.parameters()]
    bad = torch.stack([(~part.isfinite()).any() for part in parts]).sum()
    if all_reduce_sum(bad, run.processes).item():
        raise DivergedError(f"weights are not finite after step {run.step}: {ADVICE}")


# --8<-- [end:losses]
