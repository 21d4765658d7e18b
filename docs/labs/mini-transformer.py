# %% [markdown] minutes=75 task="llm-6-mini-gpt"
# # Lab: a mini-Transformer
#
# You write a small GPT-2 in seven tasks: attention, block, model, first weights, loss,
# training, sampling. After each task stands a check: against PyTorch, against GPT-2 of
# `transformers` with the same weights, or a slow and plain computation. You need
# PyTorch and `transformers`; nothing is downloaded. Read
# [the model](../../llm/day-6/model/) and [how it is trained](../../llm/day-6/training/)
# first, or keep them open beside you.
#
# Axes: `B` batch, `T` tokens, `C` channels of the model, `H` heads, `D` channels of one
# head, `V` vocabulary.

# %%
import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from transformers import GPT2Config, GPT2LMHeadModel

torch.manual_seed(0)
V, T_MAX, C, H, L = 40, 24, 32, 4, 2  # the sizes of our model


def same(ours: Tensor, theirs: Tensor, atol: float = 1e-5) -> bool:
    """Whether shapes are equal, and numbers but for rounding."""
    assert isinstance(ours, Tensor), f"a tensor was expected, not {ours!r}"
    return ours.shape == theirs.shape and torch.allclose(ours, theirs, atol=atol)


# %% [markdown]
# ## Attention
#
# One matrix gives queries, keys and values of all heads: `qkv` maps `C` channels to
# `3 C`, first all queries, then all keys, then all values. Head 0 has the first `D`
# channels of each. Position `t` may attend to positions 0 to `t`.


