"""Checkpoints: save a training run so that it goes on as if it had never stopped."""

# --8<-- [start:imports]
import pickle
import random
import re
import warnings
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim import Optimizer

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
    `torch.save` wrote. Raises OSError for a file that is not there or is a folder, and
    CheckpointError for one that is damaged, that is older than PyTorch 1.6, or that
    holds more than tensors and plain Python values.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            damaged = archive.testzip()
        if damaged:
            raise CheckpointError(f"{path} is damaged: the checksum of {damaged}")
        content = torch.load(path, map_location="cpu", weights_only=True)
    except (CheckpointError, OSError, MemoryError):
        raise
    except pickle.UnpicklingError as error:
        name = re.search(r"GLOBAL (\S+)", str(error))
        what = name[1] if name else "something unknown"
        raise CheckpointError(
            f"{path} asks for {what}: not tensors and plain values only"
        ) from error
    except Exception as error:  # damage can make readers stumble over anything
        with Path(path).open("rb") as file:
            old = file.read(2) == b"\x80\x02"  # a bare pickle: no zip file
        what = "of before PyTorch 1.6" if old else "damaged, or not a checkpoint"
        raise CheckpointError(f"{path} is {what}") from error
    if not isinstance(content, dict):
        raise CheckpointError(f"{path} holds a {type(content).__name__}, not a dict")
    return content


# --8<-- [end:read]


