# %% [markdown] minutes=50 task="pytorch-2-training-loop"
# # Lab: a training loop without help
#
# You write a training program for handwritten digits in five tasks: the step of the
# optimizer, the batches, an epoch, the evaluation, and the loop that keeps the best
# model. After each task stands a check. You need PyTorch and scikit-learn, which brings
# the images. Read [the chapter](../../pytorch/day-2/training-loop/) first, and then
# close it.

# %%
import copy
import math
from collections.abc import Iterable, Iterator

import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch import Tensor, nn

Batch = tuple[Tensor, Tensor]
found = load_digits()
images = torch.from_numpy(found.images).float().flatten(1) / 16  # (N, 64)
labels = torch.from_numpy(found.target).long()  # (N,)
train = images[:1197], labels[:1197]
validation = images[1197:1497], labels[1197:1497]


def new_model(dropout: float = 0.0) -> nn.Module:
    """A classifier, with the same weights each time."""
    torch.manual_seed(0)
    hidden = [nn.Linear(64, 64), nn.ReLU(), nn.Dropout(dropout)]
    return nn.Sequential(*hidden, nn.Linear(64, 10))


def same_weights(a: nn.Module, b: nn.Module) -> bool:
    """Whether two models have equal parameters, but for rounding."""
    pairs = zip(a.parameters(), b.parameters(), strict=True)
    return all(torch.allclose(x, y, atol=1e-6) for x, y in pairs)


# %% [markdown]
# ## The step
#
# Gradient descent takes the learning rate times its gradient from each parameter. It
# changes parameters in place, and autograd must not record it. A parameter without a
# gradient (`.grad` is `None`) stays as it is. Afterwards no gradient may be left, so
# that the next `backward()` starts from nothing.


# %%
def sgd_step(model: nn.Module, lr: float) -> None:
    """One step of gradient descent; clears the gradients."""
    # Task 1: under `torch.no_grad()`, change each parameter that has a gradient, and
    # set its gradient to None.
    ### BEGIN SOLUTION
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.grad is not None:
                parameter -= lr * parameter.grad
                parameter.grad = None
    ### END SOLUTION


# %% tags=["check-1"]
ours, theirs = new_model(), new_model()
for model in (ours, theirs):
    model[0].bias.requires_grad_(False)  # frozen: it never has a gradient
optimizer = torch.optim.SGD(theirs.parameters(), lr=0.3)
held = list(ours.parameters())
for start in (0, 40, 80):
    x, y = train[0][start : start + 40], train[1][start : start + 40]
    F.cross_entropy(ours(x), y).backward()
    sgd_step(ours, 0.3)
    optimizer.zero_grad()
    F.cross_entropy(theirs(x), y).backward()
    optimizer.step()
    assert all(p.grad is None for p in ours.parameters()), "a gradient is left"
    assert same_weights(ours, theirs), "not the step of torch.optim.SGD"
now = zip(ours.parameters(), held, strict=True)
assert all(a is b for a, b in now), "the parameters are other objects now"
assert all(p.is_leaf for p in ours.parameters()), "autograd has recorded the step"
print("Task 1 is right.")

# %% [markdown]
# ## Batches
#
# An epoch walks all examples once, in a random order, in pieces of `size`. The last
# piece is smaller if the number does not divide. Images and labels must stay together.
# The order comes from the generator, so that each walk has another one.


# %%
def batches(data: Batch, size: int, generator: torch.Generator) -> Iterator[Batch]:
    """Each example once, in a random order."""
    # Task 2: draw an order by `torch.randperm(…, generator=generator)`, cut it into
    # pieces, and yield the images and labels of each.
    ### BEGIN SOLUTION
    images, labels = data
    order = torch.randperm(len(labels), generator=generator)
    for chosen in order.split(size):
        yield images[chosen], labels[chosen]
    ### END SOLUTION


# %% tags=["check-2"]
numbers = torch.arange(1000.0)[:, None].expand(1000, 64), torch.arange(1000)
generator = torch.Generator().manual_seed(0)
walks = [list(batches(numbers, 64, generator)) for _ in range(2)]
seen = [torch.cat([y for _, y in walk]) for walk in walks]
sizes = [len(y) for _, y in walks[0]]
assert sizes == [64] * 15 + [40], f"the sizes are {sizes}"
for order in seen:
    assert torch.equal(order.sort().values, numbers[1]), "not each example once"
    assert not torch.equal(order, numbers[1]), "the order is not random"
