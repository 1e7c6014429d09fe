"""Bounds of arrays, powers, and cached constants of parameters."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TypeVar, TypeVarTuple

from lossfw.numerics.arrays import Array, Namespace, extremum_operand
from lossfw.numerics.primitive import computed_in_float64

_Parts = TypeVarTuple("_Parts")
_Constant = TypeVar("_Constant")

# A process has few losses of one kind, and a sweep of a parameter many.
_MOST_REMEMBERED = 1024


def cache_constants(function: Callable[[*_Parts], _Constant]) -> Callable[[*_Parts], _Constant]:
    """Decorate a function that computes constants from parameters, to cache them.

    Unlike with `functools.lru_cache`, PyTorch's compiler can use a cached constant: it traces
    into functions that Python caches, and cannot follow decimals. Arguments are positional.

    Examples
    --------
    >>> @cache_constants
    ... def root(c):
    ...     return c**0.5
    >>> root(4.0), root(4.0)
    (2.0, 2.0)
    """
    constants: dict[tuple[object, ...], _Constant] = {}

    @functools.wraps(function)
    def constant(*arguments: *_Parts) -> _Constant:
        if arguments not in constants:
            if len(constants) >= _MOST_REMEMBERED:
                constants.clear()
            constants[arguments] = function(*arguments)
        return constants[arguments]

    return constant


def clip_above(xp: Namespace, a: Array, limit: float) -> Array:
    """Return the smaller of each element and a number; NaN stays NaN.

    Examples
    --------
    >>> import numpy as np
    >>> clip_above(np, np.array([1.0, 3.0, np.nan]), 2.0)
    array([ 1.,  2., nan])
    """
    return xp.minimum(a, extremum_operand(xp, a, limit))


def clip_below(xp: Namespace, a: Array, limit: float) -> Array:
    """Return the larger of each element and a number; NaN stays NaN; see `clip_above`."""
    return xp.maximum(a, extremum_operand(xp, a, limit))


def zero_or_nan(xp: Namespace, x: Array) -> Array:
    """Return 0 for each element, and NaN where it is NaN.

    Examples
    --------
    >>> import numpy as np
    >>> zero_or_nan(np, np.array([np.inf, np.nan]))
    array([ 0., nan])
    """
    return xp.abs(0.0 * xp.sign(x))


@computed_in_float64
def power(xp: Namespace, x: Array, exponent: float) -> Array:
    """Return ``x**exponent`` for x >= 0.

    Float32 is computed in float64: otherwise the exponent would be rounded too, and the
    logarithm of a tiny x multiplies that error by up to 100.

    Examples
    --------
    >>> import numpy as np
    >>> np.float32(1e-30) ** -0.7, power(np, np.asarray([1e-30], np.float32), -0.7)
    (np.float32(9.999992e+20), array([1.e+21], dtype=float32))
    """
    return x**exponent
