"""What augmentation is worth on the handwritten digits, with five seeds.

    python -m benchmarks.augmentation --record     ten minutes

What was found is kept in `snippets/data/augmentation.json`, from which the page on
transforms draws. All accuracies are of validation data.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from torch import Tensor
from torchvision.transforms import v2  # type: ignore[import-untyped]

from benchmarks import record
from snippets.augmentation import TransformedDigits, validation_curve
from snippets.digits import Digits, split_digits

SEEDS = range(5)
EPOCHS = 120
BILINEAR = v2.InterpolationMode.BILINEAR
WAYS: dict[str, Callable[[Tensor], Tensor]] = {
    "none": v2.Identity(),
    "mild": v2.RandomAffine(10, scale=(0.9, 1.1), interpolation=BILINEAR),
    "strong": v2.RandomAffine(45, translate=(0.25, 0.25), interpolation=BILINEAR),
    "upside down": v2.RandomVerticalFlip(),
}
CASES = [(50, ["none", "mild"]), (150, list(WAYS)), (1197, ["none", "mild"])]


def measure(
    cases: Iterable[tuple[int, Sequence[str]]] = CASES,
    seeds: Sequence[int] = SEEDS,
    epochs: int = EPOCHS,
) -> list[dict[str, Any]]:
    """Validation accuracy during training, for numbers of images and augmentations."""
    train, validation, _ = split_digits()
    found = []
    for images, ways in cases:
        few = Digits(train.images[:images], train.labels[:images])
        for way in ways:
            data = TransformedDigits(few, WAYS[way])
            for seed in seeds:
                accuracies = validation_curve(data, validation, epochs, seed)
                common = {"images": images, "augmentation": way, "seed": seed}
                found.append(common | {"accuracies": accuracies})
                print(*common.values(), f"{accuracies[-1]:.3f}", flush=True)
    return found


if __name__ == "__main__":
    record.main("augmentation", __doc__, measure)
