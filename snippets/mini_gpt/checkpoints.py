"""Checkpoints of a run: written whole, read with care, and gone on from."""

# --8<-- [start:imports]
import random
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from snippets.checkpoint import (
    CheckpointError,
    model_differences,
    random_states,
    read_checkpoint,
    restore_random_states,
    write_atomically,
)
from snippets.files import naming_file
from snippets.mini_gpt.data import tokenizer_state
from snippets.mini_gpt.optimization import STATE
from snippets.mini_gpt.parallel import (
    all_gather,
    load_whole_state,
    rank0_first,
    whole_state,
)
from snippets.mini_gpt.plan import Plan
from snippets.mini_gpt.run import Point, Run, check_weights

# --8<-- [end:imports]


# --8<-- [start:format]
RUN_FORMAT = 1  # of checkpoints
NEEDED: dict[str, type | tuple[type, ...]] = {  # what a checkpoint holds
    "plan": dict,
    "model_config": dict,
    "tokenizer": dict,
    "text": str,
    "step": int,
    "seconds": (int, float),
    "history": list,
    "losses": list,
    "batches": Tensor,
    "random": list,
    "model": dict,
    "optimizers": dict,
}
# --8<-- [end:format]


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
        "random": all_gather(random_states(), run.processes),
        **whole_state(run.model, run.optimizers),
    }

    def write() -> None:
        with naming_file(run.out / name):
            write_atomically(run.out / name, content)

    rank0_first(write if run.processes.first else lambda: None, run.processes)


def load_run(run: Run, saved: dict[str, Any], path: Path) -> None:
    """Go on where a checkpoint was written.

    All of it is compared first: raises CheckpointError for one of another run, and
    changes nothing then. Another number of processes goes on with the same batches.
    Dropout is then another.
    """
    if problems := resume_differences(run, saved):
        raise CheckpointError(f"{path} is of another run: {'; '.join(problems)}")
    load_whole_state(run.model, run.optimizers, saved)
    run.step, run.seconds = saved["step"], saved["seconds"]
    run.history = [Point(**point) for point in saved["history"]]
    run.losses = list(saved["losses"])
    run.batches.generator.set_state(saved["batches"])
    if len(saved["random"]) == run.processes.world:
        restore_random_states(saved["random"][run.processes.rank])


# --8<-- [end:save]


# --8<-- [start:differences]
def resume_differences(run: Run, saved: dict[str, Any]) -> list[str]:
    """What keeps a run from going on with a checkpoint, in words."""
    problems = []
    if saved["text"] != run.corpus.digest:
        problems.append("the text has changed")
    problems += Plan.from_dict(saved["plan"]).differences(run.plan, saved["step"])
    problems += model_differences(saved["model"], run.model.state_dict())
    if problems:  # of which other optimizers follow
        return problems
    found = group_differences(run, saved["optimizers"])
    return found + progress_differences(saved)


def group_differences(run: Run, saved: dict[str, Any]) -> list[str]:
    """What differs in the optimizers: their groups, settings, and averages.

    Learning rates follow from the step; what only decides how fast a step is computed
    may differ.
    """
    free = ("params", "lr", "fused", "foreach", "capturable")
    names = {id(p): name for name, p in run.model.named_parameters()}
    groups = [group for o in run.optimizers for group in o.param_groups]
    theirs = saved.get("param_groups", [])
    one, other = ([len(g["params"]) for g in side] for side in (theirs, groups))
    if one != other:
        return [f"the optimizers had groups of {one} tensors and have {other}"]
    found = []
    for number, (before, group) in enumerate(zip(theirs, groups, strict=True)):
        if before["params"] != [names[id(p)] for p in group["params"]]:
            found.append(f"group {number} of the optimizers had other tensors")
        for name in group.keys() - set(free):
            was = before.get(name, "missing")
            if isinstance(was, list):  # a tuple becomes one on its way into a file
                was = tuple(was)
            if was != group[name]:
                found.append(f"{name} of group {number} was {was}, is {group[name]}")
    return sorted(found) or state_differences(run, saved.get("state", {}))


def state_differences(run: Run, saved: dict[str, Any]) -> list[str]:
    """What differs in what the optimizers keep of each parameter."""
    names = {id(p): name for name, p in run.model.named_parameters()}
    found = []
    for optimizer in run.optimizers:
        for p in (p for group in optimizer.param_groups for p in group["params"]):
            kept = saved.get(name := names[id(p)], {})
            if kept.keys() != STATE[type(optimizer)]:
                has = ", ".join(sorted(kept)) or "nothing"
                found.append(f"the optimizer's state of {name} has {has}")
                continue
            shapes = {n: v.shape for n, v in kept.items() if n != "step"}
            if any(shape != p.shape for shape in shapes.values()):
                found.append(f"the optimizer's state of {name} has {shapes}")
    return found


def progress_differences(saved: dict[str, Any]) -> list[str]:
    """What cannot be restored of random generators and of what was measured."""
    try:
        [Point(**point) for point in saved["history"]]
        torch.Generator().set_state(saved["batches"])
        for states in saved["random"]:
            random.Random().setstate(states["python"])
            name, keys, *rest = states["numpy"]
            state = (name, np.array(keys, dtype=np.uint32), *rest)
            np.random.RandomState().set_state(state)
            torch.Generator().set_state(states["torch"])
    except (LookupError, TypeError, ValueError, RuntimeError) as error:
        return [f"its history or its random states are damaged: {error!r}"]
    return []


# --8<-- [end:differences]


# --8<-- [start:read]
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
    wrong = [
        f"{name} is a {type(saved[name]).__name__}"
        for name, kind in NEEDED.items()
        if not isinstance(saved[name], kind)
    ]
    wrong += [
        f"{name} is no tensor"
        for name, value in saved["model"].items()
        if not isinstance(value, Tensor)
    ]
    if wrong:
        raise CheckpointError(f"{path} is damaged: {'; '.join(wrong)}")
    return saved | {part: renamed(saved[part]) for part in ("model", "optimizers")}


def renamed(content: Any) -> Any:
    """The same, with the names that parameters have now.

    The two layers `up` and `down` of a block once stood in a module `feed_forward`.
    """
    if isinstance(content, str):
        return content.replace(".feed_forward.", ".")
    if isinstance(content, dict):
        return {renamed(name): renamed(value) for name, value in content.items()}
    if isinstance(content, list):
        return [renamed(value) for value in content]
    return content


# --8<-- [end:read]
