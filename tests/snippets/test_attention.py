"""`snippets/attention.py` against PyTorch: values, gradients, causality, bad input."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from snippets.attention import (
    MultiHeadAttention,
    MultiHeadAttentionByLoop,
    SelfAttentionHead,
    attention_by_loop,
    causal_mask,
    scaled_dot_product_attention,
)

EXACT = {"rtol": 0.0, "atol": 1e-10}
B, H, T, S, D, C = 2, 3, 7, 5, 4, 12


def normal(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, dtype=torch.float64, requires_grad=True)


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(0)


def random_mask(*shape: int) -> torch.Tensor:
    """A mask in which every query may attend to at least one key."""
    mask = torch.rand(*shape) < 0.5
    mask[..., 0] = True
    return mask


MASKS = {
    "none": lambda: None,
    "one for all": lambda: random_mask(T, S),
    "one a batch row": lambda: random_mask(B, 1, T, S),
    "keys only (padding)": lambda: random_mask(B, 1, 1, S),
    "one a head": lambda: random_mask(B, H, T, S),
}


@pytest.mark.parametrize("make_mask", MASKS.values(), ids=MASKS)
def test_attention_equals_pytorch_in_values_and_gradients(make_mask):
    q, k, v = normal(B, H, T, D), normal(B, H, S, D), normal(B, H, S, D + 2)
    mask = make_mask()
    ours, weights = scaled_dot_product_attention(q, k, v, mask)
    theirs = F.scaled_dot_product_attention(q, k, v, mask)
    torch.testing.assert_close(ours, theirs, **EXACT)
    torch.testing.assert_close(weights @ v, ours, **EXACT)
    torch.testing.assert_close(weights.sum(-1), torch.ones_like(weights[..., 0]))
    probe = torch.randn_like(ours)
    our_gradients = torch.autograd.grad((ours * probe).sum(), (q, k, v))
    their_gradients = torch.autograd.grad((theirs * probe).sum(), (q, k, v))
    for mine, other in zip(our_gradients, their_gradients, strict=True):
        torch.testing.assert_close(mine, other, **EXACT)


def test_attention_with_a_causal_mask_equals_is_causal():
    q, k, v = normal(B, H, T, D), normal(B, H, T, D), normal(B, H, T, D)
    ours, _ = scaled_dot_product_attention(q, k, v, causal_mask(T))
    theirs = F.scaled_dot_product_attention(q, k, v, is_causal=True)
    torch.testing.assert_close(ours, theirs, **EXACT)


def test_the_loop_equals_the_matrix_form():
    q, k, v = normal(T, D), normal(S, D), normal(S, D + 2)
    expected, _ = scaled_dot_product_attention(q, k, v)
    torch.testing.assert_close(attention_by_loop(q, k, v), expected, **EXACT)


def test_gradients_against_finite_differences():
    inputs, mask = (normal(3, D), normal(4, D), normal(4, D)), random_mask(3, 4)
    assert torch.autograd.gradcheck(
        lambda q, k, v: scaled_dot_product_attention(q, k, v, mask), inputs
    )


@pytest.mark.filterwarnings("ignore:Anomaly Detection")
def test_a_row_that_may_attend_to_nothing_is_zero_with_finite_gradients():
    q, k, v = normal(T, D), normal(S, D), normal(S, D)
    mask = random_mask(T, S)
    mask[2] = False
    with torch.autograd.detect_anomaly(check_nan=True):
        ours, weights = scaled_dot_product_attention(q, k, v, mask)
        gradients = torch.autograd.grad(ours.square().sum(), (q, k, v))
    theirs = F.scaled_dot_product_attention(q, k, v, mask)
    torch.testing.assert_close(ours, theirs, **EXACT)
    assert (ours[2] == 0).all() and (weights[2] == 0).all()
    assert all(gradient.isfinite().all() for gradient in gradients)
    assert (gradients[0][2] == 0).all()


def test_scores_far_below_zero_are_not_taken_for_masked_ones():
    q, k, v = torch.full((T, D), -20.0), torch.full((T, D), 20.0), torch.randn(T, D)
    ours, weights = scaled_dot_product_attention(q, k, v, causal_mask(T))
    theirs = F.scaled_dot_product_attention(q, k, v, causal_mask(T))
    torch.testing.assert_close(ours, theirs)
    torch.testing.assert_close(weights.sum(-1), torch.ones(T))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_half_precision_does_not_overflow(dtype, sign):
    q, k = torch.full((T, 64), 40.0, dtype=dtype), torch.full((T, 64), 40.0 * sign)
    k, v = k.to(dtype), torch.randn(T, 64).to(dtype)
    ours, _ = scaled_dot_product_attention(q, k, v, causal_mask(T))
    theirs = F.scaled_dot_product_attention(q, k, v, causal_mask(T))
    assert ours.isfinite().all()
    torch.testing.assert_close(ours, theirs, rtol=2e-2, atol=2e-2)


def test_inputs_are_left_as_they_are():
    q, mask = torch.randn(T, D), causal_mask(T)
    before = q.clone()
    scaled_dot_product_attention(q, q, q, mask)
    assert torch.equal(q, before) and torch.equal(mask, causal_mask(T))


def test_causal_mask():
    assert causal_mask(3, device="meta").device.type == "meta"
    assert causal_mask(3).tolist() == [
        [True, False, False],
        [True, True, False],
        [True, True, True],
    ]


def copy_into_pytorch(ours: MultiHeadAttention) -> nn.MultiheadAttention:
    """PyTorch's module with our weights."""
    theirs = nn.MultiheadAttention(C, H, batch_first=True, dtype=torch.float64)
    theirs.load_state_dict(
        {
            "in_proj_weight": ours.qkv.weight,
            "in_proj_bias": ours.qkv.bias,
            "out_proj.weight": ours.out.weight,
            "out_proj.bias": ours.out.bias,
        }
    )
    return theirs


