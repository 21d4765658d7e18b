"""GPT: causality, the loss and its start, generation, bad input."""

import math

import pytest
import torch

from snippets.gpt import (
    GPT,
    CharTokenizer,
    GPTConfig,
    generate,
    held_out_loss,
    mask_after_softmax,
    mask_before_softmax,
    next_token_loss,
    random_windows,
    shift,
    surprise,
    training,
)

CONFIG = GPTConfig(vocab_size=11, context_length=8, d_model=16, n_heads=2, n_layers=2)


@pytest.fixture
def model() -> GPT:
    torch.manual_seed(0)
    return GPT(CONFIG)


def changed_by(model: GPT, t: int) -> torch.Tensor:
    """Which positions get other logits when token t is another one: (T,)."""
    ids = torch.randint(11, (1, 8))
    other = ids.clone()
    other[0, t] = (other[0, t] + 1) % 11
    return (model(ids) != model(other)).any(dim=-1)[0]


@pytest.mark.parametrize("t", range(8))
def test_no_position_sees_its_future(model, t):
    changed = changed_by(model, t)
    assert not changed[:t].any()
    assert changed[t:].all()


@pytest.mark.parametrize("layer", [0, 1])
def test_a_mask_forgotten_in_one_layer_is_noticed(model, layer):
    attention = model.blocks[layer].attention
    attention.register_forward_pre_hook(lambda module, args: args[:1])
    assert changed_by(model, 5)[:5].any()


def test_the_mask_before_softmax_hides_what_comes_later():
    torch.manual_seed(0)
    scores = torch.randn(2, 6, 6)
    other = scores + 100 * torch.ones(6, 6).triu(1)
    assert torch.equal(mask_before_softmax(scores), mask_before_softmax(other))


def test_the_mask_after_softmax_is_the_same_until_it_underflows():
    torch.manual_seed(0)
    scores = torch.randn(2, 6, 6)
    before, after = mask_before_softmax(scores), mask_after_softmax(scores)
    assert torch.allclose(before, after)
    other = scores + 200 * torch.ones(6, 6).triu(1)
    assert mask_after_softmax(other)[:, 0].isnan().all()
    assert mask_before_softmax(other).isfinite().all()
    future = torch.ones(1, 2, 2).triu(1)  # the smallest float32 is about e ** -103.3
    assert mask_after_softmax(80 * future).isfinite().all()
    assert mask_after_softmax(104 * future)[:, 0].isnan().all()


def test_all_losses_at_once_are_those_of_prefixes(model):
    ids = torch.randint(11, (2, 8))
    at_once = model(ids)
    for t in range(8):
        last = model(ids[:, : t + 1])[:, -1]
        assert torch.allclose(at_once[:, t], last, atol=1e-6)


def test_t_losses_at_once_are_t_losses_one_by_one(model):
    inputs, targets = shift(torch.randint(11, (2, 9)))
    at_once = surprise(model(inputs), targets)  # (B, T)
    for t in range(8):
        alone = surprise(model(inputs[:, : t + 1])[:, -1], targets[:, t])
        assert torch.allclose(at_once[:, t], alone, atol=1e-5)
    assert torch.allclose(at_once.mean(), next_token_loss(model(inputs), targets))


def test_surprise_of_sure_and_impossible_tokens():
    logits = torch.tensor([[300.0, 0.0], [300.0, 0.0]])
    assert surprise(logits, torch.tensor([0, 1])).tolist() == [0.0, 300.0]


def test_the_loss_starts_at_ln_v():
    torch.manual_seed(0)
    config = GPTConfig(1000, 32, 64, 4, 2)
    inputs, targets = shift(torch.randint(1000, (8, 33)))
    loss = next_token_loss(GPT(config)(inputs), targets)
    assert loss.item() == pytest.approx(math.log(1000), abs=0.1)


def test_one_batch_can_be_learned_by_heart(model):
    inputs, targets = shift(torch.randint(11, (2, 9)))
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    for _ in range(150):
        loss = next_token_loss(model(inputs), targets)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss.item() < 0.05


def test_parameters_of_gpt2_small():
    with torch.device("meta"):
        counted = sum(p.numel() for p in GPT(GPTConfig()).parameters())
    assert counted == 124_439_808


@pytest.mark.parametrize("sizes", [(11, 8, 16, 2, 2), (60, 64, 24, 3, 5)])
def test_parameters_by_formula(sizes):
    V, T, C, _, L = sizes
    counted = sum(p.numel() for p in GPT(GPTConfig(*sizes)).parameters())
    assert counted == (V + T) * C + L * (12 * C * C + 13 * C) + 2 * C


