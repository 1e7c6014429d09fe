"""The forms of half the deviance of Tweedie's distributions, each right where it is taken.

With p the power, a = 1 - p, b = 2 - p, r = t - y and e = log(t / y), half the deviance is near the
target one of ::

    r^2 (t y)^k S(e)                  for p < 0 or p >= 4, k = -p / 2
    r^2 / (t + y) (t y)^k / y S(e)    for other p, k = b / 2
    r^2 / (t + y) y^a S(e)            for other p, where this is flat enough

S is smooth, so that a polynomial has all its digits, and so flat that nothing cancels in it.
Far from the target half the deviance is ((t^b - y^b) / b - r y^a) / a. Between the powers 1 and 2
that cancels, and it is y^a max(t, y) times ::

    (1 - exp(-n x)) / n - exp(-n x) (1 - exp(-m x)) / m          for x = abs(e)

n and m are -a and b for a target above the mean, and b and -a for one below it.

For the power 3/2 it is 2 (sqrt(y) - sqrt(t))^2 / sqrt(y), half of the work.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

from lossfw import Array, Namespace
from lossfw.numerics import (
    Words,
    cache_constants,
    difference_error,
    high_precision,
    polynomial,
    select,
    step_of,
    two_prod,
)

# The power whose deviance is one of roots.
THREE_HALVES = 1.5

# Logarithms up to which no product of powers leaves the range of floats; of roots, none.
REACH, REACH_OF_ROOTS = 600.0, 450.0

# Up to this distance of logarithms, or of an exponential's exponent, the target is near: the far
# forms lose at most a bit beyond it, and a polynomial through so many points has an error below
# 3e-17. An even number of Chebyshev's has none at 0, where S is a quotient of zeros.
_NEAR, _NEAR_EXPONENT, _POINTS = 2.5, 6.0, 28

# Nearer to 2 than this, a power cancels in t^b - y^b.
_NEARLY_TWO = 0.36

# For float32, in float64: powers for which every y^b is a float, and their distance from the
# limits 1 and 2 that leaves digits enough to a difference of powers; the start of a series.
_LEAST_POWER, _LARGEST_POWER, _FROM_LIMITS, _NEAR_MEAN = -3.0, 5.0, 2.0**-6, 2.0**-8


class Power(NamedTuple):
    """What is known of a power.

    Attributes
    ----------
    a, b : Fraction
        1 - p and 2 - p, which are floats for powers above 0.
    near : float
        Up to this distance of logarithms the target is near.
    even : bool
        The near form is the first one.
    k : float
    s : tuple of float
        The polynomial that is S.
    """

    a: Fraction
    b: Fraction
    near: float
    even: bool
    k: float
    s: tuple[float, ...]


@cache_constants
def power_of(power: float) -> Power:
    """Return what is known of a power."""
    a, b = 1 - Fraction(power), 2 - Fraction(power)
    near = min(_NEAR, _NEAR_EXPONENT / max(abs(a), abs(b)))
    even = not 0.0 < power < 4.0
    k = -0.5 * power if even else 0.5 * min(2.0 - power, 0.0)
    # Where S has few digits less at one end than at the other, it needs no factor.
    k = k if even or abs(k) * near > 0.75 else 0.0
    return Power(a, b, near, even, k, _smooth_polynomial(b, Fraction(k), near, even))


def _smooth_polynomial(b: Fraction, k: Fraction, near: float, even: bool) -> tuple[float, ...]:
    """Return the polynomial that is S at Chebyshev's points, by Newton's differences."""
    with high_precision():
        d, g = (Decimal(x.numerator) / Decimal(x.denominator) for x in (b, k))

        def smooth(e: Decimal) -> Decimal:
            x = e.exp() - 1
            half = ((d * e).exp() - 1 - d * x) / ((d - 1) * d)
            return half * (1 if even else x + 2) / (x * x * (g * e).exp())

        nodes = [Decimal(near * math.cos(math.pi * (n + 0.5) / _POINTS)) for n in range(_POINTS)]
        differences = [smooth(e) for e in nodes]
        for n in range(1, _POINTS):
            for i in range(_POINTS - 1, n - 1, -1):
                rise = differences[i] - differences[i - 1]
                differences[i] = rise / (nodes[i] - nodes[i - n])
        found: list[Decimal] = []
        for node, difference in zip(reversed(nodes), reversed(differences), strict=True):
            # Times e - node, plus the difference.
            shifted = zip([difference, *found], [*found, Decimal(0)], strict=True)
            found = [s - node * f for s, f in shifted]
        return tuple(map(float, found))


@cache_constants
def usual_means(power: float) -> tuple[float, float]:
    """Return the smallest and the largest mean of the forms for ordinary floats."""
    reach = min(230.0, REACH / (2.0 + abs(power)))
    if power == THREE_HALVES:
        reach = REACH_OF_ROOTS
    elif abs(2.0 - power) < _NEARLY_TWO:
        reach = min(reach, 60.0)
    return math.exp(-reach), math.exp(reach)


def positive_target(xp: Namespace, t: Array, power: float) -> Array:
    """Return the target where its power counts: below 0 it is 0."""
    return xp.where(t < 0.0, xp.zeros_like(t), t) if power < 0 else t


def to_power(xp: Namespace, x: Array, k: Fraction) -> Array:
    """Return x^k with the digits of k, which is a float except for a power below 0."""
    if isinstance(x, Words):
        return x**k
    whole, rest = x ** float(k), float(k - Fraction(float(k)))
    return whole + whole * (rest * xp.log(xp.where(x > 0.0, x, xp.ones_like(x)))) if rest else whole


def half_deviance(
    xp: Namespace, y: Array, t: Array, p: Power, of_mean: Callable[[Fraction], Array]
) -> Array:
    """Return half the deviance, by a function that raises y to a power."""
    positive, power = positive_target(xp, t, float(1 - p.a)), of_mean(p.a)
    e, r, total = _log_ratio(xp, y, positive, p), t - y, t + y
    share = r if p.even else r / total
    # The rounding errors of difference and sum, of which the first counts twice.
    lost = 2.0 * difference_error(t, y, r)
    lost = lost if p.even else lost - share * difference_error(t, -y, total)
    factor = share * _smooth(xp, e, p.s)
    if p.a < 0 < p.b:
        near = factor * r + factor * lost
        return power * select(xp, xp.abs(e) < p.near, near, _far_between(xp, y, t, e, p))
    if p.k:
        product, low = two_prod(xp, y, positive)
        scale = product**p.k if p.even else product**p.k / y
        lost = lost + p.k * r * (low / product)
    factor = factor * (scale if p.k else power)
    near, rest = two_prod(xp, factor, r)
    near = near + (rest + factor * lost)
    return select(xp, xp.abs(e) < p.near, near, _far(xp, y, t, e, p, of_mean))


def _log_ratio(xp: Namespace, y: Array, t: Array, p: Power) -> Array:
    """Return log(t / y)."""
    ratio = t / y
    e = xp.log(ratio)
    if abs(p.k) < 1.0:
        return e
    # S grows so fast that it shows the rounding error of the quotient.
    product, low = two_prod(xp, ratio, y)
    return e + xp.where(t > 0.0, ((t - product) - low) / t, xp.zeros_like(t))


def _far_between(xp: Namespace, y: Array, t: Array, e: Array, p: Power) -> Array:
    """Return half the deviance over y^a, far from the target, for a power between 1 and 2."""
    a, b, size = float(p.a), float(p.b), xp.abs(e)
    # -a for a target above the mean and b for one below it; no part of this is rounded.
    first = (-a - b) * step_of(xp, e) + b
    second = 1.0 - first
    own = first * size
    falling = xp.exp(-own) * (xp.expm1(-second * size) / second)
    return xp.maximum(y, t) * (falling - xp.expm1(-own) / first)


def _far(
    xp: Namespace, y: Array, t: Array, e: Array, p: Power, of_mean: Callable[[Fraction], Array]
) -> Array:
    """Return half the deviance far from the target, for a power below 0 or above 2."""
    a, b, r, power = float(p.a), float(p.b), t - y, of_mean(p.a)
    if abs(b) < _NEARLY_TWO:
        return power * y * ((xp.expm1(b * e) / b - r / y) / a)
    own, of_target = of_mean(p.b), to_power(xp, positive_target(xp, t, 2.0 - b), p.b)
    far = ((of_target - own) - b * (r * power)) / float(p.a * p.b)
    if b < 0.0:
        return far
    # For a small target nearly all of it is the mean's power, from which little is taken.
    below = own * (1.0 / b - t / y / a) + of_target / float(p.a * p.b)
    return select(xp, e > -1.5, far, below)


def _smooth(xp: Namespace, e: Array, s: tuple[float, ...]) -> Array:
    """Return S(e), which has no more digits than its coefficients."""
    return Words.of(polynomial(e.to_float(), s)) if isinstance(e, Words) else polynomial(e, s)


def by_roots(xp: Namespace, y: Array, t: Array) -> Array:
    """Return 4 (y - t)^2 / sqrt(y) / (sqrt(y) + sqrt(t))^2.

    The rounding errors of the sums and of the difference, which counts twice, are taken along.
    """
    root, r, total = xp.sqrt(y), y - t, y + t
    share, cross = r / root, 2.0 * (root * xp.sqrt(t))
    square = total + cross
    lost = difference_error(y, -t, total) + difference_error(total, -cross, square)
    part = r / square
    part = part + (2.0 * difference_error(y, t, r) - part * lost) / square
    return 4.0 * (share * part)


def is_quick(power: float) -> bool:
    """Tell whether `quick_half` has enough digits for float32."""
    usual = _LEAST_POWER <= power <= _LARGEST_POWER
    return usual and min(abs(1.0 - power), abs(2.0 - power)) > _FROM_LIMITS


def quick_half(xp: Namespace, x: Array, of_mean: Array, of_target: Array, power: float) -> Array:
    """Return half the deviance from x = t / y - 1, y^b and t^b."""
    a, b = 1.0 - power, 2.0 - power
    series = (1 / 2, (b - 2) / 6, (b - 2) * (b - 3) / 24, (b - 2) * (b - 3) * (b - 4) / 120)
    near = x * x * of_mean * polynomial(x, series)
    far = (of_target - (of_mean + b * x * of_mean)) / (a * b)
    return select(xp, xp.abs(x) < _NEAR_MEAN, near, far)
