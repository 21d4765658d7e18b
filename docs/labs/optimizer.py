# %% [markdown] minutes=50 task="pytorch-3-optimizers"
# # Lab: an optimizer of your own
#
# You write five steps: plain descent, momentum, Adam, decoupled decay, and groups of
# parameters. After each stands a check against `torch.optim`, over many steps of a
# small network. Read [the chapter](../../pytorch/day-3/optimizers/) first, or keep it
# open beside you.
#
# Each function changes one parameter `p` in place by its gradient `g`, and may keep
# what it needs in the dictionary `state`, which is empty at first.

# %%
import torch
from torch import Tensor, nn


def network() -> nn.Module:
    """A small network with the same first weights each time."""
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Linear(8, 3)).double()


def train(update, steps: int = 50) -> list[Tensor]:
    """The weights after some steps by `update(number, p, g, state)`."""
    model, draw = network(), torch.Generator().manual_seed(1)
    states = [{} for _ in model.parameters()]
    for _ in range(steps):
        x = torch.randn(16, 6, generator=draw, dtype=torch.float64)
        y = (x[:, 0] > x[:, 1]).long() + (x[:, 2] > 1).long()
        model.zero_grad()
        nn.functional.cross_entropy(model(x), y).backward()
        with torch.no_grad():
            for number, p in enumerate(model.parameters()):
                update(number, p, p.grad, states[number])
    return [p.detach() for p in model.parameters()]


def train_theirs(make, steps: int = 50) -> list[Tensor]:
    """The same by an optimizer of PyTorch's."""
    model, draw = network(), torch.Generator().manual_seed(1)
    optimizer = make(model)
    for _ in range(steps):
        x = torch.randn(16, 6, generator=draw, dtype=torch.float64)
        y = (x[:, 0] > x[:, 1]).long() + (x[:, 2] > 1).long()
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(x), y).backward()
        optimizer.step()
    return [p.detach() for p in model.parameters()]


def check(update, make, what: str) -> None:
    """Both must end at the same weights."""
    for steps in (1, 2, 50):
        pairs = zip(train(update, steps), train_theirs(make, steps), strict=True)
        apart = max((a - b).abs().max().item() for a, b in pairs)
        assert apart < 1e-9, f"{what}: weights differ by {apart:.1e} after step {steps}"


# %% [markdown]
# ## Downhill
#
# The parameter minus the rate times its gradient, in place: `p -= …`. Writing
# `p = p - …` makes a new tensor and leaves the model's alone.


# %%
def sgd(p: Tensor, g: Tensor, state: dict, lr: float) -> None:
    """One step of gradient descent."""
    # Task 1: change p in place.
    ### BEGIN SOLUTION
    p -= lr * g
    ### END SOLUTION


# %% tags=["check-1"]
check(
    lambda n, p, g, s: sgd(p, g, s, 0.1),
    lambda model: torch.optim.SGD(model.parameters(), lr=0.1),
    "SGD",
)
print("Task 1 is right.")

# %% [markdown]
# ## Momentum
#
# A velocity: in the first step the gradient itself, then `momentum` times the old
# velocity plus the gradient. The step goes along the velocity. Keep it in
# `state["velocity"]`.


# %%
def momentum_step(
    p: Tensor, g: Tensor, state: dict, lr: float, momentum: float
) -> None:
    """One step with momentum; g itself must not change."""
    # Task 2: update the velocity, then p, in place.
    ### BEGIN SOLUTION
    old = state.get("velocity", torch.zeros_like(p))
    state["velocity"] = momentum * old + g
    p -= lr * state["velocity"]
    ### END SOLUTION


# %% tags=["check-2"]
check(
    lambda n, p, g, s: momentum_step(p, g, s, 0.05, 0.9),
    lambda model: torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9),
    "momentum",
)
p, g, state = torch.zeros(2), torch.ones(2), {}
momentum_step(p, g, state, 0.1, 0.9)
momentum_step(p, g, state, 0.1, 0.9)
assert torch.equal(g, torch.ones(2)), "the gradient itself was changed"
print("Task 2 is right.")

