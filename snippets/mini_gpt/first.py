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
Points = list[tuple[int, float, float]]  # step, loss of its batch, validation loss


def random_batch(ids: Tensor) -> tuple[Tensor, Tensor]:
    """B windows from random places, and what follows each of their characters."""
    windows = ids[torch.randint(len(ids) - T, (B, 1)) + torch.arange(T + 1)]
    return windows[:, :-1], windows[:, 1:]  # of (B, T + 1), so (B, T) each


def loss_of(model: nn.Module, inputs: Tensor, targets: Tensor) -> Tensor:
    """The mean cross-entropy, in nats a character."""
    return F.cross_entropy(model(inputs).flatten(0, 1), targets.flatten())


@torch.no_grad()
def evaluate(model: nn.Module, ids: Tensor) -> float:
    """The mean loss over a whole split, one window after the other."""
    model.eval()
    batches = ids.unfold(0, T + 1, T).split(B)  # each (B, T + 1), the last may be less
    total = sum(len(b) * loss_of(model, b[:, :-1], b[:, 1:]).item() for b in batches)
    model.train()
    return total / sum(len(b) for b in batches)


def learning_rate(step: int, steps: int, peak: float) -> float:
    """A line up over the first tenth of the steps, then half a cosine to a tenth."""
    warmup = steps // 10
    wave = (1 + math.cos(math.pi * (step - warmup) / (steps - warmup))) / 2
    return peak * step / warmup if step <= warmup else peak * (0.1 + 0.9 * wave)


def make_optimizer(model: nn.Module) -> torch.optim.AdamW:
    """AdamW with weight decay for matrices; biases and norms have none."""
    matrices = [p for p in model.parameters() if p.dim() >= 2]
    vectors = [p for p in model.parameters() if p.dim() < 2]
    groups: list[Any] = [{"params": matrices}, {"params": vectors, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, betas=(0.9, 0.95), weight_decay=0.1)


def train(model: GPT2, learn: Tensor, check: Tensor, steps: int, peak: float) -> Points:
    """Train on one split; every hundred steps, print and keep how it goes."""
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
    """Draw `n` more characters, one after the other, at temperature 0.8."""
    model.eval()
    for _ in range(n):
        logits = model(torch.tensor([tokenizer.encode(text)[-T:]]))[0, -1]  # (V,)
        text += tokenizer.decode(torch.multinomial((logits / 0.8).softmax(dim=0), 1))
    return text


def main(path: str = "") -> None:
    """Train on a text, save the model, let it write."""
    text = Path(path).read_text("utf8") if path else read_data("tales.txt").decode()
    tokenizer, V = CharTokenizer(text), len(set(text))
    ids = torch.tensor(tokenizer.encode(text), device=DEVICE)
    learn, check = ids[: int(0.9 * len(ids))], ids[int(0.9 * len(ids)) :]
    if len(check) <= T:
        raise ValueError(f"{len(ids)} characters: a text needs {10 * T + 10} or more")
    torch.manual_seed(0)
    model = GPT2(GPT2Config(V, T, d_model=128, n_heads=4, n_layers=4)).to(DEVICE)
    train(model, learn, check, STEPS, LR)
    saved = {"config": asdict(model.config), "characters": "".join(sorted(set(text)))}
    torch.save(saved | {"model": model.cpu().state_dict()}, "first.pt")
    print(write(model, tokenizer, text[0], 300))


# --8<-- [end:program]
if __name__ == "__main__":
    main(*sys.argv[1:])
