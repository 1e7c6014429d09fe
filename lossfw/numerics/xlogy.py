"""Products with 0 times infinity equal to 0, and quotients with 0 / 0 equal to 0."""

from __future__ import annotations

from typing import Any

import numpy as np

from lossfw.numerics.arrays import Array, Namespace
from lossfw.numerics.dual.linear import LinearParts
from lossfw.numerics.dual.namespace import DualNamespace
from lossfw.numerics.dual.number import Dual
from lossfw.numerics.dual.parts import ArrayParts, Tangent, add
from lossfw.numerics.dual.spread import SpreadParts


def multiply_or_zero(xp: Namespace, a: Any, b: Any) -> Any:
    """Return ``a * b``, where 0 times infinity is 0. NaN stays NaN.

    So a class of target probability 0 does not change a loss.

    Examples
    --------
    >>> import numpy as np
    >>> with np.errstate(invalid="ignore"):
    ...     multiply_or_zero(np, np.asarray([0.0, 2.0, 0.0]), np.asarray([np.inf, np.inf, np.nan]))
    array([ 0., inf, nan])
    """
    if isinstance(xp, DualNamespace):
        return _times_dual(xp, a, b)
    if isinstance(xp, ArrayParts):
        return multiply_or_zero(xp.inner, a, b) if xp.careful else a * b
    if isinstance(xp, LinearParts | SpreadParts):
        return xp.multiply_or_zero(a, b)
    product = a * b
    if xp is np:
        # The maximum is NaN if an element is, and several times faster than a sum. Nearly
        # always there is no NaN.
        largest = product.max(initial=0.0)
        if largest == largest:
            return product
    unknown = xp.isnan(product)
    if isinstance(product, np.ndarray) and product.dtype.kind == "O" and not unknown.any():
        # Of exact numbers each operation costs.
        return product
    # x == x is false for NaN only, and defined for numbers and arrays.
    known = (a == a) & (b == b)
    return xp.where(unknown & known, xp.zeros_like(product), product)


def _times_dual(xp: DualNamespace, a: Any, b: Any) -> Any:
    """Return the product of dual numbers; the same rule holds for their derivatives."""
    if not (isinstance(a, Dual) or isinstance(b, Dual)):
        return multiply_or_zero(xp.inner, a, b)
    a, b = xp.lift(a), xp.lift(b)

    def product(factor: Tangent, part: Tangent) -> Tangent:
        return None if factor is None or part is None else multiply_or_zero(xp.parts, factor, part)

    first = add(product(b.value, a.first), product(a.value, b.first))
    second = None
    if xp.order > 1:
        twice = product(a.first, b.first)
        second = add(product(b.value, a.second), product(a.value, b.second))
        second = add(second, add(twice, twice))
    return Dual(multiply_or_zero(xp.inner, a.value, b.value), first, second, xp)


def quotient(xp: Namespace, a: Array, b: Array) -> Array:
    """Return ``a / b``, where 0 / 0 is 0. NaN stays NaN.

    Examples
    --------
    >>> import numpy as np
    >>> with np.errstate(all="ignore"):
    ...     quotient(np, np.asarray([0.0, 2.0, 0.0]), np.asarray([0.0, 0.0, np.nan]))
    array([ 0., inf, nan])
    """
    none = (a == 0) & (b == 0)
    return a / xp.where(none, xp.ones_like(b), b)


def xlogy(xp: Namespace, x: Array, y: Array) -> Array:
    """Return ``x * log(y)``, which is 0 at x = 0 for any y that is not negative or NaN.

    Examples
    --------
    >>> import numpy as np
    >>> with np.errstate(all="ignore"):
    ...     xlogy(np, np.asarray([0.0, 1.0]), np.asarray([0.0, 1.0]))
    array([0., 0.])
    """
    return multiply_or_zero(xp, x, xp.log(y))


def xlog1py(xp: Namespace, x: Array, y: Array) -> Array:
    """Return ``x * log(1 + y)``, which is 0 at x = 0 for any y of at least -1.

    Examples
    --------
    >>> import numpy as np
    >>> with np.errstate(all="ignore"):
    ...     xlog1py(np, np.asarray([0.0, 2.0]), np.asarray([-1.0, 1e-20]))
    array([0.e+00, 2.e-20])
    """
    return multiply_or_zero(xp, x, xp.log1p(y))
