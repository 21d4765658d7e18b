"""A GPT of today's parts, each with a switch: what a speedrun changes of GPT-2.

With `tied`, `convolution=1`, `ngrams=1` and all other switches off it is the GPT-2 of
`model.py` without biases, with the exact GELU. Axes: `B` batch, `T` tokens, `S` tokens
that are asked, `C = d_model` channels, `H` heads, `D` channels of one head, `V`
vocabulary.
"""

# --8<-- [start:imports]
import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from snippets.attention import MultiHeadAttention, initialize_weights
from snippets.kv_cache import KVCache, causal_mask_after
from snippets.llama import rope_angles, rotate_halves
from snippets.token_ids import check_shape

# --8<-- [end:imports]


# --8<-- [start:config]
@dataclass(frozen=True)
class ModernConfig:
    """Sizes, and which parts differ from GPT-2's."""

    vocab_size: int
    context_length: int = 256
    d_model: int = 256
    n_heads: int = 4
    n_layers: int = 4
    dropout: float = 0.0  # probability, on what each layer adds
    rope: bool = True  # else learned positions, added once
    rms_norm: bool = True  # without weights, also after the embedding; else LayerNorm
    qk_norm: bool = True  # queries and keys of length √D
    squared_relu: bool = True  # else GELU
    zero_init: bool = True  # what is added starts at zero; else GPT-2's weights
    convolution: int = 3  # tokens that each query, key and value mixes; 1: itself
    tied: bool = False  # head and embedding are one matrix
    ngrams: int = 1  # the longest n-gram that has rows of its own; 1: none has
    ngram_rows: int = 8192  # of each table of n-grams

    def __post_init__(self) -> None:
        """Raise ValueError for a size below 1, and for what is no probability."""
        sizes = ("vocab_size", "context_length", "n_layers", "convolution")
        for name in (*sizes, "ngrams", "ngram_rows"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}={getattr(self, name)}: it must be at least 1")
        if not 0 <= self.dropout < 1:
            raise ValueError(f"dropout={self.dropout}: it must be in [0, 1)")


# --8<-- [end:config]


