"""The Geman-McClure loss."""

from __future__ import annotations

import math

from pydantic import PositiveFloat

from lossfw import Array, Claims, Namespace
from lossfw.numerics import at_least, at_most, excess, over_root, select, with_float32_form
from lossfw_std.parabolas import ConcaveInSquare

# Of powers of two: one more than 20 below that of the largest float.
_LARGEST_EXPONENT = 1000


# Between this and its inverse, the square of any float32 over c has a float64.
_USUAL_SCALE = 1e-30
# The slope is 0 in float32 long before; its square has a float64, as that of infinity has not.
_FAR = 1e100


class GemanMcclure(ConcaveInSquare):
    """Geman-McClure loss, r^2 / (r^2 + c^2).

    Use it when gross outliers are to have almost no pull, under a bounded loss
    without a corner.

    Prediction and target of one shape, both real; one loss per element, between
    0 and 1.

    Parameters
    ----------
    c : float
        Scale, in units of the target: the residual that costs one half.

    Notes
    -----
    Not convex beyond c / sqrt(3), and so it elicits nothing by a formula.
    Some multiply it by c^2 or by 1/2. Source: Geman and McClure, *Bayesian
    image analysis: an application to single photon emission tomography*, 1985.

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

    def _plain_value(self, xp: Namespace, r: Array) -> Array:
        if not _USUAL_SCALE < self.c < 1.0 / _USUAL_SCALE:
            return self.value(xp, r)
        w = xp.clip(r / self.c, -_FAR, _FAR) ** 2
        return w / (1.0 + w)

    def _plain_value_and_derivative(self, xp: Namespace, r: Array) -> tuple[Array, Array]:
        if not _USUAL_SCALE < self.c < 1.0 / _USUAL_SCALE:
            return self.value_and_derivative(xp, r)
        x = xp.clip(r / self.c, -_FAR, _FAR)
        w = x * x
        base = 1.0 + w
        return w / base, (2.0 / self.c) * (x / (base * base))

    @with_float32_form(_plain_value)
    def value(self, xp: Namespace, r: Array) -> Array:
        """The same by (r/c)^2 below c and by (c/r)^2 above: neither overflows."""
        a, c, _ = self._in_units(xp, r)
        return _value_of(xp, a, c, _square(xp, a, c))

    def derivative(self, xp: Namespace, r: Array) -> Array:
        """2 r c^2 / (r^2 + c^2)^2."""
        return self.value_and_derivative(xp, r)[1]

    @with_float32_form(_plain_value_and_derivative)
    def value_and_derivative(self, xp: Namespace, r: Array) -> tuple[Array, Array]:
        """Both, from one square."""
        a, c, unit = self._in_units(xp, r)
        w = _square(xp, a, c)
        return _value_of(xp, a, c, w), _derivative_of(xp, r, a, c, unit, w)

    def second_derivative(self, xp: Namespace, r: Array) -> Array:
        """2 c^2 (c^2 - 3 r^2) / (r^2 + c^2)^3."""
        a, c, unit = self._in_units(xp, r)
        w = _square(xp, a, c)
        # 1 - 3 (r/c)^2 = 3 (z - r) (z + r) / c^2 with z = c / sqrt(3), near which
        # the difference of squares would have no digit left.
        b, larger = at_most(xp, a, c), at_least(xp, a, c)
        gap = -excess(xp, b, over_root(c, 3)) / c
        inner = 3.0 * gap * (b / c + math.sqrt(1.0 / 3.0)) / (c * c) * unit * (2.0 * unit)
        outer = (w - 3.0) * (w * unit / larger * (2.0 * unit) / larger)
        cube = 1.0 + w * (3.0 + w * (3.0 + w))
        return select(xp, a < c, inner, outer) / cube

    def _in_units(self, xp: Namespace, r: Array) -> tuple[Array, float, float]:
        """Return |r| and c times a power of two that makes c about 1, and that power.

        Neither loses a digit, and no square of c vanishes or overflows.
        """
        _, exponent = math.frexp(self.c)
        unit = 2.0 ** -min(max(exponent, -_LARGEST_EXPONENT), _LARGEST_EXPONENT)
        return xp.abs(r) * unit, self.c * unit, unit

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


def _square(xp: Namespace, a: Array, c: float) -> Array:
    """Return (a/c)^2 for a below c and (c/a)^2 elsewhere, with c^2 rounded once."""
    larger = at_least(xp, a, c)
    return select(xp, a < c, at_most(xp, a, c) / (c * c) * a, c * c / larger / larger)


def _value_of(xp: Namespace, a: Array, c: float, w: Array) -> Array:
    return select(xp, a < c, w, 1.0) / (1.0 + w)


def _derivative_of(xp: Namespace, r: Array, a: Array, c: float, unit: float, w: Array) -> Array:
    # The unit comes in before a quotient vanishes that the result does not.
    inner = at_most(xp, a, c) * (2.0 * unit) / (c * c)
    outer = w * (2.0 * unit) / at_least(xp, a, c)
    # (1 + w)^2 as a sum of powers: most of its rounding errors are then
    # those of a small part.
    return xp.sign(r) * (select(xp, a < c, inner, outer) / (1.0 + w * (2.0 + w)))
