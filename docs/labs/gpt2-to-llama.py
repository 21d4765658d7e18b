# %% [markdown] minutes=45 task="llm-3-llama"
# # Lab: from GPT-2 to LLaMA
#
# You turn a GPT-2 block into a LLaMA block in five tasks, one part after the other.
# After each task stands a check, against PyTorch or a closed form. You need PyTorch and
# nothing else. Read [the chapter](../../llm/day-3/llama/) first, or keep it open beside
# you.
#
# Axes: `B` batch, `T` tokens, `C` channels, `H` heads of queries, `G` heads of keys and
# values, `D` channels of one head.

# %%
import torch
import torch.nn.functional as F
from torch import Tensor, nn

torch.manual_seed(0)


def normal(*shape: int) -> Tensor:
    """Random numbers in double precision, so that rounding hides no mistake."""
    return torch.randn(*shape, dtype=torch.float64)


def same(ours: Tensor, theirs: Tensor) -> bool:
    """Whether shapes are equal, and numbers but for rounding."""
    assert isinstance(ours, Tensor), f"a tensor was expected, not {ours!r}"
    return ours.shape == theirs.shape and torch.allclose(
        ours.double(), theirs.double(), atol=1e-9
    )


# %% [markdown]
# ## RMSNorm in place of LayerNorm
#
# Divide each vector by the root of the mean of its squares plus `eps`, and multiply
# each channel by its weight. The square root and what is in it are computed in at least
# float32: in float16, 300 squared is already infinite. The result has the type of `x`.


# %%
def rms_norm(x: Tensor, weight: Tensor, eps: float = 1e-6) -> Tensor:
    """Shapes: x (..., C), weight (C,); returns (..., C)."""
    # Task 1: divide by the root mean square, computed in float32 for half precision,
    # and multiply by the weight.
    ### BEGIN SOLUTION
    wide = x.float() if x.dtype in (torch.float16, torch.bfloat16) else x
    scale = torch.rsqrt(wide.square().mean(dim=-1, keepdim=True) + eps)
    return weight * (wide * scale).to(x.dtype)
    ### END SOLUTION


# %% tags=["check-1"]
weight = normal(16)
for x in (normal(2, 5, 16), 1e-4 * normal(2, 5, 16), 3 + normal(7, 16)):
    theirs = F.rms_norm(x, (16,), weight, eps=1e-6)
    assert same(rms_norm(x, weight), theirs), "differs from F.rms_norm"
    other = F.rms_norm(x, (16,), weight, eps=1e-2)
    assert same(rms_norm(x, weight, 1e-2), other), "another eps"
half = torch.full((4,), 300.0, dtype=torch.float16)
found = rms_norm(half, torch.ones(4, dtype=torch.float16))
assert found.dtype == torch.float16 and found.tolist() == [1, 1, 1, 1], "half precision"
print("Task 1 is right.")

# %% [markdown]
# ## Rotations in place of learned positions
#
# In the layout of the paper, channels 0 and 1 are a pair, 2 and 3, and so on. Pair `i`
# of the token at position `t` is turned by the angle `t * base ** (-2 * i / D)`: (a, b)
# becomes (a cos - b sin, a sin + b cos).


# %%
def rotate(x: Tensor, positions: Tensor, base: float = 10_000.0) -> Tensor:
    """Shapes: x (..., T, D), positions (T,); returns (..., T, D)."""
    # Task 2: turn each pair of neighbouring channels by its angle.
    ### BEGIN SOLUTION
    D = x.size(-1)
    frequencies = base ** (-torch.arange(0, D, 2, dtype=x.dtype) / D)
    angles = positions[:, None].to(x.dtype) * frequencies
    cos, sin = angles.cos(), angles.sin()
    a, b = x[..., 0::2], x[..., 1::2]
    return torch.stack([a * cos - b * sin, a * sin + b * cos], dim=-1).flatten(-2)
    ### END SOLUTION


