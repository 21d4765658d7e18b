# %% [markdown] minutes=50 task="pytorch-6-transfer"
# # Lab: a convolutional network
#
# You build a network that reads images in six tasks: a convolution by hand, the size of
# its output, the network, an epoch of training, images that move, and a new head for
# new classes. Each task is followed by a check against PyTorch. Read [the
# chapter](../../pytorch/day-6/cnn/) first, or keep it open beside you.
#
# The images are printed characters of 28 by 28 pixels, drawn in many fonts: 0 is paper
# and 1 is ink. Training and validation images have no font in common.

# %%
import copy
import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from snippets.digits import Digits
from snippets.glyphs import TRAIN_FONTS, VALIDATION_FONTS, glyphs

Batch = tuple[Tensor, Tensor]
train = glyphs(TRAIN_FONTS, copies=5, seed=0)  # images (800, 1, 28, 28)
validation = glyphs(VALIDATION_FONTS, copies=5, seed=1)  # images (250, 1, 28, 28)


def batches(data: Digits, size: int, seed: int = 0) -> list[Batch]:
    """All examples in a random order, in batches; the last one may be smaller."""
    generator = torch.Generator().manual_seed(seed)
    order = torch.randperm(len(data.labels), generator=generator)
    return [(data.images[chosen], data.labels[chosen]) for chosen in order.split(size)]


# %% [markdown]
# ## One kernel, one image
#
# A convolution slides a small grid of weights, the kernel, over the image. At each
# place it multiplies the weights with the pixels below them and adds up. It goes as far
# as the kernel fits, and the kernel is *not* flipped.


# %%
def convolve(image: Tensor, kernel: Tensor) -> Tensor:
    """The image (H, W) under the kernel (h, w): (H - h + 1, W - w + 1)."""
    # Task 1: fill the output, place by place. Do not use PyTorch's convolutions.
    ### BEGIN SOLUTION
    (height, width), (h, w) = image.shape, kernel.shape
    out = image.new_zeros(height - h + 1, width - w + 1)
    for row in range(out.shape[0]):
        for column in range(out.shape[1]):
            window = image[row : row + h, column : column + w]
            out[row, column] = (window * kernel).sum()
    return out
    ### END SOLUTION


# %% tags=["check-1"]
torch.manual_seed(0)
for size, kernel_size in (((5, 5), (3, 3)), ((6, 9), (2, 4)), ((4, 3), (4, 3))):
    image, kernel = torch.randn(size), torch.randn(kernel_size)
    before = image.clone()
    found = convolve(image, kernel)
    expected = F.conv2d(image[None, None], kernel[None, None])[0, 0]
    assert found.shape == expected.shape, f"{tuple(found.shape)}: {size}, {kernel_size}"
    assert torch.allclose(found, expected, atol=1e-5), f"{size} and {kernel_size}"
    assert torch.equal(image, before), "the image was changed"
print("Task 1 is right.")

# %% [markdown]
# ## How large is the output?
#
# Padding adds a border of zeros on all sides. The stride is how far the kernel moves
# each time. A step that would take it beyond the border is not made.


# %%
def output_size(size: int, kernel: int, stride: int = 1, padding: int = 0) -> int:
    """The height (or width) that a convolution or a pooling makes of `size`."""
    # Task 2: one line. Try it with a kernel of 3 on 5 pixels: 3, and 2 at stride 2.
    ### BEGIN SOLUTION
    return (size + 2 * padding - kernel) // stride + 1
    ### END SOLUTION


# %% tags=["check-2"]
for size in (7, 8, 28):
    for kernel, stride, padding in ((1, 1, 0), (3, 1, 1), (3, 2, 1), (5, 3, 2)):
        layer = nn.Conv2d(1, 1, kernel, stride, padding)
        expected = layer(torch.zeros(1, 1, size, size)).shape[-1]
        found = output_size(size, kernel, stride, padding)
        assert found == expected, f"{size} by {layer}: {found}, not {expected}"
        assert isinstance(found, int), f"{found} is not a whole number"
assert output_size(5, 3) == 3, "stride 1 and no padding are the default"
assert output_size(28, 2, stride=2) == 14, "a pooling of 2 by 2"
print("Task 2 is right.")

# %% [markdown]
# ## The network
#
# Twice: a convolution that keeps height and width, ReLU, and the largest number of each
# square of 2 by 2. Then all that is left goes through a linear layer. What comes out
# are logits: no softmax, no ReLU.


