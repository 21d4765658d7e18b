"""GPT: shift by one, a causal mask, a loop. What day 6 builds its program on.

Radford et al., "Improving Language Understanding by Generative Pre-Training" (2018);
the model has the structure of GPT-2 (Radford et al., 2019, section 2.3). Axes: `B`
batch, `T` tokens, `C = d_model` channels, `V` vocabulary.
"""

# --8<-- [start:imports]
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import SupportsIndex

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from snippets.attention import MultiHeadAttention, causal_mask, initialize_weights
from snippets.modes import evaluating
from snippets.token_ids import check_range, check_shape
from snippets.tokenizers.checks import check_text, checked_ids

# --8<-- [end:imports]


# --8<-- [start:characters]
class CharTokenizer:
    """Each character of a text is a token; ids follow the order of code points."""

    def __init__(self, text: str) -> None:
        self.characters = sorted(set(text))
        self.ids = {char: number for number, char in enumerate(self.characters)}

    def encode(self, text: str) -> list[int]:
        """The ids of a text; raises ValueError for a character that is not known."""
        unknown = sorted(set(check_text(text)) - self.ids.keys())
        if unknown:
            raise ValueError(f"characters {unknown} are not in the vocabulary")
        return [self.ids[char] for char in text]

    def decode(self, ids: Iterable[SupportsIndex]) -> str:
        """The text of the ids: a list, or an array or tensor with one axis.

        Raises ValueError for an id that no character has, TypeError for what is no id.
        """
        numbers = checked_ids(ids, range(len(self.characters)))
        return "".join(self.characters[number] for number in numbers)


# --8<-- [end:characters]


# --8<-- [start:mask]
def mask_before_softmax(scores: Tensor) -> Tensor:
    """Causal weights from scores (..., T, T): hide the future, then softmax."""
    may = causal_mask(scores.size(-1), scores.device)
    return scores.masked_fill(~may, float("-inf")).softmax(dim=-1)


def mask_after_softmax(scores: Tensor) -> Tensor:
    """The same from a softmax over all scores: zeros, then each row over its sum.

    Becomes NaN in a row where some score of the future is larger by 104 or more
    (float32) than all that are allowed: what is left is rounded to zero, and 0/0.
    """
    may = causal_mask(scores.size(-1), scores.device)
    left = scores.softmax(dim=-1) * may  # rows no longer sum to one
    return left / left.sum(dim=-1, keepdim=True)


# --8<-- [end:mask]


# --8<-- [start:model]
@dataclass(frozen=True)
class GPTConfig:
    """The sizes of a model; as they stand, those of GPT-2 small."""

    vocab_size: int = 50_257
    context_length: int = 1024
    d_model: int = 768
    n_heads: int = 12
    n_layers: int = 12


class GPTBlock(nn.Module):
    """Attention and a feed-forward layer, each on a normalised copy (pre-LN).

    `forward` takes `x` (B, T, C) and the causal mask (T, T), and returns (B, T, C).
    """

    def __init__(self, config: GPTConfig) -> None:
        super().__init__()
        C = config.d_model
        self.norm1 = nn.LayerNorm(C)
        self.attention = MultiHeadAttention(C, config.n_heads)
        self.norm2 = nn.LayerNorm(C)
        self.up = nn.Linear(C, 4 * C)
        self.down = nn.Linear(4 * C, C)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """Add to each token what it finds before it, then what it makes of that."""
        x = x + self.attention(self.norm1(x), mask)
        hidden = F.gelu(self.up(self.norm2(x)), approximate="tanh")  # (B, T, 4C)
        return x + self.down(hidden)


class GPT(nn.Module):
    """A decoder-only Transformer. `forward`: ids (B, T) to logits (B, T, V).

    Raises ValueError for ids without a batch axis, for more tokens than the context
    holds, and for none. Ids must lie in 0 … V - 1: `generate` checks that, a tokenizer
    gives no others.
    """

    def __init__(self, config: GPTConfig) -> None:
        super().__init__()
        self.config = config
        self.token = nn.Embedding(config.vocab_size, config.d_model)
        self.position = nn.Embedding(config.context_length, config.d_model)
        self.blocks = nn.ModuleList(GPTBlock(config) for _ in range(config.n_layers))
        self.norm = nn.LayerNorm(config.d_model)
        self.apply(initialize_weights)

    def forward(self, ids: Tensor) -> Tensor:
        """Score every token of the vocabulary as the next one, at each position."""
        return self.states(ids) @ self.token.weight.T  # (B, T, V); the head is tied

    def states(self, ids: Tensor) -> Tensor:
        """What the model makes of each token and those before it: (B, T, C)."""
        check_shape(ids, self.config.context_length)
        T, device = ids.size(1), ids.device
        places = torch.arange(T, device=device)
        x = self.token(ids) + self.position(places)  # (B, T, C)
        mask = causal_mask(T, device)  # the same in all blocks
        for block in self.blocks:
            x = block(x, mask)
        return self.norm(x)


