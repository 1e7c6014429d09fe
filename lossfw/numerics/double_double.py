"""DoubleDouble: numbers as unevaluated sums of two floats, as arguments of exponentials.

exp turns an absolute error into a relative one. At exp(-700), half a unit in the last place
of the argument is 350 units in the result. So a computed argument is kept as two words: the
float nearest to it, and the rest.
"""

from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple

import numpy as np

from lossfw.numerics.arrays import Array, Namespace
from lossfw.numerics.error_free import two_diff, two_prod

# exp(x) is subnormal below -708 in float64 and below -87 in float32. Somewhat above it is
# computed as exp(x + 61) (1 + excess) 2^-88, whose last factor is exact: 61 is nearly
# log(2^88), and 1 + excess is 2^88 / exp(61).
_DEEP, _DEEP_FLOAT32 = -700.0, -80.0
_DEPTH = 61.0
_UNIT = 2.0**-88
_EXCESS = -0.0030434699517116258

# Beyond this exp(-x) is 0 in every float format, whatever it is multiplied with
# in a function of x. Finite bounds keep infinity out of differences.
FAR_EXPONENT = 800.0


class DoubleDouble(NamedTuple):
    """A number, high + low; `low` is at most half a unit in the last place of `high`."""

    high: Array
    low: Array

    def __neg__(self) -> DoubleDouble:
        return DoubleDouble(-self.high, -self.low)


def words_of(xp: Namespace, x: Fraction, like: Array) -> DoubleDouble:
    """Return a rational number as two words, in the shape and dtype of `like`.

    Examples
    --------
    >>> import numpy as np
    >>> words_of(np, Fraction(1, 3), np.zeros(1))
    DoubleDouble(high=array([0.33333333]), low=array([1.85037171e-17]))
    """
    high = float(x)
    return DoubleDouble(xp.full_like(like, high), xp.full_like(like, float(x - Fraction(high))))


def multiply_words(xp: Namespace, a: DoubleDouble, b: DoubleDouble) -> DoubleDouble:
    """Return the product, right to about twice the digits of a float.

    The factors may not be near the ends of the exponents.

    Examples
    --------
    >>> import numpy as np
    >>> third = words_of(np, Fraction(1, 3), np.zeros(1))
    >>> add_words(np, multiply_words(np, third, third), third).high
    array([0.44444444])
    """
    high, low = two_prod(xp, a.high, b.high)
    return normalised(high, low + (a.high * b.low + a.low * b.high))


def add_words(xp: Namespace, a: DoubleDouble, b: DoubleDouble) -> DoubleDouble:
    """Return the sum of two numbers of one sign, right to about twice the digits of a float."""
    high, low = two_diff(xp, a.high, -b.high)
    return normalised(high, low + (a.low + b.low))


def normalised(high: Array, low: Array) -> DoubleDouble:
    """Return the same sum with `high` nearest to it, for a `low` that is smaller."""
    total = high + low
    return DoubleDouble(total, low - (total - high))


class ScaledExp(NamedTuple):
    """An exponential, scaled * unit; of the two, `scaled` is never subnormal."""

    scaled: Array
    unit: Array | float


def scaled_exp(xp: Namespace, high: Array, low: Array | float = 0.0) -> ScaledExp:
    """Return exp(high + low) as two factors, for arguments of at most 0.

    A subnormal exponential has lost most of its digits, and a product with it may be a
    normal number. So multiply by the factor `scaled` first, and by `unit` last.

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
    float32 = xp.float32 != xp.float64 and high.dtype == xp.float32
    deep = high < (_DEEP_FLOAT32 if float32 else _DEEP)
    if xp is np and not deep.any():
        # The usual case, with the same bits: then both factors below are 1.
        e = np.exp(high)
        return ScaledExp(e if isinstance(low, float) and not low else e + e * low, 1.0)
    # This sum is exact, since its absolute value is smaller.
    e = xp.exp(xp.where(deep, high + _DEPTH, high))
    one = xp.ones_like(e)
    excess = xp.where(deep, _EXCESS * one, 0 * one)
    # exp(low) is 1 + low to the last digit.
    return ScaledExp(e + e * (excess + (1 + excess) * low), xp.where(deep, _UNIT * one, one))
