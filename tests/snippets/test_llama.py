"""LLaMA: causality, the cache, rotary positions, sizes, bad input."""

import pytest
import torch
from torch import nn

from snippets.attention import MultiHeadAttention, causal_mask
from snippets.llama import (
    GroupedQueryAttention,
    Llama,
    LlamaConfig,
    LlamaRMSNorm,
    generate_with_cache,
    rope_angles,
    rotate_adjacent,
    rotate_halves,
    swiglu_width,
    to_halves,
)

CONFIG = LlamaConfig(
    11, context_length=12, d_model=16, n_heads=4, n_kv_heads=2, n_layers=2, d_ff=24
)


@pytest.fixture
def model() -> Llama:
    torch.manual_seed(0)
    return Llama(CONFIG)


@pytest.mark.parametrize("t", range(8))
def test_no_position_sees_its_future(model, t):
    ids = torch.randint(11, (1, 8))
    other = ids.clone()
    other[0, t] = (other[0, t] + 1) % 11
    changed = (model(ids) != model(other)).any(dim=-1)[0]
    assert not changed[:t].any()
    assert changed[t]


@pytest.mark.parametrize("sizes", [[1] * 10, [4, 1, 5], [10]])
def test_the_cache_changes_nothing(model, sizes):
    ids = torch.randint(11, (3, 10))
    caches = model.new_caches()
    parts = [model(part, caches) for part in ids.split(sizes, dim=1)]
    assert torch.allclose(torch.cat(parts, dim=1), model(ids), atol=1e-6)
    assert caches[0].seen == 10
    assert caches[0].keys.shape == (3, 2, 10, 4)


def test_writing_takes_the_likeliest(model):
    ids = generate_with_cache(model, torch.tensor([[1, 2]]), 8)
    for t in range(2, 10):
        assert ids[0, t] == model(ids[:, :t])[0, -1].argmax()


@pytest.mark.parametrize("rotate", [rotate_adjacent, rotate_halves])
def test_scores_depend_on_distances_only(rotate):
    torch.manual_seed(0)
    q, k = torch.randn(2, 10, 16)
    here = rope_angles(torch.arange(10), 16)
    there = rope_angles(torch.arange(10) + 37, 16)
    scores = rotate(q, *here) @ rotate(k, *here).T
    assert torch.allclose(rotate(q, *there) @ rotate(k, *there).T, scores, atol=1e-4)
    norms = rotate(q, *here).norm(dim=-1)
    assert torch.allclose(norms, q.norm(dim=-1), atol=1e-5)


def test_the_layouts_pair_the_channels_that_they_say():
    angles = rope_angles(torch.tensor([1]), 6)
    x = torch.eye(6)[:, None]  # one vector for each channel, at position 1
    touched = [(rotate_adjacent(row, *angles) != 0).nonzero()[:, 1] for row in x]
    assert [t.tolist() for t in touched] == [[0, 1]] * 2 + [[2, 3]] * 2 + [[4, 5]] * 2
    touched = [(rotate_halves(row, *angles) != 0).nonzero()[:, 1] for row in x]
    assert [t.tolist() for t in touched] == [[0, 3], [1, 4], [2, 5]] * 2


def test_reordering_rows():
    rows = torch.arange(12.0)[:, None]
    assert to_halves(rows, 2)[:, 0].tolist() == [0, 2, 4, 1, 3, 5, 6, 8, 10, 7, 9, 11]


def test_parameters_by_formula():
    with torch.device("meta"):
        counted = sum(p.numel() for p in Llama(LlamaConfig()).parameters())
    assert counted == 6_738_415_616  # of LLaMA 7B


def test_there_are_no_biases(model):
    assert not [name for name, _ in model.named_parameters() if "bias" in name]


@pytest.mark.parametrize(
    ("d_model", "width"), [(4096, 11008), (5120, 13824), (6656, 17920), (8192, 22016)]
)
def test_the_width_of_swiglu_is_that_of_the_papers_models(d_model, width):
    assert swiglu_width(d_model) == width


