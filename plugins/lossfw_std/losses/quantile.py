"""The quantile loss, also called pinball."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from lossfw import Array, Claims, DistanceLoss, Namespace
from lossfw.numerics import select, zero_or_nan
from lossfw_std.parabolas import absolute_curvature


class Quantile(DistanceLoss):
    """Quantile loss, q (t - y) where t > y, else (1 - q) (y - t).

    Use it when errors above and below cost differently, or to predict an interval.

    Prediction and target of one shape, both real; one loss per element.

    Parameters
    ----------
    q : float
        Probability of the quantile, strictly between 0 and 1. A large q makes predictions that are
        too low expensive.

    Notes
    -----
    It elicits the quantile of probability q. At r = 0 every number in [-q, 1 - q] is a subgradient;
    the derivative is 0. Source: Koenker and Bassett, *Regression quantiles*, Econometrica 46, 1978,
    doi:10.2307/1913643.

    See Also
    --------
    absolute_error : twice this loss at q = 0.5.
    expectile : the same with squares.

    Examples
    --------
    >>> Quantile(q=0.9)([0.0, 2.0], [1.0, 1.0], reduction="none")
    array([0.9, 0.1])
    """

    q: Annotated[float, Field(gt=0, lt=1)] = 0.5

    def formula(self, xp: Namespace, r: Array) -> Array:
        """The definition; (1 - q) r is written as r - q r, because the float 1 - q is rounded."""
        return xp.where(r < 0, -self.q * r, r - self.q * r)

    def value(self, xp: Namespace, r: Array) -> Array:
        """|r| times the weight of its side."""
        a = xp.abs(r)
        return select(xp, r < 0, self.q * a, (1.0 - self.q) * a)

    def derivative(self, xp: Namespace, r: Array) -> Array:
        """-q below the target, 1 - q above it, 0 at it."""
        zero = zero_or_nan(xp, r)
        above = select(xp, r > 0, zero + (1.0 - self.q), zero)
        return select(xp, r < 0, zero - self.q, above)

    def second_derivative(self, xp: Namespace, r: Array) -> Array:
        """0 on both sides of the kink."""
        return zero_or_nan(xp, r)

    def curvature_bound(self, xp: Namespace, y: Array, t: Array) -> Array:
        """1 / (2 |r|), because the loss is |r| / 2 plus a straight line; infinite at the kink."""
        return 0.5 * absolute_curvature(xp, y - t)

    def claims(self) -> Claims:
        """Convex, with a kink at 0; symmetric only for the median."""
        median = self.q == 0.5
        return Claims(
            nonnegative=True,
            zero_at_target=True,
            convex=True,
            lipschitz=max(self.q, 1.0 - self.q),
            symmetric=median,
            breaks=(0.0,),
            elicits="median" if median else f"quantile({self.q!r})",
        )