# --8<-- [start:convolution]
class RowCache(KVCache):
    """Keys and values, and what a convolution and n-grams still need of the past."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: Tensor | None = None  # (B, width - 1, C)
        self.ids: Tensor | None = None  # (B, ngrams - 1), in the first layer's cache


class CausalConvolution(nn.Module):
    """Each channel mixes its own last `width` values (So et al., "Primer", 2021).

    `forward` takes and returns (B, T, C). It starts as the identity.
    """

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(width, channels))
        nn.init.ones_(self.weight[0])

    def forward(self, x: Tensor, cache: RowCache | None = None) -> Tensor:
        """Add to each row a multiple of those before it."""
        before = self.weight.size(0) - 1
        if cache is None or cache.rows is None:
            rows = F.pad(x, (0, 0, before, 0))  # (B, before + T, C): zeros in front
        else:
            rows = torch.cat([cache.rows, x], dim=1)
        if cache is not None:
            cache.rows = rows[:, rows.size(1) - before :]
        T, weight = x.size(1), self.weight.to(x.dtype)
        shifted = (rows[:, before - n : before - n + T] for n in range(before + 1))
        return sum(row * w for row, w in zip(shifted, weight, strict=True))


# --8<-- [end:convolution]


# --8<-- [start:ngrams]
class NGramEmbedding(nn.Module):
    """A row for the last 2, 3, … tokens together, beside the one of the last alone.

    `forward`: ids (B, T), which may follow on those of a cache, to (B, T, C), zero at
    the start. An n-gram has a row of its own where all of them fit into the table; else
    its row is found by hashing, and several share it.
    """

    def __init__(self, config: ModernConfig) -> None:
        super().__init__()
        self.vocab_size, self.longest = config.vocab_size, config.ngrams
        many = [self.vocab_size**n for n in range(2, self.longest + 1)]
        self.rows = [min(n, config.ngram_rows) for n in many]
        self.tables = nn.ModuleList(nn.Embedding(n, config.d_model) for n in self.rows)

    def forward(self, ids: Tensor, cache: RowCache | None = None) -> Tensor:
        """Sum the rows of all n-grams that end at each token."""
        before, T = self.longest - 1, ids.size(-1)
        if cache is None or cache.ids is None:
            known = F.pad(ids, (before, 0))  # token 0 stands for what is not there
        else:
            known = torch.cat([cache.ids, ids], dim=1)
        if cache is not None:
            cache.ids = known[:, known.size(1) - before :]
        found, key, many = [], ids, self.vocab_size
        for n, (table, rows) in enumerate(zip(self.tables, self.rows, strict=True), 1):
            key = key + many * known[:, before - n : before - n + T]  # n tokens ago
            many *= self.vocab_size
            found.append(table(row_of(key, many, rows)))
        return torch.stack(found).sum(dim=0)


def row_of(keys: Tensor, many: int, rows: int) -> Tensor:
    """Where each of `many` keys is in a table: itself, or hashed by multiplication.

    Knuth, The Art of Computer Programming, volume 3, section 6.4.
    """
    if many <= rows:
        return keys
    return (keys * 0x61C8864680B583EB >> 32) % rows  # 2**64 / φ²


# --8<-- [end:ngrams]


# --8<-- [start:attention]
class ModernAttention(MultiHeadAttention):
    """Multi-head attention with rotated, normalised queries and keys, and a cache.

    `forward` takes `x` (B, T, C), the angles of its positions or None, a mask (T, S),
    and perhaps a cache; it returns (B, T, C).
    """

    def __init__(self, config: ModernConfig) -> None:
        super().__init__(config.d_model, config.n_heads, bias=False)
        self.qk_norm, width = config.qk_norm, config.convolution
        channels = 3 * config.d_model
        self.mix = CausalConvolution(channels, width) if width > 1 else None

    def forward(
        self,
        x: Tensor,
        angles: tuple[Tensor, Tensor] | None,
        mask: Tensor,
        cache: RowCache | None = None,
    ) -> Tensor:
        """Attend to the tokens so far, those of the cache included."""
        qkv = self.qkv(x)  # (B, T, 3C)
        if self.mix:
            qkv = self.mix(qkv, cache)
        parts = qkv.unflatten(-1, (3, self.n_heads, self.d_head))  # (B, T, 3, H, D)
        q, k, v = parts.permute(2, 0, 3, 1, 4)  # (B, H, T, D) each
        if self.qk_norm:
            q, k = rms_norm(q), rms_norm(k)
        if angles:
            q, k = rotate_halves(q, *angles), rotate_halves(k, *angles)
        if cache is not None:
            k, v = cache.extend(k, v)  # (B, H, S, D)
        mixed = written_out_attention(q, k, v, mask)
        return self.join(mixed)


def written_out_attention(q: Tensor, k: Tensor, v: Tensor, mask: Tensor) -> Tensor:
    """Attention as three lines, for a compiler to fuse: (B, H, T, D).

    `mask` (T, S) is True where a query may attend; each may attend to some key. On a
    CPU, PyTorch's fused function is slow in bfloat16 on its way back.
    """
    scores = (q / math.sqrt(q.size(-1))) @ k.transpose(-2, -1)  # (B, H, T, S)
    scores = scores.float().masked_fill(~mask, float("-inf"))
    return scores.softmax(dim=-1).to(v.dtype) @ v


def rms_norm(x: Tensor) -> Tensor:
    """Each vector divided by its root mean square."""
    return F.rms_norm(x, (x.size(-1),))


# --8<-- [end:attention]


# --8<-- [start:block]
class RMSNormWithoutWeights(nn.Module):
    """`rms_norm` as a module."""

    def forward(self, x: Tensor) -> Tensor:
        """(..., C) -> (..., C)."""
        return rms_norm(x)


def make_norm(config: ModernConfig) -> nn.Module:
    """The norm that a configuration asks for."""
    if config.rms_norm:
        return RMSNormWithoutWeights()
    return nn.LayerNorm(config.d_model, bias=False)


class ModernBlock(nn.Module):
    """Attention and a feed-forward layer, each on a normalised copy."""

    def __init__(self, config: ModernConfig) -> None:
        super().__init__()
        C = config.d_model
        self.norm1, self.norm2 = make_norm(config), make_norm(config)
        self.attention = ModernAttention(config)
        self.up = nn.Linear(C, 4 * C, bias=False)
        self.down = nn.Linear(4 * C, C, bias=False)
        self.squared_relu = config.squared_relu
        self.dropout = nn.Dropout(config.dropout)

    def forward(
        self,
        x: Tensor,
        angles: tuple[Tensor, Tensor] | None,
        mask: Tensor,
        cache: RowCache | None = None,
    ) -> Tensor:
        """(B, T, C) -> (B, T, C)."""
        x = x + self.dropout(self.attention(self.norm1(x), angles, mask, cache))
        hidden = self.up(self.norm2(x))  # (B, T, 4C)
        hidden = hidden.relu().square() if self.squared_relu else F.gelu(hidden)
        return x + self.dropout(self.down(hidden))


# --8<-- [end:block]


# --8<-- [start:model]
class ModernGPT(nn.Module):
    """A decoder-only Transformer. `forward`: ids (B, T) to logits (B, T, V).

    Caches, errors and ids are as with `GPT2`.
    """

    def __init__(self, config: ModernConfig) -> None:
        super().__init__()
        self.config = config
        self.token = nn.Embedding(config.vocab_size, config.d_model)
        self.ngrams = NGramEmbedding(config) if config.ngrams > 1 else None
        self.position = None
        if not config.rope:
            self.position = nn.Embedding(config.context_length, config.d_model)
        self.blocks = nn.ModuleList(ModernBlock(config) for _ in range(config.n_layers))
        self.norm = make_norm(config)
        self.head = None
        if not config.tied:
            self.head = nn.Linear(config.d_model, config.vocab_size, bias=False)
        self.apply(initialize_weights)
        self.scale_weights()

    @torch.no_grad()
    def scale_weights(self) -> None:
        """What writes to the residual stream starts at zero, or as in GPT-2."""
        zero = self.config.zero_init
        small = 0.0 if zero else 1 / math.sqrt(2 * len(self.blocks))
        for name, weight in self.blocks.named_parameters():
            if name.endswith(("attention.out.weight", ".down.weight")):
                weight.mul_(small)
            elif zero and name.endswith(("attention.qkv.weight", ".up.weight")):
                # a variance of 1 / (4 C), whatever the width
                nn.init.normal_(weight, std=0.5 / math.sqrt(weight.size(1)))
        if self.ngrams:
            for parameter in self.ngrams.parameters():
                nn.init.zeros_(parameter)
        if zero:
            nn.init.normal_(self.token.weight)
            if self.head:
                nn.init.zeros_(self.head.weight)

    def new_caches(self) -> list[RowCache]:
        """An empty cache for each layer."""
        return [RowCache() for _ in self.blocks]

    def forward(self, ids: Tensor, caches: list[RowCache] | None = None) -> Tensor:
        """Score every token of the vocabulary as the next one, at each position."""
        seen, T = caches[0].seen if caches else 0, ids.size(-1)
        check_shape(ids, self.config.context_length, seen)
        places = torch.arange(seen, seen + T, device=ids.device)
        x, angles = self.embed(ids, places, caches[0] if caches else None)
        mask = causal_mask_after(seen, T, ids.device)  # the same in all blocks
        for layer, block in enumerate(self.blocks):
            x = block(x, angles, mask, caches[layer] if caches else None)
        weight = self.head.weight if self.head else self.token.weight
        return F.linear(self.norm(x), weight)

    def embed(
        self, ids: Tensor, places: Tensor, cache: RowCache | None
    ) -> tuple[Tensor, tuple[Tensor, Tensor] | None]:
        """The residual stream (B, T, C) at its start, and the angles of RoPE."""
        x, angles = self.token(ids), None
        if self.ngrams:
            x = x + self.ngrams(ids, cache)
        if self.position is None:
            D = self.config.d_model // self.config.n_heads
            angles = rope_angles(places, D)
        else:
            x = x + self.position(places)
        if self.config.rms_norm:
            x = rms_norm(x)
        else:
            x = F.dropout(x, self.config.dropout, self.training)
        kind = x.device.type
        if torch.amp.is_autocast_available(kind) and torch.is_autocast_enabled(kind):
            x = x.to(torch.get_autocast_dtype(kind))  # the stream, not only products
        if angles:
            angles = angles[0].to(x.dtype), angles[1].to(x.dtype)
        return x, angles


# --8<-- [end:model]
