"""Log-probabilities of choices: what is counted, lengths, and bad input."""

import math

import pytest
import torch

from snippets.choices import choice_log_probability, score_choices
from snippets.gpt import GPT, GPTConfig

CONFIG = GPTConfig(vocab_size=7, context_length=8, d_model=16, n_heads=2, n_layers=2)


@pytest.fixture
def model() -> GPT:
    torch.manual_seed(0)
    model = GPT(CONFIG)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(std=0.3)
    return model


def test_one_token_after_another(model):
    log_p = model(torch.tensor([[1, 2, 3, 4]])).log_softmax(dim=-1)[0]
    expected = log_p[1, 3] + log_p[2, 4]
    assert choice_log_probability(model, [1, 2], [3, 4]) == pytest.approx(
        expected.item(), abs=1e-5
    )


def test_the_probabilities_of_all_choices_of_two_tokens_sum_to_one(model):
    pairs = [[first, second] for first in range(7) for second in range(7)]
    assert score_choices(model, [5, 0, 5], pairs).exp().sum() == pytest.approx(1)


def test_a_longer_choice_is_never_more_probable_than_its_beginning(model):
    short, long = score_choices(model, [1], [[2, 3], [2, 3, 4]])
    assert long < short


def test_lengths_divide(model):
    choices = [[2, 3], [4, 4, 4, 4]]
    sums = score_choices(model, [1], choices)
    means = score_choices(model, [1], choices, lengths=[2, 4])
    assert torch.allclose(means, sums / torch.tensor([2, 4]))


def test_an_untrained_model_prefers_the_short_choice_until_lengths_divide():
    torch.manual_seed(0)
    fresh = GPT(CONFIG)
    choices = [[1, 2, 3, 4], [5]]
    assert score_choices(fresh, [0], choices).argmax() == 1
    means = score_choices(fresh, [0], choices, lengths=[4, 1])
    assert torch.allclose(means, torch.tensor(-math.log(7)), atol=0.1)


def test_the_mode_stays_as_it_was(model):
    model.train()
    choice_log_probability(model, [1], [2])
    assert model.training


@pytest.mark.parametrize(("prompt", "choice"), [([], [1]), ([1], [])])
def test_nothing_to_score(model, prompt, choice):
    message = f"{len(prompt)} tokens of prompt, {len(choice)} of choice"
    with pytest.raises(ValueError, match=message):
        choice_log_probability(model, prompt, choice)


def test_too_long_for_the_context(model):
    with pytest.raises(ValueError, match="there must be 1"):
        choice_log_probability(model, [1] * 8, [2, 2])


def test_the_tokens_are_put_where_the_model_is(model):
    with pytest.raises(RuntimeError, match="item"):  # of a number that meta cannot give
        choice_log_probability(model.to("meta"), [1, 2], [3])
