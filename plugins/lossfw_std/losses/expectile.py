"""The expectile loss."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from lossfw import Array, Claims, DistanceLoss, Namespace
from lossfw.numerics import zero_or_nan


class Expectile(DistanceLoss):
    """Expectile loss, q r^2 where t > y, else (1 - q) r^2.

    Use it when too much and too little cost differently, and the cost grows with the square.

    Prediction and target of one shape, both real; one loss per element.

    Parameters
    ----------
    q : float
        Weight of predictions that are too low, strictly between 0 and 1.

    Notes
    -----
    It elicits the expectile q; that of q = 0.5 is the mean. At r = 0 the second derivative is taken
    from above, 2 (1 - q). Source: Newey and Powell, *Asymmetric least squares estimation and
    testing*, Econometrica 55, 1987, doi:10.2307/1911031.

    See Also
    --------
    squared_error : twice this loss at q = 0.5.
    quantile : the same without squares.

    Examples
    --------
    >>> Expectile(q=0.75)([0.0, 2.0], [1.0, 1.0], reduction="none")
    array([0.75, 0.25])
    """

    q: Annotated[float, Field(gt=0, lt=1)] = 0.5

    def formula(self, xp: Namespace, r: Array) -> Array:
        """The definition; 1 - q is taken apart, for as a float it would be rounded."""
        square = r * r
        return xp.where(r < 0, self.q * square, square - self.q * square)

    def value(self, xp: Namespace, r: Array) -> Array:
        """The same; q comes before the square, which by itself may overflow."""
        return (0.5 * self._weight(xp, r) * r) * r

    def derivative(self, xp: Namespace, r: Array) -> Array:
        """2 q r where t > y, else 2 (1 - q) r."""
        return self._weight(xp, r) * r

    def second_derivative(self, xp: Namespace, r: Array) -> Array:
        """2 q where t > y, else 2 (1 - q)."""
        return self._weight(xp, r)

    def _weight(self, xp: Namespace, r: Array) -> Array:
        """Return twice the weight of each side, NaN where r is."""
        zero = zero_or_nan(xp, r)
        return xp.where(r < 0, zero + 2.0 * self.q, zero + 2.0 * (1.0 - self.q))

    def claims(self) -> Claims:
        """Strongly convex; the second derivative jumps at 0 unless both weights are equal."""
        mean = self.q == 0.5
        low, high = sorted((2.0 * self.q, 2.0 * (1.0 - self.q)))
        return Claims(
            nonnegative=True,
            zero_at_target=True,
            strongly_convex=low,
            gradient_lipschitz=high,
            symmetric=mean,
            twice_smooth=mean or None,
            second_breaks=() if mean else (0.0,),
            elicits="mean" if mean else f"expectile({self.q!r})",
        )
