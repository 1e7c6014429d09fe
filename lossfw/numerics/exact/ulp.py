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
from lossfw.numerics.exact.namespace import DIGITS, bits, exact_array, number_module

# A number of ULPs of more bits is returned as infinity.
_COUNTABLE_BITS = 1000


class _Format(NamedTuple):
    """A float format: bits of the mantissa, and the exponents of its ends."""

    precision: int
    lowest: int  # the smallest subnormal is 2**lowest
    highest: int  # every float is below 2**highest


@functools.cache
def _format(dtype: np.dtype[Any]) -> _Format:
    info = np.finfo(dtype)
    return _Format(info.nmant + 1, int(info.minexp) - info.nmant, int(info.maxexp))


def to_float(exact: Array, dtype: Any = np.float64) -> NDArray[Any]:
    """Return exact numbers rounded to the nearest float, ties to even.

    Parameters
    ----------
    exact : array of exact numbers
    dtype : dtype
        float16, float32 or float64.

    Examples
    --------
    >>> to_float(exact_array([0.1]) * 10)
    array([1.])
    """
    dtype = np.dtype(dtype)
    layout = _format(dtype)
    convert = np.frompyfunc(lambda x: _nearest(x._mpf_, layout), 1, 1)
    with np.errstate(all="ignore"):
        # `convert` returns a float for an array of 0 dimensions.
        return np.asarray(convert(exact), dtype=np.float64).astype(dtype)


def _nearest(x: Any, layout: _Format) -> float:
    sign, mantissa, exponent, _ = x
    if not mantissa:
        return float(number_module().libmp.to_float(x))
    unit = _unit(x, layout)
    if unit > layout.highest:
        return -math.inf if sign else math.inf
    shift = unit - exponent
    count = int(mantissa) << -shift if shift <= 0 else _half_even(int(mantissa), shift)
    if count.bit_length() + unit > layout.highest:
        return -math.inf if sign else math.inf
    return math.ldexp(-count if sign else count, unit)


def _half_even(mantissa: int, shift: int) -> int:
    """Return mantissa / 2**shift, rounded to the nearest integer, ties to even."""
    if shift > mantissa.bit_length() + 1:
        return 0
    count, rest = mantissa >> shift, mantissa & ((1 << shift) - 1)
    half = 1 << (shift - 1)
    return count + (rest > half or (rest == half and count & 1))


def _unit(x: Any, layout: _Format) -> int:
    """Return the exponent of one ULP at a finite number."""
    return max(x[2] + x[3] - layout.precision, layout.lowest) if x[1] else layout.lowest


def ulp_error(computed: NDArray[Any], exact: Array) -> NDArray[np.float64]:
    """Return the errors of computed floats in ULPs.

    Parameters
    ----------
    computed : ndarray
        float16, float32 or float64; the dtype defines the ULP.
    exact : array of exact numbers
        The exact values, in the same shape.

    Returns
    -------
    ndarray of float64
        0 if both are NaN, and for an infinity if the exact value is or rounds to the
        same infinity. Infinite if only one is NaN, or the exact value is infinite and
        the computed one is not. A computed infinity for a smaller exact value counts as
        the first power of two that the dtype cannot hold.

    Examples
    --------
    >>> ulp_error(np.asarray([1.0, np.inf]), exact_array([1.0, 2.0**1023]))
    array([0.00000000e+00, 4.50359963e+15])
    """
    computed = np.asarray(computed)
    layout = _format(computed.dtype)
    distance = np.frompyfunc(lambda c, x: _ulps(c._mpf_, x._mpf_, layout), 2, 1)
    with np.errstate(all="ignore"):
        return np.asarray(distance(exact_array(computed), exact), dtype=np.float64)


def _ulps(computed: Any, truth: Any, layout: _Format) -> float:
    libmp = number_module().libmp
    if computed == truth:
        return 0.0
    special = (libmp.finf, libmp.fninf, libmp.fnan)
    if truth in special or computed == libmp.fnan:
        return math.inf
    if computed in special:
        if _nearest(truth, layout) == libmp.to_float(computed):
            return 0.0
        computed = libmp.from_man_exp(-1 if computed == libmp.fninf else 1, layout.highest)
    # Rounded, since the exact difference of 1 and 2**(10**30) would not fit into memory.
    difference = libmp.mpf_sub(computed, truth, bits(DIGITS), "n")
    gap = libmp.mpf_shift(libmp.mpf_abs(difference), -_unit(truth, layout))
    if gap[2] + gap[3] > _COUNTABLE_BITS:
        return math.inf
    return float(libmp.to_float(gap))
