"""LLaMA: RMSNorm, rotary positions, SwiGLU, grouped-query attention, a KV cache.

Touvron et al., "LLaMA: Open and Efficient Foundation Language Models" (2023), section
2.2; grouped-query attention came with Llama 2 (Touvron et al., 2023b, section 2.2).
Axes: `B` batch, `T` tokens, `S` tokens that are asked, `C = d_model` channels, `H`
heads, `G` heads of keys and values, `D` channels of one head, `V` vocabulary.
"""

# --8<-- [start:imports]
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from snippets.attention import MultiHeadAttention, scaled_dot_product_attention
from snippets.kv_cache import KVCache, causal_mask_after
from snippets.modes import evaluating
from snippets.token_ids import check_range, check_shape

# --8<-- [end:imports]


# --8<-- [start:config]
@dataclass(frozen=True)
class LlamaConfig:
    """The sizes of a model; as they stand, those of LLaMA 7B (table 2)."""

    vocab_size: int = 32_000
    context_length: int = 2048
    d_model: int = 4096
    n_heads: int = 32
    n_kv_heads: int = 32
    n_layers: int = 32
    d_ff: int = 11_008
    rope_base: float = 10_000.0
    norm_eps: float = 1e-6


def swiglu_width(d_model: int, multiple: int = 256) -> int:
    """The inner width of SwiGLU: 2/3 of 4 d_model, rounded up to a multiple.

    Three matrices then have about as many weights as the two of width 4 d_model.
    """
    width = 2 * 4 * d_model // 3
    return (width + multiple - 1) // multiple * multiple


# --8<-- [end:config]


# --8<-- [start:rmsnorm]
class LlamaRMSNorm(nn.Module):
    """Divide by the root mean square (Zhang and Sennrich, 2019, equation 4).

    `forward` takes and returns (..., C), in one dtype. It computes in float32.
    """

    def __init__(self, size: int, eps: float = 1e-6) -> None:
        super().__init__()
        self.eps = eps
        self.weight = nn.Parameter(torch.ones(size))

    def forward(self, x: Tensor) -> Tensor:
        """Scale each vector to a root mean square of 1, then each channel."""
        wide = x.float()
        mean_square = wide.square().mean(dim=-1, keepdim=True)
        scaled = wide * torch.rsqrt(mean_square + self.eps)
        return (self.weight * scaled).to(x.dtype)


# --8<-- [end:rmsnorm]


# --8<-- [start:rope]
def rope_angles(
    positions: Tensor, d_head: int, base: float = 10_000.0
) -> tuple[Tensor, Tensor]:
    """Cosine and sine of position × frequency (Su et al., 2021, section 3.2.2).

    `positions` (..., T); returns two tensors (..., T, D / 2), one column for each pair
    of channels. Where each row of a batch has positions of its own, (B, T), give
    `positions[:, None]`: the new axis is for the heads. Raises ValueError for an odd
    `d_head`.
    """
    if d_head % 2:
        raise ValueError(f"d_head={d_head}: rotation needs an even number of channels")
    pairs = torch.arange(0, d_head, 2, device=positions.device)
    frequencies = base ** (-pairs / d_head)  # (D / 2,): 1, then slower and slower
    angles = positions[..., None] * frequencies  # (..., T, D / 2)
    return angles.cos(), angles.sin()


