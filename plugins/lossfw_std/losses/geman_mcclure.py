"""The Geman-McClure loss."""

from __future__ import annotations

import math

from pydantic import PositiveFloat

from lossfw import Claims, DistanceLoss
from lossfw.numbers.arrays import Array, Namespace
from lossfw_std.parameters import at_most, excess, over_root


class GemanMcclure(DistanceLoss):
    """Geman-McClure loss, r^2 / (r^2 + c^2).

    Prediction and target of one shape, both real; one loss per element, between
    0 and 1.

    Parameters
    ----------
    c : float
        Scale, in units of the target: the residual that costs one half.

    Notes
    -----
    Not convex beyond c / sqrt(3), and so it elicits nothing by a formula.
    Source: Geman and McClure, *Bayesian image analysis: an application to
    single photon emission tomography*, 1985. (Some multiply it by c^2 or by
    1/2.)

    See Also
    --------
    welsch, tukey : bounded too, with the curvature 1 at 0.

    Examples
    --------
    >>> GemanMcclure(c=2.0)([2.0, 6.0], [0.0, 0.0], reduction="none")
    array([0.5, 0.9])
    """

    c: PositiveFloat = 1.0

    def formula(self, xp: Namespace, r: Array) -> Array:
        """The definition."""
        c = self.c * xp.ones_like(r)
        return r * r / (r * r + c * c)

    def value(self, xp: Namespace, r: Array) -> Array:
        """The same by (r/c)^2 below c and by (c/r)^2 above, neither of which overflows."""
        a = xp.abs(r)
        w = self._square(xp, a)
        return xp.where(a < self.c, w, xp.ones_like(w)) / (1.0 + w)

    def derivative(self, xp: Namespace, r: Array) -> Array:
        """2 r c^2 / (r^2 + c^2)^2."""
        a = xp.abs(r)
        w = self._square(xp, a)
        factor = xp.where(a < self.c, a / (self.c * self.c), w / a)
        # (1 + w)^2 as a sum of powers: most of its rounding errors are then
        # those of a small part.
        return xp.sign(r) * (2.0 * factor / (1.0 + w * (2.0 + w)))

    def second_derivative(self, xp: Namespace, r: Array) -> Array:
        """2 c^2 (c^2 - 3 r^2) / (r^2 + c^2)^3."""
        a = xp.abs(r)
        w = self._square(xp, a)
        # 1 - 3 (r/c)^2 = 3 (z - r) (z + r) / c^2 with z = c / sqrt(3), near which
        # the difference of squares would have no digit left.
        b = at_most(xp, a, self.c)
        gap = -excess(xp, b, over_root(self.c, 3)) / self.c
        inner = 3.0 * gap * (b / self.c + math.sqrt(1.0 / 3.0)) / (self.c * self.c)
        outer = (w - 3.0) * (w / a / a)
        cube = 1.0 + w * (3.0 + w * (3.0 + w))
        return 2.0 * xp.where(a < self.c, inner, outer) / cube

    def _square(self, xp: Namespace, a: Array) -> Array:
        """Return (a/c)^2 for a below c and (c/a)^2 elsewhere, with c^2 rounded once."""
        square = self.c * self.c
        inner = at_most(xp, a, self.c) / square * a
        return xp.where(a < self.c, inner, square / a / a)

    def claims(self) -> Claims:
        """Bounded and smooth, not convex; the derivative is steepest at c / sqrt(3)."""
        return Claims(
            nonnegative=True,
            bounded=1.0,
            zero_at_target=True,
            lipschitz=3.0 * math.sqrt(3.0) / (8.0 * self.c),
            gradient_lipschitz=2.0 / self.c / self.c,
            symmetric=True,
            twice_smooth=True,
        )
