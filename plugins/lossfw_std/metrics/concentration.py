"""Metrics of how far the highest predictions have the highest targets."""

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
    """A metric of the targets in the order of the predictions, one number per row.

    Rows with equal predictions share their mean target.
    """

    classes: ClassVar[bool] = False

    def check_shapes(self, shape: tuple[int, ...], targets: NDArray) -> None:
        """Refuse predictions of several columns, which do not order the rows."""
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

    def n_sums(self, columns: int) -> int:
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

    1 means the order of the targets themselves, 0 a random order, and -1 the opposite order.
    Prediction and target of shape (N,), or (N, 1), targets at or above 0. With targets 0 and 1 it
    is 2 AUC - 1, also with weights and ties. NaN if a prediction is NaN, or if all targets are
    equal.

    Notes
    -----
    The rows are sorted by the prediction. G is 1 minus twice the area under the Lorenz curve: the
    fraction of sum w t in the first rows against their fraction of sum w. For frequencies the
    weight is the exposure. The normalised coefficient divides G by that of the rows sorted by t. It
    stores one sum per distinct prediction and target, as `roc_auc` does. Source: Frees, Meyers and
    Cummings, *Insurance ratemaking and a Gini index*, 2014, doi:10.1111/j.1539-6975.2012.01507.x.

    Examples
    --------
    >>> Gini()([0.1, 0.4, 0.35, 0.8], [0, 0, 1, 1])
    0.5
    """

    latex: ClassVar[str | None] = r"\frac{G(y)}{G(t)}, \quad G(s) = 1 - 2\int_{0}^{1} L_{s}"
    bounds: ClassVar[tuple[float, float]] = (-1.0, 1.0)
    better: ClassVar[Literal["higher", "lower"] | None] = "higher"

    def n_sums(self, columns: int) -> int:
        """The sums of w and of w t, at the predictions and at the targets."""
        return 4

    def terms(self, prediction: NDArray, target: NDArray, weight: NDArray) -> Iterator[SumTerm]:
        """w and w t, at the prediction and at the target."""
        yield from super().terms(prediction, target, weight)
        for place, term, _ in super().terms(target, target, weight):
            yield SumTerm(place + _BEST, term, target[:, 0].astype(np.float64))

    def from_scores(
        self, columns: int, sum_index: NDArray, scores: NDArray, weights: NDArray
    ) -> NDArray:
        """Return the Gini coefficient over that of the best order."""
        own, best = sum_index < _BEST, sum_index >= _BEST
        found = _gini(sum_index[own], scores[own], weights[:, own])
        ratio: NDArray = found / _gini(sum_index[best] - _BEST, scores[best], weights[:, best])
        return ratio


class Lift(ConcentrationMetric):
    """Lift: the mean target of the rows with the highest predictions, over that of all rows.

    Use it when you can act on only some rows, such as a mailing to a tenth of the customers: a lift
    of 3 means three times the mean target of a random tenth.

    Prediction and target of shape (N,), or (N, 1), targets at or above 0: 0 and 1, counts or
    amounts. NaN if a prediction is NaN, or if all targets are 0.

    Parameters
    ----------
    fraction : float
        The fraction of the rows, by weight.
    k : int, optional
        The number of rows, instead of the fraction; a row of weight 2 counts as two.

    Notes
    -----
    If rows at the border have equal predictions, each counts with the same fraction of its weight.
    It stores one sum per distinct prediction, as `roc_auc` does. Source: Provost and Fawcett, *Data
    Science for Business*, 2013, chapter 8.

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
    def _require_one_size(self) -> Self:
        if self.k is not None and "fraction" in self.model_fields_set:
            raise ValueError("either 'fraction' or 'k', not both")
        return self

    @property
    def weight_factor(self) -> Literal["ignored", "matters"]:  # type: ignore[override]  # by instance
        """``"matters"`` with `k`, a number of rows that the weights change."""
        return "ignored" if self.k is None else "matters"

    def from_scores(
        self, columns: int, sum_index: NDArray, scores: NDArray, weights: NDArray
    ) -> NDArray:
        """Return the mean target of the first rows over that of all."""
        if np.isnan(scores).any():
            return np.full(len(weights), np.nan)
        weight, target = _align_sums(sum_index, scores, weights)
        # From the highest prediction on.
        weight, target = weight[:, ::-1], target[:, ::-1]
        whole, total = weight.sum(axis=1), target.sum(axis=1)
        mass = whole * self.fraction if self.k is None else np.minimum(self.k, whole)
        left = mass[:, np.newaxis] - (np.cumsum(weight, axis=1) - weight)
        # A replicate may leave out all rows of a prediction.
        part = np.where(weight > 0, np.clip(left / weight, 0.0, 1.0), 0.0)
        found: NDArray = (part * target).sum(axis=1) / mass / (total / whole)
        return found


def _align_sums(sum_index: NDArray, scores: NDArray, weights: NDArray) -> tuple[NDArray, NDArray]:
    """Return the sums of w and of w t at each different score, ascending."""
    known = sum_index == _WEIGHT
    weight = weights[:, known]
    target = np.zeros_like(weight)
    target[:, np.searchsorted(scores[known], scores[~known])] = weights[:, ~known]
    return weight, target


def _gini(sum_index: NDArray, scores: NDArray, weights: NDArray) -> NDArray:
    """Return 1 less twice the area under the Lorenz curve; NaN if a score is."""
    if np.isnan(scores).any():
        return np.full(len(weights), np.nan)
    weight, target = _align_sums(sum_index, scores, weights)
    below = np.cumsum(target, axis=1) - target / 2
    area = (weight * below).sum(axis=1) / (weight.sum(axis=1) * target.sum(axis=1))
    found: NDArray = 1.0 - 2.0 * area
    return found
