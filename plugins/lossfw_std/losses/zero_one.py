"""The zero-one loss of margins."""

from __future__ import annotations

from lossfw import Array, Claims, MarginLoss, Namespace
from lossfw.numerics import zero_or_nan


class ZeroOne(MarginLoss):
    """Zero-one loss, 1 for m <= 0 and 0 for m > 0, with m = t y.

    Use it only to report the fraction of mistakes, not to train.

    Prediction real, target in {-1, +1}, of one shape; one loss per element. A prediction of 0 does
    not decide, and counts as wrong.

    Notes
    -----
    Piecewise constant: the gradient is 0 and no model can be trained with it. It jumps at m = 0, so
    it has no Lipschitz constant, and no break is claimed, which would be one of the derivative. Its
    mean is the rate of errors; the best prediction has the sign of the mode.

    See Also
    --------
    ramp : the smallest loss here that bounds it and has a derivative.

    Examples
    --------
    >>> ZeroOne()([-2.0, 0.0, 0.5], [1, 1, 1], reduction="none")
    array([1., 1., 0.])
    """

    def value(self, xp: Namespace, m: Array) -> Array:
        """1 for m <= 0, 0 for m > 0."""
        zero = zero_or_nan(xp, m)
        return xp.where(m <= 0, zero + 1.0, zero)

    def derivative(self, xp: Namespace, m: Array) -> Array:
        """0, also at the jump."""
        return zero_or_nan(xp, m)

    def second_derivative(self, xp: Namespace, m: Array) -> Array:
        """0, also at the jump."""
        return zero_or_nan(xp, m)

    def claims(self) -> Claims:
        """Bounded and calibrated; the gradient says nothing."""
        return Claims(
            convex=False,
            nonnegative=True,
            bounded=1.0,
            zero_at_target=True,
            monotone=True,
            calibrated=True,
            elicits="mode",
            gradient_zero_almost_everywhere=True,
        )
