"""`snippets/augmentation.py`, and the recorded comparison that a page draws from."""

import json
from collections import Counter

import pytest
import torch

from benchmarks.augmentation import CASES, EPOCHS, WAYS, measure
from snippets.augmentation import TransformedDigits, validation_curve
from snippets.data import read_data
from snippets.digits import Digits, split_digits


def test_a_sample_is_transformed_each_time():
    train, _, _ = split_digits()
    calls = []
    data = TransformedDigits(train, lambda x: calls.append(1) or 1 - x)
    image, label = data[3]
    assert len(data) == 1197 and len(calls) == 1
    assert torch.equal(image, 1 - train.images[3]) and label == train.labels[3]
    assert isinstance(label, int)


def test_a_curve_repeats_and_has_a_point_for_every_tenth_epoch():
    train, validation, _ = split_digits()
    data = TransformedDigits(Digits(train.images[:50], train.labels[:50]), WAYS["mild"])
    one, other = (validation_curve(data, validation, 20, seed=0) for _ in range(2))
    assert one == other and len(one) == 2
    assert len(validation_curve(data, validation, 4, seed=0, every=2)) == 2


RECORD = json.loads(read_data("augmentation.json"))


def test_every_recorded_comparison_has_five_seeds():
    runs = Counter((run["images"], run["augmentation"]) for run in RECORD["runs"])
    assert runs == dict.fromkeys(((n, way) for n, ways in CASES for way in ways), 5)
    assert {len(run["accuracies"]) for run in RECORD["runs"]} == {EPOCHS // 10}


def test_a_recorded_run_is_of_this_code():
    (again,) = measure([(50, ["none"])], seeds=[0])
    recorded = RECORD["runs"][0]
    assert (recorded["images"], recorded["augmentation"]) == (50, "none")
    assert again["accuracies"] == pytest.approx(recorded["accuracies"], abs=0.03)