def test_the_head_is_the_embedding(model):
    loss = next_token_loss(model(torch.tensor([[3]])), torch.tensor([[7]]))
    loss.backward()
    assert (model.token.weight.grad != 0).any(dim=-1).all()  # as a head: every row


def test_shift():
    inputs, targets = shift(torch.tensor([[1, 2, 3]]))
    assert (inputs.tolist(), targets.tolist()) == ([[1, 2]], [[2, 3]])
    with pytest.raises(ValueError, match="1 ids a row"):
        shift(torch.tensor([[1]]))


def test_windows_are_pieces_of_the_text():
    generator = torch.Generator().manual_seed(0)
    pieces = random_windows(torch.arange(20), 200, 4, generator)
    assert pieces.shape == (200, 5)
    assert (pieces.diff(dim=1) == 1).all()
    assert {row[0] for row in pieces.tolist()} == set(range(16))  # first and last too
    with pytest.raises(ValueError, match="4 ids has no piece of 5"):
        random_windows(torch.arange(4), 1, 4)


def test_greedy_generation_takes_the_likeliest_and_slides(model):
    ids = generate(model, torch.tensor([[1, 2]]), 12, temperature=0)
    assert ids.shape == (1, 14)
    for t in range(2, 14):
        window = ids[:, max(0, t - 8) : t]
        assert ids[0, t] == model(window)[0, -1].argmax()


def test_a_low_temperature_is_greedy(model):
    prompt = torch.tensor([[1, 2], [5, 0]])
    greedy = generate(model, prompt, 12, temperature=0)
    assert torch.equal(generate(model, prompt, 12, temperature=1e-6), greedy)


def test_sampling_follows_the_distribution(model):
    prompt = torch.tensor([[3]]).expand(4000, 1)
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        model.token.weight.mul_(5)  # odds that differ
        odds = (model(prompt[:1])[0, -1] / 0.5).softmax(dim=-1)
    drawn = generate(model, prompt, 1, 0.5, generator)[:, 1]
    shares = torch.bincount(drawn, minlength=11) / 4000
    assert (shares - odds).abs().max() < 0.03  # four standard deviations


def test_generation_leaves_the_mode_as_it_was(model):
    model.train()
    generate(model, torch.tensor([[1]]), 1)
    assert model.training


@pytest.mark.parametrize(
    ("ids", "message"),
    [
        (torch.zeros(1, 9, dtype=torch.long), r"9 tokens: there must be 1 … 8"),
        (torch.zeros(1, 0, dtype=torch.long), r"0 tokens"),
        (torch.tensor([1, 2]), r"ids are \(2,\): they must be \(B, T\)"),
    ],
)
def test_bad_ids(model, ids, message):
    with pytest.raises(ValueError, match=message):
        model(ids)


def test_bad_generation(model):
    with pytest.raises(ValueError, match="prompt is empty"):
        generate(model, torch.zeros(1, 0, dtype=torch.long), 3)
    for temperature in (-1, float("nan")):
        with pytest.raises(ValueError, match=f"temperature={temperature}: it must be"):
            generate(model, torch.tensor([[1]]), 3, temperature)
    with pytest.raises(ValueError, match=r"ids are \(2,\)"):
        generate(model, torch.tensor([1, 2]), 3)
    model.train()
    with pytest.raises(ValueError, match="ids from 11 to 11"):
        generate(model, torch.tensor([[11]]), 3)
    assert model.training


def test_heads_must_divide_the_channels():
    with pytest.raises(ValueError, match="d_model=16 is not divisible by n_heads=3"):
        GPT(GPTConfig(11, 8, 16, 3, 1))


def test_characters_there_and_back():
    tokenizer = CharTokenizer("hello, world")
    assert tokenizer.decode(tokenizer.encode("hold")) == "hold"
    with pytest.raises(ValueError, match=r"\['x', 'z'\] are not"):
        tokenizer.encode("zox")


def test_training_yields_each_loss_and_learns(model):
    torch.manual_seed(0)
    text = torch.arange(40) % 11
    losses = list(training(model, text, steps=60, B=4, highest=1e-2))
    assert len(losses) == 60
    assert losses[0] > 2 > 1 > losses[-1]


def test_training_does_not_begin_before_it_is_asked_to(model):
    before = model.token.weight.clone()
    steps = training(model, torch.arange(40) % 11, steps=10)
    assert torch.equal(model.token.weight, before)
    next(steps)
    assert not torch.equal(model.token.weight, before)


def test_held_out_loss_is_the_mean_over_whole_pieces(model):
    ids = torch.randint(11, (30,))  # three pieces of 8 + 1, and a rest
    inputs, targets = shift(ids[:27].view(3, 9))
    model.train()
    expected = surprise(model(inputs), targets).mean()
    assert held_out_loss(model, ids) == pytest.approx(expected.item(), abs=1e-5)
    assert model.training
