"""The loop of a training run: steps, checkpoints, a progress bar, and Ctrl-C."""

# --8<-- [start:imports]
import math
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch.utils.tensorboard import SummaryWriter
from tqdm import tqdm

from snippets.files import naming_file
from snippets.mini_gpt.checkpoints import save_run
from snippets.mini_gpt.parallel import all_reduce_sum
from snippets.mini_gpt.run import (
    ADVICE,
    DivergedError,
    Point,
    Run,
    collect_losses,
    evaluate,
    train_step,
)

# --8<-- [end:imports]


# --8<-- [start:progress]
@contextmanager
def stop_signals() -> Iterator[list[int]]:
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
            with naming_file(self.folder):  # what a lost run wrote later is dropped
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
        if not self.log:
            return
        with naming_file(self.folder):
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
        with naming_file(self.folder):
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
    with Progress(run, quiet) as progress, stop_signals() as asked:
        started = time.perf_counter()
        while run.step < steps:
            train_step(run)
            due = run.step % run.recipe.evaluate_every == 0 or run.step == steps
            if not (due or run.step % log_every == 0 or (alone and asked)):
                continue
            losses = collect_losses(run)  # waits for the device
            seconds = time.perf_counter() - started
            run.seconds += seconds
            progress.trained(losses, seconds)
            stop = all_reduce_sum(torch.tensor(len(asked)), run.processes) > 0
            if due:
                evaluate_and_save(run, progress)
            elif stop:
                save_run(run, "last.pt")
            if stop:
                break
            started = time.perf_counter()
    return run.step == steps


def evaluate_and_save(run: Run, progress: Progress) -> None:
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
