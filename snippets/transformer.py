"""The Transformer of the paper: encoder, decoder, training, search.

Vaswani et al., "Attention Is All You Need" (2017). Axes: `B` batch, `T` tokens, `S`
tokens of the source, `C = d_model` channels, `H` heads, `D` channels of one head, `V`
vocabulary. Masks are boolean, and True means: may attend.
"""

# --8<-- [start:imports]
import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from snippets.attention import (
    MultiHeadAttention,
    causal_mask,
    scaled_dot_product_attention,
)
from snippets.modes import evaluating
from snippets.token_ids import check_range

# --8<-- [end:imports]


# --8<-- [start:config]
@dataclass(frozen=True)
class TransformerConfig:
    """The sizes of a model; as they stand, those of the paper's base model (table 3).

    `pre_norm` puts LayerNorm before each part, as most later code does; the paper has
    it after the addition. Id 0 is padding.
    """

    vocab_size: int = 37_000
    max_length: int = 5000
    d_model: int = 512
    n_heads: int = 8
    n_layers: int = 6
    d_ff: int = 2048
    dropout: float = 0.1
    pre_norm: bool = False


TRANSFORMER_PAD = 0
# --8<-- [end:config]


# --8<-- [start:positions]
def sinusoidal_positions(T: int, d_model: int) -> Tensor:
    """The encoding of positions 0 … T - 1, (T, C) (section 3.5).

    Even channels are sines, odd ones cosines; each pair has its own frequency. Raises
    ValueError for an odd `d_model`.
    """
    if d_model % 2:
        raise ValueError(f"d_model={d_model}: sines and cosines come in pairs")
    frequencies = 10_000.0 ** (-torch.arange(0, d_model, 2) / d_model)  # (C / 2,)
    angles = torch.arange(T)[:, None] * frequencies  # (T, C / 2)
    return torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(1)  # (T, C)


# --8<-- [end:positions]


# --8<-- [start:attention]
class CrossAttention(MultiHeadAttention):
    """Multi-head attention that asks another text (section 3.2.3).

    The parameters are those of `MultiHeadAttention`: the first third of `qkv` makes
    queries of `x`, the rest makes keys and values of the memory. `forward` takes `x`
    (B, T, C), `memory` (B, S, C) and a mask that broadcasts to (B, H, T, S); it returns
    (B, T, C).
    """

    def forward(self, x: Tensor, memory: Tensor, mask: Tensor | None = None) -> Tensor:
        """Mix the values of the memory."""
        C, weight, bias = x.size(-1), self.qkv.weight, self.qkv.bias
        q_bias, kv_bias = (None, None) if bias is None else (bias[:C], bias[C:])
        q = F.linear(x, weight[:C], q_bias)  # (B, T, C)
        k, v = F.linear(memory, weight[C:], kv_bias).chunk(2, dim=-1)  # (B, S, C)
        q, k, v = self.split(q), self.split(k), self.split(v)  # (B, H, T or S, D)
        mixed, _ = scaled_dot_product_attention(q, k, v, mask)
        return self.join(mixed)


# --8<-- [end:attention]


# --8<-- [start:sublayer]
class Sublayer(nn.Module):
    """What stands around each part: LayerNorm, dropout, addition (sections 3.1, 5.4).

    Post-norm is `norm(x + part(x))`, pre-norm is `x + part(norm(x))`.
    """

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(config.d_model)
        self.dropout = nn.Dropout(config.dropout)
        self.pre_norm = config.pre_norm

    def forward(self, x: Tensor, part: Callable[[Tensor], Tensor]) -> Tensor:
        """Apply a part, a function of (B, T, C)."""
        if self.pre_norm:
            return x + self.dropout(part(self.norm(x)))
        return self.norm(x + self.dropout(part(x)))


# --8<-- [end:sublayer]


# --8<-- [start:feed-forward]
class FeedForward(nn.Module):
    """Two linear layers with a ReLU between them, at each position (equation 2)."""

    def __init__(self, d_model: int, d_ff: int) -> None:
        super().__init__()
        self.up = nn.Linear(d_model, d_ff)
        self.down = nn.Linear(d_ff, d_model)

    def forward(self, x: Tensor) -> Tensor:
        """(..., C) -> (..., C)."""
        return self.down(self.up(x).relu())


