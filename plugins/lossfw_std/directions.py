"""Vectors of a group by their directions: unit rows, their cosines, and derivatives by them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from lossfw import REAL, Array, Namespace, Space, Vector
from lossfw.numerics import columns, namespace_of


@dataclass(frozen=True)
class Directions(Vector):
    """Rows of numbers that are not all 0, which would have no direction."""

    def outside(self, x: Array) -> Array | None:
        """Tell which rows hold only zeros; see `Space.outside`."""
        xp = namespace_of(x)
        bad = xp.all(x == 0, axis=-1)
        return bad if bool(xp.any(bad)) else None

    def check(self, x: Array, role: str, *, start: int = 0) -> None:
        """Raise `DomainError` for the first row of zeros; see `Space.check`."""
        Space.check(self, x, role, start=start)


DIRECTION = Directions("DIRECTION", "the rows of numbers that are not all 0", of_numbers=REAL)


class UnitRows(NamedTuple):
    """Rows of length 1, and the lengths that they had, with a last axis of 1."""

    rows: Array
    norm: Array


def unit_rows(xp: Namespace, y: Array) -> UnitRows:
    """Return rows as directions; a row of zeros stays one.

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


def dots(xp: Namespace, a: Array, b: Array) -> Array:
    """Return the products of each row of `a` with each row of `b`, (..., n, m).

    NumPy's einsum and not its product of matrices, whose bits depend on the other groups.

    Examples
    --------
    >>> import numpy as np
    >>> dots(np, np.eye(2), np.asarray([[1.0, 2.0]]))
    array([[1.],
           [2.]])
    """
    if xp is np:
        return np.einsum("...id,...jd->...ij", a, b)
    if hasattr(a, "mT") and hasattr(b, "mT") and a.dtype != object:
        return a @ b.mT
    # Dual and exact numbers have no product of matrices.
    return xp.sum(a[..., :, None, :] * b[..., None, :, :], axis=-1)


def combined(xp: Namespace, weights: Array, rows: Array) -> Array:
    """Return the sums over j of weights (..., n, m) times rows (..., m, D).

    Examples
    --------
    >>> import numpy as np
    >>> combined(np, np.asarray([[2.0, 1.0]]), np.asarray([[1.0, 0.0], [3.0, 1.0]]))
    array([[5., 1.]])
    """
    if xp is np:
        return np.einsum("...ij,...jd->...id", weights, rows)
    if hasattr(weights, "mT") and hasattr(rows, "mT") and weights.dtype != object:
        return weights @ rows
    return xp.sum(weights[..., :, :, None] * rows[..., None, :, :], axis=-2)


def by_rows(xp: Namespace, unit: UnitRows, by_cosine: Array) -> Array:
    """Return derivatives by rows from those by the cosines (..., n, n) of all ordered pairs.

    The sum of weights times u_j - c_ij u_i, the parts of the others across each row. With k the
    place of the largest number of u_i, u_j - (u_jk / u_ik) u_i has the same part across, and
    exactly 0 at k. So a row that is nearly an axis, or nearly parallel to the others, keeps the
    digits of its small numbers; what is left along the row is at most as large as they are.
    """
    u, both = unit.rows, by_cosine + xp.moveaxis(by_cosine, -1, -2)
    place = xp.argmax(xp.abs(u), axis=-1, keepdims=True)
    largest = xp.take_along_axis(u, place, axis=-1)
    # The place of the largest number of row i in all rows j, (..., j, i).
    places = xp.broadcast_to(xp.moveaxis(place, -1, -2), both.shape)
    ratio = xp.moveaxis(xp.take_along_axis(u, places, axis=-1), -1, -2) / largest
    part = combined(xp, both, u) - xp.sum(both * ratio, axis=-1, keepdims=True) * u
    part = xp.where(columns(xp, u) == place, xp.zeros_like(part), part)
    across = part - xp.sum(part * u, axis=-1, keepdims=True) * u
    return across / unit.norm
