"""The loss of distance-weighted discrimination."""

from __future__ import annotations

from pydantic import PositiveFloat

from lossfw import Array, Claims, MarginLoss, Namespace
from lossfw.numerics import zero_or_nan


class Dwd(MarginLoss):
    """Distance-weighted discrimination, 1 - m for m <= q/(q+1), else q^q / (q+1)^(q+1) / m^q.

    Use it for a linear classifier with more columns than rows, where the hinge piles up data at the
    margin.

    Prediction real, target in {-1, +1}, of one shape; one loss per element. m = t y.

    Parameters
    ----------
    q : float
        How fast the loss falls for large margins. 1 is the original method.

    Notes
    -----
    Calibrated, because it is convex and falls at m = 0. Not strictly convex, for up to q/(q+1) it
    is a straight line. At the target it is above 0. At the joint the second derivative is taken
    from the left, 0. Source: Marron, Todd and Ahn, *Distance-weighted discrimination*, Journal of
    the American Statistical Association 102, 2007 (q = 1), doi:10.1198/016214507000001120; Wang and
    Zou, *Another look at distance-weighted discrimination*, Journal of the Royal Statistical
    Society B 80, 2018 (any q), doi:10.1111/rssb.12244.

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
        """The same, with one constant for the tail."""
        is_tail, _, power = self._tail(xp, m)
        return xp.where(is_tail, self._scale_fraction * power, 1.0 - m)

    def derivative(self, xp: Namespace, m: Array) -> Array:
        """-1 up to the joint, then -(q / (q+1) / m)^(q+1)."""
        is_tail, x, power = self._tail(xp, m)
        return xp.where(
            is_tail, -self.q * self._scale_fraction * power / x, zero_or_nan(xp, m) - 1.0
        )

    def second_derivative(self, xp: Namespace, m: Array) -> Array:
        """0 up to the joint, then q^(q+1) / (q+1)^q / m^(q+2)."""
        is_tail, x, power = self._tail(xp, m)
        second_derivative = self.q * (self.q + 1.0) * self._scale_fraction * power / x / x
        return xp.where(is_tail, second_derivative, zero_or_nan(xp, m))

    @property
    def _scale_fraction(self) -> float:
        """q^q / (q+1)^(q+1)."""
        return float((self.q / (self.q + 1.0)) ** self.q / (self.q + 1.0))

    def _tail(self, xp: Namespace, m: Array) -> tuple[Array, Array, Array]:
        """Return where m lies beyond the joint, m there and 1 elsewhere, and that to the -q."""
        is_tail = m > self.q / (self.q + 1.0)
        x = xp.where(is_tail, m, xp.ones_like(m))
        return is_tail, x, x**-self.q

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
