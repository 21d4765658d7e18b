"""Make the model that ships with the book again: `python -m snippets.mini_gpt.ship`.

Trains the preset `playground` on tiny Shakespeare and writes its weights in half
precision, with a card that tells how they were made.
"""

# --8<-- [start:imports]
import argparse
import hashlib
import json
import sys
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F

from snippets.corpus import load_text
from snippets.devices import pick_device
from snippets.files import write_whole
from snippets.mini_gpt.checkpoints import read_run
from snippets.mini_gpt.data import load_corpus, whole_text
from snippets.mini_gpt.load import Trained, load_trained, save_plain
from snippets.mini_gpt.loop import fit
from snippets.mini_gpt.parallel import Processes
from snippets.mini_gpt.plan import make_plan
from snippets.mini_gpt.run import Run
from snippets.modes import evaluating
from snippets.modules import count_parameters

# --8<-- [end:imports]

# --8<-- [start:ship]
NAME = "mini-gpt"
COMMAND = "python -m snippets.mini_gpt.ship"


EXCERPT = 1000  # characters of the validation text that the card holds


@torch.no_grad()
def mean_loss(trained: Trained, text: str) -> float:
    """The mean surprise at each character but the first, in nats."""
    ids = np.array(trained.tokenizer.encode(text))
    found = []
    with evaluating(trained.model):
        for inputs, targets in whole_text(ids, 8, trained.model.config.context_length):
            logits = trained.model(inputs).flatten(0, 1)
            found.append(F.cross_entropy(logits, targets.flatten(), reduction="none"))
    return torch.cat(found).mean().item()


def card(checkpoint: Path, weights: Path) -> dict[str, Any]:
    """What one should know of the weights: data, command, seed, loss, date."""
    saved = read_run(checkpoint)
    trained = load_trained(weights)
    text = load_text("shakespeare")
    excerpt = text[int(0.9 * len(text)) :][:EXCERPT]
    best = min(saved["history"], key=lambda point: point["validation"])
    return {
        "data": "tiny Shakespeare, public domain; first 90 % of its characters",
        "data_sha256": saved["text"],
        "command": COMMAND,
        "seed": saved["plan"]["seed"],
        "steps": best["step"],
        "validation_loss": round(best["validation"], 4),
        "validation": "all of the last 10 %, windows of the context, nats a character",
        "excerpt": excerpt,
        "excerpt_loss": round(mean_loss(trained, excerpt), 4),
        "parameters": count_parameters(trained.model),
        "model": saved["model_config"],
        "date": datetime.now(UTC).date().isoformat(),
        "torch": torch.__version__,
        "threads": torch.get_num_threads(),
        "sha256": hashlib.sha256(weights.read_bytes()).hexdigest(),
    }


def ship(checkpoint: Path, folder: Path) -> dict[str, Any]:
    """Write `mini-gpt.safetensors`, float16, and its card `mini-gpt.json`."""
    weights = folder / f"{NAME}.safetensors"
    save_plain(weights, load_trained(checkpoint), "float16")
    made = card(checkpoint, weights)
    text = json.dumps(made, indent=1) + "\n"
    write_whole(folder / f"{NAME}.json", lambda file: file.write(text.encode()))
    return made


# --8<-- [end:ship]


def train(folder: Path) -> bool:
    """Train into a folder; returns False if it was stopped by Ctrl-C."""
    plan = make_plan({"data": "shakespeare", "preset": "playground"})
    corpus = load_corpus(plan.data, plan.tokenizer, folder)
    return fit(Run(plan, corpus, Processes(0, 1, pick_device()), folder))


def main(arguments: Sequence[str] | None = None) -> int:
    """Read the command line, train, write; returns the exit code, 130 for Ctrl-C."""
    parser = argparse.ArgumentParser(prog=COMMAND, description=__doc__)
    here = Path(__file__).parents[1] / "data"
    parser.add_argument("--out", type=Path, default=here, help="default snippets/data")
    options = parser.parse_args(arguments)
    options.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        if not train(Path(folder)):
            return 130
        made = ship(Path(folder) / "best.pt", options.out)
    print(
        f"validation loss {made['validation_loss']}: {options.out / NAME}.safetensors"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