# --8<-- [start:random]
ACCELERATORS = ("cuda", "xpu", "mps")


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
    for kind in ("cuda", "xpu"):
        if getattr(torch, kind).is_available():
            states[kind] = getattr(torch, kind).get_rng_state_all()
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
    for kind in ACCELERATORS:
        saved, count = states.get(kind, []), len(here.get(kind, []))
        if len(saved) != count:
            message = f"saved with {len(saved)} states of {kind}, and here are {count}"
            warnings.warn(message, stacklevel=3)
        elif kind == "mps" and count:
            torch.mps.set_rng_state(saved[0])
        elif count:
            getattr(torch, kind).set_rng_state_all(saved)


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

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a saved place. Raises ValueError if it is of other sizes."""
        sizes, own = (state["size"], state["batch_size"]), (self.size, self.batch_size)
        if sizes != own:
            raise ValueError(f"size and batch_size were {sizes} and are {own}")
        self.generator.set_state(state["generator"])
        self.shuffle()
        self.place = state["place"]


# --8<-- [end:order]


# --8<-- [start:run]
STATEFUL = ("model", "optimizer", "scheduler", "batches")


@dataclass
class ResumableRun:
    """All that decides how a run goes on, apart from its code and its data.

    Make it before the first step: it notes how each part is built, and steps change
    that (a scheduler the rates of the optimizer).
    """

    model: nn.Module
    optimizer: Optimizer
    scheduler: Any  # one of PyTorch's or ours: it has state_dict and load_state_dict
    batches: BatchOrder
    step: int = 0  # steps done

    def __setattr__(self, name: str, value: Any) -> None:
        """Put a part in, and note how it is built."""
        super().__setattr__(name, value)
        if name in STATEFUL:
            vars(self).setdefault("settings", {})[name] = settings_of(value)


def checkpoint_of(run: ResumableRun) -> dict[str, Any]:
    """All that a checkpoint holds: states, settings, and the random states."""
    states = {name: getattr(run, name).state_dict() for name in STATEFUL}
    others = {
        "step": run.step,
        "random": random_states(),
        "settings": vars(run)["settings"],
    }
    return states | others


def save_checkpoint(path: str | Path, run: ResumableRun) -> None:
    """Write all of a run, and the random states. Call it between two steps."""
    write_atomically(path, checkpoint_of(run))


def load_checkpoint(path: str | Path, run: ResumableRun) -> None:
    """Bring a run, built as at its start, to where it was when it was saved.

    Raises OSError for a file that cannot be read, and CheckpointError for one that is
    damaged or of another run; nothing is changed then.
    """
    saved, own = read_checkpoint(path), checkpoint_of(run)
    if missing := [name for name in own if name not in saved]:
        found = ", ".join(map(str, saved)) or "nothing"
        raise CheckpointError(f"{path} has no {', '.join(missing)}; it has {found}")
    if problems := run_differences(saved, own):
        raise CheckpointError(f"{path} is of another run: {'; '.join(problems)}")
    for name in STATEFUL:
        getattr(run, name).load_state_dict(saved[name])
    run.step = saved["step"]
    restore_random_states(saved["random"])


# --8<-- [end:run]


# --8<-- [start:differences]
def settings_of(part: Any) -> dict[str, Any]:
    """Type and settings of a part of a run; of a schedule, its values at some steps."""
    found: dict[str, Any] = {"type": type(part).__qualname__}
    if isinstance(part, nn.Module):
        layers = [(name or "itself", layer) for name, layer in part.named_modules()]
        told = {name: f"{type(x).__name__}({x.extra_repr()})" for name, x in layers}
        return found | {"layers": told}
    found |= outline(part.state_dict(), numbers=True)
    found.pop("state", None)  # what the steps of an optimizer gather
    if isinstance(part, Optimizer):
        groups = [group["params"] for group in part.param_groups]
        found["shapes"] = [[str(tuple(p.shape)) for p in group] for group in groups]
    # ours has one function for all groups, `LambdaLR` one for each
    schedule = getattr(part, "schedule", None)
    schedules = getattr(part, "lr_lambdas", [schedule] if schedule else [])
    found["values"] = [values_of(function) for function in schedules]
    return found


def values_of(schedule: Callable[[int], float]) -> list[Any]:
    """What a schedule gives at some steps: functions themselves cannot be compared."""
    found: list[Any] = []
    for step in (0, 1, 10, 100, 1000, 10_000):
        try:
            found.append(float(schedule(step)))
        except Exception as error:  # past its end
            found.append(str(error))
    return found


def outline(value: Any, numbers: bool = False) -> Any:
    """How a state is built: keys, shapes, dtypes; with `numbers`, plain values too."""
    if isinstance(value, Tensor):
        return f"{tuple(value.shape)} {value.dtype}"
    if isinstance(value, dict):
        return {key: outline(part, numbers) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [outline(part, numbers) for part in value]
    return value if numbers or isinstance(value, str) else "a number"


def differences(saved: Any, own: Any, name: str = "") -> list[str]:
    """What two outlines differ in, in words; `name` says where in the whole that is."""
    if isinstance(saved, list) and isinstance(own, list):
        if len(saved) != len(own):
            return [f"{name} had length {len(saved)} and has {len(own)}"]
        saved, own = dict(enumerate(saved)), dict(enumerate(own))
    if not (isinstance(saved, dict) and isinstance(own, dict)):
        return [] if saved == own else [f"{name} was {saved} and is {own}"]
    if saved.get("type") != own.get("type"):  # then the rest differs as well
        return [f"{name} was {saved.get('type')} and is {own.get('type')}"]
    found = []
    for key in sorted(saved.keys() | own.keys(), key=str):
        part = f"{name}.{key}" if name else str(key)
        if key in saved and key in own:
            found += differences(saved[key], own[key], part)
        elif key in own:
            found.append(f"{part} is missing")
        else:
            found.append(f"{part} is in the file only")
    return found


def model_differences(saved: dict[str, Tensor], own: dict[str, Tensor]) -> list[str]:
    """What keeps the tensors of a saved model from being loaded, in words."""
    return differences(outline(saved), outline(own))


def run_differences(saved: dict[str, Any], own: dict[str, Any]) -> list[str]:
    """What keeps a checkpoint from being loaded, in words, the first eight at most."""
    found = differences(saved["settings"], own["settings"])
    if not found:
        found = differences(comparable(saved), comparable(own))
    more = [f"and {len(found) - 8} more"] if len(found) > 8 else []
    return found[:8] + more


def comparable(state: dict[str, Any]) -> dict[str, Any]:
    """The outline, without what a run at its start, or another machine, has not."""
    found = {name: outline(state[name]) for name in (*STATEFUL, "step", "random")}
    optimizer, generators = found["optimizer"], found["random"]
    if isinstance(optimizer, dict) and isinstance(optimizer.get("state"), dict):
        optimizer["state"] = {}
    if isinstance(generators, dict):
        found["random"] = {
            name: generators[name] for name in generators if name not in ACCELERATORS
        }
    return found


# --8<-- [end:differences]
