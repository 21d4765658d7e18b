"""The Transformer: causality, masks, positions, training, search, bad input."""

import math

import pytest
import torch

from snippets.attention import MultiHeadAttention, causal_mask
from snippets.transformer import (
    CrossAttention,
    Transformer,
    TransformerConfig,
    beam_search,
    greedy_search,
    noam_rate,
    sinusoidal_positions,
    smoothed_loss,
)

PRE_AND_POST = pytest.mark.parametrize("pre_norm", [False, True])


def small(pre_norm: bool = False, **sizes) -> Transformer:
    torch.manual_seed(0)
    base = {"vocab_size": 13, "max_length": 12, "d_model": 16, "n_heads": 2}
    base |= {"n_layers": 2, "d_ff": 24, "dropout": 0.0}
    return Transformer(TransformerConfig(**base | sizes, pre_norm=pre_norm)).eval()


def texts() -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    source = torch.randint(1, 13, (2, 7), generator=generator)
    return source, torch.randint(1, 13, (2, 6), generator=generator)


@PRE_AND_POST
@pytest.mark.parametrize("t", range(6))
def test_no_position_sees_its_future(pre_norm, t):
    model, (source, target) = small(pre_norm), texts()
    other = target.clone()
    other[:, t] = other[:, t] % 12 + 1
    changed = (model(source, target) != model(source, other)).any(dim=-1).any(dim=0)
    assert not changed[:t].any()
    assert changed[t]


@PRE_AND_POST
def test_every_target_position_sees_the_whole_source(pre_norm):
    model, (source, target) = small(pre_norm), texts()
    for s in range(7):
        other = source.clone()
        other[:, s] = other[:, s] % 12 + 1
        assert (model(source, target) != model(other, target)).any(dim=-1).all()


@PRE_AND_POST
def test_padding_changes_nothing(pre_norm):
    model, (source, target) = small(pre_norm), texts()
    padded = torch.nn.functional.pad(source, (0, 3))
    longer = torch.nn.functional.pad(target, (0, 2))
    found = model(padded, longer)[:, :6]
    assert torch.allclose(found, model(source, target), atol=1e-5)


@PRE_AND_POST
def test_a_row_of_padding_only_is_finite(pre_norm):
    model, (source, target) = small(pre_norm), texts()
    source[1], target[1] = 0, 0
    logits = model(source, target)
    assert logits.isfinite().all()
    alone = model(source[:1], target[:1])
    assert torch.allclose(logits[:1], alone, atol=1e-5)
    logits.sum().backward()
    gradients = [p.grad for p in model.parameters() if p.grad is not None]
    assert all(gradient.isfinite().all() for gradient in gradients)


def test_positions_are_the_papers_formula():
    table = sinusoidal_positions(50, 8)
    for pos in (0, 1, 49):
        for i in range(4):
            angle = pos / 10_000 ** (2 * i / 8)
            assert table[pos, 2 * i] == pytest.approx(math.sin(angle), abs=1e-5)
            assert table[pos, 2 * i + 1] == pytest.approx(math.cos(angle), abs=1e-5)
    with pytest.raises(ValueError, match="d_model=7"):
        sinusoidal_positions(5, 7)


def test_one_matrix_has_three_jobs():
    model = small()
    large = [n for n, p in model.named_parameters() if 13 in p.shape]
    assert large == ["token.weight"]


def test_parameters_by_formula():
    c = TransformerConfig()
    C, F = c.d_model, c.d_ff
    attention, feed_forward = 4 * (C * C + C), 2 * C * F + F + C
    layers = 3 * attention + 2 * feed_forward + 5 * 2 * C
    with torch.device("meta"):
        counted = sum(p.numel() for p in Transformer(c).parameters())
    assert counted == c.vocab_size * C + c.n_layers * layers


def test_smoothing_ignores_padding():
    torch.manual_seed(0)
    logits, targets = torch.randn(2, 5, 9), torch.randint(1, 9, (2, 5))
    loss = smoothed_loss(logits[:, :3], targets[:, :3])
    targets[:, 3:] = 0
    assert smoothed_loss(logits, targets) == pytest.approx(loss.item())
    with pytest.raises(ValueError, match="all targets are padding"):
        smoothed_loss(logits, torch.zeros_like(targets))


def test_the_rate_rises_and_falls():
    rates = [noam_rate(step, 64, 10) for step in range(1, 31)]
    assert rates[:10] == sorted(rates[:10])
    assert rates[9:] == sorted(rates[9:], reverse=True)
    assert rates[9] == pytest.approx((64 * 10) ** -0.5)
    with pytest.raises(ValueError, match="step=0"):
        noam_rate(0)