@pytest.mark.parametrize("masked", [False, True])
def test_multi_head_equals_pytorch_in_values_and_gradients(masked):
    ours = MultiHeadAttention(C, H).double()
    theirs = copy_into_pytorch(ours)
    x = normal(B, T, C)
    mask = causal_mask(T) if masked else None
    blocked = None if mask is None else ~mask  # there, True means: may not
    mine = ours(x, mask)
    other, _ = theirs(x, x, x, attn_mask=blocked, need_weights=False)
    torch.testing.assert_close(mine, other, **EXACT)
    probe = torch.randn_like(mine)
    for module, out in ((ours, mine), (theirs, other)):
        (out * probe).sum().backward(inputs=[x, *module.parameters()])
        module.seen, x.grad = x.grad, None
    torch.testing.assert_close(ours.seen, theirs.seen, **EXACT)
    torch.testing.assert_close(
        ours.qkv.weight.grad, theirs.in_proj_weight.grad, **EXACT
    )
    torch.testing.assert_close(ours.qkv.bias.grad, theirs.in_proj_bias.grad, **EXACT)
    torch.testing.assert_close(
        ours.out.weight.grad, theirs.out_proj.weight.grad, **EXACT
    )
    torch.testing.assert_close(ours.out.bias.grad, theirs.out_proj.bias.grad, **EXACT)


def test_one_projection_equals_the_loop_over_heads():
    looped, fused = MultiHeadAttentionByLoop(C, H), MultiHeadAttention(C, H)
    looped, fused = looped.double(), fused.double()
    with torch.no_grad():
        for kind in ("weight", "bias"):
            parts = [
                getattr(getattr(head, role), kind)
                for role in ("query", "key", "value")
                for head in looped.heads
            ]
            getattr(fused.qkv, kind).copy_(torch.cat(parts))
            getattr(fused.out, kind).copy_(getattr(looped.out, kind))
    x = normal(B, T, C)
    torch.testing.assert_close(looped(x), fused(x), **EXACT)
    mask = causal_mask(T)
    torch.testing.assert_close(looped(x, mask), fused(x, mask), **EXACT)
    count = [sum(p.numel() for p in module.parameters()) for module in (looped, fused)]
    assert count[0] == count[1] == 4 * C * C + 4 * C