# %%
class Attention(nn.Module):
    """Causal self-attention with `n_heads` heads: (B, T, C) to (B, T, C)."""

    def __init__(self, d_model: int, n_heads: int) -> None:
        super().__init__()
        self.n_heads = n_heads
        self.qkv = nn.Linear(d_model, 3 * d_model)
        self.out = nn.Linear(d_model, d_model)

    def forward(self, x: Tensor) -> Tensor:
        """Let each token look at itself and at those before it."""
        # Task 1: cut the result of qkv into heads, attend causally in each (scores over
        # the root of D), join the heads, and apply out.
        ### BEGIN SOLUTION
        B, T, C = x.shape
        parts = self.qkv(x).view(B, T, 3, self.n_heads, C // self.n_heads)
        q, k, v = parts.permute(2, 0, 3, 1, 4)  # (B, H, T, D) each
        scores = q @ k.transpose(-2, -1) / math.sqrt(q.size(-1))  # (B, H, T, T)
        may = torch.ones(T, T, dtype=torch.bool).tril()
        weights = scores.masked_fill(~may, float("-inf")).softmax(dim=-1)
        return self.out((weights @ v).transpose(1, 2).flatten(2))
        ### END SOLUTION


# %% tags=["check-1"]
ours, theirs = Attention(C, H), nn.MultiheadAttention(C, H, batch_first=True)
with torch.no_grad():
    for p in ours.parameters():
        p.normal_(std=0.3)
    theirs.in_proj_weight.copy_(ours.qkv.weight)
    theirs.in_proj_bias.copy_(ours.qkv.bias)
    theirs.out_proj.load_state_dict(ours.out.state_dict())
x = torch.randn(3, 7, C)
future = nn.Transformer.generate_square_subsequent_mask(7)
expected, _ = theirs(x, x, x, attn_mask=future, is_causal=True)
assert same(ours(x), expected), "differs from nn.MultiheadAttention with a causal mask"
print("Task 1 is right.")

# %% [markdown]
# ## Block
#
# GPT-2 normalises before each part (pre-LN) and adds what the part finds. The
# feed-forward layer is four times as wide, with GELU in its **tanh** form.


# %%
class Block(nn.Module):
    """Attention and a feed-forward layer: (B, T, C) to (B, T, C)."""

    def __init__(self, d_model: int, n_heads: int) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(d_model), nn.LayerNorm(d_model)
        self.attention = Attention(d_model, n_heads)
        self.up = nn.Linear(d_model, 4 * d_model)
        self.down = nn.Linear(4 * d_model, d_model)

    def forward(self, x: Tensor) -> Tensor:
        """Add what attention finds, then what the feed-forward layer makes of it."""
        # Task 2: two residual steps, each on a normalised copy; F.gelu has an option
        # for the tanh form.
        ### BEGIN SOLUTION
        x = x + self.attention(self.norm1(x))
        hidden = F.gelu(self.up(self.norm2(x)), approximate="tanh")  # (B, T, 4C)
        return x + self.down(hidden)
        ### END SOLUTION


# %% tags=["check-2"]
reference = GPT2LMHeadModel(
    GPT2Config(vocab_size=V, n_positions=T_MAX, n_embd=C, n_layer=L, n_head=H)
).eval()
with torch.no_grad():
    for p in reference.parameters():
        p.normal_(std=0.3)


def copy_block(block: Block, other: nn.Module) -> None:
    """Give a block the weights of one of theirs, which are stored transposed."""
    pairs = (
        (block.attention.qkv, other.attn.c_attn),
        (block.attention.out, other.attn.c_proj),
        (block.up, other.mlp.c_fc),
        (block.down, other.mlp.c_proj),
    )
    with torch.no_grad():
        for layer, conv in pairs:
            layer.weight.copy_(conv.weight.T)
            layer.bias.copy_(conv.bias)
    block.norm1.load_state_dict(other.ln_1.state_dict())
    block.norm2.load_state_dict(other.ln_2.state_dict())


block = Block(C, H).eval()
copy_block(block, reference.transformer.h[0])
x = torch.randn(2, 9, C)
found = {}
hook = reference.transformer.h[0].register_forward_hook(
    lambda module, inputs, output: found.update(
        output=output if isinstance(output, Tensor) else output[0], inputs=inputs[0]
    )
)
with torch.no_grad():
    reference(torch.randint(V, (2, 9)))
    hook.remove()
    assert same(block(found["inputs"]), found["output"], 1e-4), (
        "differs from a block of transformers' GPT-2: norms first? the tanh form?"
    )
try:
    block(torch.randn(2, 9, C)).sum().backward()
except RuntimeError as error:
    raise AssertionError("no way back: is a tensor changed in place?") from error
print("Task 2 is right.")

# %% [markdown]
# ## Model
#
# A token's vector plus its position's vector goes through all blocks and a last norm.
# The head is **tied**: the logits are the products with the rows of the embedding.


# %%
class MiniGPT(nn.Module):
    """A small GPT-2: ids (B, T) to logits (B, T, V)."""

    def __init__(self) -> None:
        super().__init__()
        self.token, self.position = nn.Embedding(V, C), nn.Embedding(T_MAX, C)
        self.blocks = nn.ModuleList(Block(C, H) for _ in range(L))
        self.norm = nn.LayerNorm(C)

    def forward(self, ids: Tensor) -> Tensor:
        """Score every token as the next one, at each position."""
        # Task 3: embed tokens and positions 0 … T - 1, go through the blocks and the
        # norm, and score with the embedding's own weight.
        ### BEGIN SOLUTION
        x = self.token(ids) + self.position(torch.arange(ids.size(1)))  # (B, T, C)
        for block in self.blocks:
            x = block(x)
        return self.norm(x) @ self.token.weight.T
        ### END SOLUTION


# %% tags=["check-3"]
model = MiniGPT().eval()
for block, other in zip(model.blocks, reference.transformer.h, strict=True):
    copy_block(block, other)
model.token.load_state_dict(reference.transformer.wte.state_dict())
model.position.load_state_dict(reference.transformer.wpe.state_dict())
model.norm.load_state_dict(reference.transformer.ln_f.state_dict())
ids = torch.randint(V, (2, T_MAX))
with torch.no_grad():
    theirs = reference(ids).logits
    assert same(model(ids), theirs, 1e-3), "differs from transformers' GPT2LMHeadModel"
    short = model(ids[:, :5])
assert same(short, theirs[:, :5], 1e-3), "a shorter text gives other logits"
print("Task 3 is right.")

# %% [markdown]
# ## First weights
#
# All matrices and embeddings come from a normal distribution with a standard deviation
# of 0.02, biases are zero. The two layers of each block that write to the residual
# stream, `attention.out` and `down`, get 0.02 / √(2L): there are 2L of them, and what
# they add up to shall not grow with L.


# %%
@torch.no_grad()
def initialize_weights(model: MiniGPT) -> None:
    """Draw new weights in place; layer norms stay as they are."""
    # Task 4: go through model.modules(), then through the blocks.
    ### BEGIN SOLUTION
    for module in model.modules():
        if isinstance(module, nn.Linear | nn.Embedding):
            module.weight.normal_(std=0.02)
        if isinstance(module, nn.Linear):
            module.bias.zero_()
    for block in model.blocks:
        for layer in (block.attention.out, block.down):
            layer.weight.normal_(std=0.02 / math.sqrt(2 * len(model.blocks)))
    ### END SOLUTION


# %% tags=["check-4"]
torch.manual_seed(0)
model = MiniGPT()
initialize_weights(model)
for name, p in model.named_parameters():
    if name.endswith("bias"):
        assert (p == 0).all(), f"{name} is not zero"
    elif "norm" in name:
        assert (p == 1).all(), f"{name} was changed"
    else:
        residual = name.endswith(("attention.out.weight", "down.weight"))
        wanted = 0.02 / math.sqrt(2 * L) if residual else 0.02
        assert abs(p.std().item() / wanted - 1) < 0.15, f"{name}: std {p.std():.4f}"
        assert abs(p.mean().item()) < 0.003, f"{name}: mean {p.mean():.4f}"
print("Task 4 is right.")

# %% [markdown]
# ## Loss
#
# Position `t` has to predict token `t + 1`. All positions of a text are learned from at
# once; the last one has nothing to predict.


# %%
def next_token_loss(model: MiniGPT, ids: Tensor) -> Tensor:
    """The mean cross-entropy over all T - 1 predictions of ids (B, T)."""
    # Task 5: shift by one, and average over all predictions.
    ### BEGIN SOLUTION
    logits = model(ids[:, :-1])  # (B, T - 1, V)
    return F.cross_entropy(logits.flatten(0, 1), ids[:, 1:].flatten())
    ### END SOLUTION


# %% tags=["check-5"]
loss = next_token_loss(model, ids)
assert abs(loss.item() - math.log(V)) < 0.1, f"{loss:.3f} at the start, not ln V"
with torch.no_grad():
    trained = MiniGPT().eval()
    for block, other in zip(trained.blocks, reference.transformer.h, strict=True):
        copy_block(block, other)
    trained.token.load_state_dict(reference.transformer.wte.state_dict())
    trained.position.load_state_dict(reference.transformer.wpe.state_dict())
    trained.norm.load_state_dict(reference.transformer.ln_f.state_dict())
    theirs = reference(ids, labels=ids).loss
    assert same(next_token_loss(trained, ids), theirs, 1e-3), "differs from theirs"
print("Task 5 is right.")

# %% [markdown]
# ## Training
#
# A step of training: loss, gradients, clip their norm to 1, let the optimizer change
# the weights, and forget the gradients. The rate rises over the first `warmup` steps,
# from `1 / warmup` of the optimizer's own in step 0 to all of it in step `warmup - 1`,
# and stays there.


# %%
def train(model: MiniGPT, batches: list[Tensor], lr: float, warmup: int) -> list[float]:
    """One step of AdamW a batch; the loss before each step."""
    optimizer = torch.optim.AdamW(model.parameters(), lr, weight_decay=0.1)
    losses = []
    for step, ids in enumerate(batches):
        # Task 6: set the rate of all groups, then make a step, with clipping, and
        # append the loss to losses as a number.
        ### BEGIN SOLUTION
        for group in optimizer.param_groups:
            group["lr"] = lr * min(1.0, (step + 1) / warmup)
        loss = next_token_loss(model, ids)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss.item())
        ### END SOLUTION
    return losses


