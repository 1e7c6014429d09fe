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
from lossfw.numerics.exact.namespace import exact_array, number_module

# A number of ULPs of more bits is returned as infinity.
_COUNTABLE_BITS = 1000


class _Format(NamedTuple):
    """A float format."""

    environment: Any  # as a context of gmpy2, which rounds to it
    precision: int  # bits of the mantissa
    lowest: int  # the smallest subnormal is 2**lowest
    highest: int  # every float is below 2**highest


@functools.cache
def _format(dtype: np.dtype[Any]) -> _Format:
    info = np.finfo(dtype)
    precision, lowest = info.nmant + 1, int(info.minexp) - info.nmant
    layout = number_module().environment(precision, lowest, int(info.maxexp))
    return _Format(layout, precision, lowest, int(info.maxexp))


def to_float(exact: Array, dtype: Any = np.float64) -> NDArray[Any]:
    """Return exact numbers rounded to the nearest float of a dtype, ties to even.

    Examples
    --------
    >>> to_float(exact_array([0.1]) * 10)
    array([1.])
    """
    dtype = np.dtype(dtype)
    layout = _format(dtype)
    to_format = number_module().to_format
    convert = np.frompyfunc(lambda x: to_format(x.value, layout.environment), 1, 1)
    with np.errstate(all="ignore"):
        # `convert` returns a float for an array of 0 dimensions.
        return np.asarray(convert(exact), dtype=np.float64).astype(dtype)


def _unit(x: Any, layout: _Format) -> int:
    """Return the exponent of one ULP at a finite number."""
    return max(x.exponent - layout.precision, layout.lowest) if x.is_regular else layout.lowest


def ulp_error(computed: NDArray[Any], exact: Array) -> NDArray[np.float64]:
    """Return the errors of computed floats in ULPs of their dtype.

    It is 0 if both are NaN, and for an infinity if the exact value is or rounds to the same
    infinity. It is infinite if only one is NaN, or the exact value is infinite and the computed
    one is not. A computed infinity for a smaller exact value counts as the first power of two
    that the dtype cannot hold.

    Examples
    --------
    >>> ulp_error(np.asarray([1.0, np.inf]), exact_array([1.0, 2.0**1023]))
    array([0.00000000e+00, 4.50359963e+15])
    """
    computed = np.asarray(computed)
    layout = _format(computed.dtype)
    distance = np.frompyfunc(lambda c, x: _ulps(c, x, layout), 2, 1)
    with np.errstate(all="ignore"):
        return np.asarray(distance(exact_array(computed), exact), dtype=np.float64)


def _ulps(computed: Any, truth: Any, layout: _Format) -> float:
    if computed == truth or (computed.is_nan and truth.is_nan):
        return 0.0
    if not _finite(truth) or computed.is_nan:
        return math.inf
    if not _finite(computed):
        if number_module().to_format(truth.value, layout.environment) == float(computed):
            return 0.0
        computed = (1 if computed > 0 else -1) * exact_array(2)[()] ** layout.highest
    # Rounded, since the exact difference of 1 and 2**(10**30) would not fit into memory.
    gap = abs(computed - truth) / exact_array(2)[()] ** _unit(truth, layout)
    return math.inf if gap.exponent > _COUNTABLE_BITS else float(gap)


def _finite(x: Any) -> bool:
    return bool(x.is_regular or x == 0)
