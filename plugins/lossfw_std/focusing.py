"""The focal loss of one class, -(1 - s)^gamma log s, and its derivatives.

The functions come in two forms: of the probability s of the class, and of its
logit z, s = sigmoid(z). Each is multiplied with the class's share of the target
first, which may bring back an overflow or lift a subnormal number.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from fractions import Fraction
from typing import NamedTuple

import numpy as np

from lossfw import Array, Namespace
from lossfw.numerics import (
    FAR_EXPONENT,
    Words,
    extended_range,
    multiply_or_zero,
    positive_part,
    quotient,
    scaled_exp,
    step_of,
    two_diff,
    two_prod,
)

# More than any -log s that still counts: s is 0 before it is reached.
_MORE_THAN_ANY_LOG = 1e3

# A logit as good as infinite.
_INFINITE = 1e38

# A smaller power may have lost digits that its factor would need.
_LEAST_POWER = 1e-290

# A larger power of two times a probability could overflow.
_LARGEST_POWER = 2.0**1000

# The exponential of minus this is 0.
_LARGEST_EXPONENT = 2.0**16

# Beyond this logit, and nearer to 0 or 1 than this, no derivative has its extreme.
_REACH, _MARGIN = 60.0, 1e-9

# How an extreme is narrowed down: points in each round, and rounds.
_POINTS, _ROUNDS = 401, 12


class Chance(NamedTuple):
    """The probability of a class."""

    share: Array | float  # of the target
    s: Array
    rest: Array  # 1 - s
    slip: Array | float  # the relative rounding error of the rest, which is to be added
    log: Array  # of s


def of_one(xp: Namespace, y: Array, t: Array | float) -> Chance:
    """Return the class with probability y and share t."""
    rest = 1.0 - y
    # Without rounding, because y is at most 1 (Dekker); and 0 for a rest below 1/2.
    lost = (1.0 - rest) - y
    return Chance(t, y, rest, lost / xp.clip(rest, 0.5, 1.0), xp.log(y))


def of_other(xp: Namespace, y: Array, t: Array) -> Chance:
    """Return the other class, whose rest is y, known without rounding."""
    return Chance(1.0 - t, 1.0 - y, y, 0.0, xp.log1p(-y))


def value(xp: Namespace, c: Chance, gamma: float) -> Array:
    """Return the share times -(1 - s)^gamma log s."""
    return _focused(xp, multiply_or_zero(xp, c.share, -c.log), c, Fraction(gamma))


def slope(xp: Namespace, c: Chance, gamma: float, unit: float = 1.0) -> Array:
    """Return the share times -(1 - s)^gamma (gamma q + 1) / s, for q see `entropy_share`.

    It is over `unit`, a power of two: a quotient that overflows may have a small weight.
    """
    steep = gamma * entropy_share(xp, c.s, c.rest, -c.log) + 1.0
    s = c.s if unit == 1.0 else unit * c.s
    return -_focused(xp, quotient(xp, c.share * steep, s), c, Fraction(gamma))


def over_power_of_two(weight: float) -> tuple[float, float]:
    """Return a weight from 0 to 1 as a number below 2 over a power of two, from 1 on."""
    power = min(math.ldexp(1.0, 1 - math.frexp(weight or 1.0)[1]), _LARGEST_POWER)
    return weight * power, power


def bend(xp: Namespace, c: Chance, gamma: float, weight: float = 1.0) -> Array:
    """Return the weight times the share times the second derivative.

    It is (1 - s)^(gamma - 1) (gamma (gamma - 1) q + 2 gamma + (1 - s) / s) / s. The
    weight comes before the last division, which may overflow without it; and after
    the first, since a share may be subnormal.
    """
    if gamma == 0:
        return quotient(xp, multiply_or_zero(xp, weight, quotient(xp, c.share, c.s)), c.s)
    share = entropy_share(xp, c.s, c.rest, -c.log)
    inner = gamma * (gamma - 1.0) * share + 2.0 * gamma
    last = quotient(xp, c.share * c.rest, c.s)
    shared = quotient(xp, multiply_or_zero(xp, weight, c.share * inner + last), c.s)
    return _focused(xp, shared, c, Fraction(gamma) - 1)


def _focused(xp: Namespace, factor: Array, c: Chance, k: Fraction) -> Array:
    """Return a factor times (1 - s)^k."""
    return _times_power(k, xp, factor, multiply_or_zero(xp, factor, float(k) * c.slip), c.rest)


def _has_extreme_power(k: Fraction, xp: Namespace, factor: Array, low: Array, x: Array) -> Array:
    return x < _LEAST_POWER ** (1.0 / max(abs(float(k)), 1.0))


@extended_range(_has_extreme_power)
def _times_power(k: Fraction, xp: Namespace, factor: Array, low: Array, x: Array) -> Array:
    """Return factor + low times x^k, for x from 0 to 1; 0 where the factor is 0."""
    if isinstance(x, Words):
        return multiply_or_zero(xp, factor + low, x**k)
    high, rest = float(k), float(k - Fraction(float(k)))
    if rest:
        # Rounding the exponent would cost the power its last digits.
        low = low + factor * (rest * xp.log(x))
    # An infinite number has no rest, but inf - inf.
    return (factor + xp.where(xp.isfinite(factor), low, xp.zeros_like(low))) * x**high


def entropy_share(xp: Namespace, s: Array, rest: Array, minus_log: Array) -> Array:
    """Return q = -s log s / (1 - s): 0 at s = 0 and 1 at s = 1."""
    sure, one = rest == 0, xp.ones_like(s)
    return xp.where(sure, one, multiply_or_zero(xp, s, minus_log) / xp.where(sure, one, rest))


class Odds(NamedTuple):
    """The logit of a class, taken apart.

    With e = exp(-abs(z)) and l = log(1 + e), s is `up` and 1 - s is `down`, each
    over 1 + e, and -log s is `minus_log`.
    """

    share: Array
    up: Array
    down: Array
    minus_log: Array
    fall: Array  # exp(-gamma max(z, 0)), without `low`
    low: Array  # the rounding error of gamma max(z, 0)
    base: Array  # 1 + e, without `lost`
    lost: Array
    z: Array


def plain_value(xp: Namespace, share: Array | float, y: Array, log: Array, gamma: float) -> Array:
    """Return the value of a class from 1 - s and log s, in float64 that was float32."""
    return -multiply_or_zero(xp, multiply_or_zero(xp, share, y**gamma), log)


def plain_slope(
    xp: Namespace, share: Array | float, y: Array, log: Array, s: Array, gamma: float
) -> Array:
    """Return the slope by s from 1 - s, log s and s, in float64 that was float32."""
    steep = multiply_or_zero(xp, gamma * y ** (gamma - 1.0), log) if gamma else 0.0 * y
    return multiply_or_zero(xp, share, steep - y**gamma / s)


def plain_value_of_odds(xp: Namespace, o: Odds, gamma: float) -> Array:
    """Return `value_of_odds` in float64 that was float32."""
    return multiply_or_zero(xp, o.fall / o.base**gamma, multiply_or_zero(xp, o.share, o.minus_log))


def plain_slope_of_odds(xp: Namespace, o: Odds, gamma: float) -> Array:
    """Return `slope_of_odds` in float64 that was float32."""
    inner = o.down + gamma * multiply_or_zero(xp, o.up, o.minus_log)
    return -o.share * (inner * (o.fall / o.base ** (gamma + 1.0)))


def odds(
    xp: Namespace, share: Array, z: Array, gamma: float, *, plain: bool = False
) -> tuple[Odds, Odds]:
    """Take the logit of a class apart, and that of the other class, which is -z.

    Plainly it is without rounding errors, which float32 would not show. Both classes have
    the same exponentials.
    """
    size = xp.abs(z)
    e = xp.exp(-size)
    one = xp.ones_like(e)
    zero = 0.0 * one
    base, lost = (1.0 + e, zero) if plain else two_diff(xp, one, -e)
    # Bounded, because 0 times infinity is NaN.
    bounded = xp.clip(size, 0.0, _INFINITE)
    high, low = (gamma * bounded, zero) if plain else _exponent(xp, gamma, bounded)
    fall, log = xp.exp(-high), xp.log1p(e)
    # The larger of 0 or 1 and a number between them.
    above = step_of(xp, z)
    below = 1.0 - above
    own = Odds(
        share=share,
        up=xp.maximum(e, above),
        down=xp.maximum(e, below),
        minus_log=log + positive_part(xp, -z),
        fall=xp.maximum(fall, below),
        low=low if plain else low * above,
        base=base,
        lost=lost,
        z=z,
    )
    return own, own._replace(
        share=1.0 - share,
        up=own.down,
        down=own.up,
        minus_log=log + positive_part(xp, z),
        fall=xp.maximum(fall, above),
        low=low if plain else low * below,
        z=-z,
    )


def _exponent(xp: Namespace, gamma: float, x: Array) -> tuple[Array, Array]:
    """Return gamma x and its rounding error, which exp would multiply by x."""
    whole, zero = gamma * x, xp.zeros_like(x)
    if gamma == 0.0 or abs(math.frexp(gamma)[0]) == 0.5:
        # A power of two: the product has no rounding error.
        return whole, zero
    # Beyond it the exponential is 0, whatever the digits.
    usual = whole < _LARGEST_EXPONENT
    _, low = two_prod(xp, xp.where(usual, x, zero), xp.full_like(x, gamma))
    return whole, low


def value_of_odds(xp: Namespace, o: Odds, gamma: float) -> Array:
    """Return the share times -(1 - s)^gamma log s."""
    product = multiply_or_zero(xp, o.share, o.minus_log)
    rest = -_slip(o, gamma) * xp.where(xp.isfinite(product), product, xp.zeros_like(product))
    return multiply_or_zero(xp, o.fall / o.base**gamma, product + rest)


def slope_of_odds(xp: Namespace, o: Odds, gamma: float) -> Array:
    """Return the share times -(1 - s)^gamma (1 - s - gamma s log s)."""
    second = gamma * multiply_or_zero(xp, o.up, o.minus_log)
    inner = o.down + (second - _slip(o, gamma + 1.0) * (o.down + second))
    return -o.share * (inner * (o.fall / o.base ** (gamma + 1.0)))


def bend_of_odds(xp: Namespace, o: Odds, gamma: float) -> Array:
    """Return the share times the second derivative by the logit.

    It is (1 - s)^gamma s ((1 + 2 gamma) (1 - s) + gamma log s (1 - s - gamma s)).
    """
    bounded = xp.minimum(o.minus_log, xp.full_like(o.minus_log, _MORE_THAN_ANY_LOG))
    first, second = (1.0 + 2.0 * gamma) * o.down, gamma * bounded
    inner = first - second * (o.down - gamma * o.up)
    inner = inner - _slip(o, gamma + 2.0) * inner
    # s may be subnormal before it is multiplied.
    up, unit = scaled_exp(xp, xp.clip(o.z, -FAR_EXPONENT, 0.0))
    return o.share * (inner * up * (o.fall / o.base ** (gamma + 2.0))) * unit


def _slip(o: Odds, k: float) -> Array:
    """Return the relative error of fall / base^k, which is to be taken off."""
    return o.low + k * (o.lost / o.base)


class Extremes(NamedTuple):
    """The steepest slope and the sharpest bend by the logit, and the least bend by s."""

    slope: float
    bend: float
    least_bend: float


@functools.cache
def extremes(gamma: float) -> Extremes:
    """Return the extremes of the derivatives over all s; two of them have no closed form.

    The slope by the logit is 1 at an infinite logit.
    """
    one = np.ones(_POINTS)

    def by_logit(part: Callable[..., Array]) -> Callable[[Array], Array]:
        return lambda z: np.abs(part(np, odds(np, one, z, gamma)[0], gamma))

    def by_chance(s: Array) -> Array:
        return -bend(np, of_one(np, s, one), gamma)

    return Extremes(
        slope=max(1.0, _largest(by_logit(slope_of_odds), -_REACH, _REACH)),
        bend=_largest(by_logit(bend_of_odds), -_REACH, _REACH),
        least_bend=-_largest(by_chance, _MARGIN, 1.0 - _MARGIN),
    )


def _largest(function: Callable[[Array], Array], low: float, high: float) -> float:
    """Return the largest value, by looking ever closer around the largest so far."""
    best = -np.inf
    for _ in range(_ROUNDS):
        x = np.linspace(low, high, _POINTS)
        values = function(x)
        at = int(np.argmax(values))
        best = max(best, float(values[at]))
        low, high = x[max(at - 1, 0)], x[min(at + 1, _POINTS - 1)]
    return best
