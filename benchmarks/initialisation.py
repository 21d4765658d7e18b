"""Twenty hidden layers, trained from PyTorch's default and from He's weights.

    python -m benchmarks.initialisation

Five seeds at each of three learning rates; accuracy on the validation split of the
digits. With `--record`, what was found is kept in `snippets/data/initialisation.json`,
from which the page on initialisation draws.
"""

import argparse
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from benchmarks.record import keep, machine
from snippets.deep_classifier import accuracies, deep_classifier
from snippets.digits import split_digits
from snippets.initialisation import he_normal_

STARTS: dict[str, Callable[[Tensor], object] | None] = {
    "default": None,
    "He": he_normal_,
}
RATES = (1e-4, 3e-4, 1e-3)
SEEDS = range(5)


def curves(
    start: str, lr: float, depth: int, epochs: int, every: int
) -> list[list[float]]:
    """For each seed, the accuracy after every so many epochs."""
    train, validation, _ = split_digits()
    found = []
    for seed in SEEDS:
        torch.manual_seed(seed)
        model = deep_classifier(depth, STARTS[start])
        curve = accuracies(model, train, validation, lr, epochs, seed)
        found.append([round(accuracy, 4) for accuracy in curve[every - 1 :: every]])
    return found


def measure(depth: int, epochs: int, every: int) -> list[dict[str, Any]]:
    """All starts and rates; prints a line for each."""
    runs = []
    for start in STARTS:
        for lr in RATES:
            found = curves(start, lr, depth, epochs, every)
            runs.append({"start": start, "lr": lr, "accuracy": found})
            std, mean = torch.std_mean(torch.tensor(found)[:, -1])
            print(f"{start:<8} {lr:<7} accuracy {mean:.3f} ± {std:.3f}", flush=True)
    return runs


def main() -> None:
    """Read the command line and measure."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.initialisation",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--depth", type=int, default=20)
    parser.add_argument("--epochs", type=int, default=60)
    parser.add_argument("--every", type=int, default=5)
    parser.add_argument("--record", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(1)
    record = {
        "command": "python -m benchmarks.initialisation"
        f" --depth {options.depth} --epochs {options.epochs} --every {options.every}",
        "machine": machine(),
        "depth": options.depth,
        "every": options.every,
        "runs": measure(options.depth, options.epochs, options.every),
    }
    if options.record:
        keep("initialisation", record)


if __name__ == "__main__":
    main()
