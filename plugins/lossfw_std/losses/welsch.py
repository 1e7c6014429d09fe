"""The Welsch loss."""

from __future__ import annotations

import math

from pydantic import PositiveFloat

from lossfw import Array, Claims, Namespace
from lossfw.numerics import (
    apply_where,
    at_most,
    cache_constants,
    excess,
    over_root,
    with_float32_form,
)
from lossfw_std.parabolas import ConcaveInSquare

# Below this, 1 - exp(-u) is u in every float format, and the square of a residual
# may have lost digits in units of c that it has by itself.
_TINY = 2.0**-60

# Below this u, 1 - exp(-u) may have fewer digits in float64 than float32, and two terms of its
# series have more.
_FLAT = 2.0**-26

# Beyond this multiple of c the derivatives are 0 in every float format.
_FAR = 32.0

# h below is a multiple of 1/64: up to `_FAR` it has 11 bits, its square 22, and its product with
# a piece of 42 bits 53, so that float64 holds them exactly.
_STEPS = 64.0
_BITS = 42

# exp(-64) is taken out as a factor: multiplied by a large residual, a result
# may be an ordinary number although exp(-(r/c)^2) by itself is not.
_SHIFT = 64.0


class Welsch(ConcaveInSquare):
    """Welsch loss, c^2/2 (1 - exp(-(r/c)^2)).

    Use it when gross outliers are to have almost no pull, smoothly.

    Prediction and target of one shape, both real; one loss per element. Near 0
    it is r^2 / 2, far out c^2 / 2.

    Parameters
    ----------
    c : float
        Scale, in units of the target. The default is 95 % efficient for normal
        residuals of unit variance.

    Notes
    -----
    Not convex beyond c / sqrt(2), and so it elicits nothing by a formula.
    Source: Dennis and Welsch, *Techniques for nonlinear least squares and
    robust regression*, Communications in Statistics B7, 1978,
    doi:10.1080/03610917808812083.

    See Also
    --------
    tukey : like it, and flat from c on.

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

    def _plain_value(self, xp: Namespace, r: Array) -> Array:
        x = r / self.c
        u = x * x
        return self._plain_value_of(xp, r, u, xp.exp(-u))

    def _plain_value_and_derivative(self, xp: Namespace, r: Array) -> tuple[Array, Array]:
        a = xp.clip(r, -_FAR * self.c, _FAR * self.c)
        x = a / self.c
        u = x * x
        e = xp.exp(-u)
        return self._plain_value_of(xp, r, u, e), a * e

    def _plain_value_of(self, xp: Namespace, r: Array, u: Array, e: Array) -> Array:
        value = self.c * (0.5 * self.c * (1.0 - e))
        return apply_where(xp, value, u < _FLAT, _near_zero, r, u)

    @with_float32_form(_plain_value)
    def value(self, xp: Namespace, r: Array) -> Array:
        """The same by expm1; r^2 / 2 near 0."""
        x = r / self.c
        u = x * x
        value = self.c * (-0.5 * self.c * xp.expm1(-u))
        return apply_where(xp, value, u < _TINY, lambda xp, r: 0.5 * (r * r), r)

    def _plain_derivative(self, xp: Namespace, r: Array) -> Array:
        a = xp.clip(r, -_FAR * self.c, _FAR * self.c)
        x = a / self.c
        return a * xp.exp(-(x * x))

    @with_float32_form(_plain_derivative)
    def derivative(self, xp: Namespace, r: Array) -> Array:
        """r exp(-(r/c)^2)."""
        a = xp.clip(r, -_FAR * self.c, _FAR * self.c)
        return self._damped(xp, a, a)

    @with_float32_form(_plain_value_and_derivative)
    def value_and_derivative(self, xp: Namespace, r: Array) -> tuple[Array, Array]:
        return self.value(xp, r), self.derivative(xp, r)

    def _plain_second_derivative(self, xp: Namespace, r: Array) -> Array:
        a = at_most(xp, xp.abs(r), _FAR * self.c)
        return self._bend(xp, a) * xp.exp(-((a / self.c) ** 2.0))

    @with_float32_form(_plain_second_derivative)
    def second_derivative(self, xp: Namespace, r: Array) -> Array:
        """(1 - 2 (r/c)^2) exp(-(r/c)^2)."""
        a = at_most(xp, xp.abs(r), _FAR * self.c)
        return self._damped(xp, a, self._bend(xp, a))

    def _bend(self, xp: Namespace, a: Array) -> Array:
        # 1 - 2 (r/c)^2 = 2 (z - r) (z + r) / c^2 with z = c / sqrt(2), near which
        # the difference would have no digit left.
        gap = -excess(xp, a, over_root(self.c, 2)) / self.c
        return 2.0 * gap * (a / self.c + math.sqrt(0.5))

    def _damped(self, xp: Namespace, a: Array, factor: Array) -> Array:
        """Return factor exp(-(a/c)^2), for a up to 32 c, in float64.

        The rounding error of (a/c)^2 would be multiplied by (a/c)^2. With h the
        multiple of 1/64 nearest to a/c and d the distance to it, (a/c)^2 = h^2 +
        d (d + 2 h), in which h^2 is exact and the product is small.
        """
        usual = self._by_parts(xp, a, factor, 0.0)

        def far(xp: Namespace, a: Array, factor: Array) -> Array:
            # Whole units of exp(-64) are taken out.
            return self._by_parts(xp, a, factor, _SHIFT) * math.exp(-_SHIFT)

        return apply_where(xp, usual, xp.abs(a) > math.sqrt(_SHIFT) * self.c, far, a, factor)

    def _by_parts(self, xp: Namespace, a: Array, factor: Array, shift: float) -> Array:
        """Return factor exp(shift - (a/c)^2)."""
        h = xp.round(a / self.c * _STEPS) / _STEPS
        d = a
        for piece in _short_pieces(self.c):
            d = d - h * piece
        d = d / self.c
        square = h * h - shift
        small = d * (d + 2.0 * h)
        power = square + small
        error = (square - power) + small
        e = xp.exp(-power)
        return factor * (e - e * error)

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


def _near_zero(xp: Namespace, r: Array, u: Array) -> Array:
    """Return the first terms of c^2/2 (1 - exp(-u)) at u = (r/c)^2."""
    return 0.5 * (r * r) * (1.0 - 0.5 * u)


@cache_constants
def _short_pieces(c: float) -> tuple[float, ...]:
    """Return floats of 42 bits each whose sum is c."""
    found = []
    while c:
        mantissa, exponent = math.frexp(c)
        piece = math.ldexp(math.trunc(mantissa * 2**_BITS), exponent - _BITS)
        found.append(piece)
        c -= piece
    return tuple(found)