def rotate_adjacent(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Turn the pairs (0, 1), (2, 3), … as the paper and Meta's code have them.

    Shapes: `x` (..., T, D), `cos` and `sin` (T, D / 2), or what broadcasts to
    (..., T, D / 2); returns (..., T, D), in the dtype of `x`.
    """
    even, odd = x[..., 0::2], x[..., 1::2]  # (..., T, D / 2)
    turned = (even * cos - odd * sin, even * sin + odd * cos)
    # (..., T, D / 2, 2) -> (..., T, D)
    return torch.stack(turned, dim=-1).flatten(-2).to(x.dtype)


# --8<-- [end:rope]


# --8<-- [start:rope-halves]
def rotate_halves(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Turn the pairs (0, D/2), (1, D/2 + 1), … as Hugging Face's code has them."""
    first, second = x.chunk(2, dim=-1)  # (..., T, D / 2)
    turned = (first * cos - second * sin, first * sin + second * cos)
    return torch.cat(turned, dim=-1).to(x.dtype)


def to_halves(weight: Tensor, n_heads: int) -> Tensor:
    """Reorder the rows of a projection made for adjacent pairs, for split halves.

    `weight` (H · D, ...): in each head, the even channels come first, then the odd.
    """
    heads = weight.unflatten(0, (n_heads, -1, 2))  # (H, D / 2, 2, ...)
    return heads.transpose(1, 2).flatten(0, 2)


# --8<-- [end:rope-halves]


# --8<-- [start:attention]
class GroupedQueryAttention(MultiHeadAttention):
    """Multi-head attention with rotated positions, fewer keys and values, and a cache.

    Ainslie et al., "GQA" (2023), section 2.2. With `n_kv_heads = n_heads` it has the
    parameters of `MultiHeadAttention` without biases; with 1 it is multi-query
    attention. `forward` takes `x` (B, T, C), the angles of its positions, a mask that
    broadcasts to (B, H, T, S), and perhaps a cache; it returns (B, T, C). Raises
    ValueError for heads that do not divide.
    """

    def __init__(self, config: LlamaConfig) -> None:
        C, H, G = config.d_model, config.n_heads, config.n_kv_heads
        super().__init__(C, H, bias=False)
        if G < 1 or H % G:
            raise ValueError(f"n_heads={H} is not divisible by n_kv_heads={G}")
        self.heads = (H, G, G)  # of queries, keys, values
        self.qkv = nn.Linear(C, sum(self.heads) * self.d_head, bias=False)

    def project(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Queries (B, H, T, D), and keys and values (B, G, T, D)."""
        q, k, v = self.split(self.qkv(x)).split(self.heads, dim=1)
        return q, k, v

    def forward(
        self,
        x: Tensor,
        angles: tuple[Tensor, Tensor],
        mask: Tensor | None = None,
        cache: KVCache | None = None,
    ) -> Tensor:
        """Attend to the tokens so far, those of the cache included."""
        q, k, v = self.project(x)
        q, k = rotate_adjacent(q, *angles), rotate_adjacent(k, *angles)
        if cache is not None:
            k, v = cache.extend(k, v)  # (B, G, S, D)
        k = k.repeat_interleave(q.size(1) // k.size(1), dim=1)  # (B, H, S, D)
        v = v.repeat_interleave(q.size(1) // v.size(1), dim=1)
        mixed, _ = scaled_dot_product_attention(q, k, v, mask)
        return self.join(mixed)


# --8<-- [end:attention]


# --8<-- [start:swiglu]
class SwiGLU(nn.Module):
    """A feed-forward layer with a gate (Shazeer, 2020, equation 6).

    `forward` takes and returns (..., C).
    """

    def __init__(self, d_model: int, d_ff: int) -> None:
        super().__init__()
        self.gate = nn.Linear(d_model, d_ff, bias=False)
        self.up = nn.Linear(d_model, d_ff, bias=False)
        self.down = nn.Linear(d_ff, d_model, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """What goes up is let through by the gate, channel by channel."""
        return self.down(F.silu(self.gate(x)) * self.up(x))


# --8<-- [end:swiglu]


# --8<-- [start:model]
class LlamaBlock(nn.Module):
    """Attention and SwiGLU, each on a normalised copy."""

    def __init__(self, config: LlamaConfig) -> None:
        super().__init__()
        self.norm1 = LlamaRMSNorm(config.d_model, config.norm_eps)
        self.attention = GroupedQueryAttention(config)
        self.norm2 = LlamaRMSNorm(config.d_model, config.norm_eps)
        self.feed_forward = SwiGLU(config.d_model, config.d_ff)

    def forward(
        self,
        x: Tensor,
        angles: tuple[Tensor, Tensor],
        mask: Tensor | None = None,
        cache: KVCache | None = None,
    ) -> Tensor:
        """(B, T, C) -> (B, T, C)."""
        x = x + self.attention(self.norm1(x), angles, mask, cache)
        return x + self.feed_forward(self.norm2(x))


class Llama(nn.Module):
    """A decoder-only Transformer as in section 2.2. `forward`: ids (B, T) to logits.

    With a list of caches, one a layer, the ids are those *after* the ones seen before.
    Raises ValueError for more tokens than the context holds. Ids must lie in 0 … V - 1.
    """

    def __init__(self, config: LlamaConfig) -> None:
        super().__init__()
        self.config = config
        self.token = nn.Embedding(config.vocab_size, config.d_model)
        self.blocks = nn.ModuleList(LlamaBlock(config) for _ in range(config.n_layers))
        self.norm = LlamaRMSNorm(config.d_model, config.norm_eps)
        self.head = nn.Linear(config.d_model, config.vocab_size, bias=False)
        for parameter in self.parameters():
            if parameter.dim() > 1:
                nn.init.normal_(parameter, std=0.02)

    def new_caches(self) -> list[KVCache]:
        """An empty cache for each layer."""
        return [KVCache() for _ in self.blocks]

    def forward(self, ids: Tensor, caches: list[KVCache] | None = None) -> Tensor:
        """Score every token of the vocabulary as the next one: (B, T, V)."""
        seen, T = caches[0].seen if caches else 0, ids.size(-1)
        check_shape(ids, self.config.context_length, seen)
        positions = torch.arange(seen, seen + T, device=ids.device)
        d_head = self.config.d_model // self.config.n_heads
        angles = rope_angles(positions, d_head, self.config.rope_base)
        mask = causal_mask_after(seen, T, ids.device)  # the same in all blocks
        x = self.token(ids)  # (B, T, C)
        for layer, block in enumerate(self.blocks):
            x = block(x, angles, mask, caches[layer] if caches else None)
        return self.head(self.norm(x))


# --8<-- [end:model]


# --8<-- [start:generate]
@torch.no_grad()
def generate_with_cache(model: Llama, ids: Tensor, n: int) -> Tensor:
    """Append the `n` likeliest tokens to ids (B, T), one by one, with a cache.

    Raises ValueError for ids that are not in the vocabulary, and for more tokens than
    the context holds.
    """
    check_range(ids, model.config.vocab_size)
    caches, following = model.new_caches(), ids
    with evaluating(model):
        for _ in range(n):
            logits = model(following, caches)[:, -1]  # only new tokens are read
            following = logits.argmax(dim=-1, keepdim=True)  # (B, 1)
            ids = torch.cat([ids, following], dim=1)
    return ids


# --8<-- [end:generate]
