"""Take limits: exact results at infinite logits.

An infinite logit is legal, and where a limit exists it is the result. Exact
numbers know no infinities worth computing with, so finite ones stand in for
them, three sizes in a row. A result that grows between the second and the third
as between the first and the second, or more, goes to infinity, however small its
slope: a class with a probability of 1e-300 does. A result that has stopped moving
has arrived. Of others nothing is known.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from lossfw.numerics.arrays import NDArray
from lossfw.numerics.exact.namespace import DIGITS, exact_array, namespace
from lossfw.numerics.exact.truth import AGREEMENT_DIGITS, prepare, rounded

# The stand-ins lie beyond the largest finite number of their row, times 1, 3 and 9.
# At the first exp(-y) is below every float's last digit.
_FAR = 1e5
_TIMES = (1, 3, 9)

# So many digits show a slope of 5e-324 beside a value of any size, and a change
# in the digits behind the 400th is rounding.
_DIGITS, _SHOWN = 450, 400

# A number below 10 to this power is 0 in every float.
_NONE_POWER = -330

# Steps three times as long as the last must not bring much less than it did.
_GROWS = 0.9


def value_limits(body: Callable[..., Any], y: NDArray, t: NDArray) -> Any:
    """Return exact values at predictions with infinite ones among them.

    Parameters
    ----------
    body : callable
        The formula, ``body(xp, y, t)``.
    y, t : ndarray
        Predictions, elements or rows, and their targets.

    Returns
    -------
    array of exact numbers
        Infinite where the value grows without bound, NaN where neither that
        nor a limit shows.
    """
    xp = namespace(_DIGITS)
    target = prepare(xp, t)
    first, second, third = (
        xp.exact(body(xp, xp.exact(_stand_in(y, times)), target)) for times in _TIMES
    )
    result, none = rounded(third, DIGITS), _exactly(10.0) ** _NONE_POWER
    for i, (a, b, c) in enumerate(zip(first, second, third, strict=True)):
        last = c - b
        size = abs(b) + abs(c)
        if size > none and abs(last) * 10**_SHOWN > size:
            grows = last * (b - a) > 0 and abs(last) >= _GROWS * abs(b - a)
            result[i] = _exactly((np.inf if last > 0 else -np.inf) if grows else np.nan)
    return result


def derivative_limits(
    derivative: Callable[[NDArray], tuple[Any, ...]], y: NDArray
) -> tuple[Any, ...]:
    """Return limits of exact derivatives, NaN where none shows.

    Parameters
    ----------
    derivative : callable
        Takes predictions and returns the exact derivatives there.
    y : ndarray
        Predictions with infinite ones among them.
    """
    here, there = (derivative(_stand_in(y, times)) for times in _TIMES[:2])
    found = []
    for near, far in zip(here, there, strict=True):
        arrived = np.frompyfunc(_same, 2, 1)(near, far).astype(bool)
        limit = far.copy()
        limit[~arrived] = _exactly(np.nan)
        found.append(limit)
    return tuple(found)


def _same(a: Any, b: Any) -> bool:
    """Tell whether two exact numbers agree in the digits that both are known to."""
    size = abs(a) + abs(b)
    none = _exactly(10.0) ** _NONE_POWER
    return bool(size < none) or bool(abs(a - b) * 10**AGREEMENT_DIGITS <= size)


def _stand_in(y: NDArray, times: int) -> NDArray:
    """Return predictions with finite numbers for infinite ones, far beyond all others."""
    y = y.astype(np.float64)
    finite = np.where(np.isfinite(y), np.abs(y), 0.0)
    size = finite.max(-1, keepdims=True) if y.ndim > 1 else finite
    far = times * (_FAR + 2 * size)
    return np.asarray(np.where(np.isinf(y), np.copysign(far, y), y))


def _exactly(x: float) -> Any:
    return exact_array(np.array([x]))[0]
