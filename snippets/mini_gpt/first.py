"""Train a GPT on the characters of a text: `python first.py mytext.txt`.

A whole training in one short file. Without a text, on the book's tales. Leaves the
model in `first.pt`.
"""

# --8<-- [start:program]
import math
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from snippets.data import read_data
from snippets.gpt import CharTokenizer
from snippets.mini_gpt.model import GPT2, GPT2Config

B, T, STEPS, LR = 16, 64, 1000, 3e-3  # windows a step, characters in each
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"


def random_batch(ids: Tensor) -> tuple[Tensor, Tensor]:
    """B windows from random places, and what follows each of their characters."""
    starts = torch.randint(len(ids) - T, (B, 1))
    windows = ids[starts + torch.arange(T + 1)]  # (B, T + 1)
    return windows[:, :-1], windows[:, 1:]  # (B, T) each


def loss_of(model: nn.Module, inputs: Tensor, targets: Tensor) -> Tensor:
    """The mean cross-entropy, in nats a character."""
    return F.cross_entropy(model(inputs).flatten(0, 1), targets.flatten())


@torch.no_grad()
def evaluate(model: nn.Module, ids: Tensor) -> float:
    """The mean loss over a whole split, cut into windows side by side."""
    model.eval()
    n = (len(ids) - 1) // T
    inputs, targets = ids[: n * T].view(n, T), ids[1 : n * T + 1].view(n, T)
    pairs = zip(inputs.split(B), targets.split(B), strict=True)
    total = sum(len(x) * loss_of(model, x, y).item() for x, y in pairs)
    model.train()
    return total / n


def learning_rate(step: int, steps: int, peak: float) -> float:
    """A line up over the first tenth of the steps, then half a cosine to a tenth."""
    warmup = steps // 10
    if step <= warmup:
        return peak * step / warmup
    wave = (1 + math.cos(math.pi * (step - warmup) / (steps - warmup))) / 2
    return peak * (0.1 + 0.9 * wave)


def make_optimizer(model: nn.Module) -> torch.optim.AdamW:
    """AdamW with weight decay for matrices; biases and norms have none."""
    matrices = [p for p in model.parameters() if p.dim() >= 2]
    vectors = [p for p in model.parameters() if p.dim() < 2]
    groups: list[Any] = [{"params": matrices}]
    groups += [{"params": vectors, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, betas=(0.9, 0.95), weight_decay=0.1)


def train(
    model: nn.Module, learn: Tensor, check: Tensor, steps: int = STEPS, peak: float = LR
) -> list[tuple[int, float, float]]:
    """Train; print and return steps, losses of a batch and of the validation split."""
    optimizer, points = make_optimizer(model), []
    for step in range(1, steps + 1):
        loss = loss_of(model, *random_batch(learn))
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), max_norm=1.0)
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(step, steps, peak)
        optimizer.step()
        if step % 100 == 0 or step == steps:
            points.append((step, loss.item(), evaluate(model, check)))
            print("step {}: batch {:.3f}, validation {:.3f}".format(*points[-1]))
    return points


@torch.no_grad()
def write(model: nn.Module, tokenizer: CharTokenizer, text: str, n: int) -> str:
    """Draw `n` more characters, one after the other."""
    model.eval()
    for _ in range(n):
        ids = torch.tensor([tokenizer.encode(text)[-T:]], device=DEVICE)
        odds = (model(ids)[0, -1] / 0.8).softmax(dim=0)  # (V,)
        text += tokenizer.decode(torch.multinomial(odds, 1))
    return text


def main(path: str = "") -> None:
    """Train on a text, save the model, let it write."""
    text = Path(path).read_text("utf8") if path else read_data("tales.txt").decode()
    tokenizer = CharTokenizer(text)
    ids = torch.tensor(tokenizer.encode(text), device=DEVICE)
    learn, check = ids[: int(0.9 * len(ids))], ids[int(0.9 * len(ids)) :]
    if len(check) <= T:
        raise ValueError(f"{len(ids)} characters: a text needs {10 * T + 10} or more")
    torch.manual_seed(0)
    V = len(tokenizer.characters)
    config = GPT2Config(V, T, d_model=128, n_heads=4, n_layers=4)
    model = GPT2(config).to(DEVICE)
    train(model, learn, check)
    saved = {"config": asdict(config), "characters": "".join(tokenizer.characters)}
    torch.save(saved | {"model": model.state_dict()}, "first.pt")
    print(write(model, tokenizer, text[0], 300))


# --8<-- [end:program]
if __name__ == "__main__":
    main(*sys.argv[1:])
