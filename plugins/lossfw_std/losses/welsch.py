"""The Welsch loss."""

from __future__ import annotations

import math

from pydantic import PositiveFloat

from lossfw import Array, Claims, Namespace
from lossfw_std.parabolas import ConcaveInSquare


class Welsch(ConcaveInSquare):
    """Welsch loss, c^2/2 (1 - exp(-(r/c)^2)).

    Use it when gross outliers should have almost no pull, with a smooth loss.

    Prediction and target of one shape, both real; one loss per element. Near 0 it is r^2 / 2, far
    out c^2 / 2.

    Parameters
    ----------
    c : float
        Scale, in units of the target. The default is 95 % efficient for normal residuals of unit
        variance.

    Notes
    -----
    Not convex beyond c / sqrt(2), and so it elicits nothing by a formula. Source: Dennis and
    Welsch, *Techniques for nonlinear least squares and robust regression*, Communications in
    Statistics B7, 1978, doi:10.1080/03610917808812083.

    See Also
    --------
    tukey : similar, but flat from c on.

    Examples
    --------
    >>> Welsch(c=2.0)([100.0, 2e-9], [0.0, 0.0], reduction="none")
    array([2.e+00, 2.e-18])
    """

    c: PositiveFloat = 2.985

    def formula(self, xp: Namespace, r: Array) -> Array:
        c = self.c * xp.ones_like(r)
        x = r / c
        return c * c / 2 * (1 - xp.exp(-(x * x)))

    def value(self, xp: Namespace, r: Array) -> Array:
        """The same by expm1."""
        x = r / self.c
        return -0.5 * self.c * self.c * xp.expm1(-(x * x))

    def derivative(self, xp: Namespace, r: Array) -> Array:
        """r exp(-(r/c)^2)."""
        x = r / self.c
        return r * xp.exp(-(x * x))

    def second_derivative(self, xp: Namespace, r: Array) -> Array:
        """(1 - 2 (r/c)^2) exp(-(r/c)^2)."""
        x = r / self.c
        u = x * x
        return (1.0 - 2.0 * u) * xp.exp(-u)

    def claims(self) -> Claims:
        """Bounded and smooth, not convex; the derivative is steepest at c / sqrt(2)."""
        return Claims(
            convex=False,
            nonnegative=True,
            bounded=self.c * self.c / 2.0,
            zero_at_target=True,
            lipschitz=self.c / math.sqrt(2.0 * math.e),
            gradient_lipschitz=1.0,
            symmetric=True,
            twice_smooth=True,
        )
