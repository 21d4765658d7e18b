"""Self-attention, from a loop over positions to many heads.

Vaswani et al., "Attention Is All You Need" (2017), section 3.2. Axes: `B` batch, `T`
tokens that ask (queries), `S` tokens that are asked (keys; `S = T` in self-attention),
`C = d_model` channels, `H` heads, `D` channels of one head. Masks are boolean, and True
means: may attend.
"""

# --8<-- [start:imports]
import math

import torch
from torch import Tensor, nn

# --8<-- [end:imports]


# --8<-- [start:loop]
def attention_by_loop(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """Attention, one query and one key at a time (equation 1, written out).

    Shapes: `q` (T, D), `k` (S, D), `v` (S, D'); returns (T, D').
    """
    outputs = []
    for query in q:
        scores = [query @ key / math.sqrt(len(key)) for key in k]
        weights = torch.stack(scores).softmax(dim=0)  # (S,)
        mixed = sum(weight * value for weight, value in zip(weights, v, strict=True))
        outputs.append(mixed)
    return torch.stack(outputs)


# --8<-- [end:loop]


# --8<-- [start:attention]
def scaled_dot_product_attention(
    q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Attention for all queries at once (equation 1): softmax(q kᵀ / √D) v.

    Shapes: `q` (..., T, D), `k` (..., S, D), `v` (..., S, D'), and `mask`, boolean,
    broadcastable to (..., T, S), True where a query may attend to a key. Returns the
    mixed values (..., T, D') and the weights (..., T, S). A query that may attend to
    nothing gets zeros, as from `F.scaled_dot_product_attention`. Values must be finite,
    masked ones too. Raises ValueError for shapes that do not fit, TypeError for a mask
    that is not boolean.
    """
    check_shapes(q, k, v, mask)
    # divided first: in half precision the product itself can overflow
    scores = (q / math.sqrt(q.size(-1))) @ k.transpose(-2, -1)  # (..., T, S)
    if mask is not None:
        # not -inf: the softmax of a row without any key would be 0/0
        scores = scores.masked_fill(~mask, torch.finfo(scores.dtype).min)
    weights = scores.softmax(dim=-1)
    if mask is not None:
        weights = weights.masked_fill(~mask, 0.0)
    return weights @ v, weights


# --8<-- [end:attention]


# --8<-- [start:check]
def check_shapes(q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None) -> None:
    """Raise an error that names the sizes that do not fit together."""
    if q.size(-1) != k.size(-1):
        raise ValueError(
            f"q has {q.size(-1)} channels and k has {k.size(-1)}: they must be equal"
        )
    if k.size(-2) != v.size(-2):
        raise ValueError(
            f"there are {k.size(-2)} keys and {v.size(-2)} values: one value a key"
        )
    if mask is None:
        return
    if mask.dtype != torch.bool:
        raise TypeError(f"mask is {mask.dtype}: use torch.bool, True = may attend")
    batch = torch.broadcast_shapes(q.shape[:-2], k.shape[:-2])
    scores = (*batch, q.size(-2), k.size(-2))
    # one axis too many would broadcast the scores to the mask, and raise nothing
    fits = mask.dim() <= len(scores) and all(
        size in (1, needed)
        for size, needed in zip(reversed(mask.shape), reversed(scores), strict=False)
    )
    if not fits:
        raise ValueError(
            f"mask is {tuple(mask.shape)}: it does not broadcast to scores {scores}"
        )


# --8<-- [end:check]


# --8<-- [start:causal-mask]
def causal_mask(T: int, device: torch.device | str | None = None) -> Tensor:
    """The mask (T, T) that lets position t attend to positions 0 … t only.

    Sections 3.1 and 3.2.3 of the paper: no position attends to subsequent ones.
    """
    return torch.ones(T, T, dtype=torch.bool, device=device).tril()


# --8<-- [end:causal-mask]


# --8<-- [start:head]
class SelfAttentionHead(nn.Module):
    """One head: three projections, then attention (section 3.2.2, one of the `h`).

    `forward` takes `x` (B, T, C) and an optional mask that broadcasts to (B, T, T); it
    returns (B, T, D).
    """

    def __init__(self, d_model: int, d_head: int) -> None:
        super().__init__()
        self.query = nn.Linear(d_model, d_head)
        self.key = nn.Linear(d_model, d_head)
        self.value = nn.Linear(d_model, d_head)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Mix the values of the tokens that each token attends to."""
        q, k, v = self.query(x), self.key(x), self.value(x)  # (B, T, D) each
        mixed, _ = scaled_dot_product_attention(q, k, v, mask)
        return mixed


# --8<-- [end:head]


# --8<-- [start:head-size]
def head_size(d_model: int, n_heads: int) -> int:
    """The channels D of each head; raises ValueError if they do not come out whole."""
    if n_heads < 1 or d_model % n_heads:
        raise ValueError(f"d_model={d_model} is not divisible by n_heads={n_heads}")
    return d_model // n_heads


# --8<-- [end:head-size]


# --8<-- [start:heads]
class MultiHeadAttentionByLoop(nn.Module):
    """Several heads side by side, then one projection (section 3.2.2).

    `forward` takes `x` (B, T, C) and an optional mask that broadcasts to (B, T, T); it
    returns (B, T, C). Raises ValueError if `n_heads` does not divide `d_model`.
    """

    def __init__(self, d_model: int, n_heads: int) -> None:
        super().__init__()
        d_head = head_size(d_model, n_heads)
        self.heads = nn.ModuleList(
            SelfAttentionHead(d_model, d_head) for _ in range(n_heads)
        )
        self.out = nn.Linear(d_model, d_model)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Let each head attend on its own, and mix what they found."""
        found = [head(x, mask) for head in self.heads]  # H times (B, T, D)
        return self.out(torch.cat(found, dim=-1))  # (B, T, C)


# --8<-- [end:heads]


# --8<-- [start:multi-head]
class MultiHeadAttention(nn.Module):
    """Heads side by side, one matrix for their queries, keys, values (section 3.2.2).

    `forward` takes `x` (B, T, C) and an optional mask that broadcasts to (B, H, T, T);
    it returns (B, T, C). Raises ValueError if `n_heads` does not divide `d_model`, and
    for a mask of three axes, of which one could be taken for batch or for heads.
    """

    def __init__(self, d_model: int, n_heads: int, bias: bool = True) -> None:
        super().__init__()
        self.n_heads = n_heads
        self.d_head = head_size(d_model, n_heads)
        self.qkv = nn.Linear(d_model, 3 * d_model, bias)
        self.out = nn.Linear(d_model, d_model, bias)

    def split(self, x: Tensor) -> Tensor:
        """The channels of each head apart: (B, T, C) -> (B, H, T, D)."""
        return x.unflatten(-1, (-1, self.d_head)).transpose(1, 2)

    def project(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Queries, keys and values of every head, each (B, H, T, D)."""
        q, k, v = self.qkv(x).chunk(3, dim=-1)  # (B, T, C) each
        return self.split(q), self.split(k), self.split(v)

    def join(self, mixed: Tensor) -> Tensor:
        """What the heads found side by side, projected: (B, H, T, D) -> (B, T, C)."""
        return self.out(mixed.transpose(1, 2).flatten(2))

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Let all heads attend at once, and mix what they found."""
        if mask is not None and mask.dim() == 3:
            raise ValueError(
                f"mask is {tuple(mask.shape)}: write mask[:, None] for one of each text"
                " or mask[None] for one of each head"
            )
        mixed, _ = scaled_dot_product_attention(*self.project(x), mask)
        return self.join(mixed)


# --8<-- [end:multi-head]


# --8<-- [start:initialize]
def initialize_weights(module: nn.Module, std: float = 0.02) -> None:
    """Weights of linear layers and tables from N(0, std), biases zero; for `apply`.

    As GPT has it (section 4.1); BERT's code also redraws what is beyond two `std`.
    """
    if isinstance(module, nn.Linear | nn.Embedding):
        nn.init.normal_(module.weight, std=std)
    if isinstance(module, nn.Linear) and module.bias is not None:
        nn.init.zeros_(module.bias)


# --8<-- [end:initialize]
