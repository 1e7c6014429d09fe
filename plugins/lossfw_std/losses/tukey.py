"""Tukey's biweight loss."""

from __future__ import annotations

import math

from pydantic import PositiveFloat

from lossfw import Array, Claims, Namespace
from lossfw.numerics import (
    at_most,
    computed_in_float64,
    excess,
    over_root,
    positive_part,
    with_float32_form,
)
from lossfw_std.parabolas import ConcaveInSquare
from lossfw_std.shared_parts import Deferred, shared_parts

# Where the derivative is steepest, at r = c / sqrt(5): x (1 - x^2)^2 with x^2 = 1/5.
_STEEPEST = 16.0 / (25.0 * math.sqrt(5.0))


@shared_parts
def _plain(loss: Tukey, xp: Namespace, r: Array) -> Deferred:
    """With r kept within c, and v = 1 - (r/c)^2."""
    w = xp.clip(r, -loss.c, loss.c)
    gap = (loss.c - xp.abs(w)) / loss.c
    v = gap * (2.0 - gap)
    return lambda: w * w * ((1.0 + v * (1.0 + v)) / 6.0), lambda: w * v * v


class Tukey(ConcaveInSquare):
    """Tukey's biweight loss, c^2/6 (1 - (1 - (r/c)^2)^3) up to |r| = c, then c^2/6.

    Use it when gross outliers are to have no pull at all.

    Prediction and target of one shape, both real; one loss per element. Near 0
    it is r^2 / 2.

    Parameters
    ----------
    c : float
        Residual, in units of the target, beyond which one does not count. The
        default is 95 % efficient for normal residuals of unit variance.

    Notes
    -----
    Not convex, and so it elicits nothing by a formula. The second derivative is
    continuous at c, the third jumps. Source: Beaton and Tukey, *The fitting of
    power series, meaning polynomials, illustrated on band-spectroscopic data*,
    Technometrics 16, 1974, doi:10.1080/00401706.1974.10489171.

    See Also
    --------
    welsch : like it, and never quite flat.

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

    @with_float32_form(_plain.value)
    def value(self, xp: Namespace, r: Array) -> Array:
        """w^2/6 (1 + v + v^2), with w = min(|r|, c) and v = 1 - (w/c)^2: no case, no cancelling."""
        w = at_most(xp, xp.abs(r), self.c)
        x = w / self.c
        v = 1.0 - x * x
        return w * w * ((1.0 + v * (1.0 + v)) / 6.0)

    @with_float32_form(_plain.derivative)
    def derivative(self, xp: Namespace, r: Array) -> Array:
        """r (1 - (r/c)^2)^2 up to c, 0 beyond."""
        a = xp.abs(r)
        w, v = at_most(xp, a, self.c), _weight(xp, a, self.c)
        return xp.sign(r) * (w * v * v)

    @with_float32_form(_plain.both)
    def value_and_derivative(self, xp: Namespace, r: Array) -> tuple[Array, Array]:
        return self.value(xp, r), self.derivative(xp, r)

    def second_derivative(self, xp: Namespace, r: Array) -> Array:
        """(1 - (r/c)^2) (1 - 5 (r/c)^2) up to c, 0 beyond."""
        a = xp.abs(r)
        w = at_most(xp, a, self.c)
        # The second factor is 5 (z - w) (z + w) / c^2 with z = c / sqrt(5).
        gap = -excess(xp, w, over_root(self.c, 5)) / self.c
        return _weight(xp, a, self.c) * (5.0 * gap * (w / self.c + 1.0 / math.sqrt(5.0)))

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


@computed_in_float64
def _weight(xp: Namespace, a: Array, c: float) -> Array:
    """Return 1 - (a/c)^2 with all its digits near a = c, and 0 beyond.

    Its square doubles every error, which in float32 would be too many.
    """
    x = a / c
    gap = positive_part(xp, c - a) / c
    return xp.where(x < 0.5, 1.0 - x * x, gap * (2.0 - gap))
