"""Train a small GPT: `python -m snippets.mini_gpt.train --data tales --preset nano`.

Writes `best.pt`, `last.pt` and a TensorBoard log to the folder `--out`. Ctrl-C saves
and stops; `--resume` goes on as if the run had never stopped. Under `torchrun` the same
program trains on several processes or machines.
"""

# --8<-- [start:imports]
import argparse
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
from snippets.mini_gpt.data import TOKENIZERS, load_corpus
from snippets.mini_gpt.parallel import Processes, joined_processes, total
from snippets.mini_gpt.presets import PRESETS, Recipe
from snippets.mini_gpt.run import (
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


# --8<-- [start:fit]
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


def fit(run: Run, log_every: int = 10, quiet: bool = False) -> bool:
    """Train to the end of the plan; returns False if it was asked to stop before.

    Evaluates and saves every `evaluate_every` steps and at the end. Raises
    DivergedError, and OSError where a checkpoint cannot be written.
    """
    steps, first = run.recipe.steps, run.processes.first
    log = SummaryWriter(run.out / "log", purge_step=run.step + 1) if first else None
    bar = tqdm(total=steps, initial=run.step, unit="step", disable=quiet or not first)
    losses: list[float] = []
    started = time.perf_counter()
    with bar, asked_to_stop() as asked:
        while run.step < steps:
            train_step(run)
            stop = bool(total(torch.tensor(float(bool(asked))), run.processes))
            due = run.step % run.recipe.evaluate_every == 0 or run.step == steps
            if run.step % log_every == 0 or due or stop:
                new = look(run)
                seconds = time.perf_counter() - started
                run.seconds += seconds
                losses += new
                report(run, new, seconds, bar, log)
                if due or stop:
                    check_in(run, losses, log, due)
                    losses = losses if stop and not due else []
                started = time.perf_counter()
            if stop:
                return False
    return True


def report(
    run: Run, losses: Sequence[float], seconds: float, bar: tqdm, log: SummaryWriter
) -> None:
    """Show how training goes, on the bar and in TensorBoard."""
    if not log:
        return
    tokens = len(losses) * run.recipe.batch_size * run.T
    mean, speed = sum(losses) / len(losses), tokens / seconds
    bar.update(len(losses))
    bar.set_postfix_str(f"loss {mean:.3f}, {speed:,.0f} tokens/s")
    log.add_scalar("loss/train", mean, run.step)
    log.add_scalar("tokens per second", speed, run.step)
    rate = run.optimizers[0].param_groups[0]["lr"]
    log.add_scalar("learning rate", rate, run.step)


def check_in(
    run: Run, losses: Sequence[float], log: SummaryWriter | None, due: bool
) -> None:
    """Evaluate if it is time, and save; `best.pt` only if this is the best."""
    better = False
    if due:
        loss = evaluate(run)
        if not abs(loss) < float("inf"):
            raise DivergedError(f"the validation loss is {loss} after step {run.step}")
        better = loss < run.best
        mean = sum(losses) / max(1, len(losses))
        run.history.append(Point(run.step, run.seconds, mean, loss))
        if log:
            log.add_scalar("loss/validation", loss, run.step)
            log.flush()
            tqdm.write(f"step {run.step}: validation loss {loss:.4f}", file=sys.stderr)
    save_run(run, "last.pt")
    if better:
        save_run(run, "best.pt")


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
    add("--compile", action=argparse.BooleanOptionalAction)
    add("--seed", type=int)
    add("--device", default="auto", help="auto, cpu, cuda or mps")
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


def start(options: argparse.Namespace, processes: Processes) -> Run:
    """A new run, or one that goes on."""
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
    run = Run(plan, corpus, processes, options.out, options.fsdp)
    if saved:
        load_run(run, saved, path)
    return run


ERRORS = (ValueError, OSError, CheckpointError, DivergedError)


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


def summary(run: Run) -> str:
    """The end of a run in a line."""
    done = f"{run.step} of {run.recipe.steps} steps in {run.seconds:.0f} s"
    return f"{done}, best validation loss {run.best:.4f}: {run.out / 'best.pt'}"


if __name__ == "__main__":
    sys.exit(main())
# --8<-- [end:program]
