"""Tweedie's deviance in float64 that was float32: few operations, enough digits.

With a = 1 - p, b = 2 - p and e = log(t / y), half the deviance is y^b h(e) with ::

    h(e) = (expm1(b e) / b - expm1(e)) / a

whose series in powers of e begins with e^2 / 2 and has no term that cancels. Of y and t
themselves it is (t^b - y^b - b (t - y) y^a) / (a b), which loses some 30 bits of 53 at most,
and the start of a series in (t - y) / y nearer to the target.
"""

from __future__ import annotations

import math

from lossfw import Array, Namespace
from lossfw.numerics import patched, polynomial, remembered, select
from lossfw_std.tweedie import Exponents

# Powers for which float64 holds every y^b of a float32 y.
_LEAST_POWER, _LARGEST_POWER = -3.0, 5.0

# Nearer to 1 than this, a power makes the closed form cancel.
_NEAR_LIMIT = 2.0**-10

# Nearer to 1 or 2 than this, a power leaves too few digits to the form of powers.
_QUICK = 2.0**-6

# Up to this part of the mean the target is near, and so many terms more have 32 bits.
_NEAR_MEAN, _NEAR_TERMS = 2.0**-8, 3

# Terms of the series, for b e and e up to 1: the next is below 2^-31 of the first.
_TERMS = 12


def is_plain(k: Exponents) -> bool:
    """Tell whether a power is one for which the functions here have digits enough."""
    power = 2.0 - float(k.b)
    usual = _LEAST_POWER <= power <= _LARGEST_POWER
    return usual and abs(float(k.a)) > _NEAR_LIMIT


def has_quick_form(k: Exponents) -> bool:
    """Tell whether a power is far enough from its limits for `half_of_mean`."""
    return is_plain(k) and min(abs(float(k.a)), abs(float(k.b))) > _QUICK


def half_of_mean(xp: Namespace, y: Array, t: Array, k: Exponents) -> Array:
    """Return half the deviance of means and targets."""
    b = float(k.b)
    x = (t - y) / y
    of_mean = y**b
    near = x * x * of_mean * polynomial(x, _near_coefficients(b))
    far = (t**b - (of_mean + b * x * of_mean)) / (float(k.a) * b)
    half = select(xp, xp.abs(x) < _NEAR_MEAN, near, far)

    def infinite(xp: Namespace, y: Array, t: Array) -> Array:
        # A mean without end leaves the target's power, if that has a bound.
        alone = t**b / (float(k.a) * b) if b < 0 else y
        return xp.where(xp.isinf(y), xp.where(xp.isinf(t), xp.nan * t, alone), t)

    return patched(xp, half, xp.isinf(y) | xp.isinf(t), infinite, y, t)


@remembered
def _near_coefficients(b: float) -> tuple[float, ...]:
    """Return the start of the series of half the deviance over y^b x^2, x = t / y - 1."""
    found = [0.5]
    for n in range(3, 3 + _NEAR_TERMS):
        found.append(found[-1] * (b - n + 1.0) / n)
    return tuple(found)


def half_over_power(xp: Namespace, e: Array, k: Exponents) -> Array:
    """Return h(e), half the deviance over y^b, for e = log(t / y); e may be -inf."""
    a, b = float(k.a), float(k.b)
    reach = 1.0 / max(1.0, abs(b))
    small = xp.clip(e, -reach, reach)
    near = small * small * polynomial(small, _coefficients(b))
    far = (xp.expm1(b * e) / b - xp.expm1(e)) / a
    return select(xp, xp.abs(e) < reach, near, far)


@remembered
def _coefficients(b: float) -> tuple[float, ...]:
    """Return (1 + b + ... + b^(n-2)) / n!, which is (b^(n-1) - 1) / (b - 1) / n!."""
    orders = range(2, 2 + _TERMS)
    return tuple(math.fsum(b**j for j in range(n - 1)) / math.factorial(n) for n in orders)
