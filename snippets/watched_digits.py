"""Train the classifier of the digits, and log what there is to see.

    python watched_digits.py runs

writes six runs into the folder `runs`. Then `tensorboard --logdir runs` shows them.
"""

# --8<-- [start:imports]
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from torch.utils.tensorboard import SummaryWriter

from snippets.digit_classifier import (
    DigitConfig,
    DigitMLP,
    Evaluation,
    MiniBatches,
    evaluate,
)
from snippets.digits import Digits, split_digits
from snippets.modes import evaluating

# --8<-- [end:imports]


# --8<-- [start:settings]
@dataclass(frozen=True)
class Settings:
    """What may differ between two runs."""

    lr: float = 0.1
    d_hidden: int = 64

    @property
    def name(self) -> str:
        """A folder's name that tells the runs apart."""
        return f"lr={self.lr:g},hidden={self.d_hidden}"


EPOCHS, BATCH_SIZE = 10, 32
ALL_SETTINGS = [
    *(Settings(lr=lr, d_hidden=width) for lr in (0.01, 0.1) for width in (8, 64)),
    *(Settings(lr=lr) for lr in (1.0, 3.0)),
]
# --8<-- [end:settings]


# --8<-- [start:watch]
def watch(folder: Path, settings: Settings) -> Evaluation:
    """Train one model with SGD, log it into `folder`; returns the last evaluation.

    The step is the number of batches so far, for all that is logged, so that curves of
    training and validation lie over each other.
    """
    train, validation, _ = split_digits()
    torch.manual_seed(0)
    model = DigitMLP(DigitConfig(d_hidden=settings.d_hidden))
    optimizer = torch.optim.SGD(model.parameters(), lr=settings.lr)
    batches, step = MiniBatches(train, BATCH_SIZE), 0
    with SummaryWriter(str(folder)) as writer:
        for _ in range(EPOCHS):
            model.train()
            for images, labels in batches:
                loss = F.cross_entropy(model(images), labels)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                step += 1
                writer.add_scalar("loss/train", loss.item(), step)
            result = look(writer, model, validation, step)
            writer.flush()
        outcome = {"final/accuracy": result.accuracy, "final/loss": result.loss}
        writer.add_hparams(asdict(settings), outcome, run_name=".")  # the same folder
    return result


# --8<-- [end:watch]


# --8<-- [start:look]
def look(
    writer: SummaryWriter, model: DigitMLP, validation: Digits, step: int
) -> Evaluation:
    """After an epoch: two scalars, histograms, and the images that are misread."""
    result = evaluate(model, [validation])
    writer.add_scalar("loss/validation", result.loss, step)
    writer.add_scalar("accuracy/validation", result.accuracy, step)
    for name, parameter in model.named_parameters():
        writer.add_histogram(f"weight/{name}", parameter, step)
        writer.add_histogram(f"grad/{name}", parameter.grad, step)
    with torch.no_grad(), evaluating(model):
        wrong = model(validation.images).argmax(dim=1) != validation.labels  # (N,)
    if wrong.any():
        paper = 1 - validation.images[wrong][:32]  # (32, 1, 8, 8), black on white
        framed = F.pad(paper, (1, 1, 1, 1), value=1)  # (32, 1, 10, 10)
        writer.add_images("mistakes", F.interpolate(framed, scale_factor=4), step)
    return result


# --8<-- [end:look]


# --8<-- [start:main]
def watch_all(root: str | Path) -> dict[str, Evaluation]:
    """A run for each of the settings, in a folder of its own below `root`."""
    return {s.name: watch(Path(root) / s.name, s) for s in ALL_SETTINGS}


if __name__ == "__main__":
    for name, result in watch_all(sys.argv[1]).items():
        print(f"{name:<20} {result.accuracy:.1%}")
# --8<-- [end:main]