# %% tags=["check-6"]
torch.manual_seed(0)
first, twin = MiniGPT(), MiniGPT()
initialize_weights(first)
with torch.no_grad():
    first.token.weight.mul_(30)  # so that clipping matters
twin.load_state_dict(first.state_dict())
batches = [torch.randint(V, (4, T_MAX)) for _ in range(6)]
losses = train(first, batches, lr=1e-3, warmup=4)
assert len(losses) == 6, f"{len(losses)} losses for 6 batches"
assert all(isinstance(loss, float) for loss in losses), "append numbers, not tensors"
optimizer = torch.optim.AdamW(twin.parameters(), 1e-3, weight_decay=0.1)
schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda s: min(1, (s + 1) / 4))
for ids, loss in zip(batches, losses, strict=True):
    expected = next_token_loss(twin, ids)
    assert abs(expected.item() - loss) < 1e-3, f"{loss:.4f}, not {expected:.4f}"
    twin.zero_grad()
    expected.backward()
    nn.utils.clip_grad_norm_(twin.parameters(), 1.0)
    optimizer.step()
    schedule.step()
for (name, p), other in zip(first.named_parameters(), twin.parameters(), strict=True):
    assert same(p, other, 1e-4), f"{name} differs from a run with torch's schedule"

torch.manual_seed(0)
model = MiniGPT()
initialize_weights(model)
one = torch.randint(V, (4, T_MAX))
losses = train(model, [one] * 200, lr=3e-3, warmup=20)
assert losses[-1] < 0.2, f"one batch is not learned by heart: {losses[-1]:.2f}"
print(
    f"Task 6 is right. One batch learned by heart: {losses[0]:.2f} to {losses[-1]:.2f}"
)

