"""Derivatives of a body by dual numbers: value, first and second derivative in one pass.

::

    derivatives(body, xp, y, *constants, order=2, direction=1.0)
        -> (value, first, second)           an elementwise body(xp, y, *constants)
    row_derivatives(body, xp, y, *constants, order=2)
        -> (value, gradient, hessian)       a row-wise body, y of shape (..., K)

With ``order=1`` the second derivative is not computed. `xp` is the namespace of the arrays:
NumPy, exact numbers, PyTorch or JAX.

`lossfw.numerics.dual.number` documents the rules at ties and kinks. The derivatives of a
value of NaN are NaN.
"""

from __future__ import annotations

import functools
import math
from typing import Any

from lossfw.numerics.arrays import Array, Body, Namespace, columns
from lossfw.numerics.dual.namespace import DualNamespace
from lossfw.numerics.dual.number import Dual
from lossfw.numerics.dual.parts import Tangent

# The most elements of an array in one pass of `row_derivatives`: 2 MiB of float64, so that
# small inputs take one pass and large ones little memory.
_PASS_SIZE = 2**18


def derivatives(
    body: Body,
    xp: Namespace,
    y: Array,
    *constants: Any,
    order: int = 2,
    direction: Any = 1.0,
) -> tuple[Array, ...]:
    """Return value, first and (in order 2) second derivative of a body by its first argument.

    `direction` is the derivative of each element of `y`. With 1 an elementwise body gives its
    derivative; with an array of the shape of `y` a row-wise body gives its derivative along
    that direction (in the first order the product of its Jacobian with the direction).

    Examples
    --------
    >>> import numpy as np
    >>> derivatives(lambda xp, r: xp.abs(r) ** 3, np, np.asarray([-2.0, 0.0]))
    (array([8., 0.]), array([-12.,   0.]), array([12.,  0.]))
    """
    space = _space(xp, order)
    result = body(space, Dual(y, _seed(xp, y, direction), None, space), *constants)
    if not isinstance(result, Dual):
        # The body does not depend on y, or is flat almost everywhere.
        flat = result if hasattr(result, "shape") else xp.full_like(y, result)
        result = Dual(flat, None, None, space)
    parts = (result.first, result.second)[:order]
    value, is_nan = result.value, xp.isnan(result.value)
    return (value, *[xp.where(is_nan, value, space.parts.dense(part, value)) for part in parts])


def row_derivatives(
    body: Body, xp: Namespace, y: Array, *constants: Any, order: int = 2
) -> tuple[Array, ...]:
    """Return value (...), gradient and diagonal of the Hessian (..., K) of a row-wise body.

    The body is differentiated by one class at a time, and by as many in one pass as fit in
    2**18 elements. The cost grows with the square of the number of classes. Constants have
    the shape (..., K) or (...); the body sees one axis of rows, whatever the shape of `y`.

    Examples
    --------
    >>> import numpy as np
    >>> row_derivatives(lambda xp, y: xp.sum(y**2, axis=-1), np, np.asarray([[1.0, 3.0]]))
    (array([10.]), array([[2., 6.]]), array([[2., 2.]]))
    """
    classes = y.shape[-1]
    step = max(1, _PASS_SIZE // max(1, math.prod(y.shape)))
    if classes == 0:
        return (body(xp, y, *constants), *[xp.zeros_like(y)] * order)
    value = None
    collected: list[list[Array]] = [[] for _ in range(order)]
    for start in range(0, classes, step):
        moved = range(start, min(start + step, classes))
        value, *parts = _move(body, xp, y, constants, order, moved)
        for passes, part in zip(collected, parts, strict=True):
            passes.append(part)
    joined = [passes[0] if len(passes) == 1 else xp.concat(passes, axis=0) for passes in collected]
    last = tuple(range(1, y.ndim))
    return (value, *[xp.permute_dims(part, (*last, 0)) for part in joined])


def _move(
    body: Body, xp: Namespace, y: Array, constants: tuple[Any, ...], order: int, moved: range
) -> tuple[Array, ...]:
    """Return value, and derivatives by the classes `moved` along a new first axis."""
    lead, count = y.shape[:-1], len(moved)

    def repeated(x: Array) -> Array:
        # Two axes, as a body always gets.
        many = xp.broadcast_to(x, (count, *x.shape))
        return xp.reshape(many, (count * math.prod(lead), *x.shape[len(lead) :]))

    number = columns(xp, y)
    which = xp.reshape(number[moved.start : moved.stop], (count, *[1] * y.ndim))
    moves = xp.broadcast_to(which == number, (count, *y.shape))
    rows = repeated(y)
    moves = xp.reshape(moves, rows.shape)
    unit = xp.where(moves, xp.ones_like(rows), xp.zeros_like(rows))
    others = [repeated(x) for x in constants]
    value, *parts = derivatives(body, xp, rows, *others, order=order, direction=unit)
    value, *parts = (xp.reshape(part, (count, *lead)) for part in (value, *parts))
    return (value[0, ...], *parts)


def _seed(xp: Namespace, y: Array, direction: Any) -> Tangent:
    """Return the first derivative of `y`."""
    if y.dtype == object and isinstance(direction, float):
        # Exact numbers: a quotient of Python floats, 1.0 / 3.0, would not be exact.
        return xp.full_like(y, direction)
    return direction


@functools.lru_cache(maxsize=16)
def _space(xp: Namespace, order: int) -> DualNamespace:
    """Return the namespace of dual numbers over `xp`, made once."""
    return DualNamespace(xp, order)
