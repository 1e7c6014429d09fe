"""Round exact numbers to floats, and measure errors of floats in ULPs.

::

    to_float(exact, dtype=np.float64) -> float array    correctly rounded
    ulp_error(computed, exact) -> float64 array         of a float array against the truth

A unit in the last place (ULP) is the distance of neighbouring floats at the exact value;
below the smallest normal number it is the smallest subnormal.
"""

from __future__ import annotations

import functools
import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lossfw.numerics.arrays import Array
from lossfw.numerics.exact.namespace import exact_modules

# A number of ULPs of more bits is returned as infinity.
_COUNTABLE_BITS = 1000

# Bits of the difference of a float and an exact number.
_BITS = 256


class _Format(NamedTuple):
    """A float format."""

    precision: int  # bits of the mantissa
    lowest: int  # the smallest subnormal is 2**lowest
    highest: int  # every float is below 2**highest


@functools.cache
def _format(dtype: np.dtype[Any]) -> _Format:
    info = np.finfo(dtype)
    return _Format(info.nmant + 1, int(info.minexp) - info.nmant, int(info.maxexp))


def to_float(exact: Array, dtype: Any = np.float64) -> NDArray[Any]:
    """Return exact numbers rounded to the nearest float of a dtype, ties to even.

    Examples
    --------
    >>> from lossfw.numerics.exact.namespace import exact_array
    >>> to_float(exact_array([0.1]) * 10)
    array([1.])
    """
    functions, _, arrays = exact_modules()
    balls = arrays.balls_of(exact)

    def nearest(ball: Any) -> float:
        # In place of a negative zero, 0.
        return math.nan if functions.is_nan(ball) else float(ball.mid()) or 0.0

    with np.errstate(all="ignore"):
        # `nearest` returns a float for an array of 0 dimensions.
        found = np.asarray(np.frompyfunc(nearest, 1, 1)(balls), np.float64)
        if np.dtype(dtype) == np.float64:
            return found
        # Rounded twice, a number beside the middle of two floats could be rounded to the wrong one.
        # One between two of float64 is the one with an odd last bit: no such middle is.
        side = np.asarray(np.frompyfunc(_side, 2, 1)(balls, found), np.float64)
        other = np.nextafter(found, np.copysign(np.inf, side))
        is_even = found.view(np.int64) % 2 == 0
        return np.asarray(np.where((side != 0) & is_even, other, found)).astype(dtype)


def _side(ball: Any, x: float) -> int:
    """Return on which side of a float an exact number is: 1 above, -1 below, 0 on none."""
    return bool(ball.mid() > x) - bool(ball.mid() < x)


def ulp_error(computed: NDArray[Any], exact: Array) -> NDArray[np.float64]:
    """Return the errors of computed floats in ULPs of their dtype.

    It is 0 if both are NaN, and for an infinity if the exact value is or rounds to the same
    infinity. It is infinite if only one is NaN, or the exact value is infinite and the computed
    one is not. A computed infinity for a smaller exact value counts as the first power of two
    that the dtype cannot hold.

    Examples
    --------
    >>> from lossfw.numerics.exact.namespace import exact_array
    >>> ulp_error(np.asarray([1.0, np.inf]), exact_array([1.0, 2.0**1023]))
    array([0.00000000e+00, 4.50359963e+15])
    """
    computed = np.asarray(computed)
    layout = _format(computed.dtype)
    functions, _, arrays = exact_modules()
    balls = arrays.balls_of(exact)
    # An infinity is right where the nearest float is one.
    is_met = np.isinf(computed) & (to_float(exact, computed.dtype) == computed)
    with np.errstate(all="ignore"), functions.precision(_BITS):
        found = np.frompyfunc(lambda c, x: _ulps(c, x, layout), 2, 1)(
            arrays.balls_of(computed), balls
        )
        return np.where(is_met, 0.0, np.asarray(found, np.float64))


def _ulps(computed: Any, truth: Any, layout: _Format) -> float:
    functions, numbers, _ = exact_modules()
    if computed == truth or (functions.is_nan(computed) and functions.is_nan(truth)):
        return 0.0
    if not truth.is_finite() or functions.is_nan(computed):
        return math.inf
    power_of_two = type(truth)
    if not computed.is_finite():
        computed = (1 if computed > 0 else -1) * power_of_two((1, layout.highest))
    truth, unit = truth.mid(), layout.lowest
    if not truth.is_zero():
        unit = max(numbers.exponent(truth) - layout.precision, unit)
    gap = abs(computed - truth) / power_of_two((1, unit))
    return math.inf if gap > power_of_two((1, _COUNTABLE_BITS)) else float(gap)
