"""SGD, momentum, RMSprop, Adam and AdamW by hand, equal to those of `torch.optim`.

Each is a `torch.optim.Optimizer`: that holds the groups of parameters, each group with
settings of its own, and for each parameter a state. So schedulers and checkpoints take
them as they take PyTorch's.
"""

# --8<-- [start:optimizer]
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn

Group = dict[str, Any]
State = dict[str, Any]


class PerParameterOptimizer(torch.optim.Optimizer):
    """What all of them share: `step` goes over the parameters, `update` changes one.

    `params` is an iterable of tensors, or of dicts with `params` and settings that
    differ from the defaults. Raises ValueError for a setting that is negative or
    unknown, and what `torch.optim.Optimizer` raises for other parameters.
    """

    def __init__(self, params: Iterable[Any], **defaults: Any) -> None:
        super().__init__(params, defaults)
        known = {"params", "param_names", "initial_lr", *defaults}  # a scheduler's, too
        for group in self.param_groups:
            check_settings(group, known)

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Change every parameter that has a gradient; `closure` computes them first.

        Returns what `closure` does: the loss.
        """
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is not None:
                    self.update(p, p.grad, self.state[p], group)
        return loss

    def update(self, p: Tensor, grad: Tensor, state: State, group: Group) -> None:
        """Change one parameter in place; `state` is an empty dict the first time."""
        raise NotImplementedError


def check_settings(group: Group, known: set[str]) -> None:
    """Raise ValueError for a setting that no step can use."""
    if unknown := sorted(set(group) - known):
        raise ValueError(f"no such setting: {unknown}")
    for name, setting in group.items():
        if isinstance(setting, float | int) and not setting >= 0:  # NaN is not, either
            raise ValueError(f"{name}={setting}: it must not be negative")
    betas = group.get("betas", ())
    if not all(0 <= beta < 1 for beta in betas):
        raise ValueError(f"betas={betas}: each must be at least 0, and below 1")
    if group.get("nesterov") and not group["momentum"]:
        raise ValueError("nesterov=True looks ahead along a momentum, which is 0")


# --8<-- [end:optimizer]


# --8<-- [start:sgd]
class SGD(PerParameterOptimizer):
    """Gradient descent, with momentum if asked (Sutskever et al. 2013, section 2).

    As PyTorch has it: v = momentum · v + grad, then p = p - lr · v. `weight_decay` adds
    its multiple of the parameter to the gradient (L2).
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float,
        momentum: float = 0.0,
        weight_decay: float = 0.0,
        nesterov: bool = False,
    ) -> None:
        super().__init__(
            params,
            lr=lr,
            momentum=momentum,
            weight_decay=weight_decay,
            nesterov=nesterov,
        )

    def update(self, p: Tensor, grad: Tensor, state: State, group: Group) -> None:
        """One step along the velocity; with Nesterov, a look ahead."""
        if group["weight_decay"]:
            grad = grad + group["weight_decay"] * p
        if momentum := group["momentum"]:
            if not state:
                state["momentum_buffer"] = torch.zeros_like(p)
            v = state["momentum_buffer"].mul_(momentum).add_(grad)
            grad = grad + momentum * v if group["nesterov"] else v
        p -= group["lr"] * grad


# --8<-- [end:sgd]


# --8<-- [start:rmsprop]
class RMSprop(PerParameterOptimizer):
    """Divide by a running root mean square of the gradient (Hinton 2012, lecture 6)."""

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 0.01,
        alpha: float = 0.99,
        eps: float = 1e-8,
    ) -> None:
        super().__init__(params, lr=lr, alpha=alpha, eps=eps)

    def update(self, p: Tensor, grad: Tensor, state: State, group: Group) -> None:
        """Each number has a scale of its own."""
        if not state:
            state["square_avg"] = torch.zeros_like(p)
        square_avg = state["square_avg"].lerp_(grad**2, 1 - group["alpha"])
        p -= group["lr"] * grad / (square_avg.sqrt() + group["eps"])


# --8<-- [end:rmsprop]


# --8<-- [start:adam]
class Adam(PerParameterOptimizer):
    """Momentum and scale, both corrected for their start (Kingma and Ba 2015, Alg. 1).

    `weight_decay` is L2: it is added to the gradient, and then scaled with it.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(params, lr=lr, betas=betas, eps=eps, weight_decay=weight_decay)

    def update(self, p: Tensor, grad: Tensor, state: State, group: Group) -> None:
        """The loop of Algorithm 1, once."""
        if group["weight_decay"]:
            grad = grad + group["weight_decay"] * p
        self.adam_step(p, grad, state, group)

    def adam_step(self, p: Tensor, grad: Tensor, state: State, group: Group) -> None:
        """The step of both Adam and AdamW."""
        if not state:
            state["step"] = 0
            state["exp_avg"] = torch.zeros_like(p)
            state["exp_avg_sq"] = torch.zeros_like(p)
        beta1, beta2 = group["betas"]
        state["step"] += 1
        m = state["exp_avg"].lerp_(grad, 1 - beta1)  # β₁ m + (1 - β₁) g
        v = state["exp_avg_sq"].mul_(beta2).addcmul_(grad, grad, value=1 - beta2)
        unbiased_m = m / (1 - beta1 ** state["step"])
        unbiased_v = v / (1 - beta2 ** state["step"])
        p -= group["lr"] * unbiased_m / (unbiased_v.sqrt() + group["eps"])


class AdamW(Adam):
    """Adam with decay beside the gradient (Loshchilov and Hutter 2019, Algorithm 2)."""

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.01,
    ) -> None:
        super().__init__(params, lr, betas, eps, weight_decay)

    def update(self, p: Tensor, grad: Tensor, state: State, group: Group) -> None:
        """Shrink, then step; the decay is not scaled by the gradient's size."""
        p *= 1 - group["lr"] * group["weight_decay"]
        self.adam_step(p, grad, state, group)


# --8<-- [end:adam]


# --8<-- [start:groups]
def decay_groups(module: nn.Module, decay: float) -> list[dict[str, object]]:
    """Decay for matrices, none for vectors: biases and the scales of norms."""
    matrices = [p for p in module.parameters() if p.dim() >= 2]
    vectors = [p for p in module.parameters() if p.dim() < 2]
    return [
        {"params": matrices, "weight_decay": decay},
        {"params": vectors, "weight_decay": 0.0},
    ]


# --8<-- [end:groups]
