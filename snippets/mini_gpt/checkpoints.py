"""Checkpoints of a run: written whole, read with care, and gone on from."""

# --8<-- [start:imports]
from dataclasses import asdict
from pathlib import Path
from typing import Any

from snippets.checkpoint import (
    CheckpointError,
    model_differences,
    random_states,
    read_checkpoint,
    restore_random_states,
    write_atomically,
)
from snippets.files import told_where
from snippets.mini_gpt.data import tokenizer_state
from snippets.mini_gpt.parallel import from_all, load_whole_state, together, whole_state
from snippets.mini_gpt.plan import Plan
from snippets.mini_gpt.run import Point, Run, check_weights

# --8<-- [end:imports]


RUN_FORMAT = 1  # of checkpoints
NEEDED = (
    *("plan", "model_config", "tokenizer", "text", "step", "seconds", "history"),
    *("losses", "batches", "random", "model", "optimizers"),
)


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
    return saved


# --8<-- [end:read]