# %% [markdown]
# ## Sampling
#
# Text is made token by token. With `top_k`, only the `k` likeliest tokens may be drawn,
# in **each row** of the batch by its own ranking. The model sees the last `T_MAX`
# tokens. With `top_k=1` the likeliest token always comes next.


# %%
@torch.no_grad()
def sample(model: MiniGPT, ids: Tensor, n: int, top_k: int) -> Tensor:
    """Append `n` tokens to each row of ids (B, T)."""
    for _ in range(n):
        # Task 7: from the last position's logits, strike out all but each row's top_k,
        # draw one token a row by torch.multinomial, and append it.
        ### BEGIN SOLUTION
        logits = model(ids[:, -T_MAX:])[:, -1]  # (B, V)
        least = logits.topk(top_k, dim=-1).values[:, -1:]  # (B, 1)
        logits = logits.masked_fill(logits < least, float("-inf"))
        following = torch.multinomial(logits.softmax(dim=-1), 1)  # (B, 1)
        ids = torch.cat([ids, following], dim=1)
        ### END SOLUTION
    return ids


# %% tags=["check-7"]
prompt = torch.randint(V, (3, 4))
mask = torch.ones_like(prompt)
greedy = reference.generate(
    prompt, attention_mask=mask, max_new_tokens=15, do_sample=False, eos_token_id=None
)
written = sample(trained, prompt, 15, top_k=1)
assert torch.equal(written, greedy), "top_k=1 differs from transformers' greedy search"
assert sample(trained, prompt, 30, top_k=3).shape == (3, 34), "longer than the context"


class Shifted(nn.Module):
    """The reference, with the logits of each row on another level."""

    def forward(self, ids: Tensor) -> Tensor:
        """The same probabilities as without the shift."""
        return reference(ids).logits + 10.0 * torch.arange(len(ids))[:, None, None]


with torch.no_grad():
    allowed = reference(prompt).logits[:, -1].topk(5).indices  # (B, 5)
drawn = [sample(Shifted(), prompt, 1, top_k=5)[:, -1:] for _ in range(300)]
drawn = torch.cat(drawn, dim=1)  # (B, 300)
for row in range(3):
    kinds = set(drawn[row].tolist())
    assert kinds <= set(allowed[row].tolist()), f"row {row} drew outside of its top 5"
    assert len(kinds) > 1, f"row {row} always draws the same token"
print("Task 7 is right.")

# %% [markdown]
# ## It learns by heart, and says it
#
# The model of task 6 has seen one batch only. Given the first tokens of a row, it
# writes the rest.

# %%
model.eval()
again = sample(model, one[:, :6], T_MAX - 6, top_k=1)
print(f"{(again == one).float().mean():.0%} of the tokens are those of the batch")
