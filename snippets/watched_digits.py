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
from tensorboard.compat.proto.event_pb2 import Event

from snippets.digit_classifier import (
    DigitConfig,
    DigitMLP,
    Evaluation,
    MiniBatches,
    evaluate,
)
from snippets.digits import Digits, split_digits
from snippets.model_graph import model_graph
from snippets.modes import evaluating
from snippets.run_log import RunLog, image_grid

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
    batches = MiniBatches(train, BATCH_SIZE)
    step = 0
    with RunLog(folder) as log:
        graph = model_graph(model, train.images[:2]).SerializeToString()
        event = Event(graph_def=graph)
        # for PyTorch's types a new writer has no file yet
        log.writer.file_writer.add_event(event)  # type: ignore[attr-defined]
        for _ in range(EPOCHS):
            model.train()
            for images, labels in batches:
                loss = F.cross_entropy(model(images), labels)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                step += 1
                log.scalar("loss/train", loss, step)
            result = look(log, model, validation, step)
        log_settings(log, settings, result)
    return result


# --8<-- [end:watch]


# --8<-- [start:look]
def look(log: RunLog, model: DigitMLP, validation: Digits, step: int) -> Evaluation:
    """After an epoch: two scalars, the parameters, and what is named wrong."""
    result = evaluate(model, [validation])
    log.scalar("loss/validation", result.loss, step)
    log.scalar("accuracy/validation", result.accuracy, step)
    log.parameters(model, step)
    with torch.no_grad(), evaluating(model):
        wrong = model(validation.images).argmax(dim=1) != validation.labels  # (N,)
    mistakes = validation.images[wrong][:32]  # (32, 1, 8, 8)
    if len(mistakes):
        log.image("mistakes", 1 - image_grid(mistakes, columns=8, zoom=4), step)
    return result


def log_settings(log: RunLog, settings: Settings, result: Evaluation) -> None:
    """The table of runs: what was chosen, and what came out."""
    outcome = {"final/accuracy": result.accuracy, "final/loss": result.loss}
    log.writer.add_hparams(asdict(settings), outcome, run_name=".")  # the same folder


# --8<-- [end:look]


# --8<-- [start:main]
def watch_all(root: str | Path) -> dict[str, Evaluation]:
    """A run for each of the settings, in a folder of its own below `root`."""
    return {s.name: watch(Path(root) / s.name, s) for s in ALL_SETTINGS}


if __name__ == "__main__":
    for name, result in watch_all(sys.argv[1]).items():
        print(f"{name:<20} {result.accuracy:.1%}")
# --8<-- [end:main]
