"""The smallest task in context: a table of letters that only the prompt holds.

Brown et al., "Language Models are Few-Shot Learners" (2020), sections 1 and 2, made
small. Axes: `B` batch, `T` tokens, `P` pairs.
"""

# --8<-- [start:imports]
from collections.abc import Iterator
from functools import partial

import torch
from torch import Tensor

from snippets.attention import initialize_weights
from snippets.gpt import GPT, CharTokenizer, GPTConfig, next_token_loss, shift

# --8<-- [end:imports]


# --8<-- [start:rows]
K, PAIRS = 4, 8  # letters a … d, answers W … Z; pairs in a row
LETTERS = CharTokenizer("WXYZabcd")  # answers are ids 0 … 3, letters 4 … 7


def letter_rows(B: int, generator: torch.Generator | None = None) -> Tensor:
    """B rows of letter, answer, letter, answer … (B, 2 · PAIRS).

    Each row draws a table of its own: which letter has which of the answers.
    """
    table = torch.rand(B, K, generator=generator).argsort(dim=1)  # answers, shuffled
    letters = torch.randint(K, (B, PAIRS), generator=generator)  # (B, P)
    answers = table.gather(1, letters)  # (B, P)
    return torch.stack([K + letters, answers], dim=-1).flatten(1)


# --8<-- [end:rows]


# --8<-- [start:train]
def letter_model(n_layers: int = 2, seed: int = 0) -> GPT:
    """A GPT for rows of letters; it starts from larger weights than usual."""
    torch.manual_seed(seed)
    config = GPTConfig(2 * K, 2 * PAIRS, d_model=64, n_heads=4, n_layers=n_layers)
    return GPT(config).apply(partial(initialize_weights, std=0.2))


def learn_letters(model: GPT, steps: int, highest: float = 3e-3) -> Iterator[float]:
    """Train on rows drawn for each step; yield each loss, of the answers alone."""
    optimizer = torch.optim.AdamW(model.parameters())
    for step in range(steps):
        rate = highest * min((step + 1) / 50, 1, 4 * (1 - step / steps))
        optimizer.param_groups[0]["lr"] = rate
        inputs, targets = shift(letter_rows(B=64))
        loss = next_token_loss(model(inputs)[:, ::2], targets[:, ::2])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        yield loss.item()


# --8<-- [end:train]


# --8<-- [start:measure]
@torch.no_grad()
def right_answers(model: GPT, rows: Tensor) -> Tensor:
    """Where the likeliest answer is the right one: (B, P)."""
    inputs, targets = shift(rows)
    return model(inputs)[:, ::2].argmax(dim=-1) == targets[:, ::2]


def seen_before(rows: Tensor) -> Tensor:
    """Where the letter in question stands in an earlier example of its row: (B, P)."""
    letters = rows[:, ::2]
    same = letters[:, :, None] == letters[:, None, :]  # (B, P, P)
    return same.tril(-1).any(dim=-1)


# --8<-- [end:measure]