# --8<-- [end:feed-forward]


# --8<-- [start:encoder]
class EncoderLayer(nn.Module):
    """Self-attention, then feed-forward (section 3.1, figure 1 left)."""

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        self.attention = MultiHeadAttention(config.d_model, config.n_heads)
        self.feed_forward = FeedForward(config.d_model, config.d_ff)
        self.sublayers = nn.ModuleList(Sublayer(config) for _ in range(2))

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """(B, S, C) -> (B, S, C); `mask` broadcasts to (B, H, S, S)."""
        x = self.sublayers[0](x, lambda x: self.attention(x, mask))
        return self.sublayers[1](x, self.feed_forward)


# --8<-- [end:encoder]


# --8<-- [start:decoder]
class DecoderLayer(nn.Module):
    """Self-attention, attention to the encoder, feed-forward (figure 1 right)."""

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        self.attention = MultiHeadAttention(config.d_model, config.n_heads)
        self.cross = CrossAttention(config.d_model, config.n_heads)
        self.feed_forward = FeedForward(config.d_model, config.d_ff)
        self.sublayers = nn.ModuleList(Sublayer(config) for _ in range(3))

    def forward(
        self, x: Tensor, memory: Tensor, mask: Tensor, memory_mask: Tensor
    ) -> Tensor:
        """(B, T, C) -> (B, T, C); the masks fit (B, H, T, T) and (B, H, T, S)."""
        x = self.sublayers[0](x, lambda x: self.attention(x, mask))
        x = self.sublayers[1](x, lambda x: self.cross(x, memory, memory_mask))
        return self.sublayers[2](x, self.feed_forward)


# --8<-- [end:decoder]


# --8<-- [start:model]
class Transformer(nn.Module):
    """Encoder and decoder with one matrix for both embeddings and the output (3.4).

    `forward` takes `source` (B, S) and `target` (B, T) and returns logits (B, T, V) for
    what follows each target token. Raises ValueError for texts longer than
    `max_length`. Ids must lie in 0 … V - 1.
    """

    positions: Tensor

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        self.config = config
        C = config.d_model
        self.token = nn.Embedding(config.vocab_size, C)
        table = sinusoidal_positions(config.max_length, C)
        self.register_buffer("positions", table, persistent=False)
        self.dropout = nn.Dropout(config.dropout)
        layers = range(config.n_layers)
        self.encoder = nn.ModuleList(EncoderLayer(config) for _ in layers)
        self.decoder = nn.ModuleList(DecoderLayer(config) for _ in layers)
        # with pre-norm nothing has normalised the last sum
        self.encoder_norm = nn.LayerNorm(C) if config.pre_norm else nn.Identity()
        self.decoder_norm = nn.LayerNorm(C) if config.pre_norm else nn.Identity()
        for parameter in self.parameters():
            if parameter.dim() > 1:
                nn.init.xavier_uniform_(parameter)
        nn.init.normal_(self.token.weight, std=C**-0.5)

    def embed(self, ids: Tensor) -> Tensor:
        """Tokens times the root of C, plus positions (sections 3.4 and 3.5)."""
        T, most = ids.size(1), self.config.max_length
        if most < T:
            raise ValueError(f"{T} tokens, and max_length is {most}")
        x = self.token(ids) * math.sqrt(self.config.d_model)  # (B, T, C)
        return self.dropout(x + self.positions[:T])

    def encode(self, source: Tensor) -> tuple[Tensor, Tensor]:
        """The memory (B, S, C), and the mask (B, 1, 1, S) that hides its padding."""
        mask = (source != TRANSFORMER_PAD)[:, None, None, :]
        x = self.embed(source)
        for layer in self.encoder:
            x = layer(x, mask)
        return self.encoder_norm(x), mask

    def decode(self, target: Tensor, memory: Tensor, memory_mask: Tensor) -> Tensor:
        """Logits (B, T, V) for what follows each token of the target so far."""
        real = (target != TRANSFORMER_PAD)[:, None, None, :]  # (B, 1, 1, T)
        mask = real & causal_mask(target.size(1), target.device)  # (B, 1, T, T)
        x = self.embed(target)
        for layer in self.decoder:
            x = layer(x, memory, mask, memory_mask)
        return self.decoder_norm(x) @ self.token.weight.T  # (B, T, V)

    def forward(self, source: Tensor, target: Tensor) -> Tensor:
        """Read the source, then predict the target with teacher forcing."""
        return self.decode(target, *self.encode(source))


