"""The small parts of a Transformer, by hand: softmax, SiLU, embedding, clipping.

With `MultiHeadAttention`, `LlamaRMSNorm`, `SwiGLU`, `rope_angles`, the losses and the
optimizers, and with `modules.Linear` where those take `nn.Linear`, they are what a
language model can be built from without `nn`'s layers.
"""

# --8<-- [start:imports]
from collections.abc import Iterable

import torch
from torch import Tensor, nn

# --8<-- [end:imports]


# --8<-- [start:softmax]
def softmax(x: Tensor, dim: int = -1) -> Tensor:
    """exp(x) over its sum along an axis; same shape and dtype.

    The largest number is taken away first: that changes nothing, and exp cannot
    overflow. Where all are -inf the result is NaN, as from `torch.softmax`.
    """
    powers = (x - x.amax(dim=dim, keepdim=True)).exp()
    return powers / powers.sum(dim=dim, keepdim=True)


def silu(x: Tensor) -> Tensor:
    """x · σ(x), number by number (Hendrycks and Gimpel, 2016); the Swish of SwiGLU."""
    return x * torch.sigmoid(x)


# --8<-- [end:softmax]


# --8<-- [start:embedding]
class Embedding(nn.Module):
    """A table of vectors, looked up by row; `nn.Embedding` by hand.

    `forward` takes ids of any shape (...), each in 0 … V - 1, and returns (..., C).
    """

    def __init__(self, vocab_size: int, d_model: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(vocab_size, d_model))
        nn.init.trunc_normal_(self.weight, std=1.0, a=-3.0, b=3.0)

    def forward(self, ids: Tensor) -> Tensor:
        """The row of each id."""
        return self.weight[ids]


# --8<-- [end:embedding]


# --8<-- [start:clip]
@torch.no_grad()
def clip_grad_norm_(
    parameters: Iterable[Tensor], max_norm: float, eps: float = 1e-6
) -> Tensor:
    """Scale all gradients down together, in place, if their norm is above `max_norm`.

    The norm is that of all gradients as one vector; the direction stays. Pascanu et
    al., "On the difficulty of training recurrent neural networks" (2013), algorithm 1.
    Returns the norm before, a tensor of no axes; nothing waits for its value. Raises
    ValueError for a `max_norm` that is not above 0.
    """
    if not max_norm > 0:  # NaN too
        raise ValueError(f"max_norm={max_norm}: it must be above 0")
    gradients = [p.grad for p in parameters if p.grad is not None]
    if not gradients:
        return torch.tensor(0.0)
    norms = [gradient.norm().to(gradients[0].device) for gradient in gradients]
    norm = torch.stack(norms).norm()
    scale = (max_norm / (norm + eps)).clamp(max=1.0)
    for gradient in gradients:
        gradient.mul_(scale.to(gradient.device))
    return norm


# --8<-- [end:clip]
