"""How much of a machine the training program uses: model FLOP utilisation (MFU).

    python -m benchmarks.utilisation --preset gpt2-124m

Trains some steps of a preset, with its own model, optimizer and batch, on the GPU if
there is one, on random ids. Prints tokens a second; the operations that a token needs,
counted by PyTorch, forwards and backwards, recomputation left out (Chowdhery et al.,
"PaLM", 2022, appendix B); and what part this is of the peak. The peak is that of the
card's data sheet, or the one given; beside it stands what a large matrix product gets
here, which is less. With `--record`, what was found is kept in
`snippets/data/speedrun.json`.
"""

import argparse
import json
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from benchmarks.record import keep, machine
from snippets.devices import pick_device
from snippets.gpt import CharTokenizer
from snippets.mini_gpt.data import Corpus, Split
from snippets.mini_gpt.parallel import Processes
from snippets.mini_gpt.plan import make_plan
from snippets.mini_gpt.presets import PRESETS, build_model
from snippets.mini_gpt.run import Run, train_step
from snippets.modules import count_parameters

GPT2_VOCABULARY = 50_257
PEAKS = {  # bfloat16 without sparsity, operations a second, NVIDIA's data sheets
    "H200": 989e12,
    "H100 PCIe": 756e12,
    "H100": 989e12,
    "A100": 312e12,
    "L40S": 362e12,
    "L4": 121e12,
    "RTX 4090": 165e12,
    "RTX 3090": 71e12,
}


def peak_of(card: str) -> float | None:
    """The peak of a card by its name, None for one that is not in the list."""
    return next((peak for name, peak in PEAKS.items() if name in card), None)


def operations_a_token(model: nn.Module, T: int) -> float:
    """Additions and multiplications of training on one token of a window (1, T).

    `model` lies on the meta device, so that nothing is computed.
    """
    from torch.utils.flop_counter import FlopCounterMode  # slow to import

    with FlopCounterMode(display=False) as counter:
        model(torch.zeros(1, T, dtype=torch.long, device="meta")).sum().backward()
    return counter.get_total_flops() / T


def random_corpus(vocab_size: int, T: int) -> Corpus:
    """Ids without a text: what they are does not change the time."""
    ids = np.random.default_rng(0).integers(vocab_size, size=100 * (T + 1))
    tokenizer = CharTokenizer("".join(map(chr, range(vocab_size))))
    return Corpus(Split(ids), Split(ids), tokenizer, "random")


def synchronise(device: torch.device) -> None:
    """Wait until a GPU has done what it was asked for."""
    if device.type != "cpu":
        torch.accelerator.synchronize(device)


def product_rate(device: torch.device, dtype: torch.dtype, size: int) -> float:
    """Operations a second of a product of two matrices (size, size); the best of 10."""
    a, b = torch.randn(2, size, size, device=device).to(dtype)
    best = float("inf")
    for _ in range(10):
        synchronise(device)
        begun = time.perf_counter()
        a @ b
        synchronise(device)
        best = min(best, time.perf_counter() - begun)
    return 2 * size**3 / best


def measure(
    preset: str,
    steps: int,
    device: torch.device,
    vocab_size: int = GPT2_VOCABULARY,
    product_size: int = 8192,
    **recipe: Any,
) -> dict[str, Any]:
    """Train, after two steps that are not counted; `recipe` changes that of the preset.

    Raises ValueError for an unknown preset and for less than one step.
    """
    if steps < 1:
        raise ValueError(f"--steps {steps}: it must be at least 1")
    plan = make_plan({"preset": preset, **recipe})
    sizes = {**plan.sizes, "vocab_size": vocab_size}
    with torch.device("meta"):
        model = build_model(plan.architecture, sizes)
    T = model.config.context_length
    with tempfile.TemporaryDirectory() as folder:
        processes = Processes(0, 1, device)
        corpus = random_corpus(vocab_size, T)
        run = Run(replace(plan, tokenizer="char"), corpus, processes, Path(folder))
        for _ in range(2):
            train_step(run)
        synchronise(device)
        begun = time.perf_counter()
        for _ in range(steps):
            train_step(run)
        synchronise(device)
        seconds = (time.perf_counter() - begun) / steps
    tokens = plan.recipe.batch_size * T / seconds
    return {
        "preset": preset,
        "parameters": count_parameters(run.model),
        "dtype": str(run.dtype).removeprefix("torch."),
        "compiled": run.compiled is not run.loss,
        "seconds_a_step": round(seconds, 4),
        "tokens_a_second": round(tokens),
        "operations_a_token": round(operations_a_token(model, T)),
        "product_rate": product_rate(device, run.dtype, product_size),
    }


def main() -> int:
    """Read the command line and measure; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.utilisation",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--preset", choices=PRESETS, default="gpt2-124m")
    add("--steps", type=int, default=10)
    add("--device", default="auto")
    add("--batch-size", type=int, help="rows a step")
    add("--accumulate", type=int, help="pieces that a batch is cut into")
    add("--peak", type=float, help="operations a second, such as 989e12")
    add("--record", action="store_true")
    options = parser.parse_args()
    names = ("batch_size", "accumulate")
    recipe = {n: v for n in names if (v := getattr(options, n)) is not None}
    try:
        device = pick_device(options.device)
        found = measure(options.preset, options.steps, device, **recipe)
    except ValueError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    on_gpu = device.type == "cuda"
    found["device"] = torch.cuda.get_device_name(device) if on_gpu else str(device)
    found["peak"] = options.peak or peak_of(found["device"])
    rate = found["tokens_a_second"] * found["operations_a_token"]
    print(json.dumps(found, indent=1))
    if found["peak"]:
        print(f"{rate / found['peak']:.1%} of the peak")
    print(f"{rate / found['product_rate']:.1%} of a large matrix product")
    if options.record:
        keep("speedrun", {"machine": machine(), "runs": found}, part="utilisation")
    return 0


if __name__ == "__main__":
    sys.exit(main())
