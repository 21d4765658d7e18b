"""Rows with a table of their own; what counts as seen; and that a model learns."""

import io

import pytest
import torch

from snippets.data import read_data
from snippets.gpt import GPT, GPTConfig
from snippets.in_context import (
    LETTERS,
    PAIRS,
    K,
    learn_letters,
    letter_model,
    letter_rows,
    right_answers,
    seen_before,
)


@pytest.fixture
def rows() -> torch.Tensor:
    return letter_rows(500, torch.Generator().manual_seed(0))


def test_letters_and_answers_take_turns(rows):
    assert rows.shape == (500, 2 * PAIRS)
    assert set(LETTERS.decode(rows[0, ::2])) <= set("abcd")
    assert set(LETTERS.decode(rows[0, 1::2])) <= set("WXYZ")


def test_a_row_has_one_answer_for_a_letter_and_one_letter_for_an_answer(rows):
    for row in rows.tolist():
        pairs = set(zip(row[::2], row[1::2], strict=True))
        assert len(pairs) == len({a for a, _ in pairs}) == len({b for _, b in pairs})


def test_tables_differ_from_row_to_row(rows):
    first = {tuple(row[:2]) for row in rows.tolist()}
    assert len(first) == K * K


def test_seen_before():
    row = torch.tensor([LETTERS.encode("aWbXaWbXcYdZcYaW")])
    expected = [False, False, True, True, False, False, True, True]
    assert seen_before(row).tolist() == [expected]


def test_the_generator_decides():
    one, two = (letter_rows(3, torch.Generator().manual_seed(1)) for _ in range(2))
    assert torch.equal(one, two)


def test_the_loss_comes_down_to_a_guess():
    losses = list(learn_letters(letter_model(seed=1), steps=60))
    assert sum(losses[-10:]) / 10 < 1.6 < losses[0]


def test_what_ships_reads_its_prompt(rows):
    kept = torch.load(io.BytesIO(read_data("in_context.pt")), weights_only=True)
    model = GPT(GPTConfig(**kept["config"]))
    model.load_state_dict(kept["model"])
    right = right_answers(model, rows)
    assert right[seen_before(rows)].float().mean() > 0.9
    assert right[:, 0].float().mean() < 0.35  # without an example, a guess


def test_what_ships_is_small():
    assert len(read_data("in_context.pt")) < 300_000
