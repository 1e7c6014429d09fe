"""Words: numbers as unevaluated sums of two floats, for what goes into an exponential.

exp makes a relative error of an absolute one. At exp(-700), half a unit in the
last place of the argument is 350 units in the result. So an argument that is
itself computed is kept as two words: the float nearest to it, and the rest.

The products of rounding errors are those of Dekker, *A floating-point technique
for extending the available precision*, Numerische Mathematik 18, 1971. They
hold for float64; decorate what uses them with `in_double`.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import NamedTuple

from lossfw.numbers.arrays import Array, Namespace

# Splits the 53 bits of a float64 into two halves.
_SPLITTER = 2.0**27 + 1

# exp(x) is subnormal below -708. Results are multiplied by this power of e last
# of all, so that they are rounded to a subnormal number once.
_DEPTH = 64.0
_UNIT = math.exp(-_DEPTH)


# Beyond this exp(-x) is 0 in every float format, whatever it is multiplied with
# in a function of x. Finite bounds keep infinity out of differences.
FAR = 800.0


class Words(NamedTuple):
    """A number, high + low; `low` is at most half a unit in the last place of `high`."""

    high: Array
    low: Array


def two_sum(a: Array, b: Array) -> Words:
    """Return a + b without any rounding error.

    Examples
    --------
    >>> two_sum(1.0, 1e-30)
    Words(high=1.0, low=1e-30)
    """
    total = a + b
    part = total - a
    return Words(total, (a - (total - part)) + (b - part))


def two_product(a: Array, b: Array) -> Words:
    """Return a b without any rounding error, for factors below 1e290 in float64.

    Examples
    --------
    >>> two_product(1.0 + 2.0**-30, 1.0 + 2.0**-30)
    Words(high=1.0000000018626451, low=8.673617379884035e-19)
    """
    product = a * b
    a_high, a_low = _halves(a)
    b_high, b_low = _halves(b)
    low = ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low
    return Words(product, low)


def _halves(a: Array) -> Words:
    scaled = _SPLITTER * a
    high = scaled - (scaled - a)
    return Words(high, a - high)


def words_of(x: Fraction) -> Words:
    """Return a rational number as two floats.

    Examples
    --------
    >>> words_of(Fraction(1, 3))
    Words(high=0.3333333333333333, low=1.850371707708594e-17)
    """
    high = float(x)
    return Words(high, float(x - Fraction(high)))


def multiply(a: Words, b: Words) -> Words:
    """Return the product of two numbers of two words, right to about 100 bits."""
    high, low = two_product(a.high, b.high)
    return _normalised(high, low + (a.high * b.low + a.low * b.high))


def add(a: Words, b: Words) -> Words:
    """Return the sum of two numbers of two words, of one sign, right to about 100 bits."""
    high, low = two_sum(a.high, b.high)
    return _normalised(high, low + (a.low + b.low))


def _normalised(high: Array, low: Array) -> Words:
    """Return the same sum with `high` nearest to it, for a `low` that is small already."""
    total = high + low
    return Words(total, low - (total - high))


class ScaledExp(NamedTuple):
    """An exponential, scaled * unit; of the two, `scaled` is never subnormal."""

    scaled: Array
    unit: Array


def scaled_exp(xp: Namespace, high: Array, low: Array | float = 0.0) -> ScaledExp:
    """Return exp(high + low) as two factors, for arguments of at most 0.

    What an exponential is multiplied with may lift a subnormal number, which
    has lost most of its digits, to one that should have them all. So multiply
    by the factor `scaled` first, and by `unit` last.

    Parameters
    ----------
    xp : namespace
    high, low : array
        The two words of the argument, finite and at most 0.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.asarray([-743.0])
    >>> scaled, unit = scaled_exp(np, x)
    >>> np.exp(x) * 1e10, (scaled * 1e10) * unit
    (array([1.97626258e-313]), array([2.08545079e-313]))
    """
    deep = high < -_DEPTH
    # This sum is exact, since it makes the argument smaller.
    e = xp.exp(xp.where(deep, high + _DEPTH, high))
    one = xp.ones_like(e)
    return ScaledExp(e + e * low, xp.where(deep, _UNIT * one, one))
