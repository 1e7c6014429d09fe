"""The coefficient of determination."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any, ClassVar, Literal

import numpy as np

from lossfw import NDArray
from lossfw.metrics import CellSums, SumMetric, SumTerm
from lossfw.numerics import two_prod

# The sums of a column: of w, w t, w t^2 and w (y - t)^2.
_W, _WT, _WTT, _WRR = range(4)
_SUMS = 4
# Variance of a replicate, as a fraction of what it is subtracted from, that does not count as one:
# far above the rounding errors of a hundred folds, far below what data have.
_ROUNDING = 1e-11


class R2(SumMetric):
    """R squared, 1 - sum of w (y - t)^2 / sum of w (t - mean of t)^2.

    Use it to compare a regression with predicting the mean.

    Prediction and target of one shape, (N,) or (N, D), both real; with D columns the mean over the
    columns. 1 is perfect, 0 is as good as the mean of the targets, and there is no lower bound. If
    all targets are equal, it is 1 if every prediction is right and otherwise 0, as in scikit-learn.

    Notes
    -----
    The sums of w t and w t^2 are exact, so targets far from 0 lose no digits when the square of
    their mean is subtracted.

    Examples
    --------
    >>> R2()([1.0, 2.0, 3.5], [1.0, 2.0, 3.0])
    0.875
    >>> R2()([1e9 + 1.0, 1e9 + 2.0, 1e9 + 3.5], [1e9 + 1.0, 1e9 + 2.0, 1e9 + 3.0])
    0.875
    """

    latex: ClassVar[str | None] = (
        r"1 - \frac{\sum_{i} w_{i}\,\left(y_{i} - t_{i}\right)^{2}}"
        r"{\sum_{i} w_{i}\,\left(t_{i} - \bar{t}\right)^{2}}"
    )

    bounds: ClassVar[tuple[float, float]] = (-np.inf, 1.0)
    better: ClassVar[Literal["higher", "lower"] | None] = "higher"
    classes: ClassVar[bool] = False
    # The sums of each are fractions.
    most_units: ClassVar[int] = 4096

    def formula(self, prediction: NDArray, target: NDArray, weight: NDArray) -> Any:
        """The definition, of each column."""
        y, t = (x.reshape(len(weight), -1) for x in (prediction, target))
        squares = weight @ np.square(y - t)
        spread = weight @ np.square(t - np.average(t, axis=0, weights=weight))
        return np.mean(1.0 - squares / spread)

    def n_sums(self, columns: int) -> int:
        """Four sums for each column."""
        return _SUMS * columns

    def terms(self, prediction: NDArray, target: NDArray, weight: NDArray) -> Iterator[SumTerm]:
        """w, w t, w t^2 and w (y - t)^2; products with their rounding errors."""
        place = np.zeros(len(weight), np.int64)
        for column in range(target.shape[1]):
            first = place + _SUMS * column
            y = prediction[:, column].astype(np.float64)
            t = target[:, column].astype(np.float64)
            yield SumTerm(first + _W, weight)
            yield SumTerm(first + _WRR, weight * np.square(y - t))
            for part in two_prod(np, weight, t):
                yield SumTerm(first + _WT, part)
                for smaller in two_prod(np, part, t):
                    yield SumTerm(first + _WTT, smaller)

    def to_table(self, sums: CellSums, units: int) -> NDArray:
        """Return the sums after subtracting the mean of all targets from each target."""
        rough = super().to_table(sums, units)
        numbers, unit = sums.table.to_integers()
        places = zip(sums.cells.tolist(), sums.sum_index.tolist(), strict=True)
        exact = dict(zip(places, numbers, strict=True))
        for first in range(0, sums.n_sums, _SUMS):
            self._subtract_mean(rough[:, first : first + _SUMS], exact, unit, first)
        return rough

    def _subtract_mean(
        self, rough: NDArray, exact: dict[tuple[int, int], int], unit: Fraction, first: int
    ) -> None:
        """Take the mean off; `exact` has each sum as a whole number of units."""
        if not np.isfinite(rough).all():
            return
        of_units = [
            [exact.get((number, first + which), 0) for which in (_W, _WT, _WTT)]
            for number in range(len(rough))
        ]
        w, wt, _ = (sum(parts) for parts in zip(*of_units, strict=True))
        # Any number near the mean will do: what is taken off is exact.
        mean, parts = float(Fraction(wt, w)).as_integer_ratio() if w else (0, 1)
        below, above = unit.denominator * parts * parts, unit.numerator
        for row, (w, wt, wtt) in zip(rough, of_units, strict=True):
            # A quotient of whole numbers is rounded once.
            row[_WT] = (wt * parts - mean * w) * parts * above / below
            row[_WTT] = (
                (wtt * parts * parts - 2 * mean * parts * wt + mean * mean * w) * above / below
            )

    def value(self, sums: NDArray, columns: int) -> NDArray:
        """1 - residual / total, the mean over the columns."""
        w, wt, wtt, residual = np.moveaxis(sums.reshape(-1, columns, _SUMS), -1, 0)
        total = wtt - wt * wt / w
        # The same target again and again leaves only rounding errors.
        total = np.where(total <= _ROUNDING * wtt, 0.0, total)
        constant = np.where(residual == 0, 1.0, np.where(np.isnan(residual), np.nan, 0.0))
        found: NDArray = np.where(total == 0, constant, 1.0 - residual / total).mean(axis=1)
        return found
