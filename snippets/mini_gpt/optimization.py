"""What a step minimises, and the optimizers that do it."""

# --8<-- [start:imports]
import os
import shutil
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim import AdamW, Optimizer

from snippets.devices import bfloat16_is_fast
from snippets.mini_gpt.modern import ModernGPT
from snippets.mini_gpt.muon import BatchedMuon
from snippets.mini_gpt.presets import AnyGPT, Recipe

# --8<-- [end:imports]


# --8<-- [start:loss]
class NextTokenLoss(nn.Module):
    """A model and its loss as one module, so that a compiler sees both.

    `forward`: ids and targets (B, T) to the mean cross-entropy in nats a token.
    """

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, ids: Tensor, targets: Tensor) -> Tensor:
        """In float32, whatever the model computes in."""
        logits = self.model(ids).float()  # (B, T, V)
        return F.cross_entropy(logits.flatten(0, 1), targets.flatten())


def choose_dtype(name: str, device: torch.device) -> torch.dtype:
    """The type of matrix products: bfloat16 where the hardware is faster in it.

    Raises ValueError for an unknown name.
    """
    if name == "auto":
        return torch.bfloat16 if bfloat16_is_fast(device) else torch.float32
    known = {"float32": torch.float32, "bfloat16": torch.bfloat16}
    if name not in known:
        raise ValueError(f"no dtype {name!r}: there are auto, {', '.join(known)}")
    return known[name]


def can_compile(device: torch.device) -> bool:
    """Whether `torch.compile` finds what it needs: a C++ compiler, for the CPU."""
    compilers = (os.environ.get("CXX"), "g++", "clang++", "cl")
    return device.type != "cpu" or any(
        name and shutil.which(name) for name in compilers
    )


def compiled(loss: NextTokenLoss, device: torch.device) -> nn.Module:
    """A model and its loss, compiled for one shape of ids.

    On a CPU the embedding of `ModernGPT` is left as it is: compiled for one, a gather
    is many times slower.
    """
    model = loss.model
    if device.type == "cpu" and isinstance(model, ModernGPT):
        model.embed = torch.compiler.disable(model.embed)  # type: ignore[method-assign]
    made = torch.compile(loss, dynamic=False)
    assert isinstance(made, nn.Module)  # of a module it makes a module
    return made


# --8<-- [end:loss]


# --8<-- [start:state]
STATE = {  # what each kind of optimizer keeps of a parameter
    AdamW: {"step", "exp_avg", "exp_avg_sq"},
    BatchedMuon: {"momentum_buffer"},
}
# --8<-- [end:state]


# --8<-- [start:optimizers]
def build_optimizers(model: AnyGPT, recipe: Recipe) -> list[Optimizer]:
    """AdamW for all, or Muon for the matrices of the blocks and AdamW for the rest.

    Weight decay is for matrices only: vectors, such as biases, have none. Each group
    keeps its full learning rate as `initial_lr`.
    """
    matrices = []
    if recipe.optimizer == "muon":
        inside = (p for block in model.blocks for p in block.modules())
        layers = (m for m in inside if isinstance(m, nn.Linear))
        matrices = [layer.weight for layer in layers]
    taken = set(map(id, matrices))
    others = [p for p in model.parameters() if id(p) not in taken]
    groups: list[dict[str, Any]] = [
        {"params": [p for p in others if p.dim() >= 2]},
        {"params": [p for p in others if p.dim() < 2], "weight_decay": 0.0},
    ]
    groups = [group for group in groups if group["params"]]
    betas, decay = (recipe.beta1, recipe.beta2), recipe.weight_decay
    fused = others[0].device.type != "mps"
    made: list[Optimizer] = [
        AdamW(groups, recipe.lr, betas, weight_decay=decay, fused=fused)
    ]
    if matrices:
        made.append(BatchedMuon(matrices, recipe.matrix_lr, weight_decay=decay))
    for optimizer in made:
        for group in optimizer.param_groups:
            group["initial_lr"] = group["lr"]
    return made


# --8<-- [end:optimizers]
