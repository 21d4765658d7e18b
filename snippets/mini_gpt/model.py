"""GPT-2, with the attention of day 3, as it is trained and sampled from.

Radford et al., "Language Models are Unsupervised Multitask Learners" (2019), section
2.3. Axes: `B` batch, `T` tokens, `S` tokens that are asked, `C = d_model` channels, `H`
heads, `D` channels of one head, `V` vocabulary.
"""

# --8<-- [start:imports]
import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from snippets.attention import MultiHeadAttention, initialize_weights
from snippets.kv_cache import KVCache, causal_mask_after
from snippets.token_ids import check_shape

# --8<-- [end:imports]


# --8<-- [start:config]
@dataclass(frozen=True)
class GPT2Config:
    """The sizes of a model; as they stand, those of GPT-2 small (table 2)."""

    vocab_size: int = 50_257
    context_length: int = 1024
    d_model: int = 768
    n_heads: int = 12
    n_layers: int = 12
    dropout: float = 0.0  # probability; the paper names none
    bias: bool = True  # in linear layers and layer norms
    gelu: str = "tanh"  # GPT-2's approximation; "none" is the exact function
    vocab_multiple: int = 64  # of the embedding's rows, which matrix units like

    def __post_init__(self) -> None:
        """Raise ValueError for a size below 1, no probability, an unknown GELU."""
        sizes = ("vocab_size", "context_length", "d_model", "n_layers")
        for name in (*sizes, "vocab_multiple"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}={getattr(self, name)}: it must be at least 1")
        if not 0 <= self.dropout < 1:
            raise ValueError(f"dropout={self.dropout}: it must be in [0, 1)")
        if self.gelu not in ("tanh", "none"):
            raise ValueError(f"gelu={self.gelu!r}: there are tanh, none")

    @property
    def padded_vocab_size(self) -> int:
        """Rows of the embedding: the vocabulary, and unused ones."""
        return math.ceil(self.vocab_size / self.vocab_multiple) * self.vocab_multiple


# --8<-- [end:config]


# --8<-- [start:attention]
class CausalSelfAttention(MultiHeadAttention):
    """Day 3's attention that looks back only, with dropout and a cache.

    `forward` takes `x` (B, T, C), perhaps a mask that broadcasts to (B, H, T, S), and
    perhaps the keys and values of the tokens before them; it returns (B, T, C). Without
    a mask, nothing may be in the cache yet, and the causal one is used.
    """

    def __init__(self, config: GPT2Config) -> None:
        super().__init__(config.d_model, config.n_heads, config.bias)
        self.p = config.dropout

    def forward(
        self, x: Tensor, mask: Tensor | None = None, cache: KVCache | None = None
    ) -> Tensor:
        """Attend to the tokens so far, those of the cache included."""
        q, k, v = self.project(x)  # (B, H, T, D) each
        if cache is not None:
            k, v = cache.extend(k, v)  # (B, H, S, D)
        if mask is None and k.size(2) > q.size(2):
            raise ValueError("some tokens are in the cache: give a mask, too")
        p = self.p if self.training else 0.0
        mixed = F.scaled_dot_product_attention(
            q, k, v, mask, dropout_p=p, is_causal=mask is None
        )
        return F.dropout(self.join(mixed), p)


# --8<-- [end:attention]


# --8<-- [start:block]
class TransformerBlock(nn.Module):
    """Attention and a feed-forward layer, each on a normalised copy (pre-LN)."""

    def __init__(self, config: GPT2Config) -> None:
        super().__init__()
        C, bias = config.d_model, config.bias
        self.norm1 = nn.LayerNorm(C, bias=bias)
        self.attention = CausalSelfAttention(config)
        self.norm2 = nn.LayerNorm(C, bias=bias)
        self.up = nn.Linear(C, 4 * C, bias=bias)
        self.down = nn.Linear(4 * C, C, bias=bias)
        self.gelu, self.dropout = config.gelu, nn.Dropout(config.dropout)

    def forward(
        self, x: Tensor, mask: Tensor | None = None, cache: KVCache | None = None
    ) -> Tensor:
        """(B, T, C) -> (B, T, C)."""
        x = x + self.attention(self.norm1(x), mask, cache)
        hidden = F.gelu(self.up(self.norm2(x)), approximate=self.gelu)  # (B, T, 4C)
        return x + self.dropout(self.down(hidden))


# --8<-- [end:block]


# --8<-- [start:model]
class GPT2(nn.Module):
    """A decoder-only Transformer. `forward`: ids (B, T) to logits (B, T, V).

    With a list of caches, one a layer, the ids are those *after* the ones seen before.
    Its parameters have the names of day 2's `GPT`. Raises ValueError for ids without a
    batch axis, for more tokens than the context holds, and for none. Ids must lie in
    0 … V - 1.
    """

    def __init__(self, config: GPT2Config) -> None:
        super().__init__()
        self.config = config
        self.token = nn.Embedding(config.padded_vocab_size, config.d_model)
        self.position = nn.Embedding(config.context_length, config.d_model)
        self.dropout = nn.Dropout(config.dropout)
        self.blocks = nn.ModuleList(
            TransformerBlock(config) for _ in range(config.n_layers)
        )
        self.norm = nn.LayerNorm(config.d_model, bias=config.bias)
        self.apply(initialize_weights)
        scale_residual_projections(self)

    def new_caches(self) -> list[KVCache]:
        """An empty cache for each layer."""
        return [KVCache() for _ in self.blocks]

    def forward(self, ids: Tensor, caches: list[KVCache] | None = None) -> Tensor:
        """Score every token of the vocabulary as the next one, at each position."""
        seen, T = caches[0].seen if caches else 0, ids.size(-1)
        check_shape(ids, self.config.context_length, seen)
        places = torch.arange(seen, seen + T, device=ids.device)
        x = self.dropout(self.token(ids) + self.position(places))  # (B, T, C)
        mask = causal_mask_after(seen, T, ids.device) if seen else None
        for layer, block in enumerate(self.blocks):
            x = block(x, mask, caches[layer] if caches else None)
        logits = F.linear(self.norm(x), self.token.weight)  # the head is tied
        return logits[..., : self.config.vocab_size]  # no scores for the padding


# --8<-- [end:model]


# --8<-- [start:init]
def scale_residual_projections(model: GPT2) -> None:
    """The layers that write to the residual stream: N(0, 0.02 / √(2L)).

    Section 2.3 scales "the weights of residual layers at initialization by a factor of
    1/√N"; we count two such layers in each of L blocks.
    """
    std = 0.02 / math.sqrt(2 * model.config.n_layers)
    for name, parameter in model.named_parameters():
        if name.endswith(("attention.out.weight", ".down.weight")):
            nn.init.normal_(parameter, std=std)


# --8<-- [end:init]
