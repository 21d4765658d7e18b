"""`snippets/bug_gallery.py`: without a bug, all checks pass; what `run` prints."""

import re

import pytest
import torch
import torch.nn.functional as F

from snippets.bug_gallery import (
    RIGHT,
    layers,
    program,
    run,
    step_with,
    train_and_validation,
)
from snippets.debugging import CheckFailed, check_start_loss, findings
from snippets.digit_classifier import DigitMLP
from snippets.digits import Digits, split_digits


def test_the_data_are_those_to_train_on_and_to_choose_by():
    train, validation, _ = split_digits()
    for ours, theirs in zip(train_and_validation(), (train, validation), strict=True):
        assert torch.equal(ours.images, theirs.images)
        assert torch.equal(ours.labels, theirs.labels)


def test_a_program_without_a_bug_passes_all_checks():
    torch.manual_seed(0)
    assert not any(findings(program(DigitMLP)).values())


def test_a_program_with_a_bug_in_its_loss_does_not():
    torch.manual_seed(0)
    wrong = step_with(lambda logits, labels: -F.cross_entropy(logits, labels))
    with pytest.raises(CheckFailed, match=r"-2\.3"):
        check_start_loss(program(DigitMLP, wrong))


def test_run_trains_and_prints_a_loss_for_each_epoch(capsys):
    torch.manual_seed(0)
    run(DigitMLP(), epochs=2)
    first, second, accuracy = numbers(capsys.readouterr().out)
    assert 2.4 > first > second
    assert 30 < accuracy <= 100


def test_run_prints_few_of_many_losses_and_takes_other_data(capsys):
    few = Digits(*(part[:8] for part in train_and_validation()[0]))
    torch.manual_seed(0)
    model = DigitMLP()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    run(model, RIGHT, few, few, optimizer, epochs=60)
    *losses, accuracy = numbers(capsys.readouterr().out)
    assert len(losses) == 11
    assert losses[-1] < 0.1
    assert accuracy == 100  # of the eight that it has learned by heart


def test_layers_has_a_row_for_each_layer():
    torch.manual_seed(0)
    assert [row[0] for row in layers(DigitMLP()).rows] == ["hidden", "dropout", "out"]


def numbers(printed: str) -> list[float]:
    return [float(found) for found in re.findall(r"\d+\.\d+", printed)]
