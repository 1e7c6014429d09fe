"""Decorators of functions for several number systems, and Horner's rule.

A primitive is written for arrays, in a stable form. Its decorator adds the textbook
formula for exact numbers and the derivatives for dual numbers. Bodies just call
``softplus(xp, x)``.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any, TypeAlias, TypeVar, cast

import numpy as np

from lossfw.numerics.arrays import Array, Namespace, TextbookNamespace, supports_float64
from lossfw.numerics.dual.namespace import DualNamespace
from lossfw.numerics.dual.number import Dual
from lossfw.numerics.records import first_array, map_arrays

ArrayFunction: TypeAlias = Callable[[Namespace, Array], Array]
_Function = TypeVar("_Function", bound=Callable[..., Any])


def primitive(
    *, textbook: ArrayFunction, derivative: ArrayFunction, second_derivative: ArrayFunction
) -> Callable[[ArrayFunction], ArrayFunction]:
    """Decorate a function of one argument with its rules for other number systems.

    Parameters
    ----------
    textbook : callable
        The definition, for exact numbers.
    derivative, second_derivative : callable
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
                return xp.chain(x, value, derivative(inner, v), lambda: second_derivative(inner, v))
            if isinstance(xp, TextbookNamespace):
                return textbook(xp, x)
            return stable(xp, x)

        return function

    return decorate


def computed_in_float64(body: _Function) -> _Function:
    """Decorate a function or method with a parameter ``xp``, to compute float32 in float64.

    NumPy's float32 logarithm, exponential and power have errors of 2 to 7 ULP, which leaves
    nothing for the rest of a function; the float64 ones are within 0.7. So if the argument
    after ``xp`` is float32, it and all arrays after it become float64, and each result is
    rounded once. Other arguments are unchanged.

    Examples
    --------
    >>> @computed_in_float64
    ... def logistic(xp, x):
    ...     return xp.log1p(xp.exp(x))
    >>> logistic(np, np.asarray([-5.0], np.float32)).dtype
    dtype('float32')
    """
    return with_float32_form(body)(body)


def with_float32_form(float32_form: Callable[..., Any]) -> Callable[[_Function], _Function]:
    """Decorate a function like `computed_in_float64`, with a simpler function for float32.

    In float64 a function must keep every digit. For float32, float64 has 29 bits to spare, so
    the textbook form is often accurate enough.

    Parameters
    ----------
    plain : callable
        Takes the same arguments as the decorated one, in float64.

    Examples
    --------
    >>> def plain(xp, x):
    ...     return xp.log(1.0 + x)
    >>> @with_float32_form(plain)
    ... def log1p(xp, x):
    ...     return xp.log1p(x)
    >>> log1p(np, np.asarray([1e-5], np.float32)), log1p(np, np.asarray([1e-15]))
    (array([9.99995e-06], dtype=float32), array([1.e-15]))
    """

    def decorate(body: _Function) -> _Function:
        place = parameter_position(body)

        @functools.wraps(body)
        def wide(*arguments: Any) -> Any:
            xp, first = arguments[place], first_array(arguments[place + 1])
            # Exact numbers have one dtype for both.
            if xp.float32 == xp.float64 or first.dtype != xp.float32 or not _has_double(xp):
                return body(*arguments)

            # NumPy's function takes twice as long as its method.
            astype = np.ndarray.astype if xp is np else xp.astype

            def widen(x: Any) -> Any:
                return astype(x, xp.float64) if hasattr(x, "dtype") else x

            # A list, for no generator can be compiled by PyTorch.
            arrays = [map_arrays(widen, x) for x in arguments[place + 1 :]]
            # [...] makes an array of a NumPy scalar.
            return map_arrays(
                lambda part: astype(part[...], xp.float32),
                float32_form(*arguments[: place + 1], *arrays),
            )

        return cast(_Function, wide)

    return decorate


def parameter_position(function: Callable[..., Any]) -> int:
    """Return the position of the parameter ``xp`` of a function, which may be decorated."""
    code = inspect.unwrap(function).__code__
    return code.co_varnames.index("xp")  # type: ignore[no-any-return]


def _has_double(xp: Namespace) -> bool:
    while isinstance(xp, DualNamespace):
        xp = xp.inner
    return supports_float64(xp)


def polynomial(x: Array, coefficients: tuple[float, ...]) -> Array:
    """Return c0 + c1 x + c2 x^2 + ... by Horner's rule.

    Examples
    --------
    >>> polynomial(np.asarray([2.0]), (1.0, 0.0, 3.0))
    array([13.])
    """
    result = x * coefficients[-1] + coefficients[-2]
    if isinstance(result, np.ndarray):
        # In place, without new memory for each step.
        for c in coefficients[-3::-1]:
            result *= x
            result += c
        return result
    for c in coefficients[-3::-1]:
        result = result * x + c
    return result
