"""The interval score."""

from __future__ import annotations

import math
from typing import Annotated, Any, ClassVar

from pydantic import Field

from lossfw import REAL, Array, Claims, Columns, Namespace, PointwiseLoss, Space
from lossfw.numerics import zero_or_nan
from lossfw_std.parabolas import absolute_curvature


class IntervalScore(PointwiseLoss):
    """Interval score, u - l + 2/alpha max(0, l - t) + 2/alpha max(0, t - u).

    Use it when a model predicts an interval, which should be narrow and hold the target with
    probability 1 - alpha.

    The prediction has the columns lower, l, and upper, u, any real numbers. One loss per row, in
    the unit of the target: the width, and 2/alpha times the distance of a target outside.

    Parameters
    ----------
    alpha : float
        The fraction of targets that may lie outside, strictly between 0 and 1.

    Notes
    -----
    It elicits the quantiles of probability alpha/2 and 1 - alpha/2, and is the sum of their
    quantile losses times 2/alpha. An interval whose ends cross has a larger loss than any interval
    between them; the metric quantile_crossing counts such intervals. At an end the derivative is
    the mean of both sides. Source: Gneiting and Raftery, *Strictly proper scoring rules,
    prediction, and estimation*, Journal of the American Statistical Association 102, 2007,
    doi:10.1198/016214506000001437.

    See Also
    --------
    multi_quantile : for any number of quantiles.

    Examples
    --------
    >>> IntervalScore(alpha=0.5)([[0.0, 2.0], [0.0, 2.0]], [1.0, 3.0], reduction="none")
    array([2., 6.])
    """

    prediction: ClassVar[Space] = Columns.of(lower=REAL, upper=REAL)
    target: ClassVar[Space] = REAL

    alpha: Annotated[float, Field(gt=0, lt=1)] = 0.1

    def value(self, xp: Namespace, y: Any, t: Array) -> Array:
        """The definition."""
        zero = xp.zeros_like(t)
        outside = xp.maximum(y.lower - t, zero) + xp.maximum(t - y.upper, zero)
        return y.upper - y.lower + 2 * outside / self.alpha

    def derivative(self, xp: Namespace, y: Any, t: Array) -> Any:
        """-1 and 1, and beyond the ends 2/alpha more towards the target."""
        unknown = zero_or_nan(xp, y.lower) + zero_or_nan(xp, y.upper) + zero_or_nan(xp, t)
        lower = (xp.sign(y.lower - t) + 1.0) / self.alpha - 1.0
        upper = 1.0 - (xp.sign(t - y.upper) + 1.0) / self.alpha
        return lower + unknown, upper + unknown

    def second_derivative(self, xp: Namespace, y: Any, t: Array) -> Any:
        """0 between the kinks."""
        return zero_or_nan(xp, y.lower), zero_or_nan(xp, y.upper)

    def curvature_bound(self, xp: Namespace, y: Any, t: Array) -> Any:
        """1 / (alpha |r|), because max(0, r) is |r| / 2 and a straight line."""
        return tuple(absolute_curvature(xp, end - t) / self.alpha for end in (y.lower, y.upper))

    def claims(self) -> Claims:
        """Convex and piecewise linear; steepest where the ends cross around the target."""
        steepest = math.sqrt(2.0) * (2.0 - self.alpha) / self.alpha
        return Claims(nonnegative=True, convex=True, lipschitz=steepest)
