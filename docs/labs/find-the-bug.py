# %% [markdown] minutes=60 task="pytorch-7-gallery-deeper"
# # Lab: find the bug
#
# Ten functions of a training program. Each of them runs, and each is wrong. A comment
# tells what it should do. After each stands a check: run it first, since its message is
# the symptom. Then find out why, by small experiments in cells of your own, and repair
# the function until the check passes. Some have more than one bug.
#
# They stand in the order in which one looks for bugs: data, model, loss, step, loop,
# evaluation. Read [the chapter](../../pytorch/day-7/debugging/) first, and use its
# tools. You need PyTorch and scikit-learn, which brings the images.

# %%
import copy
import math
from collections.abc import Callable, Iterable

import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch import Tensor, nn

found = load_digits()
images = torch.from_numpy(found.images).float().flatten(1) / 16  # (N, 64)
labels = torch.from_numpy(found.target).long()  # (N,)


def new_model(dropout: float = 0.0) -> nn.Module:
    """A classifier, with the same weights each time."""
    torch.manual_seed(0)
    hidden = [nn.Linear(64, 64), nn.ReLU(), nn.Dropout(dropout)]
    return nn.Sequential(*hidden, nn.Linear(64, 10))


def weights(model: nn.Module) -> Tensor:
    """All parameters in one row, as a copy."""
    return nn.utils.parameters_to_vector(model.parameters()).detach().clone()


# %% [markdown]
# ## Data: a new order
#
# The training loss stays at 2.3, and the accuracy at chance. One batch alone can be
# learned by heart.


