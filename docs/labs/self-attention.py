# %% [markdown] minutes=50 task="llm-3-self-attention"
# # Lab: self-attention
#
# You write the attention layer of a Transformer in five tasks. After each task stands a
# check: against PyTorch's own layer, or a slow and plain computation. You need PyTorch
# and nothing else. Read [the chapter](../../llm/day-3/self-attention/) first, or keep
# it open beside you.
#
# Axes: `B` batch, `T` tokens that ask, `S` tokens that are asked, `C` channels of the
# model, `H` heads, `D` channels of one head. A mask is boolean, and True means: may
# attend.

# %%
import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

torch.manual_seed(0)


def same(ours: Tensor, theirs: Tensor) -> bool:
    """Whether shapes are equal, and numbers but for rounding."""
    assert isinstance(ours, Tensor), f"a tensor was expected, not {ours!r}"
    return ours.shape == theirs.shape and torch.allclose(ours, theirs, atol=1e-10)


def normal(*shape: int) -> Tensor:
    """Random numbers in double precision, so that rounding hides no mistake."""
    return torch.randn(*shape, dtype=torch.float64)


# %% [markdown]
# ## Scores
#
# The score of a query and a key is their dot product, divided by the square root of the
# number of channels. `q` has shape (..., T, D), `k` has (..., S, D), where the dots
# stand for any axes in front. Use one matrix product.


# %%
def attention_scores(q: Tensor, k: Tensor) -> Tensor:
    """The scores (..., T, S)."""
    # Task 1: multiply q by k transposed in its last two axes, and divide by the square
    # root of the number of channels.
    ### BEGIN SOLUTION
    return q @ k.transpose(-2, -1) / math.sqrt(q.size(-1))
    ### END SOLUTION


# %% tags=["check-1"]
for D in (8, 3):
    q, k = normal(2, 3, 5, D), normal(2, 3, 7, D)
    expected = torch.empty(2, 3, 5, 7, dtype=torch.float64)
    for t in range(5):
        for s in range(7):
            expected[..., t, s] = (q[..., t, :] * k[..., s, :]).sum(-1) / D**0.5
    assert same(attention_scores(q, k), expected), "the scores differ from the formula"
print("Task 1 is right.")

# %% [markdown]
# ## Weights
#
# Softmax turns scores into weights: positive, and each row sums to one. Before it,
# scores that the mask does not allow must become so low that their weight is zero. A
# row in which nothing is allowed shall have weights of zero, not NaN.


# %%
def attention_weights(scores: Tensor, mask: Tensor | None = None) -> Tensor:
    """The weights (..., T, S), zero wherever the mask is False."""
    # Task 2: strike out what the mask forbids, apply softmax along the keys, and make
    # sure that a row without any allowed key is zero.
    ### BEGIN SOLUTION
    if mask is not None:
        scores = scores.masked_fill(~mask, torch.finfo(scores.dtype).min)
    weights = scores.softmax(dim=-1)
    return weights if mask is None else weights.masked_fill(~mask, 0.0)
    ### END SOLUTION


# %% tags=["check-2"]
mask = torch.rand(4, 6) < 0.5
mask[:, 0], mask[2] = True, False  # one row allows nothing
sums = torch.tensor([1.0, 1.0, 0.0, 1.0], dtype=torch.float64).expand(2, 4)
for scores in (normal(2, 4, 6), 1000 * normal(2, 4, 6)):
    before = scores.clone()
    assert same(attention_weights(scores), F.softmax(scores, dim=-1)), "without a mask"
    weights = attention_weights(scores, mask)
    assert not weights.isnan().any(), "a row is NaN: the one that allows nothing?"
    assert (weights[:, ~mask] == 0).all(), "a forbidden key has a weight above zero"
    assert same(weights.sum(dim=-1), sums), "a row does not sum to one (or zero)"
    assert torch.equal(scores, before), "the scores that were passed in have changed"
inputs = normal(2, 4, 8), normal(2, 6, 8), normal(2, 6, 3)
mixed = attention_weights(attention_scores(inputs[0], inputs[1]), mask) @ inputs[2]
theirs = F.scaled_dot_product_attention(*inputs, mask)
assert same(mixed, theirs), "differs from F.scaled_dot_product_attention"
print("Task 2 is right.")

# %% [markdown]
# ## Not looking ahead
#
# A model that predicts the next token must not see it. Position `t` may attend to
# positions 0 to `t`, itself included.