# %% [markdown]
# ## Adam
#
# A running mean of the gradient (`beta1`) and one of its square (`beta2`), both from
# zero; both divided by `1 - beta ** t`, where `t` counts the steps from 1; then
#
# \[ p \leftarrow p - \eta\, \hat m / (\sqrt{\hat v} + \varepsilon) \]


# %%
def adam(
    p: Tensor, g: Tensor, state: dict, lr: float, beta1=0.9, beta2=0.999, eps=1e-8
) -> None:
    """One step of Adam."""
    # Task 3: update t, both means, and p.
    ### BEGIN SOLUTION
    t = state["t"] = state.get("t", 0) + 1
    m = state["m"] = beta1 * state.get("m", torch.zeros_like(p)) + (1 - beta1) * g
    v = state["v"] = beta2 * state.get("v", torch.zeros_like(p)) + (1 - beta2) * g**2
    p -= lr * (m / (1 - beta1**t)) / ((v / (1 - beta2**t)).sqrt() + eps)
    ### END SOLUTION


# %% tags=["check-3"]
check(
    lambda n, p, g, s: adam(p, g, s, 0.01),
    lambda model: torch.optim.Adam(model.parameters(), lr=0.01),
    "Adam",
)
check(
    lambda n, p, g, s: adam(p, g, s, 0.01, 0.5, 0.9, 1e-2),
    lambda m: torch.optim.Adam(m.parameters(), lr=0.01, betas=(0.5, 0.9), eps=1e-2),
    "Adam with other settings",
)
print("Task 3 is right.")

# %% [markdown]
# ## Decoupled decay
#
# AdamW shrinks the parameter by `lr * decay` of itself and then steps as Adam does. The
# decay must not enter the gradient.


# %%
def adamw(p: Tensor, g: Tensor, state: dict, lr: float, decay: float) -> None:
    """One step of AdamW."""
    # Task 4: shrink p in place, then call adam.
    ### BEGIN SOLUTION
    p *= 1 - lr * decay
    adam(p, g, state, lr)
    ### END SOLUTION


# %% tags=["check-4"]
check(
    lambda n, p, g, s: adamw(p, g, s, 0.01, 0.3),
    lambda model: torch.optim.AdamW(model.parameters(), lr=0.01, weight_decay=0.3),
    "AdamW",
)
print("Task 4 is right.")

# %% [markdown]
# ## Groups
#
# Matrices decay, vectors do not. Give back two lists for `torch.optim.AdamW`, in this
# order: a group with all parameters of two axes or more and the decay, and one with the
# others and a decay of 0.


# %%
def groups(model: nn.Module, decay: float) -> list[dict]:
    """Parameter groups for an optimizer of PyTorch's."""
    # Task 5: two dictionaries with "params" and "weight_decay".
    ### BEGIN SOLUTION
    matrices = [p for p in model.parameters() if p.dim() >= 2]
    vectors = [p for p in model.parameters() if p.dim() < 2]
    return [
        {"params": matrices, "weight_decay": decay},
        {"params": vectors, "weight_decay": 0.0},
    ]
    ### END SOLUTION


# %% tags=["check-5"]
model = nn.Sequential(nn.Linear(6, 8), nn.LayerNorm(8), nn.Embedding(5, 8))
found = groups(model, 0.3)
assert [len(list(group["params"])) for group in found] == [2, 3], (
    "2 matrices, 3 vectors"
)
assert [group["weight_decay"] for group in found] == [0.3, 0.0]
assert all(p.dim() >= 2 for p in groups(model, 0.3)[0]["params"])
is_matrix = [p.dim() >= 2 for p in network().parameters()]
check(
    lambda n, p, g, s: adamw(p, g, s, 0.01, 0.3 if is_matrix[n] else 0.0),
    lambda model: torch.optim.AdamW(groups(model, 0.3), lr=0.01),
    "groups",
)
print("Task 5 is right.")

# %% [markdown]
# These lines train the large models of today. [The
# chapter](../../pytorch/day-3/optimizers/) has their paths, and what goes wrong.
