"""A complete training program: a small network learns to read handwritten digits.

    python train_digits.py --out runs/first
    python train_digits.py --out runs/first --resume
    python train_digits.py --out runs/first --resume --test

The second line goes on after a stop; the third also opens the test split, once.
"""

# --8<-- [start:imports]
import argparse
import json
import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, get_device_module, nn
from torch.optim.lr_scheduler import LambdaLR
from torch.utils.data import DataLoader, Dataset, TensorDataset
from torch.utils.tensorboard import SummaryWriter

from snippets.devices import pick_device
from snippets.digits import Digits, split_digits

# --8<-- [end:imports]


# --8<-- [start:settings]
@dataclass(frozen=True)
class Settings:
    """What decides the result. Raises ValueError for what cannot be."""

    lr: float
    batch_size: int
    epochs: int
    seed: int

    def __post_init__(self) -> None:
        if not (0 < self.lr < math.inf and self.batch_size > 0 and self.epochs > 0):
            raise ValueError(f"lr, batch_size and epochs must be above 0: {self}")


# --8<-- [end:settings]


# --8<-- [start:data]
class ShiftedDigits(Dataset[tuple[Tensor, Tensor]]):
    """Digits (1, 8, 8) and labels; each time moved by up to a pixel, at random."""

    def __init__(self, data: Digits) -> None:
        self.labels = data.labels  # (N,)
        self.padded = F.pad(data.images, (1, 1, 1, 1))  # (N, 1, 10, 10)

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        top, left = torch.randint(3, (2,)).tolist()
        image = self.padded[index, :, top : top + 8, left : left + 8]
        return image, self.labels[index]


# --8<-- [end:data]


# --8<-- [start:model]
def make_model(a: int = 16, b: int = 32) -> nn.Sequential:
    """Two convolutions and a linear layer: images (B, 1, 8, 8) to logits (B, 10)."""
    first = [nn.Conv2d(1, a, 3, padding=1), nn.BatchNorm2d(a), nn.ReLU()]
    second = [nn.Conv2d(a, b, 3, padding=1), nn.BatchNorm2d(b), nn.ReLU()]
    head = [nn.MaxPool2d(2), nn.Flatten(), nn.Dropout(0.3), nn.Linear(b * 16, 10)]
    return nn.Sequential(*first, *second, *head)


# --8<-- [end:model]


# --8<-- [start:schedule]
def rate_factor(step: int, total: int) -> float:
    """Up in a line for a tenth of the steps, then down along half a cosine."""
    warmup = math.ceil(total / 10)
    if step < warmup:
        return (step + 1) / warmup
    return 0.5 * (1 + math.cos(math.pi * (step - warmup) / max(1, total - warmup)))


# --8<-- [end:schedule]


