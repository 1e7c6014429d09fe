"""Tukey's biweight loss."""

from __future__ import annotations

import math

from pydantic import PositiveFloat

from lossfw import Array, Claims, Namespace
from lossfw_std.parabolas import ConcaveInSquare

# Where the derivative is steepest, at r = c / sqrt(5): x (1 - x^2)^2 with x^2 = 1/5.
_STEEPEST = 16.0 / (25.0 * math.sqrt(5.0))


class Tukey(ConcaveInSquare):
    """Tukey's biweight loss, c^2/6 (1 - (1 - (r/c)^2)^3) up to |r| = c, then c^2/6.

    Use it when gross outliers should have no pull at all.

    Prediction and target of one shape, both real; one loss per element. Near 0 it is r^2 / 2.

    Parameters
    ----------
    c : float
        Residuals beyond this, in units of the target, have no pull. The default is 95 % efficient
        for normal residuals of unit variance.

    Notes
    -----
    Not convex, and so it elicits nothing by a formula. The second derivative is continuous at c,
    the third jumps. Source: Beaton and Tukey, *The fitting of power series, meaning polynomials,
    illustrated on band-spectroscopic data*, Technometrics 16, 1974,
    doi:10.1080/00401706.1974.10489171.

    See Also
    --------
    welsch : similar, but never quite flat.

    Examples
    --------
    >>> Tukey(c=3.0)([3.0, 100.0, 2e-9], [0.0, 0.0, 0.0], reduction="none")
    array([1.5e+00, 1.5e+00, 2.0e-18])
    """

    c: PositiveFloat = 4.685

    def formula(self, xp: Namespace, r: Array) -> Array:
        """The definition, with its two cases."""
        c = self.c * xp.ones_like(r)
        x = r / c
        within = 1 - (1 - x * x) ** 3
        return c * c / 6 * xp.where(xp.abs(r) <= c, within, xp.ones_like(x))

    def value(self, xp: Namespace, r: Array) -> Array:
        """w^2/6 (1 + v + v^2), with w = r within c and v = 1 - (w/c)^2: no case, no cancelling."""
        w, v = self._is_within(xp, r)
        return w * w * ((1.0 + v * (1.0 + v)) / 6.0)

    def derivative(self, xp: Namespace, r: Array) -> Array:
        """r (1 - (r/c)^2)^2 up to c, 0 beyond."""
        w, v = self._is_within(xp, r)
        return w * v * v

    def value_and_derivative(self, xp: Namespace, r: Array) -> tuple[Array, Array]:
        """Both, from one square."""
        w, v = self._is_within(xp, r)
        return w * w * ((1.0 + v * (1.0 + v)) / 6.0), w * v * v

    def second_derivative(self, xp: Namespace, r: Array) -> Array:
        """(1 - (r/c)^2) (1 - 5 (r/c)^2) up to c, 0 beyond."""
        _, v = self._is_within(xp, r)
        return v * (5.0 * v - 4.0)

    def _is_within(self, xp: Namespace, r: Array) -> tuple[Array, Array]:
        w = xp.clip(r, -self.c, self.c)
        x = w / self.c
        return w, 1.0 - x * x

    def claims(self) -> Claims:
        """Bounded and twice smooth, not convex; the derivative is steepest at c / sqrt(5)."""
        return Claims(
            convex=False,
            nonnegative=True,
            bounded=self.c * self.c / 6.0,
            zero_at_target=True,
            lipschitz=_STEEPEST * self.c,
            gradient_lipschitz=1.0,
            symmetric=True,
            twice_smooth=True,
        )
