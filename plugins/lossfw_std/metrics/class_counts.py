"""Metrics that count right and wrong rows of each class."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from typing import ClassVar, Literal, NamedTuple

import numpy as np

from lossfw import NDArray
from lossfw.metrics import SumMetric, SumTerm
from lossfw_std.metrics.classes import ClassMetric, class_count


class ClassSums(NamedTuple):
    """Weights of rows by class, each of shape (R, K).

    `true` is the weight of rows whose target is the class, `chosen` of rows whose prediction
    chooses it, `right` of rows with both, and `unknown` of rows of the class whose prediction has a
    NaN.
    """

    true: NDArray
    chosen: NDArray
    right: NDArray
    unknown: NDArray


class CountMetric(ClassMetric, SumMetric):
    """A metric of the weights of right and wrong rows per class: write `from_counts`."""

    def n_sums(self, columns: int) -> int:
        """Four sums for each class."""
        return len(ClassSums._fields) * class_count(columns)

    def terms(self, prediction: NDArray, target: NDArray, weight: NDArray) -> Iterator[SumTerm]:
        """Weight to the target's class, to the chosen one, and to both where they agree."""
        chosen, true, known, classes = self.choose(prediction, target)
        yield SumTerm(true, weight)
        yield SumTerm(classes + chosen, weight * known)
        yield SumTerm(2 * classes + true, weight * (known & (chosen == true)))
        yield SumTerm(3 * classes + true, weight * ~known)

    def value(self, sums: NDArray, columns: int) -> NDArray:
        """Return the metric from its sums."""
        return self.from_counts(ClassSums(*np.split(sums, len(ClassSums._fields), axis=1)))

    @abstractmethod
    def from_counts(self, counts: ClassSums) -> NDArray:
        """Return the metric, of shape (R,) or (R, K)."""


class BalancedAccuracy(CountMetric):
    """Balanced accuracy, the mean of the recalls of the classes that occur among the targets.

    Use it when classes have different sizes but should count equally.

    Predictions and targets as for `accuracy`. NaN in a prediction makes it NaN.

    Parameters
    ----------
    threshold : float, optional
        For predictions of shape (N,) that are not probabilities: class 1 is chosen above it.

    Examples
    --------
    >>> BalancedAccuracy()([0.1, 0.2, 0.8, 0.9], [0, 0, 0, 1])
    0.8333333333333333
    """

    latex: ClassVar[str | None] = (
        r"\frac{1}{|C|} \sum_{c \in C} \frac{\mathrm{right}_{c}}{\mathrm{true}_{c}}"
    )

    def from_counts(self, counts: ClassSums) -> NDArray:
        """Mean of right / true."""
        return _mean_of_counted(
            _quotient(counts.right, counts.true, counts.unknown > 0), counts.true > 0
        )


class _AveragedMetric(CountMetric):
    """A metric that each class has, and that is averaged over the classes."""

    average: Literal["macro", "micro", "none"] = "macro"

    def from_counts(self, counts: ClassSums) -> NDArray:
        """Return one number, or one for each class."""
        if self.average == "micro":
            counts = ClassSums(*(part.sum(axis=1, keepdims=True) for part in counts))
        found = self.by_class(counts)
        if self.average == "none":
            return found
        return _mean_of_counted(found, counts.true + counts.chosen > 0)

    @abstractmethod
    def by_class(self, counts: ClassSums) -> NDArray:
        """Return the metric of each class, of shape (R, K)."""


