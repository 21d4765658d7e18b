"""How fast the mini-GPT learns and writes, beside nanoGPT's recipe for a CPU.

    python -m benchmarks.mini_gpt race

`race` trains the reference, a minute's and a longer recipe; `sprint` the
reference again, and a run of some seconds that reaches its loss; `ablation` trains
the minute's recipe with a part less each time; `windows` trains the sprint and the
minute's recipe once more, and evaluates with the reference's windows too; `writing`
writes with and without a cache. Tiny Shakespeare, characters, the whole validation
split. Each run that is timed has a process of its own. The clock counts training steps;
building with compiling, and evaluating, are printed beside it. With `--record`, what
was found is kept in `snippets/data/speedrun.json`, from which the page draws.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch

from benchmarks.record import keep, machine
from snippets.mini_gpt.data import load_corpus
from snippets.mini_gpt.loop import fit
from snippets.mini_gpt.parallel import Processes
from snippets.mini_gpt.plan import Plan, make_plan
from snippets.mini_gpt.presets import PRESETS, build_model
from snippets.mini_gpt.run import Run, evaluate
from snippets.modules import count_parameters

ABLATION_STEPS = 300


@dataclass(frozen=True)
class Case:
    """A run: a preset, and what is changed of it."""

    preset: str
    says: str
    sizes: dict[str, Any] = field(default_factory=dict)
    recipe: dict[str, Any] = field(default_factory=dict)

    def plan(self) -> Plan:
        """The plan of the run, on tiny Shakespeare."""
        plan = make_plan({"data": "shakespeare", "preset": self.preset})
        return replace(
            plan,
            sizes={**plan.sizes, **self.sizes},
            recipe=replace(plan.recipe, **self.recipe),
        )


def less(says: str, recipe: dict | None = None, **sizes: Any) -> Case:
    """The minute's recipe with one part less, in fewer steps."""
    changed = {"steps": ABLATION_STEPS, "evaluate_every": 100, **(recipe or {})}
    return Case("laptop-minute", says, sizes, changed)


RACE = {
    "reference": Case("nano", "nanoGPT's recipe", recipe={"evaluate_every": 100}),
    "minute": Case("laptop-minute", "one minute", recipe={"evaluate_every": 50}),
    "longer": Case("laptop", "a longer run"),
}
ABLATION = {
    "all": less("all parts"),
    "adamw": less("AdamW for matrices too", {"optimizer": "adamw"}),
    "cosine": less("cosine schedule", {"schedule": "cosine"}),
    "gpt2-init": less("GPT-2's initial weights", zero_init=False),
    "positions": less("learned positions", rope=False),
    "no-qk-norm": less("queries and keys as they are", qk_norm=False),
    "layer-norm": less("LayerNorm", rms_norm=False),
    "gelu": less("GELU", squared_relu=False),
    "no-convolution": less("no convolution", convolution=1),
    "tied": less("head and embedding tied", tied=True),
    "float32": less("float32", {"dtype": "float32"}),
    "not-compiled": less("not compiled", {"compile": False}),
}
SPRINT = {
    "reference": RACE["reference"],
    "seconds": Case(
        "laptop-minute",
        "some seconds",
        recipe={"steps": 135, "evaluate_every": 15, "lr": 0.01, "matrix_lr": 0.04},
    ),
}
CASES = {**RACE, **SPRINT, **ABLATION}


def new_run(case: Case, folder: str) -> Run:
    """A run of a case, on the CPU, before its first step."""
    plan, out = case.plan(), Path(folder)
    corpus = load_corpus(plan.data, plan.tokenizer, out)
    return Run(plan, corpus, Processes(0, 1, torch.device("cpu")), out)


def run_case(case: Case) -> dict[str, Any]:
    """Train, and tell how it went."""
    with tempfile.TemporaryDirectory() as folder:
        begun = time.perf_counter()
        run = new_run(case, folder)
        built = time.perf_counter() - begun
        fit(run, quiet=not sys.stderr.isatty())
        all_in_all = time.perf_counter() - begun
    return {
        "says": case.says,
        "preset": case.preset,
        "parameters": count_parameters(run.model),
        "tokens_a_step": run.recipe.batch_size * run.T,
        "context": run.T,
        "steps": run.step,
        "dtype": str(run.dtype).removeprefix("torch."),
        "compiled": run.compiled is not run.loss,
        "seconds": round(run.seconds, 2),
        "build_seconds": round(built, 1),
        "evaluation_seconds": round(all_in_all - built - run.seconds, 1),
        "curve": [
            [p.step, round(p.seconds, 2), round(p.train, 4), round(p.validation, 4)]
            for p in run.history
        ],
    }