# %%
def shuffled(
    images: Tensor, labels: Tensor, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """The same images with their labels, in a random order."""
    # Task 1: the order is random, and yet nothing can be learned from the result.
    ### BEGIN BROKEN
    # n = len(labels)
    # images = images[torch.randperm(n, generator=generator)]
    # labels = labels[torch.randperm(n, generator=generator)]
    # return images, labels
    ### BEGIN SOLUTION
    order = torch.randperm(len(labels), generator=generator)
    return images[order], labels[order]
    ### END SOLUTION


# %% tags=["check-1"]
numbers = torch.arange(200)
x, y = shuffled(numbers[:, None].float(), numbers, torch.Generator().manual_seed(0))
apart = int((x[:, 0] != y).sum())
assert apart == 0, f"{apart} of 200 images have the label of another one"
assert torch.equal(y.sort().values, numbers), "not each image once"
assert not torch.equal(y, numbers), "the order is not random"
draws = [torch.Generator().manual_seed(seed) for seed in (0, 1)]
again, other = (shuffled(numbers[:, None].float(), numbers, draw)[1] for draw in draws)
assert torch.equal(again, y), "the same seed of the generator gives another order"
assert not torch.equal(other, y), "another seed of the generator gives the same order"
print("Task 1 is right.")

# %% [markdown]
# ## Data: noise
#
# In the first epoch all is well. From epoch to epoch the images become harder to
# recognise, for the training and for a look at the data.


# %%
def noisy(images: Tensor, generator: torch.Generator) -> Tensor:
    """The images with normal noise of standard deviation 0.2, between 0 and 1."""
    # Task 2: each call should start from the clean images.
    ### BEGIN BROKEN
    # images += 0.2 * torch.randn(images.shape, generator=generator)
    # images.clamp_(0, 1)
    # return images
    ### BEGIN SOLUTION
    noise = 0.2 * torch.randn(images.shape, generator=generator)
    return (images + noise).clamp(0, 1)
    ### END SOLUTION


# %% tags=["check-2"]
generator = torch.Generator().manual_seed(0)
given = images[:100].clone()
first = noisy(given, generator).clone()
second = noisy(given, generator)
moved = (given - images[:100]).abs().mean().item()
assert moved == 0, f"after two epochs the data themselves are {moved:.2f} away"
assert second.min() >= 0 and second.max() <= 1, "not between 0 and 1"
distance = (second - images[:100]).abs().mean().item()
assert 0.05 < distance < 0.15, f"{distance:.2f} of noise on average"
assert not torch.equal(first, second), "the same noise twice"
again = noisy(given, torch.Generator().manual_seed(0))
assert torch.equal(first, again), "the same seed of the generator gives other noise"
noise = noisy(torch.full((1000, 64), 0.5), generator) - 0.5
assert abs(noise.std() - 0.197) < 0.01, f"a deviation of {noise.std():.2f}"  # cut off
assert (noise.abs() > 0.36).float().mean() > 0.06, "the noise is not normal"  # 7 %
print("Task 2 is right.")

# %% [markdown]
# ## Data: to one scale
#
# The accuracy on single images differs from that on batches. And since a new scanner
# is in use, which sometimes gives a blank page, the loss is NaN now and then.


# %%
def standardised(images: Tensor) -> Tensor:
    """Each image (of N, 64) brought to mean 0 and deviation 1; a blank one to 0."""
    # Task 3: what becomes of an image must not depend on the other images.
    ### BEGIN BROKEN
    # return (images - images.mean()) / images.std()
    ### BEGIN SOLUTION
    mean = images.mean(dim=1, keepdim=True)
    std = images.std(dim=1, keepdim=True)
    return (images - mean) / std.clamp(min=1e-6)
    ### END SOLUTION


# %% tags=["check-3"]
alone = torch.cat([standardised(image[None]) for image in images[:20]])
together = standardised(images[:20])
apart = (alone - together).abs().max().item()
assert apart < 1e-4, f"alone and in a batch, an image differs by up to {apart:.2f}"
assert together.mean(dim=1).abs().max() < 1e-4, "the mean of an image is not 0"
assert (together.std(dim=1) - 1).abs().max() < 1e-3, "the deviation is not 1"
blank = standardised(torch.full((2, 64), 0.25))
assert blank.abs().max() < 1e-3, f"a blank image gives {blank[0, 0].item()}"
print("Task 3 is right.")

# %% [markdown]
# ## Model: two answers
#
# The model shall name the digit, and say whether it is even. It learns next to nothing,
# and what it has learned is gone when it is loaded from a file.


# %%
class TwoAnswers(nn.Module):
    """Images (N, 64) to logits "digit" (N, 10) and "even" (N, 2)."""

    def __init__(self) -> None:
        super().__init__()
        # Task 4: the parameters of this model are not all there.
        ### BEGIN BROKEN
        # self.hidden = nn.Linear(64, 32)
        # self.heads = {"digit": nn.Linear(32, 10), "even": nn.Linear(32, 2)}
        ### BEGIN SOLUTION
        self.hidden = nn.Linear(64, 32)
        heads = {"digit": nn.Linear(32, 10), "even": nn.Linear(32, 2)}
        self.heads = nn.ModuleDict(heads)
        ### END SOLUTION

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        """Both answers."""
        x = self.hidden(images).relu()
        return {name: head(x) for name, head in self.heads.items()}


# %% tags=["check-4"]
torch.manual_seed(0)
model, other = TwoAnswers(), TwoAnswers()
count, expected = len(weights(model)), 64 * 32 + 32 + 32 * 12 + 12
assert count == expected, f"{count:,} numbers to be trained, expected {expected:,}"
other.load_state_dict(model.state_dict())
for name, logits in model(images[:5]).items():
    assert torch.equal(other(images[:5])[name], logits), f"{name}: lost in the file"
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
before = {name: p.detach().clone() for name, p in model.named_parameters()}
answers = model(images[:32])
loss = F.cross_entropy(answers["digit"], labels[:32])
(loss + F.cross_entropy(answers["even"], 1 - labels[:32] % 2)).backward()
optimizer.step()
still = [name for name, p in model.named_parameters() if torch.equal(p, before[name])]
assert not still, f"not moved by a step: {', '.join(still)}"
print("Task 4 is right.")

# %% [markdown]
# ## Loss: by hand
#
# At first it agrees with PyTorch. After some epochs, when the model is surer of itself,
# it is NaN.


# %%
def cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """The mean of -log p(label), for logits (B, V) of any size and labels (B,)."""
    # Task 5: do it without `F.cross_entropy` and `log_softmax`.
    ### BEGIN BROKEN
    # powers = logits.exp()
    # p = powers / powers.sum(dim=1, keepdim=True)  # (B, V)
    # return -p.log()[torch.arange(len(labels)), labels].mean()
    ### BEGIN SOLUTION
    logits = logits - logits.amax(dim=1, keepdim=True)  # the largest is 0 now
    total = logits.exp().sum(dim=1).log()  # (B,)
    return (total - logits[torch.arange(len(labels)), labels]).mean()
    ### END SOLUTION


# %% tags=["check-5"]
torch.manual_seed(0)
for size in (1.0, 10.0, 100.0, 1000.0):
    logits = (size * torch.randn(8, 10)).requires_grad_()
    loss, expected = (f(logits, labels[:8]) for f in (cross_entropy, F.cross_entropy))
    told = f"logits of {size:g}: {loss.item():.4g}, PyTorch {expected.item():.4g}"
    assert torch.allclose(loss, expected, rtol=1e-4), told
    slopes = [torch.autograd.grad(value, logits)[0] for value in (loss, expected)]
    assert torch.allclose(*slopes, atol=1e-5), f"logits of {size:g}: other gradients"
print("Task 5 is right.")

# %% [markdown]
# ## Loss: a number to predict
#
# A model predicts how much ink an image has. The loss stops at the variance of the
# targets, and every prediction is their mean.


# %%
def squared_error(predictions: Tensor, targets: Tensor) -> Tensor:
    """The mean squared error of predictions (B, 1) and targets (B,)."""
    # Task 6: the result is right for a batch of one.
    ### BEGIN BROKEN
    # return (predictions - targets).square().mean()
    ### BEGIN SOLUTION
    return (predictions.squeeze(1) - targets).square().mean()
    ### END SOLUTION


# %% tags=["check-6"]
exact = torch.tensor([1.0, 2.0, 4.0])
loss = squared_error(exact[:, None], exact).item()
assert loss == 0, f"perfect predictions have a loss of {loss:.2f}"
loss = squared_error(exact[:, None] + torch.tensor([[1.0], [0.0], [2.0]]), exact).item()
assert math.isclose(loss, 5 / 3, rel_tol=1e-5), f"{loss:.3f}, not (1 + 0 + 4) / 3"
assert squared_error(exact[:1, None], exact[:1] + 3).item() == 9, "a batch of one"
print("Task 6 is right.")

# %% [markdown]
# ## Step: nothing moves
#
# The loss of a batch is the same after fifty steps, to the last digit.


# %%
def train_step(
    model: nn.Module, optimizer: torch.optim.Optimizer, x: Tensor, y: Tensor
) -> float:
    """One step on a batch; returns the loss before it."""
    # Task 7: no line is missing.
    ### BEGIN BROKEN
    # loss = F.cross_entropy(model(x), y)
    # loss.backward()
    # optimizer.zero_grad()
    # optimizer.step()
    # return loss.item()
    ### BEGIN SOLUTION
    loss = F.cross_entropy(model(x), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()
    ### END SOLUTION


# %% tags=["check-7"]
model, reference = new_model(), new_model()
optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
losses = [train_step(model, optimizer, images[:32], labels[:32]) for _ in range(50)]
told = f"the loss of one batch went from {losses[0]:.2f} to {losses[-1]:.2f}"
assert losses[-1] < 0.7 * losses[0], told
for before in losses:
    loss = F.cross_entropy(reference(images[:32]), labels[:32])
    assert abs(loss.item() - before) < 1e-3, "not the loss before the step"
    slopes = torch.autograd.grad(loss, list(reference.parameters()))
    with torch.no_grad():
        for parameter, slope in zip(reference.parameters(), slopes, strict=True):
            parameter -= 0.5 * slope
apart = (weights(model) - weights(reference)).abs().max().item()
assert apart < 1e-3, f"the weights are {apart:.2g} from those of fifty plain steps"
print("Task 7 is right.")

# %% [markdown]
# ## Step: a limit
#
# Now and then a batch with a wild gradient throws the training back, although gradients
# are clipped. Clipping looks at the norm of all gradients together, as if they were one
# long vector: if it is above the limit, all of them are scaled down by one factor, so
# that the norm is the limit. `nn.utils.clip_grad_norm_` does it in place.


# %%
def clipped_step(
    model: nn.Module, optimizer: torch.optim.Optimizer, loss: Tensor, limit: float
) -> None:
    """One step along the gradient of `loss`, whose norm is cut down to `limit`."""
    # Task 8: the step is longer than it may be.
    ### BEGIN BROKEN
    # optimizer.zero_grad()
    # loss.backward()
    # optimizer.step()
    # nn.utils.clip_grad_norm_(model.parameters(), limit)
    ### BEGIN SOLUTION
    optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), limit)
    optimizer.step()
    ### END SOLUTION