# --8<-- [end:model]


# --8<-- [start:loss]
def smoothed_loss(logits: Tensor, targets: Tensor, smoothing: float = 0.1) -> Tensor:
    """Cross-entropy with label smoothing (section 5.4), padding left out.

    The right token should get `1 - smoothing`, and all V tokens share the rest. Shapes:
    `logits` (B, T, V), `targets` (B, T). Raises ValueError if all is padding.
    """
    real = targets != TRANSFORMER_PAD
    if not real.any():
        raise ValueError("all targets are padding: there is nothing to predict")
    logs = logits.log_softmax(dim=-1)[real]  # (N, V)
    right = logs.gather(1, targets[real][:, None]).squeeze(1)  # (N,)
    return -((1 - smoothing) * right + smoothing * logs.mean(dim=-1)).mean()


def noam_rate(step: int, d_model: int = 512, warmup: int = 4000) -> float:
    """The learning rate at a step, counted from 1 (equation 3)."""
    if step < 1:
        raise ValueError(f"step={step}: steps are counted from 1")
    return d_model**-0.5 * min(step**-0.5, step * warmup**-1.5)


# --8<-- [end:loss]


# --8<-- [start:greedy]
@torch.no_grad()
def greedy_search(
    model: Transformer, source: Tensor, start: int, end: int, most: int
) -> Tensor:
    """The likeliest token at each step, up to `most` of them; returns (B, ≤ most + 1).

    After `end` a row is filled up with padding. Dropout is off meanwhile. Raises
    ValueError for ids of the source (B, S) that are not in the vocabulary.
    """
    check_range(source, model.config.vocab_size)
    target = torch.full((source.size(0), 1), start, device=source.device)
    done = torch.zeros(source.size(0), dtype=torch.bool, device=source.device)
    with evaluating(model):
        memory, mask = model.encode(source)
        for _ in range(most):
            logits = model.decode(target, memory, mask)[:, -1]  # (B, V)
            following = logits.argmax(dim=-1).masked_fill(done, TRANSFORMER_PAD)
            target = torch.cat([target, following[:, None]], dim=1)
            done |= following == end
            if done.all():
                break
    return target


# --8<-- [end:greedy]


# --8<-- [start:beam]
@torch.no_grad()
def beam_search(
    next_logs: Callable[[Tensor], Tensor],
    start: int,
    end: int,
    most: int,
    width: int = 4,
    alpha: float = 0.6,
    device: torch.device | str = "cpu",
) -> tuple[list[int], float]:
    """The best text found when the `width` best beginnings are kept at each step.

    `next_logs` gives the log-probabilities (N, V) of what follows N beginnings (N, T),
    which are on `device`. Texts that have ended are compared by log-probability over
    the length penalty `((5 + length) / 6) ** alpha` (section 6.1; Wu et al., 2016,
    equation 14). Returns the ids after `start`, and the score; where none ended within
    `most` tokens, the best beginning. Raises ValueError for a width below 1.
    """
    if width < 1 or most < 0:
        raise ValueError(f"width={width}, most={most}: at least 1, and at least 0")
    beams = torch.tensor([[start]], device=device)
    totals, penalty = torch.zeros(1, device=device), 1.0
    finished: list[tuple[list[int], float]] = []
    for length in range(1, most + 1):
        penalty = ((5 + length) / 6) ** alpha
        scores = totals[:, None] + next_logs(beams)  # (N, V)
        best, places = scores.flatten().topk(min(width, scores.numel()))
        rows, tokens = places // scores.size(1), places % scores.size(1)
        beams = torch.cat([beams[rows], tokens[:, None]], dim=1)
        over = tokens == end
        for ids, total in zip(beams[over].tolist(), best[over].tolist(), strict=True):
            finished.append((ids[1:], total / penalty))
        beams, totals = beams[~over], best[~over]
        if len(beams) == 0:
            break
    if finished:
        return max(finished, key=lambda found: found[1])
    return beams[0, 1:].tolist(), totals[0].item() / penalty


# --8<-- [end:beam]