# %%
class SmallCNN(nn.Module):
    """Images (B, 1, 28, 28) to logits (B, V)."""

    def __init__(self, n_classes: int = 10) -> None:
        super().__init__()
        self.first = nn.Conv2d(1, 8, kernel_size=3, padding=1)
        self.second = nn.Conv2d(8, 16, kernel_size=3, padding=1)
        side = 28
        for _ in range(2):  # a convolution and a pooling
            side = output_size(output_size(side, 3, padding=1), 2, stride=2)
        self.out = nn.Linear(16 * side * side, n_classes)

    def forward(self, images: Tensor) -> Tensor:
        """Score each class for each image."""
        # Task 3: the layers in their order; `F.max_pool2d(x, 2)` pools.
        ### BEGIN SOLUTION
        x = F.max_pool2d(self.first(images).relu(), 2)  # (B, 8, 14, 14)
        x = F.max_pool2d(self.second(x).relu(), 2)  # (B, 16, 7, 7)
        return self.out(x.flatten(1))  # (B, V)
        ### END SOLUTION


# %% tags=["check-3"]
def new_model() -> SmallCNN:
    """A network for digits, with the same weights each time."""
    torch.manual_seed(0)
    return SmallCNN()


def reference(model: SmallCNN) -> nn.Sequential:
    """The same network, as a chain with the same parameters."""
    one = [model.first, nn.ReLU(), nn.MaxPool2d(2)]
    two = [model.second, nn.ReLU(), nn.MaxPool2d(2)]
    return nn.Sequential(*one, *two, nn.Flatten(), model.out)


model = new_model()
for count in (1, 2, 33):
    images = train.images[:count]
    logits = model(images)
    assert logits.shape == (count, 10), f"{tuple(logits.shape)} for {count} images"
    assert torch.allclose(logits, reference(model)(images), atol=1e-5), (
        "not the logits of the layers in their order"
    )
print("Task 3 is right.")

# %% [markdown]
# ## An epoch
#
# Nothing new: it is the loop of any other network, predict, cross-entropy, gradients,
# a step. Here it also counts the images that were right *before* the step that they
# took part in.


# %%
def train_epoch(model: nn.Module, data: list[Batch], optimizer) -> float:
    """One step for each batch; the share of images named right, 0 to 1."""
    # Task 4: for each batch, compute the logits, count, clear the gradients, go back,
    # and step. Batches may differ in size.
    ### BEGIN SOLUTION
    right = count = 0
    for images, labels in data:
        logits = model(images)
        right += (logits.argmax(dim=1) == labels).sum().item()
        count += len(labels)
        optimizer.zero_grad()
        F.cross_entropy(logits, labels).backward()
        optimizer.step()
    return right / count
    ### END SOLUTION


# %% tags=["check-4"]
@torch.no_grad()
def accuracy(model: nn.Module, data: Digits) -> float:
    """The share of images named right, 0 to 1."""
    return (model(data.images).argmax(dim=1) == data.labels).float().mean().item()


some = Digits(train.images[:70], train.labels[:70])
mine, theirs = new_model(), new_model()
optimizer, other = (torch.optim.SGD(m.parameters(), lr=0.2) for m in (mine, theirs))
for epoch in range(2):
    total = 0
    for images, labels in batches(some, 32, epoch):
        logits = theirs(images)
        total += (logits.argmax(dim=1) == labels).sum().item()
        other.zero_grad()
        F.cross_entropy(logits, labels).backward()
        other.step()
    found = train_epoch(mine, batches(some, 32, epoch), optimizer)
    for a, b in zip(mine.parameters(), theirs.parameters(), strict=True):
        assert torch.allclose(a, b, atol=1e-5), "not the weights of PyTorch's steps"
    assert math.isclose(found, total / 70, abs_tol=1e-6), (
        f"{found:.3f} right, not {total / 70:.3f}"
    )
model = new_model()
optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
for epoch in range(8):
    train_epoch(model, batches(train, 32, epoch), optimizer)
reached = accuracy(model, validation)
assert reached > 0.8, f"only {reached:.2f} of the validation images are right"
print("Task 4 is right: it reads fonts that it has never seen.")

# %% [markdown]
# ## Images that move
#
# Does the network still read a digit that stands elsewhere? To find out, move the
# images. What leaves on one side is gone, and what comes in on the other is paper.


