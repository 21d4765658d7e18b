"""How good a classifier is, how sure that number is, and how sure the classifier is.

Axes: `N` images, `V` classes. Labels and predictions are class numbers (N,), int64.
"""

# --8<-- [start:imports]
import math
from typing import NamedTuple

import torch
from torch import Tensor

# --8<-- [end:imports]


# --8<-- [start:average]
class RunningMean:
    """The mean over all samples, from batches of any sizes.

    Tensors are added up where they are: only `value` waits for a GPU.
    """

    def __init__(self) -> None:
        self.total: Tensor | float = 0.0
        self.samples = 0

    def add(self, value: Tensor | float, samples: int = 1) -> None:
        """Count the mean of so many samples, or a tensor with a number for each."""
        if isinstance(value, Tensor):
            wide = torch.promote_types(value.dtype, torch.float32)  # float32 at least
            self.samples += samples * value.numel()
            self.total = self.total + samples * value.detach().sum(dtype=wide)
        else:
            self.samples += samples
            self.total = self.total + samples * value

    @property
    def value(self) -> float:
        """The mean so far; raises ValueError if there was nothing to average."""
        if not self.samples:
            raise ValueError("no samples: was there no batch, or a generator used up?")
        return float(self.total) / self.samples


# --8<-- [end:average]


# --8<-- [start:confusion]
def confusion_matrix(labels: Tensor, predictions: Tensor, n_classes: int) -> Tensor:
    """How often each class (row) was taken for each class (column): (V, V), int64.

    Raises ValueError if the two do not have one shape (N,), and for a class number
    outside 0 … V - 1.
    """
    if labels.dim() != 1 or labels.shape != predictions.shape:
        raise ValueError(
            f"labels are {tuple(labels.shape)} and predictions"
            f" {tuple(predictions.shape)}: both must be (N,)"
        )
    for name, numbers in (("labels", labels), ("predictions", predictions)):
        if len(numbers) and not 0 <= numbers.min() <= numbers.max() < n_classes:
            raise ValueError(
                f"{name} go from {int(numbers.min())} to {int(numbers.max())},"
                f" outside 0 … {n_classes - 1}"
            )
    cells = labels * n_classes + predictions  # the cell of each image, counted by rows
    return cells.bincount(minlength=n_classes**2).view(n_classes, n_classes)


def accuracy_of(matrix: Tensor) -> float:
    """Which part was named right, from a confusion matrix (V, V).

    Raises ValueError for a matrix of nothing.
    """
    if not matrix.any():
        raise ValueError("the matrix counts no predictions, so there is no accuracy")
    return matrix.trace().item() / matrix.sum().item()


# --8<-- [end:confusion]


# --8<-- [start:scores]
class ClassScores(NamedTuple):
    """For each class, (V,)."""

    precision: Tensor  # of those named so, which part was it
    recall: Tensor  # of those that were it, which part was named so
    f1: Tensor  # the harmonic mean of the two
    support: Tensor  # how many were it


def class_scores(matrix: Tensor) -> ClassScores:
    """Precision, recall and F1 of each class, from a confusion matrix (V, V).

    A class that was never predicted has precision 0; one that never occurred, recall 0.
    """
    right = matrix.diagonal().double()  # (V,)
    predicted, support = matrix.sum(dim=0), matrix.sum(dim=1)  # columns, rows
    precision = right / predicted.clamp(min=1)
    recall = right / support.clamp(min=1)
    f1 = 2 * right / (predicted + support).clamp(min=1)
    return ClassScores(precision, recall, f1, support)


# --8<-- [end:scores]


# --8<-- [start:wilson]
def wilson_interval(right: int, total: int, z: float = 1.96) -> tuple[float, float]:
    """Which true accuracies are compatible with `right` of `total` (Wilson, 1927).

    `z` is in standard deviations of a normal distribution: 1.96 for 95 %. The samples
    must be independent. Raises ValueError unless 0 <= right <= total and total > 0.
    """
    if not 0 <= right <= total or total == 0:
        raise ValueError(
            f"{right} right of {total}: need 0 <= right <= total, total > 0"
        )
    share, spread = right / total, z * z / total
    middle = (share + spread / 2) / (1 + spread)
    half = math.sqrt(spread * share * (1 - share) + spread**2 / 4) / (1 + spread)
    return middle - half, middle + half


# --8<-- [end:wilson]


# --8<-- [start:bins]
class ReliabilityBins(NamedTuple):
    """Predictions of about the same confidence together; empty bins are left out."""

    count: Tensor  # type: ignore[assignment]  # (M,), how many; hides tuple.count
    confidence: Tensor  # (M,), their mean confidence
    accuracy: Tensor  # (M,), which part of them is right


def reliability_bins(
    confidence: Tensor, correct: Tensor, n_bins: int = 10
) -> ReliabilityBins:
    """Put predictions into bins of equal width (Guo et al., 2017, section 2).

    Shapes: `confidence` (N,), from 0 to 1; `correct` (N,), boolean. Bin m holds what is
    above (m - 1) / n_bins, up to m / n_bins; the first one holds 0 too. Raises
    ValueError for shapes that differ, for nothing, and for confidences outside 0 … 1.
    """
    if confidence.dim() != 1 or confidence.shape != correct.shape or not len(correct):
        shapes = f"{tuple(confidence.shape)} and {tuple(correct.shape)}"
        raise ValueError(f"confidence and correct are {shapes}: both (N,), N above 0")
    low, high = confidence.min().item(), confidence.max().item()
    if not 0 <= low <= high <= 1:  # NaN is not, either
        raise ValueError(f"confidences go from {low:g} to {high:g}: are they logits?")
    confidence = confidence.double()
    edges = torch.linspace(
        0, 1, n_bins + 1, dtype=confidence.dtype, device=confidence.device
    )
    index = torch.bucketize(confidence, edges[1:-1])  # (N,), 0 … n_bins - 1
    count = index.bincount(minlength=n_bins)
    sums = index.bincount(confidence, n_bins), index.bincount(correct.double(), n_bins)
    filled = count > 0
    means = (total[filled] / count[filled] for total in sums)
    return ReliabilityBins(count[filled], *means)


def expected_calibration_error(bins: ReliabilityBins) -> float:
    """How far confidence and accuracy are apart, weighted by count (equation 3)."""
    gaps = (bins.accuracy - bins.confidence).abs()
    return ((bins.count * gaps).sum() / bins.count.sum()).item()


# --8<-- [end:bins]


# --8<-- [start:temperature]
def fit_temperature(logits: Tensor, labels: Tensor) -> float:
    """The T for which softmax(logits / T) has the smallest cross-entropy.

    Shapes: `logits` (N, V), `labels` (N,). Guo et al., 2017, section 4.2. In 1 / T the
    loss is convex: its slope changes sign once, and halving an interval finds where.
    Between 0.01 and 100; a set without any mistake has no best T, and gives 0.01.
    Raises ValueError for no logits, and for logits that are not finite.
    """
    if not logits.numel() or not logits.isfinite().all():
        raise ValueError(f"logits {tuple(logits.shape)} must be finite, one or more")
    logits = logits.detach().double()
    true = logits.gather(1, labels[:, None]).squeeze(1)  # (N,)
    low, high = 0.01, 100.0  # of 1 / T
    for _ in range(60):
        middle = math.sqrt(low * high)
        expected = ((middle * logits).softmax(dim=1) * logits).sum(dim=1)  # (N,)
        if (expected - true).mean() <= 0:  # the slope of the loss
            low = middle
        else:
            high = middle
    return 1 / middle


# --8<-- [end:temperature]
