"""Huber's loss."""

from __future__ import annotations

from pydantic import PositiveFloat

from lossfw import Array, Claims, Namespace
from lossfw.numerics import clip_above, zero_or_nan
from lossfw_std.parabolas import ConcaveInSquare


class Huber(ConcaveInSquare):
    """Huber's loss, r^2 / 2 up to |r| = delta, and delta (|r| - delta/2) beyond.

    Use it when a regression has a few outliers and the problem must stay convex.

    Prediction and target of one shape, both real; one loss per element.

    Parameters
    ----------
    delta : float
        Residual, in units of the target, beyond which the loss is linear.

    Notes
    -----
    It elicits neither mean nor median, but a value between them. Not strictly convex, because it is
    a straight line beyond delta. Source: Huber, *Robust estimation of a location parameter*, Annals
    of Mathematical Statistics 35, 1964, doi:10.1214/aoms/1177703732.

    Libraries that divide by the parameter (``smooth_l1`` with ``beta``) have this loss divided by
    delta.

    See Also
    --------
    pseudo_huber : the same limits, infinitely often differentiable.
    squared_error : within delta, with factor = 1/2.

    Examples
    --------
    >>> Huber(delta=2.0)([3.0, 1.0], [0.0, 0.0], reduction="none")
    array([4. , 0.5])
    """

    delta: PositiveFloat = 1.0

    def formula(self, xp: Namespace, r: Array) -> Array:
        """The definition, with its two cases."""
        a, delta = xp.abs(r), self.delta
        return xp.where(a <= delta, r * r / 2, delta * (a - delta / 2))

    def value(self, xp: Namespace, r: Array) -> Array:
        """w (|r| - w/2) with w = min(|r|, delta): both cases in one, and no overflow of r^2."""
        a = xp.abs(r)
        w = clip_above(xp, a, self.delta)
        return w * (a - 0.5 * w)

    def derivative(self, xp: Namespace, r: Array) -> Array:
        """r, kept within [-delta, delta]."""
        return xp.sign(r) * clip_above(xp, xp.abs(r), self.delta)

    def second_derivative(self, xp: Namespace, r: Array) -> Array:
        """1 up to delta, 0 beyond."""
        zero = zero_or_nan(xp, r)
        return xp.where(xp.abs(r) > self.delta, zero, zero + 1.0)

    def claims(self) -> Claims:
        """Convex; the second derivative jumps at both ends of the square."""
        return Claims(
            nonnegative=True,
            zero_at_target=True,
            convex=True,
            lipschitz=self.delta,
            gradient_lipschitz=1.0,
            symmetric=True,
            second_breaks=(-self.delta, self.delta),
        )
