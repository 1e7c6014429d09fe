"""Directions of the vectors in a group: unit rows, cosines, and derivatives by them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from lossfw import REAL, Array, Namespace, Space, Vector
from lossfw.numerics import column_numbers, namespace_of


@dataclass(frozen=True)
class Directions(Vector):
    """Rows of numbers that are not all 0: a row of zeros has no direction."""

    def outside_or_none(self, x: Array) -> Array | None:
        """Tell which rows hold only zeros; see `Space.outside_or_none`."""
        xp = namespace_of(x)
        bad = xp.all(x == 0, axis=-1)
        return bad if bool(xp.any(bad)) else None

    def check(self, x: Array, role: str, *, start: int = 0) -> None:
        """Raise `DomainError` for the first row of zeros; see `Space.check`."""
        Space.check(self, x, role, start=start)


DIRECTION = Directions("DIRECTION", "the rows of numbers that are not all 0", of_numbers=REAL)


# A product of matrices with so many multiplications is not shared out among threads by BLAS, nor is
# one of vectors that are no longer.
_ONE_THREAD, _LONG = 2**18, 2**13


class UnitRows(NamedTuple):
    """Rows of length 1, and their original lengths with a last axis of 1."""

    rows: Array
    norm: Array


def unit_rows(xp: Namespace, y: Array) -> UnitRows:
    """Return rows scaled to length 1; a row of zeros stays a row of zeros.

    Examples
    --------
    >>> import numpy as np
    >>> unit_rows(np, np.asarray([[3.0, 4.0], [0.0, 0.0]])).rows
    array([[0.6, 0.8],
           [0. , 0. ]])
    """
    norm = xp.sqrt(xp.sum(y * y, axis=-1, keepdims=True))
    norm = xp.where(norm == 0, xp.ones_like(norm), norm)
    return UnitRows(y / norm, norm)


def pairwise_dots(xp: Namespace, a: Array, b: Array) -> Array:
    """Return the products of each row of `a` with each row of `b`, (..., n, m).

    Examples
    --------
    >>> import numpy as np
    >>> pairwise_dots(np, np.eye(2), np.asarray([[1.0, 2.0]]))
    array([[1.],
           [2.]])
    """
    if xp is np:
        return _matmul(a, np.moveaxis(b, -1, -2))
    if hasattr(a, "mT") and hasattr(b, "mT") and a.dtype != object:
        return a @ b.mT
    # Dual and exact numbers have no product of matrices.
    return xp.sum(a[..., :, None, :] * b[..., None, :, :], axis=-1)


def combine_rows(xp: Namespace, weights: Array, rows: Array) -> Array:
    """Return the sums over j of weights (..., n, m) times rows (..., m, D).

    Examples
    --------
    >>> import numpy as np
    >>> combine_rows(np, np.asarray([[2.0, 1.0]]), np.asarray([[1.0, 0.0], [3.0, 1.0]]))
    array([[5., 1.]])
    """
    if xp is np:
        return _matmul(weights, rows)
    if hasattr(weights, "mT") and hasattr(rows, "mT") and weights.dtype != object:
        return weights @ rows
    return xp.sum(weights[..., :, :, None] * rows[..., None, :, :], axis=-2)


def _matmul(a: Array, b: Array) -> Array:
    """Return a @ b, each group by itself, with bits that depend on no number of threads."""
    rows, inner = a.shape[-2:]
    columns = b.shape[-1]
    if rows * inner * columns <= _ONE_THREAD:
        return a @ b
    if inner > _LONG:
        return np.einsum("...ij,...jk->...ik", a, b)
    side = math.isqrt(_ONE_THREAD // inner)
    result = np.empty((*a.shape[:-1], columns), a.dtype)
    for i in range(0, rows, side):
        for j in range(0, columns, side):
            piece = a[..., i : i + side, :] @ b[..., j : j + side]
            result[..., i : i + side, j : j + side] = piece
    return result


def gradient_by_rows(xp: Namespace, unit: UnitRows, by_cosine: Array) -> Array:
    """Return derivatives by rows from those by the cosines (..., n, n) of all ordered pairs.

    It is the sum of weights times u_j - c_ij u_i, the components of the others orthogonal to each
    row. With k the position of the largest number of u_i, u_j - (u_jk / u_ik) u_i has the same
    orthogonal component, and is exactly 0 at k. So a row that is nearly an axis, or nearly parallel
    to the others, keeps the digits of its small numbers; what remains along the row is at most as
    large as they are.
    """
    u, both = unit.rows, by_cosine + xp.moveaxis(by_cosine, -1, -2)
    place = xp.argmax(xp.abs(u), axis=-1, keepdims=True)
    largest = xp.take_along_axis(u, place, axis=-1)
    # The place of the largest number of row i in all rows j, (..., j, i).
    places = xp.broadcast_to(xp.moveaxis(place, -1, -2), both.shape)
    ratio = xp.moveaxis(xp.take_along_axis(u, places, axis=-1), -1, -2) / largest
    part = combine_rows(xp, both, u) - xp.sum(both * ratio, axis=-1, keepdims=True) * u
    part = xp.where(column_numbers(xp, u) == place, xp.zeros_like(part), part)
    across = part - xp.sum(part * u, axis=-1, keepdims=True) * u
    return across / unit.norm
