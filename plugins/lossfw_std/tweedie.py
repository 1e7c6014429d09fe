"""The deviance between two positive numbers for any power of the mean.

With p the power, a = 1 - p, b = 2 - p and d = log(y / t), half the deviance is
t^b g(d), where g is the integral of exp(a v) (exp(v) - 1) from 0 to d, or ::

    g(d) = exp(b d) / b - exp(a d) / a + 1 / (a b)

Seen from y instead of t, it is y^b h(-d), where h(d) is the integral over u from
0 to 1 of d exp(b d u) (exp(d (1 - u)) - 1). The base is whichever has the larger
power b: then all exponentials fall, and the result overflows only where the
deviance does. Near the target the closed form cancels, and the integral, of
which no part does, is taken by Gauss's rule.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import NamedTuple

from lossfw import Array, Namespace
from lossfw.numerics import (
    DoubleDouble,
    exp_words,
    expm1_words,
    log_distance_words,
    times,
    two_diff,
    two_prod,
)
from lossfw_std.powers import scaled

# Up to this distance of logarithms, 16 to 1, the integral is taken by a sum, as
# long as no exponential falls by more than 10 in its exponent; beyond, the
# closed form loses at most a bit or two.
_NEAR = 2.77
_NEAR_EXPONENT = 10.0

# Below this a or b is so small that 1 / (a b) cancels far from the target too.
_SMALL = Fraction(9, 25)

# Nodes and weights of Gauss and Legendre for [0, 1], found with 50 digits. The
# error of the 16 is below 1e-17 for exponents up to 10.
_GAUSS = (
    (0.005299532504175033, 0.013576229705877048),
    (0.02771248846338371, 0.031126761969323947),
    (0.06718439880608412, 0.04757925584124639),
    (0.12229779582249849, 0.06231448562776694),
    (0.19106187779867811, 0.07479799440828837),
    (0.2709916111713863, 0.08457825969750127),
    (0.35919822461037054, 0.09130170752246179),
    (0.4524937450811813, 0.09472530522753425),
    (0.5475062549188188, 0.09472530522753425),
    (0.6408017753896295, 0.09130170752246179),
    (0.7290083888286137, 0.08457825969750127),
    (0.8089381222013219, 0.07479799440828837),
    (0.8777022041775016, 0.06231448562776694),
    (0.9328156011939158, 0.04757925584124639),
    (0.9722875115366163, 0.031126761969323947),
    (0.994700467495825, 0.013576229705877048),
)


# An exponential with a larger exponent is all that counts in the closed form, and
# from 709.8 on it overflows, although the base's power may bring it back.
_LARGEST = 700.0


class Exponents(NamedTuple):
    """1 - power and 2 - power, neither of them 0."""

    a: Fraction
    b: Fraction


class Ratio(NamedTuple):
    """The logarithm of y / t, as seen from either side, and which side is the base."""

    d: DoubleDouble  # log(y / t)
    e: DoubleDouble  # log(t / y)
    from_y: Array  # whether y has the larger power b


def exponents(power: float) -> Exponents:
    """Return the exponents of a power without rounding."""
    return Exponents(1 - Fraction(power), 2 - Fraction(power))


def distance(xp: Namespace, z: Array, t: Array) -> DoubleDouble:
    """Return z - log(t), and z itself where t is 0."""
    positive = t > 0.0
    d = log_distance_words(xp, z, xp.where(positive, t, xp.ones_like(t)))
    # NaN is not positive and has to stay.
    return DoubleDouble(xp.where(t == 0.0, z, xp.where(positive, d.high, t)), d.low)


def ratio(d: DoubleDouble, k: Exponents) -> Ratio:
    """Return log(y / t) with the side from which to look at it."""
    from_y = d.high > 0.0 if k.b > 0 else d.high < 0.0
    return Ratio(d, -d, from_y)


def held(xp: Namespace, r: Ratio, k: Exponents) -> tuple[Ratio, Array]:
    """Return the ratio without overflow of its exponentials, and a factor of the half deviance.

    Seen from y the half grows like exp(e), seen from t like exp(-a e).
    """
    zero = xp.zeros_like(r.e.high)
    beyond_y = xp.clip(r.e.high - _LARGEST, 0.0, _LARGEST)
    rate = max(-float(k.a), 0.0)
    beyond_t = xp.clip(r.e.high - _LARGEST / rate, 0.0, _LARGEST / rate) if rate else zero
    e = DoubleDouble(r.e.high - xp.where(r.from_y, beyond_y, beyond_t), r.e.low)
    factor = xp.where(r.from_y, xp.exp(beyond_y), _exp(xp, -k.a, DoubleDouble(beyond_t, zero)))
    return Ratio(-e, e, r.from_y), factor


def half_deviance(xp: Namespace, r: Ratio, k: Exponents) -> DoubleDouble:
    """Return half the deviance over the base's power b, in two words."""
    size = xp.abs(r.d.high)
    limit = min(_NEAR, _NEAR_EXPONENT / max(abs(float(k.a)), abs(float(k.b))))
    close = size <= limit

    def near(d: DoubleDouble) -> DoubleDouble:
        zero = xp.zeros_like(d.high)
        return DoubleDouble(xp.where(close, d.high, zero), xp.where(close, d.low, zero))

    sum_t, sum_y = _sum_from_t(xp, near(r.d), k), _sum_from_y(xp, near(r.e), k)
    far_t, far_y = _far_from_t(xp, r.d, k), _far_from_y(xp, r.e, k)
    both = zip(sum_y, sum_t, far_y, far_t, strict=True)
    return DoubleDouble(
        *(
            xp.where(close, xp.where(r.from_y, a, b), xp.where(r.from_y, c, d))
            for a, b, c, d in both
        )
    )


