"""What each of two processes does for the tests of `snippets/mini_gpt/`.

`mini_gpt_processes.py WHAT FOLDER`, by `torchrun` or with the variables that it sets;
results are in FOLDER as JSON.
"""

import datetime
import faulthandler
import functools
import json
import os
import sys
from pathlib import Path

import torch.distributed as dist
from torch import nn

from snippets.mini_gpt import checkpoints, loop
from snippets.mini_gpt.checkpoints import save_run
from snippets.mini_gpt.parallel import (
    PeerError,
    data_parallel,
    joined_processes,
    rank0_first,
)
from snippets.mini_gpt.run import Run, collect_losses, evaluate, train_step
from snippets.mini_gpt.train import main, parser, start

STEPS, HALF, MORE = 100, 50, 20
TINY = (
    *("--context-length", "16", "--d-model", "16", "--n-layers", "1", "--n-heads", "2"),
    *("--steps", str(STEPS), "--batch-size", "8", "--warmup", "10", "--lr", "0.01"),
    *("--evaluate-every", str(HALF), "--device", "cpu", "--seed", "3"),
)


def curve(run: Run, until: int = STEPS) -> list[float]:
    """Train to a step; the loss of each step."""
    found = []
    while run.step < until:
        train_step(run)
        found += collect_losses(run)
    return found


def run_of(folder: Path, name: str, processes, *more: str) -> Run:
    given = [*TINY, "--data", str(folder / "text.txt"), "--out", str(folder / name)]
    return start(parser().parse_args([*given, *more]), processes)


def curves(folder: Path) -> dict:
    """Whole runs, and second halves of runs that another kind began."""
    found = {}
    with joined_processes("cpu") as processes:
        for name, more in {
            "ddp": (),
            "fsdp": ("--fsdp",),
            "ddp-accumulate": ("--accumulate", "2"),
            "fsdp-accumulate": ("--accumulate", "2", "--fsdp"),
            "fsdp-muon": ("--accumulate", "2", "--fsdp", "--optimizer", "muon"),
        }.items():
            run = run_of(folder, name, processes, *more)
            losses = curve(run, HALF if name in ("ddp", "fsdp") else MORE)
            found[name] = {"losses": losses, "evaluation": evaluate(run)}
            if name in ("ddp", "fsdp"):
                save_run(run, "last.pt")
                losses += curve(run)
        for name, more in {"one": (), "ddp": ("--fsdp",), "fsdp": ()}.items():
            run = run_of(folder, name, processes, "--resume", *more)
            found[f"{name} goes on"] = curve(run, HALF + MORE)
        run = run_of(folder, "one", processes, "--resume", "--fsdp")
        found["one goes on with fsdp"] = curve(run, HALF + MORE)
        first = processes.first
    return found if first else {}


def failures(folder: Path) -> dict:
    """One process fails: in `rank0_first`, and while it writes."""
    told = []

    def fail() -> None:
        if not processes.first:
            raise ValueError("this one")

    def full(path: Path, content: object) -> None:
        raise OSError("no space left")

    with joined_processes("cpu") as processes:
        run = run_of(folder, "failures", processes)
        checkpoints.write_atomically = full
        for job in (
            lambda: rank0_first(fail, processes),
            lambda: save_run(run, "a.pt"),
        ):
            try:
                job()
            except (ValueError, OSError, PeerError) as error:
                told.append(f"{type(error).__name__}: {error}")
    return {"told": told}


def leaving(folder: Path) -> dict:
    """Join and leave several times, a model of DDP outliving each group."""
    for port in os.environ["PORTS"].split():
        os.environ["MASTER_PORT"] = port
        with joined_processes("cpu") as processes:
            model = data_parallel(nn.Linear(4, 4), processes, sharded=False)
            rank0_first(lambda: None, processes)
        del model
    return {"left": True}


def lost(folder: Path) -> dict:
    """Process 1 disappears in the fifth step."""

    def vanish(run: Run) -> None:
        if run.step == 5 and os.environ["RANK"] == "1":
            os._exit(7)
        train_step(run)

    loop.train_step = vanish
    given = [*TINY, "--data", str(folder / "text.txt"), "--out", str(folder / "lost")]
    return {"code": main(given)}


if __name__ == "__main__":
    faulthandler.dump_traceback_later(120)  # where it hangs, if it does
    patience = datetime.timedelta(seconds=90)  # for the other one; else half an hour
    join = functools.partial(dist.init_process_group, timeout=patience)
    dist.init_process_group = join
    here = Path(sys.argv[2])
    parts = {part.__name__: part for part in (curves, failures, leaving, lost)}
    results = parts[sys.argv[1]](here)
    name = f"{sys.argv[1]}-{os.environ['RANK']}.json"
    (here / name).write_text(json.dumps(results), "utf8")
