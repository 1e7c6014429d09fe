"""The mean of several quantile losses."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, ClassVar, TypeAlias

from pydantic import Field, field_validator

from lossfw import REAL, Array, Claims, Namespace, PointwiseLoss, Space, Vector
from lossfw.numerics import select, with_nan_of_rows, zero_or_nan
from lossfw_std.parabolas import absolute_curvature

Level: TypeAlias = Annotated[float, Field(gt=0, lt=1)]


class MultiQuantile(PointwiseLoss):
    """Mean of quantile losses, q (t - y_q) where t > y_q, else (1 - q) (y_q - t).

    Use it when a model predicts several quantiles of the target at once.

    The prediction has shape (..., L), a column for each level. The target has shape (...). One
    loss per row, in the unit of the target.

    Parameters
    ----------
    levels : list of float
        The probabilities q of the quantiles, between 0 and 1 and increasing.

    Notes
    -----
    It elicits the quantiles of these levels. Predicted quantiles may cross; the metric
    quantile_crossing is the fraction of rows in which they do. At a kink the derivative is the mean
    of both sides. With many levels, twice the mean is near the CRPS. Source: Koenker and Bassett,
    *Regression quantiles*, Econometrica 46, 1978, doi:10.2307/1913643.

    See Also
    --------
    quantile : of one level.
    interval_score : of the two ends of an interval.

    Examples
    --------
    >>> loss = MultiQuantile(levels=[0.25, 0.75])
    >>> loss([[0.0, 2.0]], [1.0], reduction="none")
    array([0.25])
    """

    latex: ClassVar[str | None] = (
        r"\frac{1}{L}\sum_{q} \max\!\left(q\,(t - y_{q}),\, (q - 1)\,(t - y_{q})\right)"
    )
    target: ClassVar[Space] = REAL

    levels: Annotated[tuple[Level, ...], Field(min_length=1)] = (0.1, 0.5, 0.9)

    @field_validator("levels")
    @classmethod
    def _require_increasing(cls, levels: tuple[float, ...]) -> tuple[float, ...]:
        if any(a >= b for a, b in pairwise(levels)):
            raise ValueError("probabilities that increase")
        return levels

    @property
    def prediction_space(self) -> Space:
        """A row of one quantile for each level."""
        return Vector.of(REAL, size=len(self.levels))

    def formula(self, xp: Namespace, y: Array, t: Array) -> Array:
        losses = []
        for k, q in enumerate(self.levels):
            r = t - y[..., k]
            losses.append(xp.maximum(q * r, q * r - r))
        return xp.sum(xp.stack(losses, axis=-1), axis=-1) / len(losses)

    def value(self, xp: Namespace, y: Array, t: Array) -> Array:
        """|r| times the weight of its side."""
        total = xp.zeros_like(t)
        for k, q in enumerate(self.levels):
            r = y[..., k] - t
            a = xp.abs(r)
            total = total + select(xp, r < 0, q * a, (1.0 - q) * a)
        return total / len(self.levels)

    def derivative(self, xp: Namespace, y: Array, t: Array) -> Array:
        """-q below the target, 1 - q above it."""
        derivatives = []
        for k, q in enumerate(self.levels):
            r = y[..., k] - t
            zero = zero_or_nan(xp, r)
            above = select(xp, r > 0, zero + (1.0 - q), zero + (0.5 - q))
            derivatives.append(select(xp, r < 0, zero - q, above) / len(self.levels))
        rows = xp.stack(derivatives, axis=-1)
        return rows + with_nan_of_rows(xp, rows, xp.zeros_like(t))[..., None]

    def second_derivative(self, xp: Namespace, y: Array, t: Array) -> Array:
        """0 between the kinks."""
        return zero_or_nan(xp, y)

    def curvature_bound(self, xp: Namespace, y: Array, t: Array) -> Array:
        """1 / (2 L |r|), because each loss is |r| / 2 and a straight line."""
        return absolute_curvature(xp, y - t[..., None]) / (2 * len(self.levels))

    def claims(self) -> Claims:
        """Convex and piecewise linear."""
        steepest = sum(max(q, 1.0 - q) ** 2 for q in self.levels) ** 0.5 / len(self.levels)
        return Claims(nonnegative=True, convex=True, lipschitz=steepest)
