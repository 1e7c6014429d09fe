"""The classes that predictions and targets mean, for metrics of classes.

**Rows.** A prediction of shape (N, K) chooses its largest column, the first of equal ones. The
target is a class index, or a row of which the largest column is the class.

**Single numbers.** A prediction of shape (N,) or (N, 1) with a target of the same shape means two
classes, 0 and 1. It is the probability of class 1, which is chosen above 0.5, as for a row (1 - p,
p), whose first of equal columns counts. With `threshold` it may be any number, a margin or a logit,
and class 1 is chosen above the threshold. In a target 1 is class 1, and 0 or -1 is class 0.

A prediction with a NaN chooses nothing.
"""

from __future__ import annotations

from typing import ClassVar, Literal, NamedTuple

import numpy as np

from lossfw import SIMPLEX, UNIT, DomainError, Metric, NDArray

# Above this probability class 1 is chosen.
_HALF = 0.5


class Choice(NamedTuple):
    """The chosen classes (N,), the true ones, and the number of classes.

    `known` is False where a prediction has a NaN.
    """

    chosen: NDArray
    true: NDArray
    known: NDArray
    classes: int


class ClassMetric(Metric):
    """A metric of the classes that predictions choose, of single numbers above `threshold`."""

    accepts: ClassVar[Literal["any", "prediction", "logits"]] = "any"
    piecewise_constant: ClassVar[bool] = True
    bounds: ClassVar[tuple[float, float]] = (0.0, 1.0)
    better: ClassVar[Literal["higher", "lower"] | None] = "higher"

    threshold: float | None = None

    def choose(self, prediction: NDArray, target: NDArray) -> Choice:
        """Return what rows choose: predictions (N, K), targets (N,) or (N, K)."""
        true = true_classes(target)
        if prediction.shape[1] == 1:
            threshold = _HALF if self.threshold is None else self.threshold
            chosen = (prediction[:, 0] > threshold).astype(np.int64)
            return Choice(chosen, true, ~np.isnan(prediction[:, 0]), 2)
        known = np.logical_not(np.isnan(prediction).any(-1))
        return Choice(prediction.argmax(-1), true, known, prediction.shape[1])

    def check(self, prediction: NDArray, target: NDArray, start: int) -> None:
        """Raise `DomainError` for the first row that has no class."""
        check_targets(prediction, target, start)
        if prediction.shape[-1] == 1 and self.threshold is None:
            try:
                UNIT.check(prediction[..., 0], "prediction", start=start)
            except DomainError as error:
                raise DomainError(
                    f"{error} A single number is the probability of class 1; for margins or logits "
                    f"give {self.name} a threshold, usually 0."
                ) from None


def true_classes(target: NDArray) -> NDArray:
    """Return the class of each target, of shape (N,) or (N, K)."""
    if target.ndim == 1:
        return target
    if target.shape[1] == 1:
        return (target[:, 0] > 0).astype(np.int64)
    largest: NDArray = target.argmax(-1)
    return largest


def class_count(columns: int) -> int:
    """Return the number of classes of predictions with so many columns."""
    return max(columns, 2)


def check_targets(prediction: NDArray, target: NDArray, start: int) -> None:
    """Raise `DomainError` for the first target that is not a class, except for class indices."""
    if target.ndim < prediction.ndim:
        return
    if target.shape[-1] > 1:
        SIMPLEX.check(target, "target", start=start)
        return
    numbers = np.atleast_1d(target[..., 0])
    bad = (numbers != 1) & (numbers != 0) & (numbers != -1)
    if bad.any():
        row = int(np.argmax(bad))
        at = f"target[{start + row}]" if target.ndim > 1 else "target"
        raise DomainError(
            f"{at} = {float(numbers[row]):.9g} is not a class: for predictions of one number, "
            "expected targets 0 and 1, or -1 and +1."
        )
