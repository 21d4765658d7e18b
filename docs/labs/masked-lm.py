# %% [markdown] minutes=45 task="llm-2-bert"
# # Lab: masked LM by hand
#
# You write the data side of BERT in five tasks: which positions are chosen, what stands
# in their place, what the loss counts, and how a pair of sentences becomes one row.
# After each task stands a check. You need PyTorch and nothing else. Read [the
# chapter](../../llm/day-2/bert/) first, or keep it open beside you.
#
# Ids 0 to 3 are special: padding, [CLS], [SEP], [MASK]. Ids from 4 on are words. A
# label of -100 means: nothing is asked here.

# %%
import torch
import torch.nn.functional as F
from torch import Tensor

PAD, CLS, SEP, MASK = range(4)
FIRST_WORD, NOT_ASKED = 4, -100
torch.manual_seed(0)


def some_batch(B: int, T: int, vocab_size: int) -> Tensor:
    """Rows of [CLS] words [SEP] and padding, of different lengths."""
    ids = torch.randint(FIRST_WORD, vocab_size, (B, T))
    lengths = torch.randint(T // 2, T + 1, (B, 1))
    place = torch.arange(T)
    ids = torch.where(place < lengths, ids, PAD)
    ids[:, 0] = CLS
    return torch.where(place == lengths - 1, SEP, ids)


# %% [markdown]
# ## Which positions?
#
# In each row, 15 % of the words are chosen: `round(0.15 * words)`, and at least one
# where there is a word at all. Special tokens are never chosen. One way: give each
# position a random number, push the special ones to the end, and take the first ones of
# each row.


# %%
def choose(ids: Tensor) -> Tensor:
    """True at the chosen positions (B, T)."""
    # Task 1: choose 15 % of the words of each row, at random, never a special token.
    ### BEGIN SOLUTION
    words = ids >= FIRST_WORD
    noise = torch.rand(ids.shape).masked_fill(~words, 2.0)
    rank = noise.argsort(dim=1).argsort(dim=1)
    count = (0.15 * words.sum(dim=1, keepdim=True)).round().clamp(min=1)
    return (rank < count) & words
    ### END SOLUTION


# %% tags=["check-1"]
ids = some_batch(2000, 40, 100)
words = ids >= FIRST_WORD
chosen = choose(ids)
assert chosen.dtype == torch.bool and chosen.shape == ids.shape, "True or False (B, T)"
assert not (chosen & ~words).any(), "a special token is chosen"
wanted = (0.15 * words.sum(dim=1)).round().clamp(min=1)
assert torch.equal(chosen.sum(dim=1).float(), wanted), "15 % of the words of each row"
full = torch.full((4000, 20), 9)
shares = choose(full).float().mean(dim=0)
assert (shares - 0.15).abs().max() < 0.03, "some positions are chosen more than others"
assert choose(torch.tensor([[CLS, 9, SEP]])).sum() == 1, "one word: it is chosen"
assert choose(torch.tensor([[CLS, SEP, PAD]])).sum() == 0, "no word: nothing is chosen"
print("Task 1 is right.")

# %% [markdown]
# ## What stands there?
#
# Of the chosen positions 80 % become [MASK], 10 % a random word, and 10 % stay as they
# are. Each position has exactly one fate, so draw one number for each. Drawing twice
# gives other shares: of the 20 % that were not masked, 10 % would be 2 %.


# %%
def corrupt(ids: Tensor, chosen: Tensor, vocab_size: int) -> Tensor:
    """The inputs (B, T); `ids` must not change."""
    # Task 2: replace 80 % of the chosen positions by [MASK] and 10 % by a random word,
    # which is never a special token. Leave everything else.
    ### BEGIN SOLUTION
    fate = torch.rand(ids.shape)
    words = torch.randint(FIRST_WORD, vocab_size, ids.shape)
    inputs = torch.where(chosen & (fate < 0.8), MASK, ids)
    return torch.where(chosen & (fate >= 0.8) & (fate < 0.9), words, inputs)
    ### END SOLUTION


# %% tags=["check-2"]
ids = torch.randint(FIRST_WORD, 100, (400, 100))
before, chosen = ids.clone(), torch.rand(400, 100) < 0.5
inputs = corrupt(ids, chosen, 100)
assert torch.equal(ids, before), "the ids themselves were changed"
assert torch.equal(inputs[~chosen], ids[~chosen]), "a position changed, unchosen"
masked = (inputs == MASK)[chosen].float().mean().item()
kept = (inputs == ids)[chosen].float().mean().item()
assert abs(masked - 0.8) < 0.012, f"{masked:.3f} are masked"
assert abs(kept - 0.1) < 0.01, f"{kept:.3f} stay as they are"
replaced = inputs[chosen & (inputs != MASK) & (inputs != ids)]
assert replaced.min() >= FIRST_WORD, "a special token came in as a random word"
assert replaced.max() < 100, "a word came in that the vocabulary does not have"
assert len(replaced.unique()) == 100 - FIRST_WORD, "any word may come"
print("Task 2 is right.")

# %% [markdown]
# ## What is asked?
#
# Labels hold the true id at the chosen positions, and -100 everywhere else, where
# `F.cross_entropy` looks away.


# %%
def labels_of(ids: Tensor, chosen: Tensor) -> Tensor:
    """The labels (B, T)."""
    # Task 3: the true ids where something is asked, -100 elsewhere.
    ### BEGIN SOLUTION
    return torch.where(chosen, ids, NOT_ASKED)
    ### END SOLUTION


# %% tags=["check-3"]
ids, chosen = torch.tensor([[1, 7, 8, 2]]), torch.tensor([[False, True, False, False]])
assert labels_of(ids, chosen).tolist() == [[-100, 7, -100, -100]], "labels are wrong"
assert ids.tolist() == [[1, 7, 8, 2]], "the ids themselves were changed"
print("Task 3 is right.")

# %% [markdown]
# ## What counts?
#
# The loss is the mean of `-log p(true word)` over the chosen positions, and over
# nothing else. Write it without `F.cross_entropy`. A mean over all positions would make
# the loss small, and a multiplication by a mask before the mean is such a mean.


# %%
def masked_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """The loss, one number. Shapes: logits (B, T, V), labels (B, T)."""
    # Task 4: pick the log-probability of the true word at each chosen position, and
    # take the mean with a minus sign.
    ### BEGIN SOLUTION
    asked = labels != NOT_ASKED
    logs = logits[asked].log_softmax(dim=-1)
    return -logs.gather(1, labels[asked][:, None]).mean()
    ### END SOLUTION


# %% tags=["check-4"]
for scale in (1.0, 300.0):
    logits = (scale * torch.randn(3, 9, 50)).requires_grad_()
    labels = torch.where(torch.rand(3, 9) < 0.3, torch.randint(4, 50, (3, 9)), -100)
    theirs = F.cross_entropy(logits.flatten(0, 1), labels.flatten())
    ours = masked_loss(logits, labels)
    assert torch.allclose(ours, theirs, rtol=1e-4), "differs from F.cross_entropy"
    (gradient,) = torch.autograd.grad(ours, logits)
    assert (gradient[labels == -100] == 0).all(), "other positions have an effect"
print("Task 4 is right.")

# %% [markdown]
# ## Two sentences in a row
#
# `[CLS] first [SEP] second [SEP]`, filled up with padding to `length`, and the
# segments: 0 for [CLS], the first sentence and its [SEP], 1 for the second and its
# [SEP], 0 for padding. If both do not fit, the *longer* one loses tokens, one by one,
# until they do: the first at its start, the second at its end. Of two that are equally
# long, the second loses one.


# %%
def row_of(
    first: list[int], second: list[int], length: int
) -> tuple[list[int], list[int]]:
    """Ids and segments, each of `length`."""
    # Task 5: shorten, put together, fill up.
    ### BEGIN SOLUTION
    first, second = list(first), list(second)
    while len(first) + len(second) > length - 3:
        if len(first) > len(second):
            first.pop(0)
        else:
            second.pop()
    ids = [CLS, *first, SEP, *second, SEP]
    segments = [0] * (len(first) + 2) + [1] * (len(second) + 1)
    filling = [0] * (length - len(ids))
    return ids + filling, segments + filling
    ### END SOLUTION


# %% tags=["check-5"]
first, second = [10, 11, 12, 13], [20, 21]
ids, segments = row_of(first, second, 11)
assert ids == [1, 10, 11, 12, 13, 2, 20, 21, 2, 0, 0], ids
assert segments == [0, 0, 0, 0, 0, 0, 1, 1, 1, 0, 0], segments
ids, segments = row_of(first, second, 7)
assert ids == [1, 12, 13, 2, 20, 21, 2], f"shortened wrongly: {ids}"
assert segments == [0, 0, 0, 0, 1, 1, 1], segments
assert row_of(first, second, 6)[0] == [1, 12, 13, 2, 20, 2], "the second loses one"
assert row_of([10], [20, 21, 22, 23], 6)[0] == [1, 10, 2, 20, 21, 2], "at its end"
assert (first, second) == ([10, 11, 12, 13], [20, 21]), "the lists were changed"
print("Task 5 is right.")

# %% [markdown]
# ## Does it learn?
#
# With your functions, a model of two matrices learns which word belongs where. In this
# toy language word 4 + i is always followed by word 5 + i. The model sees the words to
# the left and to the right, and predicts the one between them.

# %%
V, T = 24, 12
start = torch.randint(0, V - FIRST_WORD, (256, 1))
ids = FIRST_WORD + (start + torch.arange(T)) % (V - FIRST_WORD)
left, right = torch.nn.Embedding(V, V), torch.nn.Embedding(V, V)
optimizer = torch.optim.Adam([*left.parameters(), *right.parameters()], lr=0.1)
for _ in range(100):
    chosen = choose(ids)
    inputs, labels = corrupt(ids, chosen, V), labels_of(ids, chosen)
    logits = left(inputs.roll(1, dims=1)) + right(inputs.roll(-1, dims=1))
    loss = masked_loss(logits, labels)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
print(f"The loss went from about {torch.tensor(float(V)).log():.1f} to {loss:.1f}.")
assert loss < 1