# %%
def moved(images: Tensor, pixels: int) -> Tensor:
    """Images (B, 1, H, W), moved to the right; to the left if `pixels` is negative."""
    # Task 5: return new images of the same size. Mind `pixels = 0`.
    ### BEGIN SOLUTION
    out = torch.zeros_like(images)
    width = images.shape[-1]
    if pixels >= 0:
        out[..., pixels:] = images[..., : width - pixels]
    else:
        out[..., :pixels] = images[..., -pixels:]
    return out
    ### END SOLUTION


# %% tags=["check-5"]
row = torch.tensor([1.0, 2, 3, 4]).expand(2, 1, 3, 4).clone()
expected = {0: [1, 2, 3, 4], 1: [0, 1, 2, 3], 3: [0, 0, 0, 1], -1: [2, 3, 4, 0]}
for pixels, numbers in expected.items():
    found = moved(row, pixels)
    assert found.shape == row.shape, f"{tuple(found.shape)}, not {tuple(row.shape)}"
    assert found[1, 0, 2].tolist() == numbers, f"{pixels}: {found[1, 0, 2].tolist()}"
assert row[0, 0, 0].tolist() == [1, 2, 3, 4], "the images themselves were changed"
padded = F.pad(train.images, (5, 0, 0, 0))[..., :28]
assert torch.equal(moved(train.images, 5), padded), "not what F.pad makes"
reads = {
    n: accuracy(model, validation._replace(images=moved(validation.images, n)))
    for n in (0, 3, 6)
}
assert reads[0] - reads[6] > 0.3
print("Task 5 is right, and the network reads much less of what has moved by six.")

# %% [markdown]
# ## A new head
#
# The convolutions have learned what the strokes of digits look like. Will that do for
# letters? Keep them as they are, *frozen*: they get no gradients. Only a new last layer
# learns.


# %%
def with_new_head(model: SmallCNN, n_classes: int, lr: float):
    """A frozen copy with a new layer `out` for these classes, and its optimizer."""
    model = copy.deepcopy(model)
    # Task 6: freeze all parameters, then put a new nn.Linear in place of `model.out`.
    # Return the model, and AdamW with the rate `lr` for the new layer.
    ### BEGIN SOLUTION
    model.requires_grad_(False)
    model.out = nn.Linear(model.out.in_features, n_classes)
    return model, torch.optim.AdamW(model.out.parameters(), lr=lr)
    ### END SOLUTION


# %% tags=["check-6"]
LETTERS = "AEKLMRSTXZ"
letters = glyphs(TRAIN_FONTS, copies=2, seed=2, characters=LETTERS)
other_fonts = glyphs(VALIDATION_FONTS, copies=2, seed=3, characters=LETTERS)
before = copy.deepcopy(model.state_dict())
torch.manual_seed(0)
transferred, optimizer = with_new_head(model, len(LETTERS), lr=1e-2)
assert isinstance(optimizer, torch.optim.AdamW), f"{type(optimizer).__name__}"
assert all(group["lr"] == 1e-2 for group in optimizer.param_groups), "another rate"
head = {"out.weight", "out.bias"}
named = dict(transferred.named_parameters())
assert named.keys() == before.keys(), f"other parameters: {sorted(named)}"
learning = {name for name, p in named.items() if p.requires_grad}
assert learning == head, f"these learn: {sorted(learning)}"
held = {id(p) for group in optimizer.param_groups for p in group["params"]}
assert {id(named[name]) for name in head} <= held, "the optimizer lacks the new layer"
assert not torch.equal(named["out.weight"], before["out.weight"]), "the old layer"
assert transferred(letters.images[:3]).shape == (3, len(LETTERS))
blank = accuracy(transferred, other_fonts)
for epoch in range(8):
    train_epoch(transferred, batches(letters, 32, epoch), optimizer)
reached = accuracy(transferred, other_fonts)
for name, tensor in transferred.state_dict().items():
    same = torch.equal(tensor, before[name])
    assert same != (name in head), f"{name} {'stayed' if same else 'has changed'}"
for name, tensor in model.state_dict().items():
    assert torch.equal(tensor, before[name]), f"{name} of the old model has changed"
assert reached > max(0.5, blank), f"only {reached:.2f} of the letters are right"
print("Task 6 is right: a new head reads letters by what digits have taught.")

# %% [markdown]
# Before you call that transfer, freeze a `SmallCNN()` that was never trained in the
# same way, and compare. It reads fewer letters, and yet most of them. [Transfer
# learning](../../pytorch/day-6/transfer/) measures what a trained body is worth, and
# when it is better to let it move.
