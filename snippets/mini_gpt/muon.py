"""Muon: momentum whose step is made orthogonal; matrices of one shape at once.

Jordan et al., "Muon: An optimizer for hidden layers in neural networks" (2024). Equal
to `torch.optim.Muon`, which takes one matrix after the other: on a CPU most of its time
goes into starting many small products.
"""

# --8<-- [start:imports]
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor
from torch.distributed.tensor import DTensor, distribute_tensor
from torch.optim import Optimizer

from snippets.devices import bfloat16_is_fast

# --8<-- [end:imports]

# --8<-- [start:orthogonalise]
NEWTON_SCHULZ = (3.4445, -4.7750, 2.0315)  # the coefficients of Jordan et al.


def orthogonalise(
    matrices: Tensor, steps: int = 5, dtype: torch.dtype = torch.bfloat16
) -> Tensor:
    """Nearly U Vᵀ of each U S Vᵀ, by Newton-Schulz iteration in `dtype`.

    `matrices` (N, R, C); returns as many, in float32, with singular values near 1
    (0.7 to 1.2; very small ones need more steps). Each step applies
    a x + b x³ + c x⁵ to all singular values.
    """
    a, b, c = NEWTON_SCHULZ
    tall = matrices.size(-2) > matrices.size(-1)
    x = (matrices.mT if tall else matrices).to(dtype)  # the smaller side first
    x = x / x.norm(dim=(-2, -1), keepdim=True).clamp(min=1e-7)  # values at most 1
    for _ in range(steps):
        gram = x @ x.mT  # (N, R, R)
        gram = torch.baddbmm(gram, gram, gram, beta=b, alpha=c)  # b G + c G²
        x = torch.baddbmm(x, gram, x, beta=a)  # a x + (b G + c G²) x
    return (x.mT if tall else x).float()


# --8<-- [end:orthogonalise]


# --8<-- [start:muon]
class BatchedMuon(Optimizer):
    """Muon for matrices; takes the steps of `torch.optim.Muon`, in fewer products.

    `dtype` is that of Newton-Schulz; None: bfloat16 where the hardware is fast in it,
    else float32, whose steps differ by rounding. Raises ValueError for a negative
    setting, and for a parameter that is no matrix.
    """

    def __init__(
        self,
        params: Iterable[Tensor],
        lr: float = 0.02,
        momentum: float = 0.95,
        weight_decay: float = 0.0,
        dtype: torch.dtype | None = None,
    ) -> None:
        self.dtype = dtype
        settings = {"lr": lr, "momentum": momentum, "weight_decay": weight_decay}
        for name, value in settings.items():
            if not value >= 0:
                raise ValueError(f"{name}={value}: it must be 0 or more")
        super().__init__(params, settings)
        for group in self.param_groups:
            for p in group["params"]:
                if p.dim() != 2:
                    raise ValueError(f"a parameter {tuple(p.shape)} is no matrix")

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:
        """Change every matrix that has a gradient."""
        for group in self.param_groups:
            params = [p for p in group["params"] if p.grad is not None]
            shapes: dict[torch.Size, list[Tensor]] = {}
            for p in params:
                shapes.setdefault(p.shape, []).append(p)
            for same in shapes.values():
                self.step_of_one_shape(same, group)

    def step_of_one_shape(self, params: list[Tensor], group: dict[str, Any]) -> None:
        """Nesterov momentum, then the orthogonal step; tall matrices step further."""
        lr, momentum = group["lr"], group["momentum"]
        ahead = []
        for p in params:
            state, grad = self.state[p], p.grad
            assert grad is not None  # `step` leaves the others out
            if not state:
                state["momentum_buffer"] = torch.zeros_like(p)
            mean = state["momentum_buffer"].lerp_(grad, 1 - momentum)
            ahead.append(grad.lerp(mean, momentum))
        together = torch.stack([full_tensor(step) for step in ahead])
        fast = bfloat16_is_fast(together.device)
        dtype = self.dtype or (torch.bfloat16 if fast else torch.float32)
        steps = orthogonalise(together, dtype=dtype)
        rows, columns = params[0].shape
        for p, step in zip(params, steps, strict=True):
            p.mul_(1 - lr * group["weight_decay"])
            p.add_(distribute_as(step, p), alpha=-lr * max(1, rows / columns) ** 0.5)


def full_tensor(matrix: Tensor) -> Tensor:
    """A matrix of which each process may have a part, in one piece."""
    return matrix.full_tensor() if isinstance(matrix, DTensor) else matrix


def distribute_as(matrix: Tensor, other: Tensor) -> Tensor:
    """A matrix shared out over the processes as another one is."""
    if isinstance(other, DTensor):
        return distribute_tensor(matrix, other.device_mesh, other.placements)
    return matrix


# --8<-- [end:muon]
