"""The loss of distance-weighted discrimination."""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

from pydantic import PositiveFloat

from lossfw import Array, Claims, MarginLoss, Namespace
from lossfw.numerics import (
    cache_constants,
    excess,
    high_precision,
    nearest_float32,
    pieces,
    zero_or_nan,
)


class Dwd(MarginLoss):
    """Distance-weighted discrimination, 1 - m for m <= q/(q+1), else q^q / (q+1)^(q+1) / m^q.

    Use it when a linear classifier has more columns than rows, where the hinge
    piles up its margins.

    Prediction real, target in {-1, +1}, of one shape; one loss per element.
    m = t y.

    Parameters
    ----------
    q : float
        How fast the loss falls for large margins. 1 is the original method.

    Notes
    -----
    Calibrated, because it is convex and falls at m = 0. Not strictly convex, for up
    to q/(q+1) it is a straight line. At the target it is above 0. At the joint
    the second derivative is taken from the left, 0. Source: Marron, Todd and
    Ahn, *Distance-weighted discrimination*, Journal of the American Statistical
    Association 102, 2007 (q = 1), doi:10.1198/016214507000001120; Wang and Zou,
    *Another look at distance-weighted discrimination*, Journal of the Royal
    Statistical Society B 80, 2018 (any q), doi:10.1111/rssb.12244.

    See Also
    --------
    hinge : the limit for q towards infinity; never above this loss.

    Examples
    --------
    >>> Dwd()([-1.0, 0.5, 5.0], [1, 1, 1], reduction="none")
    array([2.  , 0.5 , 0.05])
    """

    q: PositiveFloat = 1.0

    def formula(self, xp: Namespace, m: Array) -> Array:
        """The definition, with its two cases."""
        q = self.q * xp.ones_like(m)
        straight = m <= q / (q + 1)
        tail = (q / (q + 1)) ** q / (q + 1) / xp.where(straight, q, m) ** q
        return xp.where(straight, 1 - m, tail)

    def value(self, xp: Namespace, m: Array) -> Array:
        """The same, with the constant rounded once and not raised to a power."""
        tail, _, power = self._tail(xp, m)
        return xp.where(tail, _constants(self.q).value * power, 1.0 - m)

    def derivative(self, xp: Namespace, m: Array) -> Array:
        """-1 up to the joint, then -(q / (q+1) / m)^(q+1)."""
        tail, x, power = self._tail(xp, m)
        return xp.where(tail, -_constants(self.q).slope * power / x, zero_or_nan(xp, m) - 1.0)

    def second_derivative(self, xp: Namespace, m: Array) -> Array:
        """0 up to the joint, then q^(q+1) / (q+1)^q / m^(q+2)."""
        tail, x, power = self._tail(xp, m)
        return xp.where(tail, _constants(self.q).curvature * power / x / x, zero_or_nan(xp, m))

    def _tail(self, xp: Namespace, m: Array) -> tuple[Array, Array, Array]:
        """Return where m lies beyond the joint, m there and 1 elsewhere, and that to the -q."""
        tail = excess(xp, m, _constants(self.q).joint) > 0
        x = xp.where(tail, m, xp.ones_like(m))
        # q is rounded to float32 and the rest made up for: an error of the
        # exponent would be multiplied by log(m).
        q = nearest_float32(self.q)
        power = x**-q
        rest = self.q - q
        if rest:
            # At infinity the power is 0, and may not be multiplied by infinity.
            finite = xp.where(xp.isinf(x), xp.ones_like(x), x)
            power = power * xp.exp(-rest * xp.log(finite))
        return tail, x, power

    def claims(self) -> Claims:
        """Convex; most curved just beyond the joint."""
        q = self.q
        return Claims(
            nonnegative=True,
            convex=True,
            lipschitz=1.0,
            gradient_lipschitz=(q + 1.0) * (q + 1.0) / q,
            second_breaks=(q / (q + 1.0),),
            monotone=True,
            calibrated=True,
        )


class _Constants(NamedTuple):
    joint: tuple[float, ...]  # pieces of q / (q + 1)
    value: float  # q^q / (q + 1)^(q + 1)
    slope: float  # q times it
    curvature: float  # q (q + 1) times it


@cache_constants
def _constants(q: float) -> _Constants:
    """Return the constants of one q, each of them rounded once."""
    with high_precision():
        exact = Decimal(q)
        joint = exact / (exact + 1)
        value = joint**exact / (exact + 1)
        slope = exact * value
        return _Constants(pieces(joint), float(value), float(slope), float((exact + 1) * slope))