def test_greedy_search_takes_the_likeliest_until_the_end():
    model, (source, _) = small(), texts()
    found = greedy_search(model, source, start=1, end=2, most=8)
    for row, text in enumerate(found.tolist()):
        ended = False
        for t in range(1, len(text)):
            prefix = found[row : row + 1, :t]
            likeliest = model(source[row : row + 1], prefix)[0, -1].argmax().item()
            assert text[t] == (0 if ended else likeliest)
            ended = ended or text[t] == 2


def chain(table: dict, V: int):
    """Log-probabilities from a table of distributions by the ids so far."""
    sure = [0.0] * (V - 1) + [1.0]
    return lambda beams: torch.tensor(
        [table.get(tuple(ids[1:]), sure) for ids in beams.tolist()]
    ).log()


def test_beam_search_finds_what_greedy_search_misses():
    logs = chain({(): [0.55, 0.45, 0.0], (0,): [0.4, 0.3, 0.3], (1,): [0.1, 0, 0.9]}, 3)
    greedy, low = beam_search(logs, 9, 2, most=3, width=1, alpha=0)
    best, high = beam_search(logs, 9, 2, most=3, width=2, alpha=0)
    assert (greedy, best) == ([0, 0, 2], [1, 2])
    assert math.exp(low) == pytest.approx(0.22)
    assert math.exp(high) == pytest.approx(0.405)


def test_a_wide_beam_finds_the_best_of_all():
    generator = torch.Generator().manual_seed(0)
    table = torch.rand(4, 4, 4, generator=generator)

    def logs(beams: torch.Tensor) -> torch.Tensor:
        step = beams.size(1) - 1
        return table[step, beams[:, -1] % 4].log_softmax(dim=-1)

    def total(ids: tuple[int, ...]) -> float:
        """The log-probability of a whole text."""
        return sum(
            logs(torch.tensor([[0, *ids[:n]]]))[0, token].item()
            for n, token in enumerate(ids)
        )

    every = [(3,), *((a, 3) for a in range(3))]
    every += [(a, b, 3) for a in range(3) for b in range(3)]
    best = max(every, key=total)
    ids, score = beam_search(logs, 0, end=3, most=3, width=64, alpha=0)
    assert tuple(ids) == best
    assert score == pytest.approx(total(best), abs=1e-5)


def test_the_length_penalty_favours_longer_texts():
    logs = chain({(): [0.5, 0.0, 0.5], (0,): [0.0, 0.9, 0.1]}, 3)
    short, _ = beam_search(logs, 9, 2, most=3, width=4, alpha=0)
    long, _ = beam_search(logs, 9, 2, most=3, width=4, alpha=3)
    assert (short, long) == ([2], [0, 1, 2])


def test_a_beam_must_be_wide():
    with pytest.raises(ValueError, match="width=0"):
        beam_search(chain({}, 3), 9, 2, most=3, width=0)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (torch.ones(1, 13, dtype=torch.long), "13 tokens, and max_length is 12"),
        (torch.tensor([[1, 13]]), r"ids from 1 to 13: they must lie in 0 … 12"),
        (torch.tensor([[-1]]), "ids from -1"),
    ],
)
def test_bad_ids(source, message):
    with pytest.raises(ValueError, match=message):
        greedy_search(small(), source, start=1, end=2, most=3)


def test_heads_must_divide_the_channels():
    with pytest.raises(ValueError, match="d_model=16 is not divisible by n_heads=3"):
        small(n_heads=3)


def test_a_mask_that_does_not_fit():
    attention = CrossAttention(8, 2)
    with pytest.raises(ValueError, match="does not broadcast"):
        attention(torch.zeros(1, 3, 8), torch.zeros(1, 5, 8), causal_mask(3))


@torch.no_grad()
def test_cross_attention_without_biases_is_the_one_whose_biases_are_zero():
    without, zero = CrossAttention(8, 2, bias=False), CrossAttention(8, 2)
    zero.load_state_dict(without.state_dict(), strict=False)
    zero.qkv.bias.zero_()
    zero.out.bias.zero_()
    x, memory = torch.randn(2, 3, 8), torch.randn(2, 5, 8)
    assert torch.allclose(without(x, memory), zero(x, memory), atol=1e-6)
    own = MultiHeadAttention(8, 2, bias=False)
    own.load_state_dict(without.state_dict())
    assert torch.allclose(without(x, x), own(x), atol=1e-6)
