"""The absolute error."""

from __future__ import annotations

from lossfw import Array, Claims, DistanceLoss, Namespace
from lossfw.numerics import zero_or_nan
from lossfw_std.parabolas import absolute_curvature


class AbsoluteError(DistanceLoss):
    """Absolute error, |r| with r = y - t.

    Use it when a regression has outliers, or should predict the median of the target.

    Prediction and target of one shape, both real; one loss per element.

    Notes
    -----
    It elicits the median. The derivative at 0 may be anything in [-1, 1]; 0 is taken. Source:
    Boscovich, *De litteraria expeditione*, 1757; Laplace, 1793.

    See Also
    --------
    quantile : twice that loss at q = 0.5 is this one.
    huber : delta |r| less delta^2 / 2, beyond delta; no kink.
    epsilon_insensitive : with epsilon = 0 this one.

    Examples
    --------
    >>> AbsoluteError()([3.0, 1.0], [1.0, 1.0])
    1.0
    """

    def value(self, xp: Namespace, r: Array) -> Array:
        """|r|."""
        return xp.abs(r)

    def derivative(self, xp: Namespace, r: Array) -> Array:
        """The sign of r, 0 at 0."""
        return xp.sign(r)

    def second_derivative(self, xp: Namespace, r: Array) -> Array:
        """0 on both sides of the kink."""
        return zero_or_nan(xp, r)

    def curvature_bound(self, xp: Namespace, y: Array, t: Array) -> Array:
        """1 / |r|, of the parabola that touches both sides; infinite at the kink."""
        return absolute_curvature(xp, y - t)

    def claims(self) -> Claims:
        """Convex, with a kink at 0 and a derivative of -1 or 1 elsewhere."""
        return Claims(
            nonnegative=True,
            zero_at_target=True,
            convex=True,
            lipschitz=1.0,
            symmetric=True,
            breaks=(0.0,),
            elicits="median",
        )
