"""Derivatives of a body by dual numbers: value, first and second derivative.

::

    derivatives(body, xp, y, *constants, order=2, direction=1.0)
        -> (value, first, second)           an elementwise body(xp, y, *constants)
    row_derivatives(body, xp, y, *constants, order=2)
        -> (value, gradient, hessian)       a row-wise body, y of shape (..., K)

With ``order=1`` the second derivative is not computed. `xp` is the namespace of the arrays:
NumPy, exact numbers, PyTorch or JAX.

`lossfw.numerics.dual.number` documents the rules at ties and kinks. The derivatives of a
value of NaN are NaN, and none is -0.0.

A product with a derivative that is 0 is 0 for any factor. The factor is nearly always finite, so
NumPy first computes with plain products, and then with care if a result is not finite, because an
infinite factor leaves infinity or NaN.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np

from lossfw.numerics.arrays import Array, Body, Namespace, NDArray, column_numbers
from lossfw.numerics.dual.linear import LinearPart, LinearParts
from lossfw.numerics.dual.namespace import DualNamespace
from lossfw.numerics.dual.number import Dual, value_of
from lossfw.numerics.dual.parts import ArrayParts, Tangent, UnrecordedError
from lossfw.numerics.dual.spread import SpreadPart, SpreadParts
from lossfw.numerics.selection import put_rows

# ``rule(xp, careful, y, *constants)``: value and derivatives, with or without care.
_Rule: TypeAlias = Callable[..., tuple[Array, ...]]

# The most elements of an array in one pass of `_differentiate_by_columns`: 2 MiB of float64, so
# that small inputs take one pass and large ones little memory.
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

    def rule(xp: Namespace, careful: bool, y: Array, *constants: Any) -> tuple[Array, ...]:
        return _differentiate_forward(body, xp, careful, y, constants, order, direction)

    is_elementwise = isinstance(direction, float) and all(
        getattr(x, "shape", None) == y.shape for x in constants
    )
    return (
        _apply_with_care(rule, xp, y, constants)
        if is_elementwise
        else rule(xp, True, y, *constants)
    )


def _differentiate_forward(
    body: Body,
    xp: Namespace,
    careful: bool,
    y: Array,
    constants: tuple[Any, ...],
    order: int,
    direction: Any,
) -> tuple[Array, ...]:
    """Return value and derivatives along a direction, in one pass forward."""
    space = _dual_namespace(xp, order, careful)
    result = body(space, Dual(y, _seed_derivative(xp, y, direction), None, space), *constants)
    if not isinstance(result, Dual):
        # The body does not depend on y, or is flat almost everywhere.
        flat = result if hasattr(result, "shape") else xp.full_like(y, result)
        result = Dual(flat, None, None, space)
    value, parts = result.value, (result.first, result.second)[:order]
    return (
        value,
        *[_finish_derivative(xp, value, space.parts.expand_like(part, value)) for part in parts],
    )


def _finish_derivative(xp: Namespace, value: Array, part: Array) -> Array:
    """Return a derivative, NaN where the value is, and 0.0 in place of -0.0."""
    # Plain products make zeros of either sign.
    part = part + 0.0
    if xp is np and not np.isnan(np.max(value, initial=-np.inf)):
        return part
    return xp.where(xp.isnan(value), value, part)


def _apply_with_care(
    rule: _Rule, xp: Namespace, y: Array, constants: tuple[Any, ...]
) -> tuple[Array, ...]:
    """Return value and derivatives by a rule for elements or rows, with care where it matters."""
    if hasattr(type(xp), "leave_to_body"):
        value, *parts = rule(xp, False, y, *constants)
        return (value, *[xp.leave_to_body(~xp.isfinite(part), part) for part in parts])
    if xp is not np or y.dtype == object:
        return rule(xp, True, y, *constants)
    value, *parts = rule(np, False, y, *constants)
    if all(np.isfinite(part).all() for part in parts):
        return (value, *parts)
    finite = [np.isfinite(part).reshape((*value.shape, -1)).all(axis=-1) for part in parts]
    doubtful = ~(np.logical_and.reduce(finite) | np.isnan(value))
    if not doubtful.any():
        return (value, *parts)

    def careful_parts(_: Namespace, *arrays: NDArray) -> tuple[Array, ...]:
        return rule(np, True, *arrays)[1:]

    return (value, *put_rows(parts, doubtful, careful_parts, y, *constants))


def row_derivatives(
    body: Body, xp: Namespace, y: Array, *constants: Any, order: int = 2, fan_out: int = 1
) -> tuple[Array, ...]:
    """Return value (...), gradient and diagonal of the Hessian (..., K) of a row-wise body.

    The gradient takes one pass back (`lossfw.numerics.dual.linear`), and with the Hessian one pass
    forward (`lossfw.numerics.dual.spread`). A body with an operation without such a form is
    differentiated by columns, as many in one pass as fit into 2**18 elements: this cost grows with
    the square of the number of columns. A body that compares all numbers of a row with one another
    has larger arrays than `y`: `fan_out` times as large. Constants have the shape (..., K) or
    (...); the body gets one axis of rows, whatever the shape of `y`.

    Examples
    --------
    >>> import numpy as np
    >>> row_derivatives(lambda xp, y: xp.sum(y**2, axis=-1), np, np.asarray([[1.0, 3.0]]))
    (array([10.]), array([[2., 6.]]), array([[2., 2.]]))
    """
    lead = y.shape[:-1]
    if y.ndim != 2:
        rows = math.prod(lead)
        flat = [xp.reshape(x, (rows, *x.shape[len(lead) :])) for x in (y, *constants)]
        value, *parts = row_derivatives(body, xp, *flat, order=order, fan_out=fan_out)
        return (xp.reshape(value, lead), *[xp.reshape(part, y.shape) for part in parts])
    if y.shape[-1] == 0:
        return (body(xp, y, *constants), *[xp.zeros_like(y)] * order)
    rule = functools.partial(
        _differentiate_back if order == 1 else _differentiate_rows_forward, body
    )
    try:
        found = _apply_with_care(rule, xp, y, constants)
    except UnrecordedError:
        return _differentiate_by_columns(body, xp, y, constants, order, fan_out)
    return (
        found if y.dtype != object else _resolve_exact_nan(body, xp, found, y, constants, fan_out)
    )


def _resolve_exact_nan(
    body: Body,
    xp: Namespace,
    found: tuple[Array, ...],
    y: Array,
    constants: tuple[Any, ...],
    fan_out: int,
) -> tuple[Array, ...]:
    """Return exact derivatives, and column by column where infinite ones of both signs meet."""
    value, *parts = found
    is_unclear = np.logical_or.reduce([xp.isnan(part).any(axis=-1) for part in parts])
    is_unclear &= ~xp.isnan(value)
    if not is_unclear.any():
        return found

    def differentiate_unclear(_: Namespace, y: Array, *constants: Any) -> tuple[Array, ...]:
        return _differentiate_by_columns(body, xp, y, constants, len(parts), fan_out)[1:]

    return (value, *put_rows(parts, is_unclear, differentiate_unclear, y, *constants))


def _differentiate_back(
    body: Body, xp: Namespace, careful: bool, y: Array, *constants: Array
) -> tuple[Array, Array]:
    """Return value and gradient of rows in one pass back."""
    space = _linear_namespace(xp, careful)
    record: LinearParts = space.parts
    seed = LinearPart(record, y.shape, y)
    result = body(space, Dual(y, seed, None, space), *constants)
    value = _match_row_shape(xp, value_of(result), y)
    gradient: Any = 0.0
    if isinstance(result, Dual) and result.first is not None:
        # Python's floats would round what exact numbers do not.
        start = xp.ones_like(result.value) if y.dtype == object else 1.0
        gradient = record.pass_back.gradient(
            record.expand_like(result.first, result.value), seed, start
        )
    if isinstance(gradient, float):
        gradient = xp.full_like(y, gradient)
    gradient = xp.broadcast_to(gradient, y.shape)
    return value, _finish_derivative(xp, value[..., None], gradient)


def _differentiate_rows_forward(
    body: Body, xp: Namespace, careful: bool, y: Array, *constants: Array
) -> tuple[Array, ...]:
    """Return value, gradient and diagonal of the Hessian of rows in one pass forward."""
    parts = SpreadParts(xp, y, careful)
    space = DualNamespace(xp, 2, parts)
    # Python's floats would round what exact numbers do not.
    own = xp.ones_like(y) if y.dtype == object else 1.0
    result = body(space, Dual(y, SpreadPart(parts, y.shape, own), None, space), *constants)
    value = _match_row_shape(xp, value_of(result), y)
    found = []
    for part in (result.first, result.second) if isinstance(result, Dual) else (None, None):
        own = None if part is None else parts.expand_like(part, result.value).own
        whole = xp.zeros_like(y) if own is None else xp.broadcast_to(own, y.shape)
        found.append(_finish_derivative(xp, value[..., None], whole))
    return (value, *found)


def _match_row_shape(xp: Namespace, value: Any, y: Array) -> Array:
    if not hasattr(value, "shape"):
        return xp.full_like(y[..., 0], value)
    return value if tuple(value.shape) == tuple(y.shape[:-1]) else xp.reshape(value, y.shape[:-1])


def _differentiate_by_columns(
    body: Body, xp: Namespace, y: Array, constants: tuple[Any, ...], order: int, fan_out: int = 1
) -> tuple[Array, ...]:
    """Return value and derivatives of rows, by some columns in each pass."""
    classes = y.shape[-1]
    if not isinstance(y.shape[0], int):
        return _differentiate_each_column(body, xp, y, constants, order)
    step = max(1, _PASS_SIZE // max(1, fan_out * math.prod(y.shape)))
    value = None
    collected: list[list[Array]] = [[] for _ in range(order)]
    for start in range(0, classes, step):
        moved = range(start, min(start + step, classes))
        value, *parts = _differentiate_some_columns(body, xp, y, constants, order, moved)
        for passes, part in zip(collected, parts, strict=True):
            passes.append(part)
    joined = [passes[0] if len(passes) == 1 else xp.concat(passes, axis=0) for passes in collected]
    return (value, *[xp.permute_dims(part, (1, 0)) for part in joined])


def _differentiate_each_column(
    body: Body, xp: Namespace, y: Array, constants: tuple[Any, ...], order: int
) -> tuple[Array, ...]:
    """Return value and derivatives of rows of unknown number, which no pass can repeat."""
    passes = []
    for column in range(y.shape[-1]):
        unit = xp.where(column_numbers(xp, y) == column, xp.ones_like(y), xp.zeros_like(y))
        passes.append(derivatives(body, xp, y, *constants, order=order, direction=unit))
    value, *parts = zip(*passes, strict=True)
    return (value[0], *[xp.stack(part, axis=-1) for part in parts])


def _differentiate_some_columns(
    body: Body, xp: Namespace, y: Array, constants: tuple[Any, ...], order: int, column_range: range
) -> tuple[Array, ...]:
    """Return value, and derivatives by the classes `column_range` along a new first axis."""
    count, (rows, classes) = len(column_range), y.shape

    def repeat_rows(x: Array) -> Array:
        many = xp.broadcast_to(x, (count, *x.shape))
        many = xp.reshape(many, (count * rows, *x.shape[1:]))
        # NumPy adds up a row in the order of its memory, for any number of passes.
        return np.asfortranarray(many) if xp is np and x.flags.f_contiguous else many

    number = column_numbers(xp, y)
    which = xp.reshape(number[column_range.start : column_range.stop], (count, 1, 1))
    moves = xp.broadcast_to(which == number, (count, rows, classes))
    whole = repeat_rows(y)
    moves = xp.reshape(moves, whole.shape)
    unit = xp.where(moves, xp.ones_like(whole), xp.zeros_like(whole))
    others = [repeat_rows(x) for x in constants]
    value, *parts = derivatives(body, xp, whole, *others, order=order, direction=unit)
    value, *parts = (xp.reshape(part, (count, rows)) for part in (value, *parts))
    return (value[0, ...], *parts)


def _seed_derivative(xp: Namespace, y: Array, direction: Any) -> Tangent:
    """Return the first derivative of `y`."""
    if y.dtype == object and isinstance(direction, float):
        # Exact numbers: a quotient of Python floats, 1.0 / 3.0, would not be exact.
        return xp.full_like(y, direction)
    return direction


@functools.lru_cache(maxsize=16)
def _dual_namespace(xp: Namespace, order: int, careful: bool) -> DualNamespace:
    """Return the namespace of dual numbers over `xp`, made once."""
    return DualNamespace(xp, order, ArrayParts(xp, careful=careful))


@functools.lru_cache(maxsize=16)
def _linear_namespace(xp: Namespace, careful: bool) -> DualNamespace:
    """Return the namespace of dual numbers with linear parts over `xp`, made once."""
    return DualNamespace(xp, 1, LinearParts(xp, careful))
