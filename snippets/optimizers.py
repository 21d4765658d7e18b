"""SGD, momentum, RMSprop, Adam and AdamW by hand, equal to those of `torch.optim`.

An optimizer holds groups of parameters, each group with settings of its own, and for
each parameter a state. `step` changes the parameters by their gradients.
"""

# --8<-- [start:optimizer]
from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor

Group = dict[str, Any]
State = dict[str, Any]


class Optimizer:
    """What all of them share: groups, state, `zero_grad`, a `step` over all parameters.

    `params` is an iterable of tensors, or of dicts with `params` and settings that
    differ from the defaults. Raises ValueError where there is none, where one occurs
    twice, or for a negative setting, and TypeError for what is no tensor.
    """

    def __init__(self, params: Iterable[Any], **defaults: Any) -> None:
        groups = list(params)
        if not groups:
            raise ValueError("no parameters: was a generator used up, or a list empty?")
        if not isinstance(groups[0], dict):
            groups = [{"params": groups}]
        self.groups: list[Group] = []
        for group in groups:
            unknown = set(group) - {"params"} - set(defaults)
            if unknown:
                raise ValueError(f"no such setting: {sorted(unknown)}")
            self.groups.append(check_group(defaults | group))
        every = [id(p) for group in self.groups for p in group["params"]]
        if len(set(every)) < len(every):
            raise ValueError("a parameter is in the groups twice")
        self.state: dict[Tensor, State] = {}

    def zero_grad(self) -> None:
        """Forget all gradients."""
        for group in self.groups:
            for p in group["params"]:
                p.grad = None

    @torch.no_grad()
    def step(self) -> None:
        """Change every parameter that has a gradient."""
        for group in self.groups:
            for p in group["params"]:
                if p.grad is not None:
                    self.update(p, p.grad, self.state.setdefault(p, {}), group)

    def update(self, p: Tensor, grad: Tensor, state: State, group: Group) -> None:
        """Change one parameter in place."""
        raise NotImplementedError


def check_group(group: Group) -> Group:
    """The group, with its parameters as a list."""
    group["params"] = list(group["params"])
    for p in group["params"]:
        if not isinstance(p, Tensor):
            raise TypeError(f"a parameter is a tensor, not {p!r}")
    for name, setting in group.items():
        if isinstance(setting, float | int) and setting < 0:
            raise ValueError(f"{name}={setting}: it must not be negative")
    return group


# --8<-- [end:optimizer]


# --8<-- [start:sgd]
class SGD(Optimizer):
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
        grad = grad + group["weight_decay"] * p
        momentum = group["momentum"]
        if momentum:
            v = state.get("velocity")
            v = grad.clone() if v is None else momentum * v + grad
            state["velocity"] = v
            grad = grad + momentum * v if group["nesterov"] else v
        p -= group["lr"] * grad


# --8<-- [end:sgd]


# --8<-- [start:rmsprop]
class RMSprop(Optimizer):
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
        alpha = group["alpha"]
        square = state.get("square", torch.zeros_like(p))
        state["square"] = alpha * square + (1 - alpha) * grad**2
        p -= group["lr"] * grad / (state["square"].sqrt() + group["eps"])


# --8<-- [end:rmsprop]


# --8<-- [start:adam]
class Adam(Optimizer):
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
        """Algorithm 1, lines 5 to 10."""
        grad = grad + group["weight_decay"] * p
        self.adam_step(p, grad, state, group)

    def adam_step(self, p: Tensor, grad: Tensor, state: State, group: Group) -> None:
        """The step of both Adam and AdamW."""
        beta1, beta2 = group["betas"]
        t = state["step"] = state.get("step", 0) + 1
        m = beta1 * state.get("mean", torch.zeros_like(p)) + (1 - beta1) * grad
        v = beta2 * state.get("square", torch.zeros_like(p)) + (1 - beta2) * grad**2
        state["mean"], state["square"] = m, v
        unbiased_m = m / (1 - beta1**t)
        unbiased_v = v / (1 - beta2**t)
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
def decay_groups(module: torch.nn.Module, weight_decay: float) -> list[Group]:
    """Decay for matrices, none for vectors: biases and the scales of norms."""
    matrices = [p for p in module.parameters() if p.dim() >= 2]
    vectors = [p for p in module.parameters() if p.dim() < 2]
    return [
        {"params": matrices, "weight_decay": weight_decay},
        {"params": vectors, "weight_decay": 0.0},
    ]


# --8<-- [end:groups]
