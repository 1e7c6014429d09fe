"""Selections of elements: without branches, and for rare elements only.

Both have the bits of ``xp.where``, which they use for libraries other than NumPy.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from lossfw.numerics.arrays import Array, Namespace, NDArray
from lossfw.numerics.records import map_arrays

# Below this size five cheap passes take longer than one with branches.
_SMALL = 2_000

# For a larger share of the rows a function of all takes less than one of those taken out.
_SEVERAL = 0.25

_INTEGERS = {4: np.int32, 8: np.int64}


def select(xp: Namespace, condition: Array, a: Array, b: Array) -> Array:
    """Return ``xp.where(condition, a, b)``, at a cost that does not depend on the condition.

    NumPy's `where` branches at each element. If the processor cannot predict the branch, it takes 4
    nanoseconds per element; the bit operations below take 0.5 in float32 and 1 in float64.

    Parameters
    ----------
    xp : namespace
    condition : array of bool
    a, b : array
        Of the shape of the condition, and of one dtype; `b` may be a number.

    Examples
    --------
    >>> select(np, np.array([True, False]), np.array([1.0, 2.0]), np.array([3.0, 4.0]))
    array([1., 4.])
    """
    if xp is not np or condition.size < _SMALL:
        return xp.where(condition, a, b)
    if isinstance(b, float) and isinstance(a, np.ndarray):
        b = np.full_like(a, b)
    if not _is_one_type(condition, a, b):
        return np.where(condition, a, b)
    integer = _INTEGERS[a.itemsize]
    # All bits of -1 are set, and none of 0.
    mask = condition.astype(integer)
    np.negative(mask, out=mask)
    mask &= a.view(integer) ^ b.view(integer)
    mask ^= b.view(integer)
    return mask.view(a.dtype)


def _is_one_type(condition: Array, a: Array, b: Array) -> bool:
    return bool(
        all(isinstance(x, np.ndarray) for x in (condition, a, b))
        and condition.dtype == np.bool_
        and a.dtype == b.dtype
        and a.dtype.kind == "f"
        and a.itemsize in _INTEGERS
        and condition.shape == a.shape == b.shape
    )


def apply_where(
    xp: Namespace,
    default: Array,
    condition: Array,
    function: Callable[..., Array],
    *arguments: Array,
) -> Array:
    """Return `default`, and ``function(xp, *arguments)`` where `condition`.

    With NumPy, the function is computed only for elements where the condition holds, usually none.

    Parameters
    ----------
    xp : namespace
    default : array
        A temporary of the caller: NumPy's own is written to.
    condition : array of bool
    function : callable
        Of elements, each for itself.
    *arguments : array, or record of columns
        In the shape of `default`.

    Examples
    --------
    >>> x = np.array([4.0, -1.0])
    >>> with np.errstate(invalid="ignore"):
    ...     apply_where(np, np.sqrt(x), x < 0, lambda xp, x: 10.0 * x, x)
    array([  2., -10.])
    """
    if xp is not np:
        # An expression remembers what is rare, for a kernel to pass over.
        choose = xp.where_rare if hasattr(type(xp), "where_rare") else xp.where
        return choose(condition, function(xp, *arguments), default)
    if not condition.any():
        return default
    default = np.asarray(default)
    taken = [map_arrays(lambda x: x[condition], x) for x in arguments]
    default[condition] = function(np, *taken)
    return default


def apply_where_rows(
    xp: Namespace,
    default: Array,
    condition: Array,
    function: Callable[..., Array],
    *rows: Array,
) -> Array:
    """Return `default`, and ``function(xp, *rows)`` where `condition`.

    It is `apply_where` for functions of rows. Rows are summed in the same order as among all
    others.

    Parameters
    ----------
    xp : namespace
    default : array
        A temporary of the caller, of shape (...): NumPy's own is written to.
    condition : array of bool
        Of shape (...).
    function : callable
        Of rows, each for itself.
    *rows : array, or record of columns
        Of shape (..., K).

    Examples
    --------
    >>> x = np.array([[4.0, 1.0], [2.0, 3.0]])
    >>> apply_where_rows(np, x[:, 0], x[:, 0] > 3.0, lambda xp, x: -xp.sum(x, axis=-1), x)
    array([-5.,  2.])
    """
    if xp is not np or not condition.any():
        return apply_where(xp, default, condition, function, *rows)
    return put_rows([default], condition, lambda xp, *rows: [function(xp, *rows)], *rows)[0]


def put_rows(
    defaults: Sequence[NDArray],
    condition: NDArray,
    function: Callable[..., Sequence[NDArray]],
    *rows: NDArray,
) -> list[NDArray]:
    """Return NumPy's `defaults`, replaced by a function of rows where a condition holds.

    The condition has the shape (...), and the arrays (...) or (..., K).
    """
    count = np.count_nonzero(condition)
    if count > _SEVERAL * condition.size:
        pairs = zip(defaults, function(np, *rows), strict=True)
        last = (condition[..., np.newaxis], condition)
        return [np.where(last[x.ndim == condition.ndim], new, x) for x, new in pairs]
    # NumPy adds up a single row in an order of its own.
    at = np.flatnonzero(condition).repeat(2 if count == 1 else 1)
    taken = [map_arrays(lambda x: _take_rows(x, at, condition.ndim), x) for x in rows]
    found = function(np, *taken)
    return [_replace_rows(x, at, new) for x, new in zip(defaults, found, strict=True)]


def _replace_rows(x: NDArray, indices: NDArray, new: NDArray) -> NDArray:
    whole = x.reshape(-1, *new.shape[1:])
    whole[indices] = new
    return whole.reshape(x.shape)


def _take_rows(x: NDArray, indices: NDArray, axes: int) -> NDArray:
    """Return some rows in the layout of all."""
    if x.ndim == 2 and x.flags.f_contiguous:
        return x.T.take(indices, axis=1).T
    return x.reshape(-1, *x.shape[axes:]).take(indices, axis=0)


def with_nan_of(xp: Namespace, x: Array, result: Array) -> Array:
    """Return a result that does not depend on `x`, with the NaN of `x`.

    Parameters
    ----------
    xp : namespace
    x : array
    result : array
        A temporary of the caller, in the shape of `x`: NumPy's own is written to.

    Examples
    --------
    >>> x = np.array([3.0, np.nan])
    >>> with_nan_of(np, x, np.ones_like(x))
    array([ 1., nan])
    """
    return apply_where(xp, result, xp.isnan(x), lambda xp, x: x, x)


def with_nan_of_rows(xp: Namespace, rows: Array, result: Array) -> Array:
    """Return one number per row, NaN if an element of the row is NaN.

    Parameters
    ----------
    xp : namespace
    rows : array
        Of shape (..., K), without infinities of both signs.
    result : array
        Of shape (...).

    Examples
    --------
    >>> with_nan_of_rows(np, np.array([[1.0, np.nan], [1.0, 2.0]]), np.array([3.0, 4.0]))
    array([nan,  4.])
    """
    # One extreme takes half the time of the sums, and nearly always there is no NaN.
    if xp is np and not np.isnan(np.min(rows, initial=0.0)):
        return result
    total = xp.sum(rows, axis=-1)
    return xp.where(xp.isnan(total), total, result)