# --8<-- [end:model]


# --8<-- [start:shift]
def shift(ids: Tensor) -> tuple[Tensor, Tensor]:
    """Inputs and targets from (B, T + 1) ids: position t has to predict id t + 1.

    Returns two tensors (B, T). Raises ValueError for fewer than two ids.
    """
    if ids.size(1) < 2:
        raise ValueError(f"{ids.size(1)} ids a row: at least 2 give a pair")
    return ids[:, :-1], ids[:, 1:]


# --8<-- [end:shift]


# --8<-- [start:loss]
def surprise(logits: Tensor, targets: Tensor) -> Tensor:
    """-log P(target) at each position, in nats (a term of equation 1).

    Shapes: `logits` (..., V), `targets` (...); returns (...).
    """
    log_p = logits.log_softmax(dim=-1)  # (..., V)
    return -log_p.gather(-1, targets[..., None]).squeeze(-1)


def next_token_loss(logits: Tensor, targets: Tensor) -> Tensor:
    """Mean cross-entropy over all positions, in nats a token (equation 1).

    Shapes: `logits` (B, T, V), `targets` (B, T).
    """
    return F.cross_entropy(logits.flatten(0, 1), targets.flatten())


# --8<-- [end:loss]


# --8<-- [start:train]
def random_windows(
    ids: Tensor, B: int, T: int, generator: torch.Generator | None = None
) -> Tensor:
    """B pieces of T + 1 neighbouring ids (B, T + 1) from a long text (N,).

    Raises ValueError if the text is shorter than a piece. A generator must be of the
    device that the ids are on.
    """
    if len(ids) < T + 1:
        raise ValueError(f"a text of {len(ids)} ids has no piece of {T + 1}")
    starts = torch.randint(len(ids) - T, (B, 1), device=ids.device, generator=generator)
    steps = torch.arange(T + 1, device=ids.device)
    return ids[starts + steps]  # (B, 1) + (T + 1,) -> (B, T + 1)


def training(
    model: GPT, ids: Tensor, steps: int, B: int = 16, highest: float = 6e-3
) -> Iterator[float]:
    """Train on random windows of a text (N,) that fill the context; yield each loss.

    The learning rate rises for a sixth of the steps, to 5/6 of `highest`, then falls
    to zero.
    """
    optimizer = torch.optim.AdamW(model.parameters())
    for step in range(steps):
        rate = highest * min(5 * (step + 1) / steps, 1 - step / steps)
        optimizer.param_groups[0]["lr"] = rate
        inputs, targets = shift(random_windows(ids, B, model.config.context_length))
        loss = next_token_loss(model(inputs), targets)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        yield loss.item()


# --8<-- [end:train]


# --8<-- [start:held-out]
@torch.no_grad()
def held_out_loss(model: GPT, ids: Tensor) -> float:
    """Mean loss on a text (N,), cut into pieces that fill the context."""
    T = model.config.context_length
    inputs, targets = shift(ids[: len(ids) // (T + 1) * (T + 1)].view(-1, T + 1))
    with evaluating(model):
        return next_token_loss(model(inputs), targets).item()


# --8<-- [end:held-out]


# --8<-- [start:generate]
@torch.no_grad()
def generate(
    model: GPT,
    ids: Tensor,
    n: int,
    temperature: float = 1.0,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Append `n` tokens to each row of ids (B, T), one after the other.

    Temperature 0 takes the most likely token; 1 draws from the model's distribution.
    The model sees the last `context_length` tokens, and drops nothing out. Raises
    ValueError for an empty prompt, for ids that are not in the vocabulary, and for a
    temperature below 0.
    """
    if ids.numel() == 0:
        raise ValueError("the prompt is empty: give at least one token")
    if not temperature >= 0:  # NaN too
        raise ValueError(f"temperature={temperature}: it must be 0 or more")
    most = model.config.context_length
    check_shape(ids[..., -most:], most)
    check_range(ids, model.config.vocab_size)
    with evaluating(model):
        for _ in range(n):
            logits = model(ids[:, -most:])[:, -1]  # (B, V): after the last token
            if temperature == 0:
                following = logits.argmax(dim=-1, keepdim=True)  # (B, 1)
            else:
                odds = (logits / temperature).softmax(dim=-1)
                following = torch.multinomial(odds, 1, generator=generator)  # (B, 1)
            ids = torch.cat([ids, following], dim=1)
    return ids


# --8<-- [end:generate]
