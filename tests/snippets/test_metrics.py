"""`snippets/metrics.py`: by hand, at the edges, and with bad input.

That they equal scikit-learn's and SciPy's is proved in `proofs/metrics.py`.
"""

import math

import pytest
import torch
import torch.nn.functional as F

from snippets.metrics import (
    RunningMean,
    accuracy_of,
    class_scores,
    confusion_matrix,
    expected_calibration_error,
    fit_temperature,
    reliability_bins,
    wilson_interval,
)

LABELS = torch.tensor([0, 0, 0, 1, 1, 2])
GUESSES = torch.tensor([0, 0, 1, 1, 1, 0])


@pytest.mark.parametrize("size", [1, 4, 7, 8, 9, 22, 23, 50])
def test_an_average_over_batches_is_that_over_all_with_a_smaller_last_batch(size):
    torch.manual_seed(0)
    values = torch.randn(22, dtype=torch.float64)
    average = RunningMean()
    for batch in values.split(size):
        average.add(batch.mean().item(), len(batch))
    assert average.value == pytest.approx(values.mean().item(), abs=1e-12)


def test_the_mean_of_the_means_of_batches_is_something_else():
    means, sizes = [1.0, 4.0], [3, 1]
    average = RunningMean()
    for mean, size in zip(means, sizes, strict=True):
        average.add(mean, size)
    assert average.value == 1.75 != sum(means) / 2


def test_a_mean_takes_numbers_tensors_and_a_tensor_of_samples():
    mean = RunningMean()
    mean.add(torch.tensor(2.0, requires_grad=True), 3)
    mean.add(torch.tensor([True, False, True]))
    mean.add(1.5, 2)
    assert mean.value == (6 + 2 + 3) / 8
    assert not mean.total.requires_grad


def test_a_mean_does_not_stop_at_256_in_half_precision():
    mean = RunningMean()
    for _ in range(1000):
        mean.add(torch.ones(3, dtype=torch.bfloat16))
    assert mean.samples == 3000 and mean.value == 1.0


def test_an_average_of_nothing_is_refused():
    with pytest.raises(ValueError, match="no samples"):
        _ = RunningMean().value


def test_confusion_matrix_by_hand():
    matrix = confusion_matrix(LABELS, GUESSES, 3)
    assert matrix.tolist() == [[2, 1, 0], [0, 2, 0], [1, 0, 0]]
    assert matrix.dtype == torch.int64
    assert accuracy_of(matrix) == 4 / 6


def test_a_matrix_of_nothing_has_no_accuracy():
    with pytest.raises(ValueError, match="the matrix counts no predictions"):
        accuracy_of(torch.zeros(3, 3, dtype=torch.int64))


def test_scores_by_hand():
    scores = class_scores(confusion_matrix(LABELS, GUESSES, 3))
    assert scores.precision.tolist() == pytest.approx([2 / 3, 2 / 3, 0])
    assert scores.recall.tolist() == pytest.approx([2 / 3, 1, 0])
    assert scores.f1.tolist() == pytest.approx([2 / 3, 4 / 5, 0])
    assert scores.support.tolist() == [3, 2, 1]


def test_classes_that_never_occur_have_zeros_and_no_nan():
    scores = class_scores(confusion_matrix(LABELS, GUESSES, 5))
    for column in scores:
        assert column[3:].tolist() == [0, 0]
    empty = torch.tensor([], dtype=torch.long)
    assert confusion_matrix(empty, empty, 2).tolist() == [[0, 0], [0, 0]]


@pytest.mark.parametrize(
    ("labels", "guesses", "message"),
    [
        ([0, 1], [0], r"labels are \(2,\) and predictions \(1,\)"),
        ([[0, 1]], [[0, 1]], r"both must be \(N,\)"),
        ([0, 3], [0, 1], "labels go from 0 to 3, outside 0 … 2"),
        ([0, 1], [-1, 1], "predictions go from -1 to 1"),
    ],
)
def test_what_cannot_be_counted_is_refused(labels, guesses, message):
    with pytest.raises(ValueError, match=message):
        confusion_matrix(torch.tensor(labels), torch.tensor(guesses), 3)


def test_wilson_stays_between_zero_and_one_and_holds_the_share():
    for total in (1, 7, 300):
        for right in range(total + 1):
            low, high = wilson_interval(right, total)
            assert -1e-12 <= low <= right / total <= high + 1e-12 <= 1 + 1e-9
    assert wilson_interval(0, 300)[1] > 0.01


