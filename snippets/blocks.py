"""Networks put together from parts: containers, residual blocks, several heads.

Axes: `B` images of a batch, `C` channels (the width), `V` classes.
"""

# --8<-- [start:imports]
from collections.abc import Mapping, Sequence
from itertools import pairwise

from torch import Tensor, nn

# --8<-- [end:imports]


# --8<-- [start:sequential]
class TinySequential(nn.Module):
    """Modules one after the other: `nn.Sequential` by hand.

    `forward` gives its input to the first, what that returns to the second, and so on.
    Raises TypeError for what is no module.
    """

    def __init__(self, *modules: nn.Module) -> None:
        super().__init__()
        for number, module in enumerate(modules):
            self.add_module(str(number), module)  # as self.name = module would

    def forward(self, x: Tensor) -> Tensor:
        """Through all of them, in order."""
        # not self.children(), which names a module once that stands here twice
        for name in self._modules:
            x = self.get_submodule(name)(x)
        return x


# --8<-- [end:sequential]


# --8<-- [start:mlp]
def mlp(
    sizes: Sequence[int],
    activation: type[nn.Module] = nn.ReLU,
    dropout: float = 0.0,
) -> nn.Sequential:
    """Linear layers from each size to the next, with an activation between them.

    Takes (B, sizes[0]) and returns (B, sizes[-1]). The last layer has no activation:
    it gives logits. Raises ValueError for fewer than two sizes, or one below 1.
    """
    if len(sizes) < 2 or min(sizes) < 1:
        raise ValueError(f"sizes={list(sizes)}: at least two sizes, each at least 1")
    layers: list[nn.Module] = []
    for d_in, d_out in pairwise(sizes):
        layers += [nn.Linear(d_in, d_out), activation()]
        if dropout:
            layers.append(nn.Dropout(dropout))
    last = 2 if dropout else 1  # of the layers, what stands behind the last linear one
    return nn.Sequential(*layers[:-last])


# --8<-- [end:mlp]


# --8<-- [start:residual]
class Residual(nn.Module):
    """What a module makes of its input, added to that input (He et al. 2016, eq. 1).

    `forward` takes and returns tensors of one shape. Raises ValueError if the module
    inside changes it: broadcasting could hide that.
    """

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, x: Tensor) -> Tensor:
        """The input, and a correction."""
        change = self.inner(x)
        if change.shape != x.shape:
            raise ValueError(
                f"the inner module made {tuple(change.shape)} of {tuple(x.shape)}:"
                " a residual block needs one shape"
            )
        return x + change


# --8<-- [end:residual]


# --8<-- [start:stack]
class DigitStack(nn.Module):
    """A stem, any number of residual blocks, a head: images to logits.

    `forward` takes images (B, 1, 8, 8) and returns logits (B, 10). With `n_blocks` it
    runs the first ones only. Raises ValueError where there are not that many.
    """

    def __init__(self, width: int = 32, depth: int = 4) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Flatten(), nn.Linear(64, width))
        self.blocks = nn.ModuleList(
            Residual(nn.Sequential(nn.LayerNorm(width), mlp([width, width, width])))
            for _ in range(depth)
        )
        self.head = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, 10))

    def forward(self, images: Tensor, n_blocks: int | None = None) -> Tensor:
        """Score each digit, with all blocks or the first few."""
        depth = len(self.blocks)
        if n_blocks is None:
            n_blocks = depth
        if not 0 <= n_blocks <= depth:
            raise ValueError(f"n_blocks={n_blocks}: there are {depth} blocks")
        x = self.stem(images)  # (B, 1, 8, 8) -> (B, C)
        for block in self.blocks[:n_blocks]:
            x = block(x)  # (B, C)
        return self.head(x)  # (B, V)


# --8<-- [end:stack]


# --8<-- [start:heads]
class ManyHeads(nn.Module):
    """One body that reads the images, and a head for each task.

    `body` makes (B, C) of images, `classes` gives the number of classes of each task.
    `forward` returns the logits (B, V) of one of them. Raises ValueError for a task
    that has no head.
    """

    def __init__(self, body: nn.Module, width: int, classes: Mapping[str, int]) -> None:
        super().__init__()
        self.body = body
        self.heads = nn.ModuleDict(
            {task: nn.Linear(width, number) for task, number in classes.items()}
        )

    def forward(self, images: Tensor, task: str) -> Tensor:
        """Score the classes of one task."""
        if task not in self.heads:
            have = ", ".join(self.heads) or "none"
            raise ValueError(f"task={task!r} has no head: there are {have}")
        return self.heads[task](self.body(images))  # (B, C) -> (B, V)


# --8<-- [end:heads]