def _exp(xp: Namespace, k: Fraction, d: DoubleDouble) -> Array:
    return exp_words(xp, scaled(xp, k, d))


def _expm1(xp: Namespace, k: Fraction, d: DoubleDouble) -> Array:
    return expm1_words(xp, scaled(xp, k, d))


def _sum_from_t(xp: Namespace, d: DoubleDouble, k: Exponents) -> DoubleDouble:
    a = float(k.a)
    total = _gauss(lambda u: xp.exp(a * d.high * u) * xp.expm1(d.high * u))
    # The derivative of g is exp(a d) (exp(d) - 1).
    high, low = two_prod(xp, d.high, total)
    return DoubleDouble(high, low + d.low * xp.exp(a * d.high) * xp.expm1(d.high))


def _sum_from_y(xp: Namespace, e: DoubleDouble, k: Exponents) -> DoubleDouble:
    b = float(k.b)
    total = _gauss(lambda u: xp.exp(b * e.high * u) * xp.expm1(e.high * (1.0 - u)))
    # The derivative of h is exp(d) (exp(a d) - 1) / a.
    a = float(k.a)
    high, low = two_prod(xp, e.high, total)
    return DoubleDouble(high, low + e.low * xp.exp(e.high) * xp.expm1(a * e.high) / a)


def _gauss(function: Callable[[float], Array]) -> Array:
    """Return the integral of a function from 0 to 1."""
    terms = [w * function(u) for u, w in _GAUSS]
    # In pairs, which halves the rounding errors of a running sum.
    while len(terms) > 1:
        terms = [terms[i] + terms[i + 1] for i in range(0, len(terms), 2)]
    return terms[0]


def _far_from_t(xp: Namespace, d: DoubleDouble, k: Exponents) -> DoubleDouble:
    a, b = float(k.a), float(k.b)
    if _nearly_a_limit(k):
        return _sum(xp, _expm1(xp, k.b, d) / b, -_expm1(xp, k.a, d) / a)
    return _sum(xp, _exp(xp, k.b, d) / b, -_exp(xp, k.a, d) / a, float(1 / (k.a * k.b)))


def _far_from_y(xp: Namespace, e: DoubleDouble, k: Exponents) -> DoubleDouble:
    a, b = float(k.a), float(k.b)
    if _nearly_a_limit(k):
        # exp(b e) - exp(e), which is exp(e) (exp(a e) - 1).
        product = times(xp, exp_words(xp, e), _expm1(xp, k.a, e))
        close = xp.abs(a * e.high) < 1.0
        rise = xp.where(close, product, _exp(xp, k.b, e) - exp_words(xp, e))
        return _sum(xp, rise / a, -_expm1(xp, k.b, e) / b)
    third = _exp(xp, k.b, e) * float(1 / (k.a * k.b))
    return _sum(xp, third, -exp_words(xp, e) / a, 1.0 / b)


def _sum(xp: Namespace, *terms: Array | float) -> DoubleDouble:
    """Return a sum with its rounding errors."""
    total: Array = terms[0]
    low: Array = xp.zeros_like(total)
    for term in terms[1:]:
        total, lost = two_diff(xp, total, -term)
        low = low + lost
    return DoubleDouble(total, low)


def _nearly_a_limit(k: Exponents) -> bool:
    """Tell whether the power is so near to 1 or 2 that 1 / (a b) would cancel."""
    return abs(k.a) < _SMALL or abs(k.b) < _SMALL
