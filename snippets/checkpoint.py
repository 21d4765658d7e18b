"""Checkpoints: save a training run so that it goes on as if it had never stopped."""

# --8<-- [start:imports]
import pickle
import random
import re
import warnings
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from snippets.files import write_whole

# --8<-- [end:imports]


# --8<-- [start:write]
def write_atomically(path: str | Path, content: Any) -> None:
    """`torch.save`, whole or not at all. Raises what that and `write_whole` raise."""
    write_whole(path, lambda file: torch.save(content, file))


# --8<-- [end:write]


# --8<-- [start:read]
class CheckpointError(Exception):
    """A file that is damaged, or does not fit the run it is loaded into."""


def read_checkpoint(path: str | Path) -> dict[str, Any]:
    """What a checkpoint holds, with all tensors on the CPU.

    Reads the file twice, since `torch.load` does not compare the checksums that
    `torch.save` wrote. Raises FileNotFoundError, and CheckpointError for a file that
    is damaged, or that holds more than tensors and plain Python values.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            damaged = archive.testzip()
        if damaged:
            raise CheckpointError(f"{path} is damaged: the checksum of {damaged}")
        content = torch.load(path, map_location="cpu", weights_only=True)
    except (CheckpointError, FileNotFoundError, PermissionError):
        raise
    except pickle.UnpicklingError as error:
        name = re.search(r"GLOBAL (\S+)", str(error))
        what = name[1] if name else "something unknown"
        raise CheckpointError(
            f"{path} asks for {what}: not tensors and plain values only"
        ) from error
    except Exception as error:  # damage can make readers stumble over anything
        raise CheckpointError(f"{path} is damaged, or not a checkpoint") from error
    if not isinstance(content, dict):
        raise CheckpointError(f"{path} holds a {type(content).__name__}, not a dict")
    return content


# --8<-- [end:read]


# --8<-- [start:random]
def random_states() -> dict[str, Any]:
    """The state of every generator that a training step may draw from.

    Python's, NumPy's global one and PyTorch's, on the CPU and on each accelerator. All
    as tensors and plain values, so that `weights_only` can load them.
    """
    state = np.random.get_state()
    assert isinstance(state, tuple)  # the legacy form, which is the default
    name, keys, position, has_normal, normal = state
    states = {
        "python": random.getstate(),
        "numpy": (name, keys.tolist(), int(position), int(has_normal), float(normal)),
        "torch": torch.get_rng_state(),
    }
    if torch.cuda.is_available():
        states["cuda"] = torch.cuda.get_rng_state_all()
    if torch.backends.mps.is_available():
        states["mps"] = [torch.mps.get_rng_state()]
    return states


def restore_random_states(states: dict[str, Any]) -> None:
    """Put every generator where it was; warn where the accelerators are others."""
    random.setstate(states["python"])
    name, keys, *rest = states["numpy"]
    np.random.set_state((name, np.array(keys, dtype=np.uint32), *rest))
    torch.set_rng_state(states["torch"])
    here = random_states()
    for kind in ("cuda", "mps"):
        saved, count = states.get(kind, []), len(here.get(kind, []))
        if len(saved) != count:
            message = f"saved with {len(saved)} states of {kind}, and here are {count}"
            warnings.warn(message, stacklevel=3)
        elif kind == "cuda" and count:
            torch.cuda.set_rng_state_all(saved)
        elif kind == "mps" and count:
            torch.mps.set_rng_state(saved[0])


# --8<-- [end:random]


# --8<-- [start:order]
class BatchOrder:
    """Endless batches of shuffled indices, whose place can be saved.

    `next` gives the indices of a batch, (batch_size,), or fewer at the end of an epoch.
    Each epoch has an order of its own. Raises ValueError for sizes below 1.
    """

    def __init__(self, size: int, batch_size: int, seed: int = 0) -> None:
        if size < 1 or batch_size < 1:
            raise ValueError(f"size={size} and batch_size={batch_size}: at least 1")
        self.size, self.batch_size = size, batch_size
        self.generator = torch.Generator().manual_seed(seed)
        self.shuffle()

    def shuffle(self) -> None:
        """Begin an epoch, and remember how its order can be drawn again."""
        self.before = self.generator.get_state()
        self.order = torch.randperm(self.size, generator=self.generator)
        self.place = 0

    def __iter__(self) -> "BatchOrder":
        return self

    def __next__(self) -> Tensor:
        if self.place >= self.size:
            self.shuffle()
        batch = self.order[self.place : self.place + self.batch_size]
        self.place += len(batch)
        return batch

    def state_dict(self) -> dict[str, Any]:
        """Where we are: the generator before the epoch, and the place in the epoch."""
        sizes = {"size": self.size, "batch_size": self.batch_size}
        return {**sizes, "generator": self.before, "place": self.place}

    def differences(self, state: dict[str, Any]) -> list[str]:
        """What keeps a saved place from being ours, in words."""
        own = self.state_dict()
        names = [name for name in ("size", "batch_size") if state[name] != own[name]]
        return [f"{name} was {state[name]} and is {own[name]}" for name in names]

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a saved place. Raises ValueError if it is of other sizes."""
        if problems := self.differences(state):
            raise ValueError("; ".join(problems))
        self.generator.set_state(state["generator"])
        self.shuffle()
        self.place = state["place"]


