"""The Geman-McClure loss."""

from __future__ import annotations

import math

from pydantic import PositiveFloat

from lossfw import Array, Claims, Namespace
from lossfw_std.parabolas import ConcaveInSquare


class GemanMcclure(ConcaveInSquare):
    """Geman-McClure loss, r^2 / (r^2 + c^2).

    Use it when gross outliers should have almost no pull, with a bounded smooth loss.

    Prediction and target of one shape, both real; one loss per element, between 0 and 1.

    Parameters
    ----------
    c : float
        Scale, in units of the target: the residual whose loss is 1/2.

    Notes
    -----
    Not convex beyond c / sqrt(3), and so it elicits nothing by a formula. Some multiply it by c^2
    or by 1/2. Source: Geman and McClure, *Bayesian image analysis: an application to single photon
    emission tomography*, 1985.

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
        c = self.c * xp.ones_like(r)
        return r * r / (r * r + c * c)

    def value(self, xp: Namespace, r: Array) -> Array:
        """The same, of (r/c)^2."""
        u = (r / self.c) ** 2.0
        return u / (1.0 + u)

    def derivative(self, xp: Namespace, r: Array) -> Array:
        """2 r c^2 / (r^2 + c^2)^2."""
        return self.value_and_derivative(xp, r)[1]

    def value_and_derivative(self, xp: Namespace, r: Array) -> tuple[Array, Array]:
        """Both, from one quotient."""
        x = r / self.c
        u = x * x
        share = 1.0 / (1.0 + u)
        return u / (1.0 + u), 2.0 / self.c * (x * share * share)

    def second_derivative(self, xp: Namespace, r: Array) -> Array:
        """2 c^2 (c^2 - 3 r^2) / (r^2 + c^2)^3."""
        u = (r / self.c) ** 2.0
        share = 1.0 / (1.0 + u)
        return 2.0 / self.c / self.c * ((1.0 - 3.0 * u) * share * share * share)

    def claims(self) -> Claims:
        """Bounded and smooth, not convex; the derivative is steepest at c / sqrt(3)."""
        return Claims(
            convex=False,
            nonnegative=True,
            bounded=1.0,
            zero_at_target=True,
            lipschitz=3.0 * math.sqrt(3.0) / (8.0 * self.c),
            gradient_lipschitz=2.0 / self.c / self.c,
            symmetric=True,
            twice_smooth=True,
        )
