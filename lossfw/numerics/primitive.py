"""How a primitive tells the number systems what it is.

A primitive is written once for arrays, in the form that keeps its digits. What
it is on exact numbers, and its derivatives on dual numbers, stand beside it in
one decorator. Bodies know nothing of this: they call ``softplus(xp, x)``.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np

from lossfw.numerics.arrays import Array, Namespace
from lossfw.numerics.dual.namespace import DualNamespace
from lossfw.numerics.dual.number import Dual
from lossfw.numerics.exact.namespace import ExactNamespace

ArrayFunction: TypeAlias = Callable[[Namespace, Array], Array]


def primitive(
    *, textbook: ArrayFunction, slope: ArrayFunction, curvature: ArrayFunction
) -> Callable[[ArrayFunction], ArrayFunction]:
    """Decorate a function of one argument with its rules for other number systems.

    Parameters
    ----------
    textbook : callable
        What it computes on exact numbers: the definition, no approximation.
    slope, curvature : callable
        Its derivatives, for dual numbers.
    """

    def decorate(stable: ArrayFunction) -> ArrayFunction:
        @functools.wraps(stable)
        def function(xp: Namespace, x: Any) -> Any:
            if isinstance(xp, DualNamespace):
                inner = xp.inner
                if not isinstance(x, Dual):
                    return function(inner, x)
                v = x.value
                value = function(inner, v)
                return xp.chain(x, value, slope(inner, v), lambda: curvature(inner, v))
            if isinstance(xp, ExactNamespace):
                return textbook(xp, x)
            return stable(xp, x)

        return function

    return decorate


def in_double(stable: Callable[..., Array]) -> Callable[..., Array]:
    """Decorate a function of the namespace, an array and parameters: float32 goes by float64.

    NumPy's float32 exponential alone may be more than 2 units in the last place
    off, which leaves too little for the rest of a function. So float32 arguments
    are made float64, and the result is rounded once. Others are left alone.
    """

    @functools.wraps(stable)
    def function(xp: Namespace, x: Array, *parameters: Any) -> Array:
        # Exact numbers have one dtype for both.
        if xp.float32 == xp.float64 or x.dtype != xp.float32:
            return stable(xp, x, *parameters)
        result = stable(xp, xp.astype(x, xp.float64), *parameters)
        # [...] makes an array of a NumPy scalar.
        return xp.astype(result[...], xp.float32)

    return function


def polynomial(x: Array, coefficients: tuple[float, ...]) -> Array:
    """Return c0 + c1 x + c2 x^2 + ... by Horner's rule."""
    result = x * coefficients[-1] + coefficients[-2]
    if isinstance(result, np.ndarray):
        # The same without new memory for each step.
        for c in coefficients[-3::-1]:
            result *= x
            result += c
        return result
    for c in coefficients[-3::-1]:
        result = result * x + c
    return result
