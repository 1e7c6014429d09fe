"""The Cauchy loss."""

from __future__ import annotations

import math

from pydantic import PositiveFloat

from lossfw import Array, Claims, Namespace
from lossfw.numerics import apply_where, at_least, excess, shares
from lossfw_std.parabolas import ConcaveInSquare

# Below this, log(1 + u) is u in every float format, and the square of a residual
# may have lost digits in units of c that it has by itself.
_TINY = 2.0**-60

# Above this the 1 beside (r/c)^2 no longer counts, and the square may overflow.
_LARGE = 2.0**60


class Cauchy(ConcaveInSquare):
    """Cauchy loss, c^2/2 log(1 + (r/c)^2).

    Use it when a regression has gross outliers, and each is still to pull a little.

    Prediction and target of one shape, both real; one loss per element. Near 0
    it is r^2 / 2, far out it grows like a logarithm.

    Parameters
    ----------
    c : float
        Scale, in units of the target, beyond which a residual pulls less the
        larger it is.

    Notes
    -----
    The likelihood of Cauchy's distribution, apart from a constant. Not convex
    beyond c, and so it elicits nothing by a formula. Neither bounded nor
    strongly anything. Black's "Lorentzian" has another scale: log(1 + (r/s)^2 /
    2). Source: Black and Anandan, *The robust estimation of multiple motions*,
    Computer Vision and Image Understanding 63, 1996,
    doi:10.1006/cviu.1996.0006.

    See Also
    --------
    welsch, geman_mcclure, tukey : bounded ones.

    Examples
    --------
    >>> Cauchy()([1.0, 1e-9], [0.0, 0.0], reduction="none")
    array([3.4657359e-01, 5.0000000e-19])
    """

    c: PositiveFloat = 1.0

    def formula(self, xp: Namespace, r: Array) -> Array:
        c = self.c * xp.ones_like(r)
        x = r / c
        return c * c / 2 * xp.log(1 + x * x)

    def value(self, xp: Namespace, r: Array) -> Array:
        """The same by log1p; r^2 / 2 near 0."""
        x = r / self.c
        u = x * x
        value = self.c * (0.5 * self.c * xp.log1p(u))
        value = apply_where(xp, value, u < _TINY, lambda xp, r: 0.5 * (r * r), r)
        return apply_where(xp, value, u > _LARGE, self._far_value, r)

    def _far_value(self, xp: Namespace, r: Array) -> Array:
        # log(x^2) / 2 = 2 log(sqrt(x)), with a root of each, for r / c may overflow.
        root = xp.sqrt(xp.abs(r)) / math.sqrt(self.c)
        return self.c * (self.c * (2.0 * xp.log(root)))

    def derivative(self, xp: Namespace, r: Array) -> Array:
        """r / (1 + (r/c)^2)."""
        x = r / self.c
        u = x * x
        slope = r / (1.0 + u)
        return apply_where(xp, slope, u > _LARGE, lambda xp, r: self.c * (self.c / r), r)

    def second_derivative(self, xp: Namespace, r: Array) -> Array:
        """(1 - (r/c)^2) / (1 + (r/c)^2)^2, in shares of max(|r|, c)."""
        a = xp.abs(r)
        p, k = shares(xp, a, self.c)
        w = p * k * (p * k)
        # k - p = (c - a) / max(a, c), in which c and a may be close.
        near = a < 2.0 * self.c
        gap = -excess(xp, xp.where(near, a, xp.zeros_like(a)), self.c)
        gap = xp.where(near, gap / at_least(xp, a, self.c), k - p)
        # One square of the shares is 1, the other is w.
        return gap * (k + p) * k * k / (1.0 + w * (2.0 + w))

    def claims(self) -> Claims:
        """Smooth and not convex; the derivative is steepest at r = c."""
        return Claims(
            convex=False,
            nonnegative=True,
            zero_at_target=True,
            lipschitz=0.5 * self.c,
            gradient_lipschitz=1.0,
            symmetric=True,
            twice_smooth=True,
        )