# --8<-- [start:run]
class Run:
    """Everything that changes during a training; its state is a checkpoint."""

    def __init__(self, settings: Settings, device: torch.device) -> None:
        torch.manual_seed(settings.seed)
        self.settings, self.device = settings, device
        self.epoch, self.best = 0, math.inf  # epochs done, lowest validation loss
        train, validation, _ = split_digits()
        data, size = ShiftedDigits(train), settings.batch_size
        self.order = torch.Generator().manual_seed(settings.seed)
        self.train = DataLoader(data, size, shuffle=True, generator=self.order)
        self.validation = DataLoader(TensorDataset(*validation), batch_size=300)
        self.model = make_model().to(device)
        self.optimizer = torch.optim.AdamW(self.model.parameters(), settings.lr)
        total = settings.epochs * len(self.train)
        self.scheduler = LambdaLR(self.optimizer, lambda step: rate_factor(step, total))

    def state_dict(self) -> dict[str, Any]:
        """Tensors and plain values, for `torch.save`."""
        parts = ("model", "optimizer", "scheduler")
        state = {name: getattr(self, name).state_dict() for name in parts}
        state |= {"random": torch.get_rng_state(), "order": self.order.get_state()}
        if self.device.type != "cpu":  # where dropout draws
            state["device"] = get_device_module(self.device).get_rng_state(self.device)
        plain = {"epoch": self.epoch, "best": self.best}
        return state | plain | {"settings": asdict(self.settings)}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from there. Raises ValueError if that run has other settings."""
        if state["settings"] != asdict(self.settings):
            raise ValueError(f"that run has {Settings(**state['settings'])}")
        for name in ("model", "optimizer", "scheduler"):
            getattr(self, name).load_state_dict(state[name])
        self.epoch, self.best = state["epoch"], state["best"]
        torch.set_rng_state(state["random"])
        self.order.set_state(state["order"])
        if self.device.type != "cpu" and "device" in state:
            get_device_module(self.device).set_rng_state(state["device"], self.device)


# --8<-- [end:run]


# --8<-- [start:files]
def save(path: Path, content: dict[str, Any]) -> None:
    """Write a file whole or not at all."""
    part = path.with_suffix(".part")
    torch.save(content, part)
    part.replace(path)


def load(path: Path) -> dict[str, Any]:
    """What `save` wrote, on the CPU."""
    return torch.load(path, map_location="cpu", weights_only=True)


# --8<-- [end:files]


# --8<-- [start:epoch]
def train_epoch(run: Run) -> float:
    """A step for each batch; the mean loss. Raises FloatingPointError for inf, NaN."""
    run.model.train()
    total, count = torch.zeros((), device=run.device), 0  # a sum that is read once
    for images, labels in run.train:
        images, labels = images.to(run.device), labels.to(run.device)
        with torch.autocast("cuda", torch.bfloat16, run.device.type == "cuda"):
            loss = F.cross_entropy(run.model(images), labels)
        run.optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(run.model.parameters(), max_norm=1.0)
        run.optimizer.step()
        run.scheduler.step()
        total += loss.detach() * len(labels)
        count += len(labels)
    if not total.isfinite():
        raise FloatingPointError(f"the loss is {total} in epoch {run.epoch + 1}")
    return total.item() / count


@torch.inference_mode()
def evaluate(run: Run, batches: DataLoader[Any]) -> tuple[float, float]:
    """Mean loss and accuracy of the model as it is, without autocast."""
    run.model.eval()
    loss, right, count = 0.0, 0, 0
    for images, labels in batches:
        images, labels = images.to(run.device), labels.to(run.device)
        logits = run.model(images)  # (B, 10)
        loss += F.cross_entropy(logits, labels, reduction="sum").item()
        right += (logits.argmax(dim=1) == labels).sum().item()
        count += len(labels)
    return loss / count, right / count


# --8<-- [end:epoch]


# --8<-- [start:fit]
def fit(run: Run, out: Path) -> None:
    """Train to the last epoch; after each, write the log, `best.pt` and `last.pt`."""
    with SummaryWriter(str(out), purge_step=run.epoch + 1) as writer:
        while run.epoch < run.settings.epochs:
            trained = train_epoch(run)
            loss, accuracy = evaluate(run, run.validation)
            run.epoch += 1
            writer.add_scalar("loss/train", trained, run.epoch)
            writer.add_scalar("loss/validation", loss, run.epoch)
            writer.add_scalar("accuracy/validation", accuracy, run.epoch)
            writer.add_scalar("lr", run.scheduler.get_last_lr()[0], run.epoch)
            if loss < run.best:
                run.best = loss
                save(out / "best.pt", run.state_dict())
            save(out / "last.pt", run.state_dict())  # second: it knows of the best
            print(f"epoch {run.epoch:>2}: loss {trained:.3f}", end=", ")
            print(f"validation {loss:.3f}, {accuracy:.1%}")


# --8<-- [end:fit]


# --8<-- [start:test]
def open_test_split(run: Run, out: Path) -> None:
    """Measure the best model on the test split, and write down what was found."""
    run.model.load_state_dict(load(out / "best.pt")["model"])
    test = TensorDataset(*split_digits()[2])
    loss, accuracy = evaluate(run, DataLoader(test, batch_size=300))
    error = math.sqrt(accuracy * (1 - accuracy) / len(test))
    found = {"loss": loss, "accuracy": accuracy, "standard_error": error}
    (out / "test.json").write_text(json.dumps(found), "utf8")
    print(f"test: {100 * accuracy:.1f} %, standard error {100 * error:.1f}")


# --8<-- [end:test]


# --8<-- [start:main]
def prepare(options: argparse.Namespace) -> tuple[Run, Path]:
    """The run that is asked for, new or resumed. Raises ValueError and OSError."""
    settings = Settings(options.lr, options.batch_size, options.epochs, options.seed)
    run, out = Run(settings, pick_device(options.device)), Path(options.out)
    if options.resume:
        run.load_state_dict(load(out / "last.pt"))
    elif (out / "last.pt").exists():
        raise ValueError(f"there is a run in {out}: --resume it, or take another --out")
    if options.test and (out / "test.json").exists():
        raise ValueError(f"the test split has been opened: see {out / 'test.json'}")
    out.mkdir(parents=True, exist_ok=True)
    return run, out


def main(arguments: list[str] | None = None) -> None:
    """Read the command line, train, and perhaps test."""
    parser = argparse.ArgumentParser(description="Train a classifier of digits.")
    parser.add_argument("--out", default="runs/digits", help="a folder for the run")
    parser.add_argument("--lr", type=float, default=3e-3, help="the highest rate")
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--epochs", type=int, default=15)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, mps, ...")
    parser.add_argument("--resume", action="store_true", help="go on from last.pt")
    parser.add_argument("--test", action="store_true", help="open the test split")
    options = parser.parse_args(arguments)
    try:
        run, out = prepare(options)
    except (ValueError, OSError) as error:
        parser.error(str(error))
    fit(run, out)
    if options.test:
        open_test_split(run, out)


# --8<-- [end:main]

if __name__ == "__main__":
    main()