# %%
def causal_mask(T: int) -> Tensor:
    """The boolean mask (T, T), True where position t (row) may see position s."""
    # Task 3: make the lower triangle True, the diagonal with it.
    ### BEGIN SOLUTION
    return torch.ones(T, T, dtype=torch.bool).tril()
    ### END SOLUTION


# %% tags=["check-3"]
assert causal_mask(4).dtype == torch.bool, "the mask must be boolean"
x = normal(1, 2, 6, 8)
mixed = attention_weights(attention_scores(x, x), causal_mask(6)) @ x
theirs = F.scaled_dot_product_attention(x, x, x, is_causal=True)
assert same(mixed, theirs), "differs from is_causal=True of PyTorch"
print("Task 3 is right.")

# %% [markdown]
# ## Heads
#
# The channels of a model are cut into `H` heads of `D = C / H` channels each. Head 0
# gets the first `D` channels of every token, head 1 the next `D`, and so on. The way
# back joins them.


# %%
def split_heads(x: Tensor, n_heads: int) -> Tensor:
    """From (B, T, C) to (B, H, T, D)."""
    # Task 4: cut the last axis in two, H and D, and bring H before T.
    ### BEGIN SOLUTION
    B, T, C = x.shape
    return x.view(B, T, n_heads, C // n_heads).transpose(1, 2)
    ### END SOLUTION


def join_heads(x: Tensor) -> Tensor:
    """From (B, H, T, D) back to (B, T, C)."""
    return x.transpose(1, 2).flatten(2)


# %% tags=["check-4"]
for B, T, C, H in ((2, 5, 12, 3), (3, 4, 8, 4)):
    x, D = normal(B, T, C), C // H
    heads = split_heads(x, H)
    assert heads.shape == (B, H, T, D), f"the shape is {tuple(heads.shape)}"
    for head in range(H):
        wanted = x[:, :, D * head : D * (head + 1)]
        assert same(heads[:, head], wanted), f"head {head} holds the wrong channels"
    assert same(join_heads(heads), x), "joined again, it is not what it was"
print("Task 4 is right.")

# %% [markdown]
# ## The layer
#
# Now the module. One linear layer makes queries, keys and values for all heads at once,
# in this order; a second one mixes what the heads found. Use what you have written.


# %%
class MultiHeadAttention(nn.Module):
    """Multi-head self-attention, from (B, T, C) to (B, T, C)."""

    def __init__(self, d_model: int, n_heads: int) -> None:
        super().__init__()
        self.n_heads = n_heads
        self.qkv = nn.Linear(d_model, 3 * d_model)
        self.out = nn.Linear(d_model, d_model)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Attend with every head, join, and mix."""
        # Task 5: project, cut into q, k and v, split each into heads, attend with the
        # mask, join the heads, and apply the last layer.
        ### BEGIN SOLUTION
        parts = self.qkv(x).chunk(3, dim=-1)
        q, k, v = (split_heads(part, self.n_heads) for part in parts)
        weights = attention_weights(attention_scores(q, k), mask)
        return self.out(join_heads(weights @ v))
        ### END SOLUTION


# %% tags=["check-5"]
masks = {"no": None, "causal": causal_mask(5), "any": torch.rand(5, 5) < 0.7}
masks["any"].fill_diagonal_(True)
for n_heads in (3, 4):
    ours = MultiHeadAttention(d_model=12, n_heads=n_heads).double()
    theirs = nn.MultiheadAttention(12, n_heads, batch_first=True, dtype=torch.float64)
    theirs.load_state_dict(
        {
            "in_proj_weight": ours.qkv.weight,
            "in_proj_bias": ours.qkv.bias,
            "out_proj.weight": ours.out.weight,
            "out_proj.bias": ours.out.bias,
        }
    )
    x = normal(2, 5, 12)
    for name, mask in masks.items():
        blocked = None if mask is None else ~mask  # there, True means: may not attend
        expected, _ = theirs(x, x, x, attn_mask=blocked)
        out = ours(x, mask)
        assert same(out, expected), f"differs from nn.MultiheadAttention, {name} mask"
    out.square().sum().backward()
    expected.square().sum().backward()
    assert ours.qkv.weight.grad is not None, "no gradient reaches the projection"
    assert same(ours.qkv.weight.grad, theirs.in_proj_weight.grad), "gradients differ"
print("Task 5 is right: this is the layer that PyTorch has.")

# %% [markdown]
# ## What now
#
# You have written the part of the Transformer in which tokens see each other. The rest
# works on each token alone: feed-forward networks, normalisation, and additions. If you
# skipped it, the chapter also shows what attention costs, and how to have it without
# the big matrix.
