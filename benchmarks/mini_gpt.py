"""How fast the mini-GPT learns and writes, beside nanoGPT's recipe for a CPU.

    python -m benchmarks.mini_gpt race

`race` trains the reference in three ways (as published in float32 and uncompiled; then
compiled; then compiled in bfloat16), and a recipe of some seconds that reaches its
loss, in float32 uncompiled and compiled in bfloat16; `minute` trains the recipe of a
minute; `ablation` trains the recipe of some seconds with a part less each
time, five seeds each, and `steps` times a step of each of these; `writing` writes with
and without a cache. Tiny Shakespeare, characters, the whole validation split, in
windows of 64 characters for all. Each run that is timed to its end has a process of its
own. The clock counts training steps; building with compiling, and evaluating, are
printed beside it. With `--record`, what was found is kept in
`snippets/data/speedrun.json`, from which the page draws.
"""

import argparse
import json
import os
import statistics
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
from snippets.mini_gpt.run import Run, evaluate, train_step
from snippets.modules import count_parameters

WINDOW = 64  # the reference's: over longer windows, every loss is lower
SEEDS = range(5)


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


EAGER = {"dtype": "float32", "compile": False}
COMPILED = {"dtype": "bfloat16", "compile": True}


def reference(says: str, **recipe: Any) -> Case:
    """nanoGPT's recipe, computed in some way."""
    return Case("nano", says, recipe={"evaluate_every": 200, **recipe})


def seconds(says: str, recipe: dict[str, Any], **sizes: Any) -> Case:
    """The recipe of some seconds, with something changed."""
    return Case("laptop-seconds", says, sizes, {"evaluate_every": 15, **recipe})


RACE = {
    "reference": reference("nanoGPT's recipe", **EAGER),
    "reference-compiled": reference("nanoGPT's recipe", **{**EAGER, "compile": True}),
    "reference-bfloat16": reference("nanoGPT's recipe", **COMPILED),
    "seconds": seconds("some seconds", EAGER),
    "seconds-bfloat16": seconds("some seconds", COMPILED),
}
MINUTE = {
    "minute": Case(
        "laptop-minute", "a minute or two", recipe={"evaluate_every": 130, **COMPILED}
    ),
}
ABLATION = {
    "all": seconds("all parts", EAGER),
    "ngrams": seconds("no n-grams", EAGER, ngrams=1),
    "adamw": seconds("AdamW for matrices too", {**EAGER, "optimizer": "adamw"}),
    "tied": seconds("head and embedding tied", EAGER, tied=True),
    "positions": seconds("learned positions", EAGER, rope=False),
    "qk-norm": seconds("queries and keys as they are", EAGER, qk_norm=False),
    "convolution": seconds("no convolution", EAGER, convolution=1),
    "zeros": seconds("GPT-2's initial weights", EAGER, zero_init=False),
}
CASES = {**RACE, **MINUTE, **ABLATION}
LIKE_WITH_LIKE = {  # who races whom: the same dtype, both compiled or both not
    "seconds": "reference",
    "seconds-bfloat16": "reference-bfloat16",
}


def new_run(case: Case, folder: str, seed: int = 0) -> Run:
    """A run of a case, on the CPU, before its first step."""
    plan, out = replace(case.plan(), seed=seed), Path(folder)
    corpus = load_corpus(plan.data, plan.tokenizer, out)
    return Run(plan, corpus, Processes(0, 1, torch.device("cpu")), out)


def run_case(case: Case, seed: int = 0) -> dict[str, Any]:
    """Train, and tell how it went."""
    with tempfile.TemporaryDirectory() as folder:
        begun = time.perf_counter()
        run = new_run(case, folder, seed)
        built = time.perf_counter() - begun
        context, compiled = run.T, run.compiled is not run.loss
        run.T, run.compiled = WINDOW, run.loss  # both are what evaluating uses
        fit(run, quiet=not sys.stderr.isatty())
        all_in_all = time.perf_counter() - begun
        run.T = context
        own = evaluate(run)
    return {
        "says": case.says,
        "preset": case.preset,
        "parameters": count_parameters(run.model),
        "tokens_a_step": run.recipe.batch_size * context,
        "context": context,
        "steps": run.step,
        "dtype": str(run.dtype).removeprefix("torch."),
        "compiled": compiled,
        "seconds": round(run.seconds, 2),
        "build_seconds": round(built, 1),
        "evaluation_seconds": round(all_in_all - built - run.seconds, 1),
        "own_windows": round(own, 4),
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


def race() -> dict[str, Any]:
    """The reference and its rivals, one after the other."""
    found = {}
    for name in RACE:
        found[name] = in_a_process(name)
        print_run(name, found[name])
    goal = found["reference"]["curve"][-1][3]
    for name, same in LIKE_WITH_LIKE.items():
        limit = found[same]["seconds"]
        print(f"{name}: {verdict(found[name]['curve'], goal, limit)} of {same}")
    return found


def verdict(curve: list[list[float]], goal: float, limit: float) -> str:
    """When a curve reaches the reference's loss."""
    there = next((seconds for _, seconds, _, loss in curve if loss <= goal), None)
    if there is None:
        return f"never reaches {goal:.3f}"
    part = f"1/{limit / there:.1f} of {limit:.1f} s"
    return f"reaches {goal:.3f} after {there:.1f} s: {part}"


def minute() -> dict[str, Any]:
    """How far a minute leads, or two on a slower computer."""
    found = {name: in_a_process(name) for name in MINUTE}
    for name, result in found.items():
        print_run(name, result)
    return found


def ablation() -> dict[str, Any]:
    """Each part on its own: the last losses of all seeds."""
    found = {}
    for name, case in ABLATION.items():
        case = replace(case, recipe=case.recipe | {"evaluate_every": 1000})
        runs = [run_case(case, seed) for seed in SEEDS]
        found[name] = {
            "says": case.says,
            "parameters": runs[0]["parameters"],
            "steps": runs[0]["steps"],
            "losses": [run["curve"][-1][3] for run in runs],
        }
        print(name, found[name]["losses"], flush=True)
    return found


def steps(times: int = 40) -> dict[str, Any]:
    """Milliseconds a step of each case of the ablation, the median of some in turn."""
    with tempfile.TemporaryDirectory() as folder:
        runs = {name: new_run(case, folder) for name, case in ABLATION.items()}
        found: dict[str, list[float]] = {name: [] for name in runs}
        for _ in range(times):
            for name, run in runs.items():
                begun = time.perf_counter()
                train_step(run)
                found[name].append(1000 * (time.perf_counter() - begun))
    middle = {name: round(statistics.median(ms), 1) for name, ms in found.items()}
    print(middle)
    return middle


def print_run(name: str, result: dict[str, Any]) -> None:
    """A run in a line."""
    a_step = 1000 * result["seconds"] / result["steps"]
    print(
        f"{name:15} {result['curve'][-1][3]:.4f} in {result['seconds']:7.1f} s,"
        f" {result['steps']} steps of {a_step:.0f} ms, {result['parameters']:,}"
        f" parameters; built in {result['build_seconds']} s, evaluated in"
        f" {result['evaluation_seconds']} s"
    )


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
    "minute": minute,
    "steps": steps,
    "ablation": ablation,
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
