"""The CRPS of an ensemble of predictions."""

from __future__ import annotations

from typing import Any, ClassVar

from lossfw import (
    REAL,
    VECTOR,
    Array,
    Claims,
    DistributionLoss,
    Namespace,
    PointwiseLoss,
    Space,
)
from lossfw.numerics import column_numbers, with_nan_of_rows, zero_or_nan
from lossfw_std.parabolas import absolute_curvature


class CrpsEnsemble(DistributionLoss, PointwiseLoss):
    """CRPS of an ensemble, mean |y_i - t| - sum_ij |y_i - y_j| / (2 n^2).

    Use it when a model predicts a sample of the target: members of an ensemble, or draws of
    a generator.

    The prediction has shape (..., n): n members in any order. The target has shape (...). One
    loss per row, in the unit of the target.

    Parameters
    ----------
    fair : bool
        Divide the sum over pairs by 2 n (n - 1), with n of at least 2. The expected loss is then
        that of an infinite ensemble from the same distribution, so that ensembles of different
        sizes can be compared.

    Notes
    -----
    It is the integral over x of (F(x) - [t <= x])^2, where F(x) is the fraction of members at or
    below x. The value is a sum over the gaps between sorted members and target, all of one sign, so
    nothing cancels. Equal members share the mean of their derivatives. For one member it is the
    absolute error. Sources: Gneiting and Raftery, *Strictly proper scoring rules, prediction, and
    estimation*, Journal of the American Statistical Association 102, 2007,
    doi:10.1198/016214506000001437; Ferro, *Fair scores for ensemble forecasts*, Quarterly Journal
    of the Royal Meteorological Society 140, 2014, doi:10.1002/qj.2270.

    See Also
    --------
    energy_score : of vectors.
    crps_normal : of a normal distribution.

    Examples
    --------
    >>> CrpsEnsemble()([[0.0, 1.0, 3.0], [2.0, 2.0, 2.0]], [0.5, 1.0], reduction="none")
    array([0.5, 1. ])
    """

    latex: ClassVar[str | None] = (
        r"\frac{1}{n}\sum_{i} \left|y_{i} - t\right| - "
        r"\frac{1}{2 n^{2}}\sum_{i,\,j} \left|y_{i} - y_{j}\right|"
    )
    prediction: ClassVar[Space] = VECTOR
    target: ClassVar[Space] = REAL

    # One member does not show a spread.
    least_classes: ClassVar[Any] = property(lambda loss: 2 if loss.fair else 1)

    fair: bool = False

    def formula(self, xp: Namespace, y: Array, t: Array) -> Array:
        n = y.shape[-1]
        spread = xp.sum(xp.sum(xp.abs(y[..., :, None] - y[..., None, :]), axis=-1), axis=-1)
        return xp.sum(xp.abs(y - t[..., None]), axis=-1) / n - spread / (2 * self._pair_count(n))

    def value(self, xp: Namespace, y: Array, t: Array) -> Array:
        """The gaps on both sides of the target, each by a function of the members beyond it."""
        n, ordered, t = y.shape[-1], xp.sort(y, axis=-1), t[..., None]
        below, above = xp.minimum(ordered, t), xp.maximum(ordered, t)
        k = xp.astype(column_numbers(xp, y)[1:], y.dtype)
        weight = k * (k - 1 if self.fair else k) / self._pair_count(n)
        gaps = weight * (below[..., 1:] - below[..., :-1])
        gaps = gaps + xp.flip(weight) * (above[..., 1:] - above[..., :-1])
        t = t[..., 0]
        return xp.sum(gaps, axis=-1) + ((above[..., 0] - t) + (t - below[..., -1]))

    def derivative(self, xp: Namespace, y: Array, t: Array) -> Array:
        """The side of the target, and how many more members are below than above."""
        n = y.shape[-1]
        # Equal members have the mean of their places in both orders.
        places = _member_ranks(xp, y) + xp.flip(_member_ranks(xp, xp.flip(y, axis=-1)), axis=-1)
        excess = xp.astype(places - (n - 1), y.dtype)
        side = (self._pair_count(n) // n) * xp.sign(y - t[..., None])
        row = xp.concat([y, t[..., None]], axis=-1)
        unknown = with_nan_of_rows(xp, row, xp.zeros_like(t))
        return (side - excess) / self._pair_count(n) + unknown[..., None]

    def second_derivative(self, xp: Namespace, y: Array, t: Array) -> Array:
        """0 between the kinks."""
        return zero_or_nan(xp, y)

    def _pair_count(self, n: int) -> int:
        return n * (n - 1) if self.fair else n * n

    def curvature_bound(self, xp: Namespace, y: Array, t: Array) -> Array:
        """1 / (n |y_i - t|), because the spread makes it concave there."""
        return absolute_curvature(xp, y - t[..., None]) / y.shape[-1]

    def quantile(self, xp: Namespace, y: Array, p: Array) -> Array:
        """The smallest member with at least the fraction p of all members at or below it."""
        lower = (column_numbers(xp, y) + 1) / y.shape[-1] < p[..., None]
        place = xp.sum(xp.astype(lower, xp.int64), axis=-1, keepdims=True)
        return xp.take_along_axis(xp.sort(y, axis=-1), place, axis=-1)[..., 0]

    def cdf(self, xp: Namespace, y: Array, x: Array) -> Array:
        """The fraction of members at or below x."""
        return xp.sum(xp.astype(y <= x[..., None], y.dtype), axis=-1) / y.shape[-1]

    def claims(self) -> Claims:
        """Not convex: two members gain by moving apart. A fair score asks for other members."""
        return Claims(nonnegative=True, convex=False, strictly_proper=not self.fair)


def _member_ranks(xp: Namespace, y: Array) -> Array:
    """Return the place of each member in the order of a row; the first of equal ones is first."""
    return xp.argsort(xp.argsort(y, axis=-1, stable=True), axis=-1)