def in_a_process(name: str) -> dict[str, Any]:
    """A case in a process of its own; its last line is the result."""
    command = [sys.executable, "-m", "benchmarks.mini_gpt", "case", "--name", name]
    command += ["--threads", str(torch.get_num_threads())]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def race(cases: dict[str, Case] = RACE) -> dict[str, Any]:
    """The reference and its rivals, one after the other."""
    found = {name: in_a_process(name) for name in cases}
    for name, result in found.items():
        print_run(name, result)
    goal, limit = found["reference"]["curve"][-1][3], found["reference"]["seconds"]
    for name in found:
        print(f"{name}: {verdict(found[name]['curve'], goal, limit)}")
    return found


def sprint() -> dict[str, Any]:
    """How soon the reference's own loss is reached, by a run of some seconds."""
    return race(SPRINT)


def verdict(curve: list[list[float]], goal: float, limit: float) -> str:
    """When a curve reaches the reference's loss."""
    there = next((seconds for _, seconds, _, loss in curve if loss <= goal), None)
    if there is None:
        return f"never reaches {goal:.3f}"
    part = f"1/{limit / there:.1f} of {limit:.1f} s"
    return f"reaches {goal:.3f} after {there:.1f} s: {part}"


def ablation() -> dict[str, Any]:
    """Each part on its own."""
    found = {name: in_a_process(name) for name in ABLATION}
    for name, result in found.items():
        print_run(name, result)
    return found


def print_run(name: str, result: dict[str, Any]) -> None:
    """A run in a line."""
    a_step = 1000 * result["seconds"] / result["steps"]
    print(
        f"{name:15} {result['curve'][-1][3]:.4f} in {result['seconds']:7.1f} s,"
        f" {result['steps']} steps of {a_step:.0f} ms, {result['parameters']:,}"
        f" parameters; built in {result['build_seconds']} s, evaluated in"
        f" {result['evaluation_seconds']} s"
    )


def windows() -> dict[str, Any]:
    """The last losses over windows as the run has them, and as the reference has."""
    T = PRESETS["nano"].model["context_length"]
    found = {}
    for name in ("seconds", "minute"):
        with tempfile.TemporaryDirectory() as folder:
            run = new_run(CASES[name], folder)
            fit(run, quiet=not sys.stderr.isatty())
        losses = {run.T: run.history[-1].validation}
        run.T, run.compiled = T, run.loss  # the compiled module is for one shape
        losses[T] = evaluate(run)
        found[name] = {
            "says": CASES[name].says,
            "steps": run.step,
            "dtype": str(run.dtype).removeprefix("torch."),
            "losses": {T: round(loss, 4) for T, loss in losses.items()},
        }
        print(name, found[name]["losses"])
    return found


@torch.inference_mode()
def writing() -> dict[str, Any]:
    """Tokens a second with a cache, and with a full window computed for each."""
    preset = PRESETS["laptop"]
    torch.manual_seed(0)
    model = build_model(preset.architecture, {**preset.model, "vocab_size": 65}).eval()
    T = model.config.context_length
    ids = torch.randint(65, (1, T))

    def cached() -> int:
        caches = model.new_caches()
        for place in range(T):
            model(ids[:, place : place + 1], caches)
        return T

    def recomputed() -> int:
        for _ in range(T // 4):
            model(ids)
        return T // 4

    found = {
        "cached": round(tokens_a_second(cached)),
        "recomputed": round(tokens_a_second(recomputed)),
        "window": T,
    }
    ratio = found["cached"] / found["recomputed"]
    print(f"tokens a second: {found['cached']} cached, {found['recomputed']} not,")
    print(f"{ratio:.1f} times as fast with a cache")
    return found


def tokens_a_second(work: Callable[[], int], times: int = 3) -> float:
    """The best of some runs, after one to warm up."""
    work()
    best = 0.0
    for _ in range(times):
        begun = time.perf_counter()
        count = work()
        best = max(best, count / (time.perf_counter() - begun))
    return best


KINDS = {
    "race": race,
    "sprint": sprint,
    "ablation": ablation,
    "windows": windows,
    "writing": writing,
}


def main() -> None:
    """Read the command line and measure."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.mini_gpt",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("kind", choices=[*KINDS, "case"])
    parser.add_argument("--name", choices=CASES, help="of a single case")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--record", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    if options.kind == "case":
        print(json.dumps(run_case(CASES[options.name])))
        return
    found = {"machine": machine(), "runs": KINDS[options.kind]()}
    if options.record:
        keep("speedrun", found, part=options.kind)


if __name__ == "__main__":
    main()