assert not torch.equal(*seen), "both walks have the same order"
for x, y in walks[0]:
    assert torch.equal(x[:, 0], y.float()), "images and labels do not belong together"
again = torch.Generator().manual_seed(0)
first = torch.cat([y for _, y in batches(numbers, 64, again)])
assert torch.equal(first, seen[0]), "the same seed must give the same order"
print("Task 2 is right.")

# %% [markdown]
# ## An epoch
#
# In training mode, for each batch: logits, loss, gradients, step. Before you train a
# model, make sure that it can learn one batch by heart; the check does. Return the mean
# loss over all images, each image counted once, as a plain number. The loss of a batch
# is the one before its step.


# %%
def train_epoch(model: nn.Module, data: Iterable[Batch], lr: float) -> float:
    """Train on each batch once, and return the mean loss over the images."""
    # Task 3: write the loop. Use `F.cross_entropy` and your `sgd_step`, and weigh the
    # loss of a batch by its size.
    ### BEGIN SOLUTION
    model.train()
    total, count = 0.0, 0
    for images, labels in data:
        loss = F.cross_entropy(model(images), labels)
        loss.backward()
        sgd_step(model, lr)
        total += loss.item() * len(labels)
        count += len(labels)
    return total / count
    ### END SOLUTION


# %% tags=["check-3"]
model = new_model()
one = (train[0][:32], train[1][:32])
losses = [train_epoch(model, [one], 0.5) for _ in range(150)]
assert all(isinstance(loss, float) for loss in losses), "return a plain number"
assert abs(losses[0] - math.log(10)) < 0.1, f"the first loss is {losses[0]:.2f}"
expected = F.cross_entropy(new_model()(one[0]), one[1]).item()
assert abs(losses[0] - expected) < 1e-5, "not the loss before the step"
assert losses[-1] < 0.05, f"one batch cannot be learned by heart: {losses[-1]:.2f}"

cut = [(train[0][:50], train[1][:50]), (train[0][50:60], train[1][50:60])]
still = new_model()
expected = F.cross_entropy(still(train[0][:60]), train[1][:60]).item()
assert abs(train_epoch(still, cut, 0.0) - expected) < 1e-5, "not the mean over images"
dropping, modes = new_model(dropout=0.5).eval(), []
hook = dropping.register_forward_pre_hook(lambda m, inputs: modes.append(m.training))
train_epoch(dropping, [one, one], 0.0)
hook.remove()
assert modes and all(modes), "a batch went through in evaluation mode, without dropout"

ours, theirs = new_model(), new_model()
mean, expected = train_epoch(ours, cut, 0.3), 0.0
optimizer = torch.optim.SGD(theirs.parameters(), lr=0.3)
for x, y in cut:
    optimizer.zero_grad()
    loss = F.cross_entropy(theirs(x), y)
    loss.backward()
    optimizer.step()
    expected += loss.item() * len(y) / 60
assert same_weights(ours, theirs), "the weights differ from those of torch.optim.SGD"
assert abs(mean - expected) < 1e-5, "not the losses before each step"
print("Task 3 is right.")

# %% [markdown]
# ## Evaluation
#
# Loss and accuracy over all images, without dropout and without a graph. It must not
# touch weights or gradients, and autograd must be on again afterwards. The accuracy is
# a number from 0 to 1.


# %%
def evaluate(model: nn.Module, data: Iterable[Batch]) -> tuple[float, float]:
    """Mean loss and accuracy over the images."""
    # Task 4: switch the model to evaluation and gradients off, and count.
    ### BEGIN SOLUTION
    model.eval()
    total, right, count = 0.0, 0, 0
    with torch.no_grad():
        for images, labels in data:
            logits = model(images)
            total += F.cross_entropy(logits, labels).item() * len(labels)
            right += (logits.argmax(dim=1) == labels).sum().item()
            count += len(labels)
    return total / count, right / count
    ### END SOLUTION