# %% tags=["check-8"]
for wildness, limit in ((1000.0, 2.0), (0.001, 2.0)):
    model = new_model()
    loss = wildness * F.cross_entropy(model(images[:32]), labels[:32])
    slopes = torch.autograd.grad(loss, list(model.parameters()), retain_graph=True)
    slope = nn.utils.parameters_to_vector(slopes)
    before = weights(model)
    clipped_step(model, torch.optim.SGD(model.parameters(), lr=0.1), loss, limit)
    step = before - weights(model)
    longest = 0.1 * min(limit, slope.norm().item())
    assert step.norm() < 1.01 * longest, f"{step.norm():.2f} long, not {longest:.2g}"
    assert step.norm() > 0.99 * longest, f"too short: {step.norm():.2g}"
    cosine = F.cosine_similarity(step, slope, dim=0)
    assert cosine > 0.999, f"the step has another direction: cosine {cosine:.2f}"
print("Task 8 is right.")

# %% [markdown]
# ## Loop: the best of all epochs
#
# The validation loss was best in the third epoch, and the model that comes out is
# always that of the last one.


# %%
def keep_best(
    model: nn.Module, epoch: Callable[[], None], score: Callable[[], float], epochs: int
) -> float:
    """Call `epoch()` some times, and `score()` after each; lower is better.

    Leaves the model with the weights of the best epoch, and returns its score.
    """
    # Task 9: the score is right, and the weights are those of the last epoch.
    ### BEGIN BROKEN
    # best, kept = math.inf, None
    # for _ in range(epochs):
    #     epoch()
    #     current = score()
    #     if current < best:
    #         best, kept = current, model.state_dict()
    # model.load_state_dict(kept)
    # return best
    ### BEGIN SOLUTION
    best, kept = math.inf, None
    for _ in range(epochs):
        epoch()
        current = score()
        if current < best:
            best, kept = current, copy.deepcopy(model.state_dict())
    model.load_state_dict(kept)
    return best
    ### END SOLUTION


