"""GPT: causality, the loss and its start, generation, bad input."""

import math

import pytest
import torch

from snippets.gpt import (
    GPT,
    CharTokenizer,
    GPTConfig,
    generate,
    next_token_loss,
    random_windows,
    shift,
)

CONFIG = GPTConfig(vocab_size=11, context_length=8, d_model=16, n_heads=2, n_layers=2)


@pytest.fixture
def model() -> GPT:
    torch.manual_seed(0)
    return GPT(CONFIG)


@pytest.mark.parametrize("t", range(8))
def test_no_position_sees_its_future(model, t):
    ids = torch.randint(11, (1, 8))
    other = ids.clone()
    other[0, t] = (other[0, t] + 1) % 11
    changed = (model(ids) != model(other)).any(dim=-1)[0]
    assert not changed[:t].any()
    assert changed[t]


def test_all_losses_at_once_are_those_of_prefixes(model):
    ids = torch.randint(11, (2, 8))
    at_once = model(ids)
    for t in range(8):
        last = model(ids[:, : t + 1])[:, -1]
        assert torch.allclose(at_once[:, t], last, atol=1e-6)


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


def test_parameters_by_formula():
    with torch.device("meta"):
        counted = sum(p.numel() for p in GPT(GPTConfig()).parameters())
    assert counted == 124_439_808  # of GPT-2 small


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
        (torch.tensor([[0, 11]]), r"ids from 0 to 11: they must lie in 0 … 10"),
        (torch.tensor([[-1, 2]]), r"ids from -1 to 2"),
    ],
)
def test_bad_ids(model, ids, message):
    with pytest.raises(ValueError, match=message):
        model(ids)


def test_bad_generation(model):
    with pytest.raises(ValueError, match="prompt is empty"):
        generate(model, torch.zeros(1, 0, dtype=torch.long), 3)
    with pytest.raises(ValueError, match="temperature=-1"):
        generate(model, torch.tensor([[1]]), 3, temperature=-1)


def test_heads_must_divide_the_channels():
    with pytest.raises(ValueError, match="d_model=16 is not divisible by n_heads=3"):
        GPT(GPTConfig(11, 8, 16, 3, 1))


def test_characters_there_and_back():
    tokenizer = CharTokenizer("hello, world")
    assert tokenizer.decode(tokenizer.encode("hold")) == "hold"
    with pytest.raises(ValueError, match=r"\['x', 'z'\] are not"):
        tokenizer.encode("zox")
