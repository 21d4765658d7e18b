"""Train a small GPT: `python -m snippets.mini_gpt.train --data tales --preset nano`.

Writes `best.pt`, `last.pt` and a TensorBoard log to the folder `--out`. Ctrl-C saves
and stops; `--resume` goes on as if the run had never stopped. Under `torchrun` the same
program trains on several processes or machines.
"""

# --8<-- [start:imports]
import argparse
import math
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import torch
from torch.utils.tensorboard import SummaryWriter
from tqdm import tqdm

from snippets.checkpoint import CheckpointError
from snippets.files import told_where
from snippets.mini_gpt.data import TOKENIZERS, Corpus, load_corpus
from snippets.mini_gpt.parallel import (
    PeerError,
    Processes,
    joined_processes,
    together,
    total,
)
from snippets.mini_gpt.presets import PRESETS, Recipe
from snippets.mini_gpt.run import (
    ADVICE,
    DivergedError,
    Plan,
    Point,
    Run,
    evaluate,
    load_run,
    look,
    read_run,
    save_run,
    train_step,
)

# --8<-- [end:imports]


# --8<-- [start:progress]
@contextmanager
def asked_to_stop() -> Iterator[list[int]]:
    """A list that gets the signal of a Ctrl-C; a second Ctrl-C stops at once."""
    asked: list[int] = []

    def note(number: int, frame: object) -> None:
        if asked:
            raise KeyboardInterrupt
        asked.append(number)

    kinds = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(kind, note) for kind in kinds]
    try:
        yield asked
    finally:
        for kind, handler in zip(kinds, before, strict=True):
            signal.signal(kind, handler)


class Progress:
    """Shows how a run goes: a bar on standard error, and a log for TensorBoard.

    In the first process; the others show nothing. Raises OSError where the log cannot
    be written.
    """

    def __init__(self, run: Run, quiet: bool = False) -> None:
        self.run, self.folder, first = run, run.out / "log", run.processes.first
        self.log = None
        if first:
            with told_where(self.folder):  # what a lost run wrote later is dropped
                self.log = SummaryWriter(self.folder, purge_step=run.step + 1)
        self.bar = tqdm(
            total=run.recipe.steps,
            initial=run.step,
            unit="step",
            disable=quiet or not first,
        )

    def __enter__(self) -> "Progress":
        return self

    def __exit__(self, kind: type | None, *of_error: object) -> None:
        self.bar.close()
        try:
            if self.log:
                self.log.close()
        except OSError:  # the error on its way says more
            if kind is None:
                raise

    def add(self, values: dict[str, float]) -> None:
        """Put numbers of this step into the log."""
        with told_where(self.folder):
            for name, value in values.items():
                self.log.add_scalar(name, value, self.run.step)

    def trained(self, losses: Sequence[float], seconds: float) -> None:
        """The last steps: their losses, and the time they took together."""
        if not self.log:
            return
        tokens = len(losses) * self.run.recipe.batch_size * self.run.T
        mean, speed = sum(losses) / len(losses), tokens / seconds
        self.bar.update(len(losses))
        self.bar.set_postfix_str(f"loss {mean:.3f}, {speed:,.0f} tokens/s")
        rate = self.run.optimizers[0].param_groups[0]["lr"]
        self.add(
            {"loss/train": mean, "tokens per second": speed, "learning rate": rate}
        )

    def evaluated(self, loss: float) -> None:
        """The validation loss after this step."""
        if not self.log:
            return
        self.add({"loss/validation": loss})
        with told_where(self.folder):
            self.log.flush()
        if not self.bar.disable:
            self.bar.write(
                f"step {self.run.step}: validation loss {loss:.4f}", file=sys.stderr
            )


# --8<-- [end:progress]


# --8<-- [start:fit]
def fit(run: Run, log_every: int = 10, quiet: bool = False) -> bool:
    """Train to the end of the plan; returns False if it was asked to stop before.

    Evaluates and saves every `evaluate_every` steps and at the end; saves when asked to
    stop. Raises DivergedError, and OSError where a file cannot be written.
    """
    steps, alone = run.recipe.steps, run.processes.world == 1
    with Progress(run, quiet) as progress, asked_to_stop() as asked:
        started = time.perf_counter()
        while run.step < steps:
            train_step(run)
            due = run.step % run.recipe.evaluate_every == 0 or run.step == steps
            if not (due or run.step % log_every == 0 or (alone and asked)):
                continue
            losses = look(run)  # waits for the device
            seconds = time.perf_counter() - started
            run.seconds += seconds
            progress.trained(losses, seconds)
            stop = total(torch.tensor(len(asked)), run.processes) > 0
            if due:
                check_in(run, progress)
            elif stop:
                save_run(run, "last.pt")
            if stop:
                break
            started = time.perf_counter()
    return run.step == steps


def check_in(run: Run, progress: Progress) -> None:
    """Evaluate and save; `best.pt` too if this is the best so far.

    `best.pt` first: a run that is lost between the two writes it again.
    """
    loss = evaluate(run)
    if not math.isfinite(loss):
        raise DivergedError(
            f"the validation loss is {loss} after step {run.step}: {ADVICE}"
        )
    progress.evaluated(loss)
    better = loss < run.best
    mean = sum(run.losses) / len(run.losses)
    run.history.append(Point(run.step, run.seconds, mean, loss))
    run.losses = []
    if better:
        save_run(run, "best.pt")
    save_run(run, "last.pt")


# --8<-- [end:fit]


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
    add("--compile", action=argparse.BooleanOptionalAction, help="as the preset says")
    add("--seed", type=int)
    add("--device", default="auto", help="auto, cpu, cuda, mps …")
    add("--fsdp", action="store_true", help="share weights out over the processes")
    add("--out", type=Path, default=Path("runs/mini-gpt"), help="default runs/mini-gpt")
    add("--resume", action="store_true", help="go on with last.pt in --out")
    return made


def make_plan(given: dict[str, Any], saved: Plan | None = None) -> Plan:
    """The plan of a preset, or a saved one, changed by the options that were given.

    Raises ValueError for an unknown preset.
    """
    name = given.get("preset", "nano")
    if name not in PRESETS:
        raise ValueError(f"no preset {name!r}: there are {', '.join(PRESETS)}")
    preset = PRESETS[name]
    base = Plan(
        "tales", "char", 512, preset.architecture, preset.model, preset.recipe, 0
    )
    if saved and "preset" not in given:
        base = saved
    recipe = {f.name: given[f.name] for f in fields(Recipe) if f.name in given}
    sizes = ("context_length", "d_model", "n_heads", "n_layers", "dropout")
    return replace(
        base,
        **{
            n: given[n]
            for n in ("data", "tokenizer", "vocab_size", "seed")
            if n in given
        },
        sizes={**base.sizes, **{name: given[name] for name in sizes if name in given}},
        recipe=replace(base.recipe, **recipe),
    )


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
    plan = make_plan(given, saved and Plan.from_dict(saved["plan"]))
    tokenizer = saved and saved["tokenizer"]
    corpus = load_corpus(
        plan.data, plan.tokenizer, options.out, plan.vocab_size, tokenizer
    )
    return plan, corpus, saved


def start(options: argparse.Namespace, processes: Processes) -> Run:
    """A new run, or one that goes on."""
    plan, corpus, saved = together(lambda: read_files(options), processes)
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


if __name__ == "__main__":
    sys.exit(main())
# --8<-- [end:program]