class Precision(_AveragedMetric):
    """Precision, the fraction of rows predicted as a class that belong to it.

    Use it when a false alarm is costly.

    Predictions and targets as for `accuracy`. A class that no row chose has precision 0. NaN in a
    prediction makes it NaN: the row may have chosen any.

    Parameters
    ----------
    average : {"macro", "micro", "none"}
        The mean over the classes that occur among targets or choices; all classes counted together,
        which is accuracy; or a list, in the order of the classes.
    threshold : float, optional
        For predictions of shape (N,) that are not probabilities: class 1 is chosen above it.

    Notes
    -----
    The values are those of scikit-learn with ``zero_division=0``. For two classes the precision of
    class 1 alone is the second number of the list.

    Examples
    --------
    >>> Precision(average="none")([0.1, 0.7, 0.8, 0.9], [0, 0, 1, 1])
    [1.0, 0.6666666666666666]
    """

    latex: ClassVar[str | None] = r"\frac{\mathrm{right}_{c}}{\mathrm{chosen}_{c}}"

    average: Literal["macro", "micro", "none"] = "macro"

    def by_class(self, counts: ClassSums) -> NDArray:
        """Right / chosen."""
        any_unknown = counts.unknown.sum(axis=1, keepdims=True) > 0
        return _quotient(counts.right, counts.chosen, any_unknown)


class Recall(_AveragedMetric):
    """Recall, the fraction of rows of a class that are predicted as it.

    Use it when a miss is costly.

    Predictions and targets as for `accuracy`. A class without rows has recall 0. NaN in a
    prediction makes the recall of the target's class NaN.

    Parameters
    ----------
    average : {"macro", "micro", "none"}
        As for `precision`.
    threshold : float, optional
        For predictions of shape (N,) that are not probabilities: class 1 is chosen above it.

    Examples
    --------
    >>> Recall(average="none")([0.1, 0.7, 0.8, 0.9], [0, 0, 1, 1])
    [0.5, 1.0]
    """

    latex: ClassVar[str | None] = r"\frac{\mathrm{right}_{c}}{\mathrm{true}_{c}}"

    average: Literal["macro", "micro", "none"] = "macro"

    def by_class(self, counts: ClassSums) -> NDArray:
        """Right / true."""
        return _quotient(counts.right, counts.true, counts.unknown > 0)


class F1(_AveragedMetric):
    """F1, the harmonic mean of precision and recall, 2 right / (true + chosen).

    Use it when a class is rare, and both misses and false alarms count.

    Predictions and targets as for `accuracy`. A class that is neither among targets nor choices has
    0. NaN in a prediction makes it NaN.

    Parameters
    ----------
    average : {"macro", "micro", "none"}
        As for `precision`; the mean of the classes' F1, and not the F1 of mean precision and
        recall.
    threshold : float, optional
        For predictions of shape (N,) that are not probabilities: class 1 is chosen above it.

    Notes
    -----
    Source: van Rijsbergen, *Information retrieval*, 1979, as the effectiveness measure with equal
    weights.

    Examples
    --------
    >>> F1(average="none")([0.1, 0.7, 0.8, 0.9], [0, 0, 1, 1])
    [0.6666666666666666, 0.8]
    """

    latex: ClassVar[str | None] = (
        r"\frac{2\,\mathrm{right}_{c}}{\mathrm{true}_{c} + \mathrm{chosen}_{c}}"
    )

    average: Literal["macro", "micro", "none"] = "macro"

    def by_class(self, counts: ClassSums) -> NDArray:
        """2 right / (true + chosen)."""
        any_unknown = counts.unknown.sum(axis=1, keepdims=True) > 0
        return _quotient(2.0 * counts.right, counts.true + counts.chosen, any_unknown)


def _quotient(part: NDArray, whole: NDArray, unknown: NDArray) -> NDArray:
    """Return a quotient, 0 for that of nothing and NaN for what is not known."""
    share = np.where(whole > 0, part / np.where(whole > 0, whole, 1.0), 0.0)
    return np.where(unknown, np.nan, share)


def _mean_of_counted(values: NDArray, counted: NDArray) -> NDArray:
    """Return the mean over the classes that count."""
    mean: NDArray = np.where(counted, values, 0.0).sum(axis=1) / counted.sum(axis=1)
    return mean
