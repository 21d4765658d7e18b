"""The metrics of day 3 against scikit-learn's and SciPy's."""

import numpy as np
import scipy.stats
import sklearn.metrics
import torch
import torch.nn.functional as F
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.calibration import CalibratedClassifierCV, calibration_curve
from sklearn.frozen import FrozenEstimator
from torch import Tensor

from proofs import Pairs, proof
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

PAGE = "pytorch/day-3/evaluation.md"
DEEPER = "pytorch/day-3/evaluation-deeper.md"


def guesses(n: int = 300, classes: int = 10) -> tuple[Tensor, Tensor]:
    """Random logits (N, V) that favour the labels (N,), too sure of themselves."""
    torch.manual_seed(0)
    labels = torch.randint(classes, (n,))
    logits = 3 * torch.randn(n, classes) + 4 * F.one_hot(labels, classes)
    return logits, labels


def number(value: float) -> Tensor:
    """A number as a tensor that keeps all its digits."""
    return torch.tensor(value, dtype=torch.float64)


@proof(
    "Average over batches",
    ours="snippets.metrics.RunningMean",
    theirs="sklearn.metrics.log_loss",
    page=PAGE,
    bound=1e-6,
)
def average() -> Pairs:
    """Cross-entropies of batches whose last one is smaller."""
    logits, labels = guesses()
    for size in (1, 7, 128, 299, 300):
        mean = RunningMean()
        for z, y in zip(logits.split(size), labels.split(size), strict=True):
            mean.add(F.cross_entropy(z, y).item(), len(y))
        expected = sklearn.metrics.log_loss(labels, logits.double().softmax(dim=1))
        yield number(mean.value), number(expected)


@proof(
    "Confusion matrix",
    ours="snippets.metrics.confusion_matrix",
    theirs="sklearn.metrics.confusion_matrix",
    page=PAGE,
    bound=0,
)
def confusion() -> Pairs:
    """Ten classes; and with classes that never occur or are never predicted."""
    logits, labels = guesses()
    predictions = logits.argmax(dim=1)
    for y, guess in ((labels, predictions), (labels % 7, predictions // 2)):
        theirs = sklearn.metrics.confusion_matrix(y, guess, labels=range(10))
        yield confusion_matrix(y, guess, 10), torch.from_numpy(theirs)


@proof(
    "Accuracy",
    ours="snippets.metrics.accuracy_of",
    theirs="sklearn.metrics.accuracy_score",
    page=PAGE,
    bound=1e-12,
)
def right() -> Pairs:
    """From the confusion matrix, against counting."""
    logits, labels = guesses()
    predictions = logits.argmax(dim=1)
    matrix = confusion_matrix(labels, predictions, 10)
    expected = sklearn.metrics.accuracy_score(labels, predictions)
    yield number(accuracy_of(matrix)), number(expected)


@proof(
    "Precision, recall, F1",
    ours="snippets.metrics.class_scores",
    theirs="sklearn.metrics.precision_recall_fscore_support",
    page=PAGE,
    bound=1e-12,
)
def scores() -> Pairs:
    """For each class; some never occur, some are never predicted."""
    logits, labels = guesses()
    predictions = logits.argmax(dim=1)
    for y, guess in ((labels, predictions), (labels % 7, predictions // 2)):
        theirs = sklearn.metrics.precision_recall_fscore_support(
            y, guess, labels=range(10), zero_division=0
        )
        ours = class_scores(confusion_matrix(y, guess, 10))
        for mine, other in zip(ours, theirs, strict=True):
            yield mine, torch.from_numpy(other)


@proof(
    "Wilson interval",
    ours="snippets.metrics.wilson_interval",
    theirs="scipy.stats.binomtest",
    page=DEEPER,
    bound=1e-12,
)
def wilson() -> Pairs:
    """None, some and all right, for 95 % and 99 %."""
    for level in (0.95, 0.99):
        z = scipy.stats.norm.ppf((1 + level) / 2)
        for n_right, total in ((0, 10), (3, 10), (271, 300), (300, 300), (1, 1)):
            test = scipy.stats.binomtest(n_right, total)
            theirs = test.proportion_ci(level, method="wilson")
            ours = wilson_interval(n_right, total, z)
            yield torch.tensor(ours).double(), torch.tensor(tuple(theirs)).double()


@proof(
    "Reliability bins, calibration error",
    ours="snippets.metrics.reliability_bins",
    theirs="sklearn.calibration.calibration_curve",
    page=DEEPER,
    bound=1e-12,
)
def reliability() -> Pairs:
    """The points of the diagram, and their distance weighted by NumPy's histogram."""
    logits, labels = guesses()
    confidence, predictions = logits.double().softmax(dim=1).max(dim=1)
    correct = predictions == labels
    for n_bins in (5, 10, 15):
        true, mean = calibration_curve(correct, confidence, n_bins=n_bins)
        bins = reliability_bins(confidence, correct, n_bins)
        yield bins.accuracy, torch.from_numpy(true)
        yield bins.confidence, torch.from_numpy(mean)
        count, _ = np.histogram(confidence, bins=n_bins, range=(0, 1))
        expected = np.average(np.abs(true - mean), weights=count[count > 0])
        yield number(expected_calibration_error(bins)), number(expected)


class GivesLogits(ClassifierMixin, BaseEstimator):
    """A classifier whose input is the logits already."""

    def fit(self, x: np.ndarray, y: np.ndarray) -> "GivesLogits":
        """Note which classes there are."""
        self.classes_ = np.unique(y)
        return self

    def decision_function(self, x: np.ndarray) -> np.ndarray:
        """The logits as they are."""
        return x

    def predict(self, x: np.ndarray) -> np.ndarray:
        """The class of the largest one."""
        return self.classes_[x.argmax(axis=1)]


@proof(
    "Temperature scaling",
    ours="snippets.metrics.fit_temperature",
    theirs="sklearn.calibration.CalibratedClassifierCV",
    page=DEEPER,
    bound=1e-3,
)
def temperature() -> Pairs:
    """Probabilities after fitting, on logits that are too sure and not sure enough."""
    logits, labels = guesses()
    for factor in (1.0, 0.1):
        z = (factor * logits).double()
        x, y = z.numpy(), labels.numpy()
        frozen = FrozenEstimator(GivesLogits().fit(x, y))
        theirs = CalibratedClassifierCV(frozen, method="temperature").fit(x, y)
        ours = (z / fit_temperature(z, labels)).softmax(dim=1)
        yield ours, torch.from_numpy(theirs.predict_proba(x))
