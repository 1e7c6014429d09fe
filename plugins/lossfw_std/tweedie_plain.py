"""Tweedie's deviance in float64 that was float32: few operations, enough digits.

With a = 1 - p, b = 2 - p and e = log(t / y), half the deviance is y^b h(e) with ::

    h(e) = (expm1(b e) / b - expm1(e)) / a

whose series in powers of e begins with e^2 / 2 and has no term that cancels.
"""

from __future__ import annotations

import functools
import math

from lossfw import Array, Namespace
from lossfw.numerics import polynomial, select
from lossfw_std.tweedie import Exponents

# Powers for which float64 holds every y^b of a float32 y.
_LEAST_POWER, _LARGEST_POWER = -3.0, 5.0

# Nearer to 1 than this, a power makes the closed form cancel.
_NEAR_LIMIT = 2.0**-10

# Terms of the series, for b e and e up to 1: the next is below 2^-31 of the first.
_TERMS = 12


def is_plain(k: Exponents) -> bool:
    """Tell whether a power is one for which the functions here have digits enough."""
    power = 2.0 - float(k.b)
    usual = _LEAST_POWER <= power <= _LARGEST_POWER
    return usual and abs(float(k.a)) > _NEAR_LIMIT


def half_over_power(xp: Namespace, e: Array, k: Exponents) -> Array:
    """Return h(e), half the deviance over y^b, for e = log(t / y); e may be -inf."""
    a, b = float(k.a), float(k.b)
    reach = 1.0 / max(1.0, abs(b))
    small = xp.clip(e, -reach, reach)
    near = small * small * polynomial(small, _coefficients(b))
    far = (xp.expm1(b * e) / b - xp.expm1(e)) / a
    return select(xp, xp.abs(e) < reach, near, far)


@functools.lru_cache(maxsize=64)
def _coefficients(b: float) -> tuple[float, ...]:
    """Return (1 + b + ... + b^(n-2)) / n!, which is (b^(n-1) - 1) / (b - 1) / n!."""
    orders = range(2, 2 + _TERMS)
    return tuple(math.fsum(b**j for j in range(n - 1)) / math.factorial(n) for n in orders)
