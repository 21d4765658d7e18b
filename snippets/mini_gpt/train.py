"""Train a small GPT: `python -m snippets.mini_gpt.train --data tales --preset nano`.

Writes `best.pt`, `last.pt` and a TensorBoard log to the folder `--out`. Ctrl-C saves
and stops; `--resume` goes on as if the run had never stopped. Under `torchrun` the same
program trains on several processes or machines.
"""

# --8<-- [start:imports]
import argparse
import sys
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from snippets.checkpoint import CheckpointError
from snippets.mini_gpt.checkpoints import load_run, read_run
from snippets.mini_gpt.data import TOKENIZERS, Corpus, load_corpus
from snippets.mini_gpt.loop import fit
from snippets.mini_gpt.parallel import (
    PeerError,
    Processes,
    joined_processes,
    rank0_first,
)
from snippets.mini_gpt.plan import Plan, make_plan
from snippets.mini_gpt.presets import PRESETS, Recipe
from snippets.mini_gpt.run import DivergedError, Run

# --8<-- [end:imports]


# --8<-- [start:program]
def parser() -> argparse.ArgumentParser:
    """The options of the command line; those not given come from the preset."""
    made = argparse.ArgumentParser(
        prog="python -m snippets.mini_gpt.train", description=__doc__
    )
    add = made.add_argument
    add("--data", help="tales, shakespeare, or a text file (default tales)")
    add("--tokenizer", choices=TOKENIZERS, help="default char")
    add("--vocab-size", type=int, help="for the tokenizer bpe (default 512)")
    add("--preset", help=f"{', '.join(PRESETS)} (default nano)")
    for name in ("context-length", "d-model", "n-heads", "n-layers"):
        add(f"--{name}", type=int)
    add("--dropout", type=float)
    for item in fields(Recipe):
        if item.type in (int, float, str):
            add(f"--{item.name.replace('_', '-')}", type=item.type)
    add("--min-lr", type=float, help="--min-lr-ratio, where it cannot be a rate")
    add("--compile", action=argparse.BooleanOptionalAction, help="as the preset says")
    add("--seed", type=int)
    add("--device", default="auto", help="auto, cpu, cuda, mps …")
    add("--fsdp", action="store_true", help="share weights out over the processes")
    add("--out", type=Path, default=Path("runs/mini-gpt"), help="default runs/mini-gpt")
    add("--resume", action="store_true", help="go on with last.pt in --out")
    return made


Found = tuple[Plan, Corpus, dict[str, Any] | None]


def read_files(options: argparse.Namespace) -> Found:
    """The plan and the text of a run, and the checkpoint it goes on from."""
    path, saved = options.out / "last.pt", None
    if options.resume:
        saved = read_run(path)
    elif path.exists():
        raise ValueError(
            f"{path} is there already: go on with --resume, or give another --out"
        )
    given = {name: value for name, value in vars(options).items() if value is not None}
    plan = make_plan(given, Plan.from_dict(saved["plan"]) if saved else None)
    corpus = load_corpus(
        plan.data,
        plan.tokenizer,
        options.out,
        plan.vocab_size,
        state=saved["tokenizer"] if saved else None,
        digest=saved["text"] if saved else None,
    )
    return plan, corpus, saved


def start(options: argparse.Namespace, processes: Processes) -> Run:
    """A new run, or one that goes on."""
    plan, corpus, saved = rank0_first(lambda: read_files(options), processes)
    run = Run(plan, corpus, processes, options.out, options.fsdp)
    if saved:
        load_run(run, saved, options.out / "last.pt")
    return run


ERRORS = (ValueError, OSError, CheckpointError, DivergedError, PeerError)


def main(arguments: Sequence[str] | None = None) -> int:
    """Read the command line and train; returns the exit code.

    0: done; 2: an error, told on standard error; 130: stopped by Ctrl-C, and saved.
    """
    options = parser().parse_args(arguments)
    try:
        with joined_processes(options.device) as processes:
            run = start(options, processes)
            finished = fit(run)
            if processes.first:
                print(summary(run))
            return 0 if finished else 130
    except ERRORS as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:  # before the first step, or a second one
        print("stopped at once: what was saved before is there", file=sys.stderr)
        return 130


def summary(run: Run) -> str:
    """The end of a run in a line."""
    done = f"{run.step} of {run.recipe.steps} steps in {run.seconds:.0f} s"
    return f"{done}, best validation loss {run.best:.4f}: {run.out / 'best.pt'}"


# --8<-- [end:program]
if __name__ == "__main__":
    sys.exit(main())
