"""Metrics of how much of the targets the rows with the highest predictions hold."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, ClassVar, Literal, Self

import numpy as np
from pydantic import Field, PositiveInt, model_validator

from lossfw import NONNEGATIVE, NDArray, ShapeError
from lossfw.metrics import ScoreMetric, SumTerm

# Sums by the prediction and, for the best order, by the target: of w, and of w t.
_WEIGHT, _TARGET = 0, 1
_BEST = 2


class ConcentrationMetric(ScoreMetric):
    """A metric of the targets along the order of the predictions, which are one number a row.

    Rows of equal predictions stand together: each has their mean target.
    """

    classes: ClassVar[bool] = False

    def check_shapes(self, shape: tuple[int, ...], targets: NDArray) -> None:
        """Refuse predictions of several columns, which have no one order."""
        if len(shape) > 1 and shape[-1] != 1:
            raise ShapeError(
                f"{self.name} ranks the rows by one number, but the predictions have {shape[-1]} "
                "columns. For classes use roc_auc."
            )
        super().check_shapes(shape, targets)

    def check(self, prediction: NDArray, target: NDArray, start: int) -> None:
        """Raise `DomainError` for the first target below 0."""
        if prediction.ndim > 1 and prediction.shape[1] != 1:
            self.check_shapes(prediction.shape, target)
        NONNEGATIVE.check(target, "target", start=start)

    def places(self, columns: int) -> int:
        """The sums of w and of w t."""
        return 2

    def terms(self, prediction: NDArray, target: NDArray, weight: NDArray) -> Iterator[SumTerm]:
        """w and w t, at the prediction."""
        score, of_row = prediction[:, 0], weight * target[:, 0].astype(np.float64)
        place = np.zeros(len(weight), np.int64)
        yield SumTerm(place + _WEIGHT, weight, score)
        yield SumTerm(place + _TARGET, of_row, score)


class Gini(ConcentrationMetric):
    """Normalised Gini coefficient: how well the predictions order the targets, by weight.

    Use it when few rows have most of the sum, as in models of costs or counts.

    1 is the order of the targets themselves, 0 that of no model, and -1 the opposite order.
    Prediction and target of shape (N,), or (N, 1), targets at or above 0. With targets 0 and 1
    it is 2 AUC - 1, with weights and ties too. NaN if a prediction is, or if all targets are
    equal.

    Notes
    -----
    The rows are sorted by the prediction. G is 1 less twice the area under the Lorenz curve,
    which is the fraction of sum w t that the first rows hold, over their fraction of sum w: so for
    frequencies the weight is the exposure. The normalised one divides it by the G of the rows
    sorted by t. One sum is kept for each different prediction and target, as for `roc_auc`.
    Source: Frees, Meyers and Cummings, *Insurance ratemaking and a Gini index*, 2014,
    doi:10.1111/j.1539-6975.2012.01507.x.

    Examples
    --------
    >>> Gini()([0.1, 0.4, 0.35, 0.8], [0, 0, 1, 1])
    0.5
    """

    latex: ClassVar[str | None] = r"\frac{G(y)}{G(t)}, \quad G(s) = 1 - 2\int_{0}^{1} L_{s}"
    bounds: ClassVar[tuple[float, float]] = (-1.0, 1.0)
    better: ClassVar[Literal["higher", "lower"] | None] = "higher"

    def places(self, columns: int) -> int:
        """The sums of w and of w t, at the predictions and at the targets."""
        return 4

    def terms(self, prediction: NDArray, target: NDArray, weight: NDArray) -> Iterator[SumTerm]:
        """w and w t, at the prediction and at the target."""
        yield from super().terms(prediction, target, weight)
        for place, term, _ in super().terms(target, target, weight):
            yield SumTerm(place + _BEST, term, target[:, 0].astype(np.float64))

    def ranked(self, columns: int, places: NDArray, scores: NDArray, weights: NDArray) -> NDArray:
        """Return the Gini coefficient over that of the best order."""
        own, best = places < _BEST, places >= _BEST
        found = _gini(places[own], scores[own], weights[:, own])
        ratio: NDArray = found / _gini(places[best] - _BEST, scores[best], weights[:, best])
        return ratio


class Lift(ConcentrationMetric):
    """Lift: the mean target of the rows with the highest predictions, over that of all rows.

    Use it when only some rows can be acted on, such as the tenth of the customers that is
    written to: 3 says that they hold three times as much as a tenth taken blindly.

    Prediction and target of shape (N,), or (N, 1), targets at or above 0: 0 and 1, counts or
    amounts. NaN if a prediction is, or if all targets are 0.

    Parameters
    ----------
    fraction : float
        The fraction of the rows, by weight.
    k : int, optional
        How many rows, in place of the fraction; a row of weight 2 is two of them.

    Notes
    -----
    If rows have equal predictions at the border, each gives the part that is still needed. One
    sum is kept for each different prediction, as for `roc_auc`. Source: Provost and Fawcett,
    *Data Science for Business*, 2013, chapter 8.

    Examples
    --------
    >>> Lift(fraction=0.5)([0.1, 0.4, 0.35, 0.8], [0, 0, 1, 1])
    1.0
    >>> Lift(k=1)([0.1, 0.4, 0.35, 0.8], [0, 0, 1, 1])
    2.0
    """

    latex: ClassVar[str | None] = r"\frac{\bar{t}_{\mathrm{top}}}{\bar{t}}"
    bounds: ClassVar[tuple[float, float]] = (0.0, np.inf)
    better: ClassVar[Literal["higher", "lower"] | None] = "higher"

    fraction: Annotated[float, Field(gt=0, le=1)] = 0.1
    k: PositiveInt | None = None

    @model_validator(mode="after")
    def _one_size(self) -> Self:
        if self.k is not None and "fraction" in self.model_fields_set:
            raise ValueError("either 'fraction' or 'k', not both")
        return self

    @property
    def weight_factor(self) -> Literal["ignored", "matters"]:  # type: ignore[override]  # by instance
        """Whether the number of rows is said, which their weights change."""
        return "ignored" if self.k is None else "matters"

    def ranked(self, columns: int, places: NDArray, scores: NDArray, weights: NDArray) -> NDArray:
        """Return the mean target of the first rows over that of all."""
        if np.isnan(scores).any():
            return np.full(len(weights), np.nan)
        weight, target = _aligned(places, scores, weights)
        # From the highest prediction on.
        weight, target = weight[:, ::-1], target[:, ::-1]
        whole, total = weight.sum(axis=1), target.sum(axis=1)
        mass = whole * self.fraction if self.k is None else np.minimum(self.k, whole)
        left = mass[:, np.newaxis] - (np.cumsum(weight, axis=1) - weight)
        # A replicate may leave out all rows of a prediction.
        part = np.where(weight > 0, np.clip(left / weight, 0.0, 1.0), 0.0)
        found: NDArray = (part * target).sum(axis=1) / mass / (total / whole)
        return found


def _aligned(places: NDArray, scores: NDArray, weights: NDArray) -> tuple[NDArray, NDArray]:
    """Return the sums of w and of w t at each different score, ascending."""
    known = places == _WEIGHT
    weight = weights[:, known]
    target = np.zeros_like(weight)
    target[:, np.searchsorted(scores[known], scores[~known])] = weights[:, ~known]
    return weight, target


def _gini(places: NDArray, scores: NDArray, weights: NDArray) -> NDArray:
    """Return 1 less twice the area under the Lorenz curve; NaN if a score is."""
    if np.isnan(scores).any():
        return np.full(len(weights), np.nan)
    weight, target = _aligned(places, scores, weights)
    below = np.cumsum(target, axis=1) - target / 2
    area = (weight * below).sum(axis=1) / (weight.sum(axis=1) * target.sum(axis=1))
    found: NDArray = 1.0 - 2.0 * area
    return found