# --8<-- [end:order]


# --8<-- [start:run]
@dataclass
class ResumableRun:
    """All that decides how a run goes on, apart from its code and its data."""

    model: nn.Module
    optimizer: Optimizer
    scheduler: LRScheduler
    batches: BatchOrder
    step: int = 0  # steps done


STATEFUL = ("model", "optimizer", "scheduler", "batches")


def save_checkpoint(path: str | Path, run: ResumableRun) -> None:
    """Write all of a run, and the random states. Call it between two steps."""
    content = {name: getattr(run, name).state_dict() for name in STATEFUL}
    content |= {"step": run.step, "random": random_states()}
    write_atomically(path, content)


def load_checkpoint(path: str | Path, run: ResumableRun) -> None:
    """Bring a run, built as at its start, to where it was when it was saved.

    Raises FileNotFoundError, and CheckpointError for a damaged file and one of another
    run; nothing is changed then.
    """
    saved = read_checkpoint(path)
    missing = [name for name in (*STATEFUL, "step", "random") if name not in saved]
    if missing:
        found = ", ".join(map(str, saved)) or "nothing"
        raise CheckpointError(f"{path} has no {', '.join(missing)}; it has {found}")
    problems = [
        *model_differences(saved["model"], run.model.state_dict()),
        *optimizer_differences(saved["optimizer"], run.optimizer.state_dict()),
        *run.batches.differences(saved["batches"]),
    ]
    if problems:
        raise CheckpointError(f"{path} is of another run: {'; '.join(problems)}")
    for name in STATEFUL:
        getattr(run, name).load_state_dict(saved[name])
    run.step = saved["step"]
    restore_random_states(saved["random"])


# --8<-- [end:run]


# --8<-- [start:differences]
def model_differences(saved: dict[str, Tensor], own: dict[str, Tensor]) -> list[str]:
    """What keeps a saved model from being loaded as it is, in words."""
    found = [f"{name} is missing" for name in own.keys() - saved.keys()]
    found += [f"{name} is not in the model" for name in saved.keys() - own.keys()]
    for name in own.keys() & saved.keys():
        one, other = (f"{tuple(t.shape)} {t.dtype}" for t in (saved[name], own[name]))
        if one != other:
            found.append(f"{name} was {one} and is {other}")
    return sorted(found)


def optimizer_differences(saved: dict[str, Any], own: dict[str, Any]) -> list[str]:
    """What keeps a saved optimizer from being loaded: its state goes by position."""
    one, other = (
        [group.get("param_names", len(group["params"])) for group in s["param_groups"]]
        for s in (saved, own)
    )
    return [] if one == other else [f"the optimizer had {one} and has {other}"]


# --8<-- [end:differences]
