"""Losses and normalisations by hand, with numbers that are hard on them.

Each is compared with PyTorch's, values and gradients: large, tiny, equal and infinite
numbers, in every floating dtype.
"""

import math

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from snippets import losses
from snippets.attention import scaled_dot_product_attention
from snippets.gpt import mask_before_softmax, next_token_loss
from snippets.llama import LlamaRMSNorm
from snippets.mini_gpt.modern import rms_norm, written_out_attention
from snippets.transformer import smoothed_loss

INF = math.inf
DTYPES = (torch.float64, torch.float32, torch.float16, torch.bfloat16)
ROWS = {
    "usual": [[0.3, -1.2, 2.0, 0.7], [1.0, 0.1, -0.4, -2.2]],
    "equal": [[2.0, 2.0, 2.0, 2.0], [0.0, 0.0, 0.0, 0.0]],
    "tiny": [[1e-7, -1e-7, 3e-8, 0.0], [1e-30, 2e-30, -1e-30, 1e-38]],
    "1e4": [[1e4, 0.0, -1e4, 1e4], [1e4, 1e4 + 8, 1e4 - 8, 0.0]],
    "1e8": [[1e8, 1e8, 0.0, -1e8], [1e8, 1e8 + 8, 1e8 - 8, 1.0]],
    "one ruled out": [[-INF, 0.0, 1.0, 0.5], [-INF, -1.0, 0.0, 2.0]],
    "all ruled out": [[-INF, -INF, -INF, -INF], [0.0, 1.0, 2.0, 3.0]],
    "infinite": [[INF, 0.0, 1.0, 2.0], [0.0, INF, -INF, 1.0]],
    "not a number": [[math.nan, 0.0, 1.0, 2.0], [0.0, 1.0, 2.0, 3.0]],
}
TARGETS = torch.tensor([3, 1])
GOALS = torch.tensor([[0.0, 1.0, 0.5, 1.0], [1.0, 0.0, 0.2, 0.0]])
MAY = torch.ones(2, 2, dtype=torch.bool).tril()


def goals(x: Tensor) -> Tensor:
    return GOALS.to(x.dtype)


def causal_weights(x: Tensor) -> Tensor:
    return x[..., :2].masked_fill(~MAY, -INF).softmax(dim=-1)


PAIRS = {
    "log_softmax": (losses.log_softmax, lambda x: x.log_softmax(dim=-1)),
    "log_sum_exp": (  # PyTorch's own gradient is not exact next to 1e8
        losses.log_sum_exp,
        lambda x: x.double().logsumexp(dim=-1).to(x.dtype),
    ),
    "nll_loss": (
        lambda x: losses.nll_loss(x, TARGETS),
        lambda x: F.nll_loss(x, TARGETS),
    ),
    "cross_entropy": (
        lambda x: losses.cross_entropy(x, TARGETS),
        lambda x: F.cross_entropy(x, TARGETS),
    ),
    "binary_cross_entropy": (
        lambda x: losses.binary_cross_entropy_with_logits(x, goals(x)),
        lambda x: F.binary_cross_entropy_with_logits(x, goals(x)),
    ),
    "mse_loss": (
        lambda x: losses.mse_loss(x, goals(x)),
        lambda x: F.mse_loss(x, goals(x)),
    ),
    "huber_loss": (
        lambda x: losses.huber_loss(x, goals(x)),
        lambda x: F.huber_loss(x, goals(x)),
    ),
    "next_token_loss": (
        lambda x: next_token_loss(x[:, None], TARGETS[:, None]),
        lambda x: F.cross_entropy(x, TARGETS),
    ),
    "smoothed_loss": (
        lambda x: smoothed_loss(x[:, None], TARGETS[:, None]),
        lambda x: F.cross_entropy(x, TARGETS, label_smoothing=0.1),
    ),
    "LlamaRMSNorm": (
        lambda x: LlamaRMSNorm(4).to(x.dtype)(x),
        lambda x: F.rms_norm(x, (4,), eps=1e-6),
    ),
    "rms_norm": (rms_norm, lambda x: F.rms_norm(x, (4,))),
    "mask_before_softmax": (lambda x: mask_before_softmax(x[..., :2]), causal_weights),
}


def computed(function, x: Tensor) -> tuple[Tensor, Tensor]:
    """The value, and the gradient of its sum."""
    leaf = x.clone().requires_grad_()
    value = function(leaf)
    value.sum().backward()
    return value.detach(), leaf.grad


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("row", ROWS)
@pytest.mark.parametrize("name", PAIRS)
def test_hard_numbers_give_what_pytorch_gives(name, row, dtype):
    most = torch.finfo(dtype).max / 4
    x = torch.tensor(ROWS[row], dtype=torch.float64)
    x = torch.where(x.isinf(), x, x.clamp(-most, most)).to(dtype)
    ours, theirs = (computed(function, x) for function in PAIRS[name])
    rtol = {torch.float64: 1e-6, torch.float32: 1e-5}.get(
        dtype, 4 * torch.finfo(dtype).eps
    )
    for one, other in zip(ours, theirs, strict=True):
        assert one.dtype == other.dtype == dtype
        if theirs[0].isnan().all():  # PyTorch has no answer: then neither may ours
            assert not ours[0].isfinite().any()
        else:
            assert torch.allclose(one, other, rtol=rtol, atol=rtol, equal_nan=True)


def test_the_gradient_of_binary_cross_entropy_is_finite_for_infinite_logits():
    logits = torch.tensor([INF, -INF, INF, -INF, 0.0], requires_grad=True)
    goal = torch.tensor([1.0, 0.0, 0.0, 1.0, 1.0])
    losses.binary_cross_entropy_with_logits(logits, goal, reduction="sum").backward()
    assert logits.grad.tolist() == [0.0, 0.0, 1.0, -1.0, -0.5]


@pytest.mark.parametrize("size", [1e-20, 1.0, 1e4])
def test_attention_of_hard_numbers(size):
    torch.manual_seed(0)
    q, k, v = (torch.randn(3, 2, 5, 4) * scale for scale in (size, size, 1.0))
    expected = F.scaled_dot_product_attention(q, k, v, is_causal=True)
    may = torch.ones(5, 5, dtype=torch.bool).tril()
    ours, _ = scaled_dot_product_attention(q, k, v, may)
    assert torch.allclose(ours, expected, atol=1e-5)
    assert torch.allclose(written_out_attention(q, k, v, may), expected, atol=1e-5)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16], ids=str)
def test_a_mean_over_many_examples_does_not_overflow_in_half_precision(dtype):
    logits = torch.zeros(70_000, 2, dtype=dtype)
    targets = torch.zeros(70_000, dtype=torch.int64)
    loss = losses.cross_entropy(logits, targets)  # PyTorch's is 0 in float16
    assert loss.item() == pytest.approx(math.log(2), rel=0.01)


def test_the_loss_of_large_logits_keeps_its_last_digit():
    logits = torch.tensor([[1e8, 1e8]])
    assert losses.log_softmax(logits)[0, 0].item() == pytest.approx(-math.log(2))
