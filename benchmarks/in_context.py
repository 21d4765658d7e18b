"""A table of letters, read from the prompt, by models with two layers and with one.

    python -m benchmarks.in_context --record     some minutes

`snippets/data/in_context.json` holds how right each model is after 0 to 7 examples,
and for letters that an example has shown; `in_context.pt` the weights of the first, in
half precision. The page on in-context learning draws from both.
"""

from dataclasses import asdict
from typing import Any

import torch

from benchmarks import record
from snippets.files import write_whole
from snippets.gpt import GPT
from snippets.in_context import (
    learn_letters,
    letter_model,
    letter_rows,
    right_answers,
    seen_before,
)

RUNS = tuple((layers, seed) for layers in (2, 1) for seed in range(5))
STEPS = 1000


def measure() -> list[dict[str, Any]]:
    """All models: their losses, and how right they are."""
    return [measure_one(layers, seed) for layers, seed in RUNS]


def measure_one(layers: int, seed: int) -> dict[str, Any]:
    """The share of right answers of a model: by examples, and for seen letters."""
    model = letter_model(layers, seed)
    losses = list(learn_letters(model, STEPS))
    if (layers, seed) == RUNS[0]:
        keep_weights(model)
    rows = letter_rows(4000, torch.Generator().manual_seed(1000))
    right = right_answers(model, rows)
    found = {
        "layers": layers,
        "seed": seed,
        "steps": STEPS,
        "loss": round(sum(losses[-100:]) / 100, 4),
        "by_examples": [round(a, 4) for a in right.float().mean(dim=0).tolist()],
        "seen": round(right[seen_before(rows)].float().mean().item(), 4),
    }
    print(found, flush=True)
    return found


def keep_weights(model: GPT) -> None:
    """Write the model that the page loads."""
    weights = {name: value.half() for name, value in model.state_dict().items()}
    kept = {"config": asdict(model.config), "model": weights}
    write_whole(record.DATA / "in_context.pt", lambda file: torch.save(kept, file))


if __name__ == "__main__":
    record.main("in_context", __doc__, measure)
