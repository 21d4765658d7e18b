"""One training at five sizes: how the loss falls as the model grows.

    python -m benchmarks.scaling

The program `snippets/mini_gpt/first.py` on the tales, with models that differ in their
width only, three seeds each, the same number of steps for all. A narrow model takes a
higher rate: the one of the program goes with the root of 128 over the width. Loss over
the whole validation split, in nats a character. With `--record`, what was found is kept
in `snippets/data/scaling.json`, from which the page on training draws.
"""

from collections.abc import Sequence
from typing import Any

import torch

from benchmarks import record
from snippets.data import read_data
from snippets.gpt import CharTokenizer
from snippets.mini_gpt.first import LR, STEPS, T, train, write
from snippets.mini_gpt.model import GPT2, GPT2Config

WIDTHS = (8, 16, 32, 64, 128)
SEEDS = range(3)


def make_model(width: int, vocab_size: int) -> GPT2:
    """The program's model in another width; a head has 32 channels, or all of them."""
    heads = max(1, width // 32)
    return GPT2(GPT2Config(vocab_size, T, d_model=width, n_heads=heads, n_layers=4))


def measure(
    widths: Sequence[int] = WIDTHS, seeds: Sequence[int] = SEEDS, steps: int = STEPS
) -> list[dict[str, Any]]:
    """For each width and seed, parameters, losses on the way, and a text."""
    text = read_data("tales.txt").decode()
    tokenizer = CharTokenizer(text)
    ids = torch.tensor(tokenizer.encode(text))
    learn, check = ids[: int(0.9 * len(ids))], ids[int(0.9 * len(ids)) :]
    found = []
    for width in widths:
        for seed in seeds:
            torch.manual_seed(seed)
            model = make_model(width, len(tokenizer.characters))
            points = train(model, learn, check, steps, LR * (128 / width) ** 0.5)
            row: dict[str, Any] = {
                "width": width,
                "seed": seed,
                "parameters": sum(p.numel() for p in model.parameters()),
                "in blocks": sum(p.numel() for p in model.blocks.parameters()),
                "points": [[s, round(a, 4), round(b, 4)] for s, a, b in points],
                "text": write(model, tokenizer, text[0], 300),
            }
            found.append(row)
            print(width, seed, row["points"][-1], flush=True)
    return found


if __name__ == "__main__":
    record.main("scaling", __doc__, measure)