def test_wilson_covers_the_truth_about_as_often_as_it_says():
    """The share of outcomes, by their probability, whose interval holds the truth."""
    for truth in (0.5, 0.9, 0.97):
        covered = 0.0
        for right in range(301):
            low, high = wilson_interval(right, 300)
            ways = math.comb(300, right) * truth**right * (1 - truth) ** (300 - right)
            covered += ways * (low <= truth <= high)
        assert 0.93 < covered < 0.97


@pytest.mark.parametrize(("right", "total"), [(3, 2), (-1, 5), (0, 0)])
def test_wilson_needs_a_share(right, total):
    with pytest.raises(ValueError, match=f"{right} right of {total}"):
        wilson_interval(right, total)


def test_bins_and_calibration_error_by_hand():
    confidence = torch.tensor([0.95, 0.92, 0.55, 0.5, 0.0])
    correct = torch.tensor([True, False, True, True, False])
    bins = reliability_bins(confidence, correct)
    assert bins.count.tolist() == [1, 1, 1, 2]  # 0.5 belongs to the bin below it
    assert bins.confidence.tolist() == pytest.approx([0.0, 0.5, 0.55, 0.935])
    assert bins.accuracy.tolist() == [0.0, 1.0, 1.0, 0.5]
    by_hand = (0 + 0.5 + 0.45 + 2 * 0.435) / 5
    assert expected_calibration_error(bins) == pytest.approx(by_hand)


def test_calibrated_predictions_have_a_small_error_when_there_are_many():
    torch.manual_seed(0)
    confidence = torch.rand(100_000)
    correct = torch.rand(100_000) < confidence
    bins = reliability_bins(confidence, correct)
    assert expected_calibration_error(bins) < 0.01
    late = reliability_bins(confidence, correct & (torch.rand(100_000) < 0.8))
    assert expected_calibration_error(late) == pytest.approx(0.1, abs=0.01)


def test_confidences_must_be_probabilities():
    for low, high in ((0.2, 3.5), (-0.1, 0.5), (math.nan, math.nan)):
        with pytest.raises(ValueError, match=f"from {low} to {high}: are they logits"):
            reliability_bins(torch.tensor([low, high]), torch.tensor([True, True]))


@pytest.mark.parametrize(("n", "m"), [(0, 0), (2, 3)])
def test_bins_need_confidences_and_as_many_answers(n, m):
    message = rf"are \({n},\) and \({m},\): both \(N,\), N above 0"
    with pytest.raises(ValueError, match=message):
        reliability_bins(torch.ones(n), torch.ones(m, dtype=torch.bool))


def test_bins_are_made_where_the_confidences_are():
    confidence, correct = torch.tensor([0.3, 0.9]), torch.tensor([False, True])
    expected = reliability_bins(confidence, correct)
    with torch.device("meta"):
        found = reliability_bins(confidence, correct)
    for one, other in zip(found, expected, strict=True):
        assert torch.equal(one, other)


def drawn(n: int, temperature: float) -> tuple[torch.Tensor, torch.Tensor]:
    """Logits, and labels drawn from their softmax at this temperature."""
    torch.manual_seed(0)
    logits = 4 * torch.randn(n, 5)
    labels = (logits / temperature).softmax(dim=1).multinomial(1).squeeze(1)
    return logits, labels


@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
def test_the_temperature_of_the_labels_is_found(temperature):
    logits, labels = drawn(20_000, temperature)
    assert fit_temperature(logits, labels) == pytest.approx(temperature, rel=0.05)


def test_no_other_temperature_has_a_smaller_loss():
    logits, labels = drawn(500, 2.0)
    best = fit_temperature(logits, labels)
    loss = F.cross_entropy(logits.double() / best, labels)
    for factor in (0.5, 0.99, 1.01, 2.0):
        assert F.cross_entropy(logits.double() / (factor * best), labels) > loss


def test_temperature_grows_with_the_logits():
    logits, labels = drawn(500, 2.0)
    one = fit_temperature(logits, labels)
    assert fit_temperature(10 * logits, labels) == pytest.approx(10 * one)
    assert fit_temperature(logits + 5, labels) == pytest.approx(one, rel=1e-4)


@pytest.mark.parametrize("logits", [torch.ones(0, 3), torch.tensor([[math.nan, 1.0]])])
def test_a_temperature_needs_finite_logits(logits):
    with pytest.raises(ValueError, match="must be finite, one or more"):
        fit_temperature(logits, torch.zeros(len(logits), dtype=torch.int64))


def test_a_set_without_mistakes_gets_the_smallest_temperature():
    logits = 3.0 * torch.eye(4)
    assert fit_temperature(logits, torch.arange(4)) == pytest.approx(0.01)
