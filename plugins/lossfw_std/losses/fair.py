"""Fair's loss."""

from __future__ import annotations

from pydantic import PositiveFloat

from lossfw import Array, Claims, Namespace
from lossfw.numerics import log1p_minus
from lossfw_std.parabolas import ConcaveInSquare


class Fair(ConcaveInSquare):
    """Fair's loss, c^2 (|r|/c - log(1 + |r|/c)).

    Use it when a regression has outliers, and the loss must stay convex and smooth.

    Prediction and target of one shape, both real; one loss per element. Near 0
    it is r^2 / 2, far out c |r| less a logarithm.

    Parameters
    ----------
    c : float
        Scale, in units of the target, at which it turns from square to line.

    Notes
    -----
    Strictly convex, but not strongly: far out it is as good as a straight line.
    It elicits neither mean nor median. Source: Fair, *On the robust estimation
    of econometric models*, Annals of Economic and Social Measurement 3, 1974.

    See Also
    --------
    huber, pseudo_huber : nearer to the square below the scale.

    Examples
    --------
    >>> Fair()([1.0, 2e-9], [0.0, 0.0], reduction="none")
    array([3.06852819e-01, 2.00000000e-18])
    """

    c: PositiveFloat = 1.0

    def formula(self, xp: Namespace, r: Array) -> Array:
        c = self.c * xp.ones_like(r)
        # |r|, written so that dual numbers find the curvature at 0: abs is flat there.
        x = xp.where(r < 0, -r, r) / c
        return c * c * (x - xp.log1p(x))

    def value(self, xp: Namespace, r: Array) -> Array:
        """The same without the cancellation near 0."""
        return -self.c * self.c * log1p_minus(xp, xp.abs(r) / self.c)

    def derivative(self, xp: Namespace, r: Array) -> Array:
        """r / (1 + |r|/c)."""
        return r / (1.0 + xp.abs(r) / self.c)

    def second_derivative(self, xp: Namespace, r: Array) -> Array:
        """1 / (1 + |r|/c)^2."""
        share = 1.0 / (1.0 + xp.abs(r) / self.c)
        return share * share

    def claims(self) -> Claims:
        """Strictly convex and smooth; the derivative comes near c far out."""
        return Claims(
            nonnegative=True,
            zero_at_target=True,
            strictly_convex=True,
            lipschitz=self.c,
            gradient_lipschitz=1.0,
            symmetric=True,
            twice_smooth=True,
        )