def test_multi_head_with_padding_equals_pytorch():
    ours = MultiHeadAttention(C, H).double()
    x, lengths = normal(B, T, C), torch.tensor([[T], [3]])
    real = torch.arange(T) < lengths  # (B, T)
    causal_and_real = causal_mask(T) & real[:, None, None, :]  # (B, 1, T, T)
    theirs = copy_into_pytorch(ours)
    for mask, causal in ((real[:, None, None, :], None), (causal_and_real, True)):
        blocked = ~causal_mask(T) if causal else None
        expected, _ = theirs(x, x, x, attn_mask=blocked, key_padding_mask=~real)
        torch.testing.assert_close(ours(x, mask), expected, **EXACT)


def test_each_head_can_have_a_mask_of_its_own():
    ours, x = MultiHeadAttention(C, H).double(), normal(B, T, C)
    masks = random_mask(B, H, T, T)
    expected, _ = copy_into_pytorch(ours)(x, x, x, attn_mask=~masks.flatten(0, 1))
    torch.testing.assert_close(ours(x, masks), expected, **EXACT)


MODULES = {
    "head": lambda: SelfAttentionHead(C, D),
    "heads in a loop": lambda: MultiHeadAttentionByLoop(C, H),
    "heads at once": lambda: MultiHeadAttention(C, H),
}


@pytest.mark.parametrize("make", MODULES.values(), ids=MODULES)
def test_a_causal_module_does_not_look_ahead(make):
    module = make().double()
    x = normal(B, T, C)
    before = module(x, causal_mask(T))
    for changed in range(T):
        other = x.detach().clone()
        other[:, changed] += 1.0
        after = module(other, causal_mask(T))
        assert torch.equal(after[:, :changed], before[:, :changed])
        assert not torch.isclose(after[:, changed:], before[:, changed:]).all(-1).any()


def test_without_positions_attention_follows_a_permutation():
    module, x = MultiHeadAttention(C, H).double(), normal(B, T, C)
    order = torch.randperm(T)
    torch.testing.assert_close(module(x)[:, order], module(x[:, order]), **EXACT)


BAD = {
    "channels": ((T, 4), (S, 3), (S, 4), None, "q has 4 channels and k has 3"),
    "values": ((T, 4), (S, 4), (6, 4), None, "there are 5 keys and 6 values"),
    "mask": ((T, 4), (S, 4), (S, 4), (S, T), r"mask is \(5, 7\): .* \(7, 5\)"),
    "flat mask": ((T, 4), (S, 4), (S, 4), (T,), r"mask is \(7,\)"),
    "mask of too many axes": ((T, 4), (S, 4), (S, 4), (2, T, S), r"\(2, 7, 5\): .*"),
    "mask of another batch": (
        (B, T, 4),
        (B, S, 4),
        (B, S, 4),
        (3, T, S),
        r"mask is \(3, 7, 5\): .* \(2, 7, 5\)",
    ),
}


@pytest.mark.parametrize(("q", "k", "v", "mask", "message"), BAD.values(), ids=BAD)
def test_shapes_that_do_not_fit_are_named(q, k, v, mask, message):
    given = None if mask is None else torch.ones(mask, dtype=torch.bool)
    with pytest.raises(ValueError, match=message):
        scaled_dot_product_attention(torch.ones(q), torch.ones(k), torch.ones(v), given)


@pytest.mark.parametrize("heads", [H, 2])
def test_a_mask_that_could_be_of_texts_or_of_heads_is_refused(heads):
    x, mask = torch.randn(heads, T, C), causal_mask(T).expand(heads, T, T)
    with pytest.raises(ValueError, match=r"mask\[:, None\] for one of each text"):
        MultiHeadAttention(C, heads)(x, mask)


def test_a_mask_of_numbers_is_refused():
    q = torch.ones(T, D)
    with pytest.raises(TypeError, match=r"mask is torch\.float32.*True = may attend"):
        scaled_dot_product_attention(q, q, q, torch.ones(T, T))


@pytest.mark.parametrize("make", [MultiHeadAttention, MultiHeadAttentionByLoop])
@pytest.mark.parametrize("heads", [3, 0, -2])
def test_heads_that_do_not_divide_the_model_are_refused(make, heads):
    with pytest.raises(ValueError, match=f"d_model=10 .*n_heads={heads}"):
        make(10, heads)