# %% tags=["check-9"]
model, scores = nn.Linear(1, 1), iter([5.0, 3.0, 1.0, 2.0, 4.0])
done = []


def set_weight() -> None:
    """An epoch: the weight becomes its number."""
    done.append(len(done) + 1)
    with torch.no_grad():
        model.weight.fill_(len(done))


best = keep_best(model, set_weight, lambda: next(scores), epochs=5)
assert len(done) == 5, f"{len(done)} epochs, not 5"
assert best == 1, f"the best score is 1, not {best:g}"
assert model.weight.item() == 3, f"weights of epoch {model.weight.item():g}, not of 3"
print("Task 9 is right.")

# %% [markdown]
# ## Evaluation: an accuracy
#
# The same model gives another accuracy with each call and with each batch size. And
# memory runs short, for an evaluation.


# %%
def accuracy(model: nn.Module, batches: Iterable[tuple[Tensor, Tensor]]) -> float:
    """The part of all images named right, 0 to 1; leaves the model's mode as it was."""
    # Task 10: three things are missing, and the mean is the wrong one.
    ### BEGIN BROKEN
    # shares = []
    # for x, y in batches:
    #     right = model(x).argmax(dim=1) == y
    #     shares.append(right.float().mean().item())
    # return sum(shares) / len(shares)
    ### BEGIN SOLUTION
    mode, right, count = model.training, 0, 0
    model.eval()
    with torch.no_grad():
        for x, y in batches:
            right += int((model(x).argmax(dim=1) == y).sum())
            count += len(y)
    model.train(mode)
    return right / count
    ### END SOLUTION


# %% tags=["check-10"]
model = new_model(dropout=0.5)
optimizer = torch.optim.SGD(model.parameters(), lr=0.3)
for start in range(0, 1184, 32):
    loss = F.cross_entropy(
        model(images[start : start + 32]), labels[start : start + 32]
    )
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
x, y = images[1200:1500], labels[1200:1500]
graphs = []
model[3].register_forward_hook(lambda m, i, output: graphs.append(output.requires_grad))
found = {}
for size in (299, 100, 7):
    pairs = list(zip(x.split(size), y.split(size), strict=True))
    found[size] = accuracy(model.train(), pairs)
    assert model.training, "the model came in training mode, and is in another one"
told = ", ".join(f"{value:.4f} by {size}" for size, value in found.items())
assert max(found.values()) - min(found.values()) < 1e-6, f"accuracies: {told}"
was_on = torch.is_grad_enabled()
torch.set_grad_enabled(True)  # whatever accuracy has left
assert was_on, "autograd is still off after it, for the whole program"
accuracy(model.eval(), pairs)
assert not model.training, "the model came in evaluation mode, and is in another one"
assert not any(graphs), "a graph was recorded"
expected = (model(x).argmax(dim=1) == y).float().mean().item()
assert abs(found[7] - expected) < 1e-6, f"{found[7]:.4f}, not {expected:.4f}"
print(f"Task 10 is right: {100 * expected:.1f} % after one epoch.")

# %% [markdown]
# ## What now
#
# Which of these bugs would the checks of [the
# chapter](../../pytorch/day-7/debugging/) have found? For the others, write a test that
# would. More bugs, with their symptoms, are in [the
# gallery](../../pytorch/day-7/bug-gallery/).
