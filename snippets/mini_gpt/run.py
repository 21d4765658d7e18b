"""A training run: a plan, a model, its optimizers, its steps, its checkpoints."""

# --8<-- [start:imports]
import math
import os
import shutil
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim import AdamW, Optimizer

from snippets.checkpoint import (
    CheckpointError,
    model_differences,
    random_states,
    read_checkpoint,
    restore_random_states,
    write_atomically,
)
from snippets.files import told_where
from snippets.mini_gpt.data import (
    Corpus,
    RandomWindows,
    check_length,
    tokenizer_state,
    vocab_size_of,
    whole_text,
)
from snippets.mini_gpt.muon import BatchedMuon
from snippets.mini_gpt.parallel import (
    Processes,
    data_parallel,
    from_all,
    gradients_averaged,
    load_whole_state,
    own_part,
    shard,
    together,
    total,
    whole_state,
)
from snippets.mini_gpt.presets import (
    Recipe,
    build_model,
    learning_rate_factor,
)

# --8<-- [end:imports]


# --8<-- [start:plan]
@dataclass(frozen=True)
class Plan:
    """What a run does, wherever it runs; a checkpoint holds it."""

    data: str
    tokenizer: str
    vocab_size: int  # for `bpe`
    architecture: str
    sizes: dict[str, Any]  # of the model, without its vocabulary
    recipe: Recipe
    seed: int

    def as_dict(self) -> dict[str, Any]:
        """As plain values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "Plan":
        """The reverse; raises CheckpointError for values of another program."""
        try:
            return cls(**{**values, "recipe": Recipe(**values["recipe"])})
        except (KeyError, TypeError) as error:
            raise CheckpointError(f"a plan of another program: {error}") from error

    def differences(self, other: "Plan") -> list[str]:
        """What has changed in another plan, apart from where and how it runs.

        The path of the text may change; whether the text has, its digest tells.
        """
        free = ("data", "dtype", "compile", "accumulate", "evaluate_every")
        mine, others = flat(self.as_dict()), flat(other.as_dict())
        return [
            f"{name} was {mine.get(name)} and is {others.get(name)}"
            for name in {**mine, **others}
            if name not in free and mine.get(name) != others.get(name)
        ]


def flat(values: dict[str, Any]) -> dict[str, Any]:
    """Values by their last name."""
    found = {}
    for name, value in values.items():
        found |= flat(value) if isinstance(value, dict) else {name: value}
    return found


# --8<-- [end:plan]


# --8<-- [start:optimizers]
def build_optimizers(model: nn.Module, recipe: Recipe) -> list[Optimizer]:
    """AdamW for all, or Muon for the matrices of the blocks and AdamW for the rest.

    Weight decay is for matrices only: vectors, such as biases, have none. Each group
    keeps its full learning rate as `initial_lr`.
    """
    matrices = []
    if recipe.optimizer == "muon":
        inside = (p for block in model.blocks for p in block.modules())
        layers = (m for m in inside if isinstance(m, nn.Linear))
        matrices = [layer.weight for layer in layers]
    taken = set(map(id, matrices))
    others = [p for p in model.parameters() if id(p) not in taken]
    groups = [
        {"params": [p for p in others if p.dim() >= 2]},
        {"params": [p for p in others if p.dim() < 2], "weight_decay": 0.0},
    ]
    groups = [group for group in groups if group["params"]]
    betas, decay = (recipe.beta1, recipe.beta2), recipe.weight_decay
    fused = others[0].device.type != "mps"
    made: list[Optimizer] = [
        AdamW(groups, recipe.lr, betas, weight_decay=decay, fused=fused)
    ]
    if matrices:
        made.append(BatchedMuon(matrices, recipe.matrix_lr, weight_decay=decay))
    for optimizer in made:
        for group in optimizer.param_groups:
            group["initial_lr"] = group["lr"]
    return made


# --8<-- [end:optimizers]


# --8<-- [start:loss]
class NextTokenLoss(nn.Module):
    """A model and its loss as one module, so that a compiler sees both.

    `forward`: ids and targets (B, T) to the mean cross-entropy in nats a token.
    """

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, ids: Tensor, targets: Tensor) -> Tensor:
        """In float32, whatever the model computes in."""
        logits = self.model(ids).float()  # (B, T, V)
        return F.cross_entropy(logits.flatten(0, 1), targets.flatten())


def choose_dtype(name: str, device: torch.device) -> torch.dtype:
    """The type of matrix products: bfloat16 where the hardware is faster in it.

    Raises ValueError for an unknown name.
    """
    if name == "auto":
        fast = {
            "cuda": lambda: torch.cuda.is_bf16_supported(including_emulation=False),
            "cpu": torch.cpu._is_amx_tile_supported,
        }
        return torch.bfloat16 if fast.get(device.type, bool)() else torch.float32
    known = {"float32": torch.float32, "bfloat16": torch.bfloat16}
    if name not in known:
        raise ValueError(f"no dtype {name!r}: there are auto, {', '.join(known)}")
    return known[name]


def can_compile(device: torch.device) -> bool:
    """Whether `torch.compile` finds what it needs: a C++ compiler, for the CPU."""
    compilers = (os.environ.get("CXX"), "g++", "clang++", "cl")
    return device.type != "cpu" or any(
        name and shutil.which(name) for name in compilers
    )


# --8<-- [end:loss]


class DivergedError(Exception):
    """The loss is not a number any more; says in which step."""


ADVICE = "nothing was saved since, so go back to last.pt or best.pt; try a smaller --lr"


# --8<-- [start:run]
@dataclass
class Point:
    """One evaluation: steps and training seconds so far, and what was found."""

    step: int
    seconds: float  # of training steps, without compiling and evaluating
    train: float  # mean loss since the point before, nats a token
    validation: float  # over the whole split, nats a token


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
            shard(self.model)
        self.optimizers = build_optimizers(self.model, self.recipe)
        self.T = self.model.config.context_length
        rank, world = processes.rank, processes.world
        size, ids = self.recipe.batch_size, corpus.train.ids
        self.batches = RandomWindows(ids, size, self.T, plan.seed, rank, world)
        check_length(corpus.validation.ids, self.T, "validation")
        self.step, self.seconds, self.history = 0, 0.0, []
        self.recent: list[Tensor] = []  # losses that nobody has looked at yet
        self.losses: list[float] = []  # of the steps since the last evaluation
        torch.manual_seed(plan.seed + processes.rank)  # dropout differs
        self.prepare(sharded)

    def prepare(self, sharded: bool) -> None:
        """The modules to call: plain, compiled where asked for, and shared."""
        self.plain = NextTokenLoss(self.model)
        compiled = self.recipe.compile and can_compile(self.device)
        self.fast = torch.compile(self.plain, dynamic=False) if compiled else self.plain
        self.module = data_parallel(self.fast, self.processes, sharded)
        if compiled:
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
        ids = torch.zeros(self.rows, self.T, dtype=torch.long, device=self.device)
        with self.autocast():
            self.module(ids, ids).backward()
        self.zero_grad()
        restore_random_states(before)

    def zero_grad(self) -> None:
        """Forget all gradients."""
        for optimizer in self.optimizers:
            optimizer.zero_grad()


# --8<-- [end:run]


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
    """The mean loss over the whole validation split, in nats a token."""
    run.model.eval()
    found = torch.zeros(2, dtype=torch.float64)  # sum of losses, tokens
    rank, world = run.processes.rank, run.processes.world
    ids = run.corpus.validation.ids
    for batch in whole_text(ids, run.rows * world, run.T):
        mine = [part[rank::world].to(run.device) for part in batch]
        count = mine[0].numel()
        if not count:  # all processes must take part in each forward pass
            mine = [part[:1].to(run.device) for part in batch]
        usual = mine[0].shape == (run.rows, run.T)
        with run.autocast():  # the compiled module is for one shape
            loss = (run.fast if usual else run.plain)(*mine)
        found += torch.tensor([loss.item() * count, count], dtype=torch.float64)
    run.model.train()
    losses, tokens = total(found, run.processes).tolist()
    return losses / tokens


# --8<-- [end:evaluate]


# --8<-- [start:look]
def look(run: Run) -> list[float]:
    """The losses of the steps since the last look, means over all processes.

    Adds them to `run.losses`. Raises DivergedError for the first that is not finite.
    """
    if not run.recent:
        return []
    summed = total(torch.stack(run.recent).float(), run.processes)
    losses = (summed / run.processes.world).tolist()
    first, run.recent = run.step - len(losses) + 1, []
    for step, loss in enumerate(losses, first):
        if not math.isfinite(loss):
            raise DivergedError(f"the loss is {loss} in step {step}: {ADVICE}")
    run.losses += losses
    return losses


def check_weights(run: Run) -> None:
    """Raise DivergedError, in all processes, if a weight is not finite."""
    parts = [own_part(p) for p in run.model.parameters()]
    bad = torch.stack([(~part.isfinite()).any() for part in parts]).sum()
    if total(bad, run.processes).item():
        raise DivergedError(f"weights are not finite after step {run.step}: {ADVICE}")


# --8<-- [end:look]


# --8<-- [start:save]
def save_run(run: Run, name: str) -> None:
    """Write a checkpoint, whole or not at all; every process must call this.

    Raises DivergedError for weights that are no numbers, OSError where it cannot write;
    what was saved before stays.
    """
    check_weights(run)
    content = {
        "format": RUN_FORMAT,
        "plan": run.plan.as_dict(),
        "model_config": asdict(run.model.config),
        "tokenizer": tokenizer_state(run.corpus.tokenizer),
        "text": run.corpus.digest,
        "step": run.step,
        "seconds": run.seconds,
        "history": [asdict(point) for point in run.history],
        "losses": run.losses,
        "batches": run.batches.generator.get_state(),
        "random": from_all(random_states(), run.processes),
        **whole_state(run.model, run.optimizers),
    }

    def write() -> None:
        with told_where(run.out / name):
            write_atomically(run.out / name, content)

    together(write if run.processes.first else lambda: None, run.processes)


def load_run(run: Run, saved: dict[str, Any], path: Path) -> None:
    """Go on where a checkpoint was written; raises CheckpointError for another.

    Another number of processes goes on with the same batches. Dropout is then another.
    """
    problems = Plan.from_dict(saved["plan"]).differences(run.plan)
    if saved["text"] != run.corpus.digest:
        problems.append("the text has changed")
    problems += model_differences(saved["model"], run.model.state_dict())
    if problems:
        raise CheckpointError(f"{path} is of another run: {'; '.join(problems)}")
    load_whole_state(run.model, run.optimizers, saved)
    run.step, run.seconds = saved["step"], saved["seconds"]
    run.history = [Point(**point) for point in saved["history"]]
    run.losses = list(saved["losses"])
    run.batches.generator.set_state(saved["batches"])
    if len(saved["random"]) == run.processes.world:
        restore_random_states(saved["random"][run.processes.rank])


# --8<-- [end:save]


RUN_FORMAT = 1  # of checkpoints
NEEDED = (
    *("plan", "model_config", "tokenizer", "text", "step", "seconds", "history"),
    *("losses", "batches", "random", "model", "optimizers"),
)


def read_run(path: Path) -> dict[str, Any]:
    """A checkpoint of this program; raises CheckpointError for any other file."""
    saved = read_checkpoint(path)
    missing = [name for name in NEEDED if name not in saved]
    if missing or saved.get("format") != RUN_FORMAT:
        raise CheckpointError(
            f"{path} is not a checkpoint of this program: its format is"
            f" {saved.get('format')} (here {RUN_FORMAT}), and it lacks:"
            f" {', '.join(missing) or 'nothing'}"
        )
    return saved


def rows_of_a_micro_batch(recipe: Recipe, world: int) -> int:
    """Windows that a process computes at once; raises ValueError for uneven parts."""
    rows, rest = divmod(recipe.batch_size, recipe.accumulate * world)
    if rest or not rows:
        raise ValueError(
            f"batch_size={recipe.batch_size} does not divide by {recipe.accumulate}"
            f" micro-batches on {world} processes"
        )
    return rows
