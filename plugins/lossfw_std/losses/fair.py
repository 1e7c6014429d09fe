"""Fair's loss."""

from __future__ import annotations

import math

from pydantic import PositiveFloat

from lossfw import Array, Claims, Namespace
from lossfw.numerics import (
    ATANH_TAIL,
    apply_where,
    at_most,
    polynomial,
    select,
    shares,
    with_float32_form,
)
from lossfw_std.parabolas import ConcaveInSquare

_LOG_2 = math.log(2.0)

# Above this multiple of c the logarithm is less than the last digit.
_HUGE = 2.0**96


# More than the logarithm of any finite float.
_MORE_THAN_ANY_LOG = 1e3

# Below this x - log(1 + x) may have fewer digits in float64 than float32, and two terms of its
# series have more.
_FLAT = 2.0**-20


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

    def _plain_value(self, xp: Namespace, r: Array) -> Array:
        a = xp.abs(r)
        x = a / self.c
        value = self.c * (self.c * (x - at_most(xp, xp.log1p(x), _MORE_THAN_ANY_LOG)))
        return apply_where(xp, value, x < _FLAT, _near_zero, a, x)

    @with_float32_form(_plain_value)
    def value(self, xp: Namespace, r: Array) -> Array:
        """The same without cancellation, by a series below |r| = c, and without overflow.

        With s = x / (2 + x) for x = |r|/c, log(1 + x) = 2 atanh(s) and
        x - 2 s = s x, so that c^2 (x - log(1 + x)) = c s (|r| - 2 c s^2 T) with
        T the tail of atanh: the first term is exact and by far the larger one.
        Above, log(1 + x) = log 2 + log(1 + (x - 1)/2), and the second part
        is small where the loss is.
        """
        a, c = xp.abs(r), self.c
        x = a / c
        s = a / (2.0 * c + a)
        w = s * s
        near = c * s * (a - 2.0 * c * (w * polynomial(w, ATANH_TAIL)))
        half = 0.5 * at_most(xp, x, _HUGE) - 0.5
        far = c * ((a - c * _LOG_2) - c * xp.log1p(half))
        return select(xp, x < 1.0, near, far)

    def derivative(self, xp: Namespace, r: Array) -> Array:
        """r / (1 + |r|/c)."""
        x = xp.abs(r) / self.c
        # The limit, where |r|/c has no float.
        return apply_where(xp, r / (1.0 + x), xp.isinf(x), lambda xp, r: xp.sign(r) * self.c, r)

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


def _near_zero(xp: Namespace, a: Array, x: Array) -> Array:
    """Return the first terms of c^2 (x - log(1 + x)) at x = a / c."""
    return a * a * (1 / 2 - x / 3)
