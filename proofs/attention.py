"""The attention of day 3 against PyTorch's."""

import torch
import torch.nn.functional as F
from torch import nn

from proofs import Pairs, proof
from snippets.attention import (
    MultiHeadAttention,
    attention_by_loop,
    causal_mask,
    scaled_dot_product_attention,
)

PAGE = "llm/day-3/self-attention.md"
SDPA = "torch.nn.functional.scaled_dot_product_attention"


@proof(
    "Attention by loop",
    ours="snippets.attention.attention_by_loop",
    theirs=SDPA,
    page=PAGE,
    bound=1e-5,
)
def loop() -> Pairs:
    """One query and one key at a time."""
    torch.manual_seed(0)
    q, k, v = torch.randn(3, 12, 16)
    yield attention_by_loop(q, k, v), F.scaled_dot_product_attention(q, k, v)


@proof(
    "Scaled dot-product attention",
    ours="snippets.attention.scaled_dot_product_attention",
    theirs=SDPA,
    page=PAGE,
    bound=1e-5,
)
def attention() -> Pairs:
    """Without a mask, causal, random, and with rows that may attend to nothing."""
    torch.manual_seed(0)
    q, k, v = (torch.randn(2, 3, 12, 16, requires_grad=True) for _ in range(3))
    some = torch.rand(2, 1, 12, 12) < 0.3
    for mask in (None, causal_mask(12), some):
        ours, _ = scaled_dot_product_attention(q, k, v, mask)
        theirs = F.scaled_dot_product_attention(q, k, v, mask)
        yield ours, theirs
        weights = torch.randn_like(ours)
        yield from zip(
            torch.autograd.grad((ours * weights).sum(), (q, k, v)),
            torch.autograd.grad((theirs * weights).sum(), (q, k, v)),
            strict=True,
        )


@proof(
    "Multi-head attention",
    ours="snippets.attention.MultiHeadAttention",
    theirs="torch.nn.MultiheadAttention",
    page=PAGE,
    bound=1e-5,
)
def multi_head() -> Pairs:
    """With copied weights, without a mask and causal."""
    torch.manual_seed(0)
    ours = MultiHeadAttention(32, 4)
    theirs = nn.MultiheadAttention(32, 4, batch_first=True)
    with torch.no_grad():
        theirs.in_proj_weight.copy_(ours.qkv.weight)
        theirs.in_proj_bias.copy_(ours.qkv.bias)
        theirs.out_proj.weight.copy_(ours.out.weight)
        theirs.out_proj.bias.copy_(ours.out.bias)
    x = torch.randn(2, 10, 32)
    for mask in (None, causal_mask(10)):
        hidden = None if mask is None else ~mask
        mixed, _ = theirs(x, x, x, attn_mask=hidden)
        yield ours(x, mask), mixed
