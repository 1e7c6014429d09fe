"""The epsilon-insensitive loss of support vector regression."""

from __future__ import annotations

from pydantic import NonNegativeFloat

from lossfw import Array, Claims, DistanceLoss, Namespace
from lossfw.numerics import positive_part, zero_or_nan


class EpsilonInsensitive(DistanceLoss):
    """Epsilon-insensitive loss, max(0, |r| - epsilon), or its square.

    Use it when errors below a known tolerance do not matter, as in support-vector
    regression.

    Prediction and target of one shape, both real; one loss per element.

    Parameters
    ----------
    epsilon : float
        Residuals up to this size, in units of the target, have the loss 0. The default is common in
        support vector regression, for targets of about unit scale.
    squared : bool
        Take the square.

    Notes
    -----
    With epsilon above 0 many predictions have the least loss, so it elicits nothing. At the kinks
    the derivative is taken from within, 0; so is the second derivative of the square. Source:
    Vapnik, *The nature of statistical learning theory*, 1995, chapter 6,
    doi:10.1007/978-1-4757-2440-0.

    See Also
    --------
    absolute_error, squared_error : this loss with epsilon = 0, and its square.

    Examples
    --------
    >>> EpsilonInsensitive(epsilon=0.5)([3.0, 1.25], [1.0, 1.0], reduction="none")
    array([1.5, 0. ])
    """

    epsilon: NonNegativeFloat = 0.1
    squared: bool = False

    def formula(self, xp: Namespace, r: Array) -> Array:
        # |r| and the maximum with 0, written so that dual numbers find the
        # curvature of the square also at 0 without epsilon.
        over = xp.where(r < 0, -r, r) - self.epsilon
        over = xp.where(over < 0, xp.zeros_like(r), over)
        return over * over if self.squared else over

    def value(self, xp: Namespace, r: Array) -> Array:
        """The same."""
        over = self._excess(xp, r)
        return over * over if self.squared else over

    def derivative(self, xp: Namespace, r: Array) -> Array:
        """The sign of r outside; of the square twice the distance with that sign."""
        over = self._excess(xp, r)
        return xp.sign(r) * (2.0 * over if self.squared else xp.sign(over))

    def second_derivative(self, xp: Namespace, r: Array) -> Array:
        """0; of the square 2 outside."""
        zero = zero_or_nan(xp, r)
        if not self.squared:
            return zero
        if self.epsilon == 0:
            return zero + 2.0
        return xp.where(self._excess(xp, r) > 0, zero + 2.0, zero)

    def _excess(self, xp: Namespace, r: Array) -> Array:
        return positive_part(xp, xp.abs(r) - self.epsilon)

    def claims(self) -> Claims:
        """Convex; with epsilon = 0 the claims of the absolute or the squared error."""
        ends = (-self.epsilon, self.epsilon) if self.epsilon else (0.0,)
        if not self.squared:
            return Claims(
                nonnegative=True,
                zero_at_target=True,
                convex=True,
                lipschitz=1.0,
                symmetric=True,
                breaks=ends,
                elicits=None if self.epsilon else "median",
            )
        return Claims(
            nonnegative=True,
            zero_at_target=True,
            convex=True,
            strongly_convex=None if self.epsilon else 2.0,
            gradient_lipschitz=2.0,
            symmetric=True,
            twice_smooth=not self.epsilon or None,
            second_breaks=ends if self.epsilon else (),
            elicits=None if self.epsilon else "mean",
        )