# %% tags=["check-4"]
model = new_model(dropout=0.5)
for _ in range(5):
    train_epoch(model, batches(train, 32, generator), 0.3)
before = copy.deepcopy(model.state_dict())
F.cross_entropy(model(train[0][:32]), train[1][:32]).backward()
slopes = [p.grad.clone() for p in model.parameters()]
had_graph = []
hook = model.register_forward_hook(
    lambda module, inputs, output: had_graph.append(output.requires_grad)
)
pieces = list(zip(validation[0].split(70), validation[1].split(70), strict=True))
model.train()
loss, accuracy = evaluate(model, pieces)
hook.remove()
was_on = torch.is_grad_enabled()
torch.set_grad_enabled(True)  # whatever evaluate has left
assert was_on, "autograd is still off after it, for the whole program"
assert had_graph and not any(had_graph), "a graph was recorded"
model.eval()
with torch.no_grad():
    logits = model(validation[0])
expected = F.cross_entropy(logits, validation[1]).item()
assert abs(loss - expected) < 1e-5, f"the loss is {loss:.4f}, not {expected:.4f}"
right = (logits.argmax(dim=1) == validation[1]).float().mean().item()
assert abs(accuracy - right) < 1e-6, f"the accuracy is {accuracy:.4f}, not {right:.4f}"
after = model.state_dict()
assert all(torch.equal(before[name], after[name]) for name in before), "weights moved"
kept = [p.requires_grad and p.grad is not None for p in model.parameters()]
assert all(kept), "gradients were cleared, or parameters frozen"
kept = zip(model.parameters(), slopes, strict=True)
assert all(torch.equal(p.grad, slope) for p, slope in kept), "gradients were changed"
print("Task 4 is right.")

# %% [markdown]
# ## Keep the best
#
# Train for some epochs, look at the validation data after each, and end with the
# weights of the epoch whose validation loss was lowest. Mind what `state_dict()`
# returns: tensors that share the memory of the model.


# %%
def fit(
    model: nn.Module, train: Batch, validation: Batch, lr: float, epochs: int
) -> list[float]:
    """The validation losses of all epochs; the model keeps the best weights."""
    generator = torch.Generator().manual_seed(0)
    # Task 5: in each epoch, train on fresh batches of 32 and evaluate. Remember the
    # best weights, and load them at the end.
    ### BEGIN SOLUTION
    losses, best = [], None
    for _ in range(epochs):
        train_epoch(model, batches(train, 32, generator), lr)
        losses.append(evaluate(model, [validation])[0])
        if losses[-1] == min(losses):
            best = copy.deepcopy(model.state_dict())
    model.load_state_dict(best)
    return losses
    ### END SOLUTION


# %% tags=["check-5"]
torch.manual_seed(0)
spoiled = train[1][:150].where(torch.rand(150) > 0.5, torch.randint(10, (150,)))
noisy = train[0][:150], spoiled  # some labels are wrong: soon it learns these by heart
model = new_model()
losses = fit(model, noisy, validation, lr=0.5, epochs=100)
assert len(losses) == 100, f"{len(losses)} losses for 100 epochs"
loss, accuracy = evaluate(model, [validation])
assert losses[-1] > min(losses) + 0.5, "it should have become worse in the end"
assert abs(loss - min(losses)) < 1e-6, "the model does not have its best weights"
reference, generator = new_model(), torch.Generator().manual_seed(0)
for expected in losses[:3]:
    train_epoch(reference, batches(noisy, 32, generator), 0.5)
    again = evaluate(reference, [validation])[0]
    assert abs(again - expected) < 1e-3, "not one epoch of fresh batches of 32 each"

model = new_model()
fit(model, train, validation, lr=0.3, epochs=20)
loss, accuracy = evaluate(model, [validation])
assert accuracy > 0.9, f"only {accuracy:.1%} right with the right labels"
print(f"Task 5 is right: {100 * accuracy:.1f} % of the validation images.")

# %% [markdown]
# ## What now
#
# This is the whole of it: what larger programs add is speed, logging and care. Three
# hundred more images are in the file, the test part. Open it when you have chosen your
# model, once, and compare the number with the one above.
