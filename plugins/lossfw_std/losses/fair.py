"""Fair's loss."""

from __future__ import annotations

from pydantic import PositiveFloat

from lossfw import Claims, DistanceLoss
from lossfw.numbers.arrays import Array, Namespace
from lossfw.numerics import log1p_minus
from lossfw.numerics.primitive import polynomial
from lossfw_std.parameters import at_most, shares

# Up to this multiple of c the logarithm is taken by the series below.
_NEAR = 0.5

# (atanh(s) - s) / s^3 in powers of s^2, which are 1/25 at most: what is left
# out is less than the last digit.
_ATANH_TAIL = tuple(1.0 / (2 * n + 3) for n in range(12))

# Above this multiple of c the logarithm is the smaller part by far, and nothing
# cancels; from the next on it is less than the last digit.
_LARGE = 2.0**10
_HUGE = 2.0**96


class Fair(DistanceLoss):
    """Fair's loss, c^2 (|r|/c - log(1 + |r|/c)).

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
        """The definition."""
        c = self.c * xp.ones_like(r)
        # |r|, written so that dual numbers find the curvature at 0: abs is flat there.
        x = xp.where(r < 0, -r, r) / c
        return c * c * (x - xp.log1p(x))

    def value(self, xp: Namespace, r: Array) -> Array:
        """The same without cancellation near 0 and without overflow of |r|/c."""
        a = xp.abs(r)
        x = a / self.c
        middle = self.c * (self.c * -log1p_minus(xp, at_most(xp, x, _LARGE)))
        far = self.c * (a - self.c * xp.log1p(at_most(xp, x, _HUGE)))
        near = self._near(xp, at_most(xp, a, _NEAR * self.c))
        return xp.where(x < _NEAR, near, xp.where(x > _LARGE, far, middle))

    def _near(self, xp: Namespace, a: Array) -> Array:
        """Return the loss for a up to c/2.

        With s = x / (2 + x) for x = a/c, log(1 + x) = 2 atanh(s) and
        x - 2 s = s x, so that c^2 (x - log(1 + x)) = c s (a - 2 c s^2 T) with
        T the tail of atanh: the first term is exact and by far the larger one.
        """
        s = a / (2.0 * self.c + a)
        w = s * s
        return self.c * s * (a - 2.0 * self.c * (w * polynomial(w, _ATANH_TAIL)))

    def derivative(self, xp: Namespace, r: Array) -> Array:
        """r / (1 + |r|/c), in shares of max(|r|, c)."""
        a = xp.abs(r)
        p, k = shares(xp, a, self.c)
        return xp.sign(r) * (at_most(xp, a, self.c) / (p + k))

    def second_derivative(self, xp: Namespace, r: Array) -> Array:
        """1 / (1 + |r|/c)^2, in shares of max(|r|, c)."""
        p, k = shares(xp, xp.abs(r), self.c)
        share = k / (p + k)
        return share * share

    def claims(self) -> Claims:
        """Strictly convex and smooth; the slope comes near c far out."""
        return Claims(
            nonnegative=True,
            zero_at_target=True,
            strictly_convex=True,
            lipschitz=self.c,
            gradient_lipschitz=1.0,
            symmetric=True,
            twice_smooth=True,
        )