def test_rms_norm_computes_in_float32():
    x = torch.full((2, 8), 300.0, dtype=torch.float16)  # squares overflow
    found = LlamaRMSNorm(8).half()(x)
    assert found.dtype == torch.float16
    assert torch.allclose(found, torch.ones_like(x))
    reference = nn.RMSNorm(8, 1e-6)(x.float()).half()
    assert torch.equal(found, reference)


@pytest.mark.parametrize(
    ("ids", "message"),
    [
        (torch.zeros(1, 13, dtype=torch.long), "13 tokens: there must be 1 … 12"),
        (torch.zeros(1, 0, dtype=torch.long), "0 tokens"),
        (torch.zeros(5, dtype=torch.long), r"ids are \(5,\): they must be \(B, T\)"),
    ],
)
def test_bad_ids(model, ids, message):
    with pytest.raises(ValueError, match=message):
        model(ids)


def test_a_cache_longer_than_the_context(model):
    caches = model.new_caches()
    model(torch.zeros(1, 12, dtype=torch.long), caches)
    with pytest.raises(ValueError, match="13 tokens"):
        model(torch.zeros(1, 1, dtype=torch.long), caches)


@pytest.mark.parametrize(
    ("heads", "kv_heads", "message"),
    [
        (3, 1, "d_model=16 is not divisible by n_heads=3"),
        (4, 3, "n_heads=4 is not divisible by n_kv_heads=3"),
        (4, 0, "n_heads=4 is not divisible by n_kv_heads=0"),
    ],
)
def test_heads_that_do_not_divide(heads, kv_heads, message):
    config = LlamaConfig(11, 12, 16, heads, kv_heads, 1, 24)
    with pytest.raises(ValueError, match=message):
        GroupedQueryAttention(config)


@torch.no_grad()
def test_with_as_many_keys_as_queries_it_is_multi_head_attention_rotated():
    plain = MultiHeadAttention(16, 4, bias=False)
    ours = GroupedQueryAttention(LlamaConfig(11, 12, 16, 4, 4, 1, 24))
    ours.load_state_dict(plain.state_dict(), strict=True)
    x, mask = torch.randn(2, 6, 16), causal_mask(6)
    still = rope_angles(torch.zeros(6, dtype=torch.long), 4)  # not rotated at all
    assert torch.allclose(ours(x, still, mask), plain(x, mask), atol=1e-6)
    turned = ours(x, rope_angles(torch.arange(6), 4), mask)
    assert not torch.allclose(turned, plain(x, mask), atol=1e-3)


@torch.no_grad()
def test_shared_keys_and_values_are_those_of_each_head_of_a_group():
    """The rows of a shared head, written down for each of its group."""
    shared = GroupedQueryAttention(LlamaConfig(11, 12, 16, 4, 2, 1, 24))
    whole = GroupedQueryAttention(LlamaConfig(11, 12, 16, 4, 4, 1, 24))
    q, *others = shared.qkv.weight.split([16, 8, 8])
    wide = [w.view(2, 4, 16).repeat_interleave(2, dim=0).flatten(0, 1) for w in others]
    whole.qkv.weight.copy_(torch.cat([q, *wide]))
    whole.out.load_state_dict(shared.out.state_dict())
    x, angles = torch.randn(2, 6, 16), rope_angles(torch.arange(6), 4)
    found = shared(x, angles, causal_mask(6))
    assert torch.allclose(found, whole(x, angles, causal_mask(6)), atol=1e-6)
    assert [tuple(part.shape) for part in shared.project(x)] == [
        (2, 4, 6, 4),
        (2, 2, 6, 4),
        (2, 2, 6, 4),
    ]


def test_an_odd_head_cannot_be_rotated():
    with pytest.raises(ValueError, match="d_head=5"):
        rope_angles(torch.arange(2), 5)
