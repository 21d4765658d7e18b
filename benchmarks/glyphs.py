"""What the pages on convolution and on transfer learning compare, with five seeds.

    python -m benchmarks.glyphs shift --record     a minute
    python -m benchmarks.glyphs transfer --record  ten minutes

What was found is kept in `snippets/data/glyphs.json`, from which the pages draw. All
accuracies are of validation data.
"""

import argparse
import string
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import nn

from benchmarks.record import keep, machine
from snippets.blocks import mlp
from snippets.digit_classifier import MiniBatches, evaluate, train_epoch
from snippets.digits import Digits, split_digits
from snippets.glyph_classifier import (
    enlarged,
    flat_cnn,
    pooled_cnn,
    shifted,
    some,
    two_rates,
    with_new_head,
)
from snippets.glyphs import TRAIN_FONTS, glyphs, split_glyphs

SEEDS = range(5)
SHIFTS = range(7)
NETWORKS: dict[str, Callable[[], nn.Sequential]] = {
    "MLP": lambda: nn.Sequential(nn.Flatten(), mlp([784, 64, 10])),
    "CNN, flattened": flat_cnn,
    "CNN, pooled": pooled_cnn,
}
STEPS = 300  # of training on handwriting, 20 images each
# what was pretrained on, and pairs of learning rates: of the body, of the head
METHODS: dict[str, tuple[str, list[tuple[float, float]]]] = {
    "from scratch": ("", [(r, r) for r in (1e-3, 3e-3, 1e-2)]),
    "frozen": ("digits", [(0, r) for r in (3e-3, 1e-2, 3e-2)]),
    "one rate": ("digits", [(r, r) for r in (1e-3, 3e-3, 1e-2)]),
    "two rates": ("digits", [(r / 10, r) for r in (3e-3, 1e-2, 3e-2)]),
    "letters, two rates": ("letters", [(r / 10, r) for r in (3e-3, 1e-2, 3e-2)]),
}


def shift(
    networks: dict[str, Callable[[], nn.Sequential]] = NETWORKS,
    seeds: Iterable[int] = SEEDS,
) -> list[dict[str, Any]]:
    """Accuracy of each network on validation fonts, moved by 0 to 6 pixels."""
    train, validation = split_glyphs()
    moved = [shifted(validation, pixels) for pixels in SHIFTS]
    found = []
    for name, network in networks.items():
        for seed in seeds:
            torch.manual_seed(seed)
            model = network()
            optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
            batches = MiniBatches(train, 32, seed)
            for _ in range(5):
                train_epoch(model, batches, optimizer)
            accuracies = [evaluate(model, [data]).accuracy for data in moved]
            found.append({"network": name, "seed": seed, "accuracies": accuracies})
            print(name, seed, *(f"{accuracy:.3f}" for accuracy in accuracies))
    return found


def pretrain(characters: str, epochs: int, seed: int) -> nn.Sequential:
    """A network that reads these printed characters."""
    data = glyphs(TRAIN_FONTS, copies=20, seed=0, characters=characters)
    torch.manual_seed(seed)
    model = pooled_cnn(len(characters))
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    batches = MiniBatches(data, 32, seed)
    for _ in range(epochs):
        train_epoch(model, batches, optimizer)
    return model


def adapt(model: nn.Sequential, train: Digits, rates: tuple[float, float]) -> None:
    """Train on handwriting, as many steps for any number of labels."""
    batches = MiniBatches(train, 20)
    optimizer = two_rates(model, *rates)
    for _ in range(round(STEPS / len(batches))):
        train_epoch(model, batches, optimizer)


def transfer() -> list[dict[str, Any]]:
    """Accuracy on handwritten digits for each method, with each pair of rates."""
    train, validation, _ = (enlarged(part) for part in split_digits())
    found = []
    for seed in SEEDS:
        printed = {
            "digits": pretrain(string.digits, 5, seed),
            "letters": pretrain(string.ascii_uppercase, 3, seed),
        }
        accuracy = evaluate(printed["digits"], [validation]).accuracy
        common: dict[str, Any] = {"method": "not adapted", "seed": seed, "labels": 0}
        found.append(common | {"rates": (0, 0), "accuracy": accuracy})
        for labels in (30, 100, 300):
            few = some(train, labels, seed)
            for method, (source, pairs) in METHODS.items():
                for rates in pairs:
                    torch.manual_seed(seed)
                    before = printed[source] if source else pooled_cnn()
                    model = with_new_head(before)
                    adapt(model, few, rates)
                    accuracy = evaluate(model, [validation]).accuracy
                    common = {"method": method, "seed": seed, "labels": labels}
                    found.append(common | {"rates": rates, "accuracy": accuracy})
                    print(*found[-1].values(), flush=True)
    return found


def main() -> None:
    """Run what the command line names, and keep it if asked to."""
    parser = argparse.ArgumentParser(description=__doc__)
    kinds = {"shift": shift, "transfer": transfer}
    parser.add_argument("kind", choices=kinds)
    parser.add_argument("--record", action="store_true", help="write glyphs.json")
    options = parser.parse_args()
    torch.set_num_threads(1)
    runs = kinds[options.kind]()
    if options.record:
        command = f"python -m benchmarks.glyphs {options.kind} --record"
        found = {"command": command, "machine": machine(), "runs": runs}
        keep("glyphs", found, part=options.kind)


if __name__ == "__main__":
    main()