# %% tags=["check-2"]
for D, base in ((8, 10_000.0), (6, 100.0)):
    x, positions = normal(2, 3, 10, D), torch.arange(5, 15)
    i = torch.arange(D // 2, dtype=torch.float64)
    turns = torch.exp(1j * positions[:, None] * base ** (-2 * i / D))
    pairs = torch.view_as_complex(x.unflatten(-1, (D // 2, 2)).contiguous())
    theirs = torch.view_as_real(pairs * turns).flatten(-2)
    assert same(rotate(x, positions, base), theirs), "differs from complex numbers"
q, k = normal(10, 8), normal(10, 8)
near = rotate(q, torch.arange(10)) @ rotate(k, torch.arange(10)).T
far = rotate(q, torch.arange(50, 60)) @ rotate(k, torch.arange(50, 60)).T
assert same(near, far), "scores depend on more than distances"
print("Task 2 is right.")

# %% [markdown]
# ## SwiGLU in place of GELU
#
# Three matrices without biases, in the layout of `nn.Linear` (out, in): the gate goes
# through SiLU, is multiplied with `up`, and the product goes down.


# %%
def swiglu(x: Tensor, gate: Tensor, up: Tensor, down: Tensor) -> Tensor:
    """Shapes: x (..., C), gate and up (F, C), down (C, F); returns (..., C)."""
    # Task 3: the gated feed-forward layer.
    ### BEGIN SOLUTION
    return F.linear(F.silu(F.linear(x, gate)) * F.linear(x, up), down)
    ### END SOLUTION


# %% tags=["check-3"]
x, gate, up, down = normal(2, 5, 12), normal(20, 12), normal(20, 12), normal(12, 20)
a, b = x @ gate.T, x @ up.T
assert same(swiglu(x, gate, up, down), (a / (1 + (-a).exp()) * b) @ down.T), "swiglu"
print("Task 3 is right.")

# %% [markdown]
# ## Grouped queries in place of many keys
#
# `H` heads of queries share `G` heads of keys and values: heads 0 to H/G - 1 use the
# first, the next ones the second. Attention is causal. You may use
# `F.scaled_dot_product_attention`, without `enable_gqa`.


# %%
def grouped_attention(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """Shapes: q (B, H, T, D), k and v (B, G, T, D); returns (B, H, T, D)."""
    # Task 4: hand each head of keys to its group, then attend.
    ### BEGIN SOLUTION
    times = q.size(1) // k.size(1)
    k, v = k.repeat_interleave(times, dim=1), v.repeat_interleave(times, dim=1)
    return F.scaled_dot_product_attention(q, k, v, is_causal=True)
    ### END SOLUTION


# %% tags=["check-4"]
for G in (6, 3, 2, 1):
    q, k, v = normal(2, 6, 5, 8), normal(2, G, 5, 8), normal(2, G, 5, 8)
    theirs = F.scaled_dot_product_attention(q, k, v, is_causal=True, enable_gqa=True)
    assert same(grouped_attention(q, k, v), theirs), f"differs with {G} heads of keys"
print("Task 4 is right.")

# %% [markdown]
# ## The block
#
# Put the parts together. `p` holds the weights by name: `norm1`, `norm2` (C,); `wq`,
# `wo` (C, C); `wk`, `wv` (G · D, C); `gate`, `up`, `down`. The order is LLaMA's:
# normalise, attend, add; normalise, feed forward, add. Queries and keys are turned,
# values are not. Weights are in the layout of `nn.Linear`.


# %%
def llama_block(x: Tensor, p: dict[str, Tensor], n_heads: int) -> Tensor:
    """Shapes: x (B, T, C); returns (B, T, C)."""
    B, T, C = x.shape
    D, positions = C // n_heads, torch.arange(T)
    # Task 5: both halves of the block, with the functions above.
    ### BEGIN SOLUTION
    normed = rms_norm(x, p["norm1"])
    q, k, v = (
        F.linear(normed, p[name]).view(B, T, -1, D).transpose(1, 2)
        for name in ("wq", "wk", "wv")
    )
    mixed = grouped_attention(rotate(q, positions), rotate(k, positions), v)
    x = x + F.linear(mixed.transpose(1, 2).reshape(B, T, C), p["wo"])
    return x + swiglu(rms_norm(x, p["norm2"]), p["gate"], p["up"], p["down"])
    ### END SOLUTION


# %% tags=["check-5"]
def reference(x: Tensor, p: dict[str, Tensor], n_heads: int) -> Tensor:
    """The same, token by token and head by head."""
    B, T, C = x.shape
    D, G = C // n_heads, p["wk"].size(0) * n_heads // C
    out = x.clone()
    for b in range(B):
        a = F.rms_norm(x[b], (C,), p["norm1"], 1e-6)
        q, k, v = a @ p["wq"].T, a @ p["wk"].T, a @ p["wv"].T
        heads = []
        for h in range(n_heads):
            g = h // (n_heads // G)
            own, shared = slice(h * D, h * D + D), slice(g * D, g * D + D)
            turns = torch.arange(T)
            scores = rotate(q[:, own], turns) @ rotate(k[:, shared], turns).T / D**0.5
            scores = scores.masked_fill(torch.ones(T, T).triu(1).bool(), float("-inf"))
            heads.append(scores.softmax(dim=-1) @ v[:, shared])
        out[b] = x[b] + torch.cat(heads, dim=1) @ p["wo"].T
        f = F.rms_norm(out[b], (C,), p["norm2"], 1e-6)
        out[b] = out[b] + (F.silu(f @ p["gate"].T) * (f @ p["up"].T)) @ p["down"].T
    return out


for G in (4, 2):
    shapes = {"norm1": (16,), "norm2": (16,), "wq": (16, 16), "wo": (16, 16)}
    shapes |= {"wk": (4 * G, 16), "wv": (4 * G, 16)}
    shapes |= {"gate": (24, 16), "up": (24, 16), "down": (16, 24)}
    p = {name: normal(*shape) for name, shape in shapes.items()}
    x = normal(3, 7, 16)
    assert same(llama_block(x, p, 4), reference(x, p, 4)), (
        f"differs with {G} heads of keys"
    )
print("Task 5 is right.")

# %% [markdown]
# ## GPT-2's block beside it
#
# The same input through a block as GPT-2 has it. Compare the names of the parameters
# with those of `p`: biases are gone, and the feed-forward layer has three matrices.

# %%
gpt = nn.TransformerEncoderLayer(16, 4, 64, activation="gelu", norm_first=True)
print("GPT-2:", *sorted(name for name, _ in gpt.named_parameters()), sep="\n  ")
print("LLaMA:", *sorted(p), sep="\n  ")
