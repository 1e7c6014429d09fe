"""Row probes: rows at which a graph and a kernel have to agree with the body.

As in `lossfw.losses.engine.probes`, they are a check and no proof. Rows are ordinary or far
apart, certain or undecided, with ties, infinities, zeros and NaN.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from lossfw.components.spaces import CLASS_INDEX, SIMPLEX, Interval, Space
from lossfw.losses.engine.probes import members
from lossfw.numerics.arrays import NDArray

# Rows, and elements of very long ones.
_MOST, _LEAST, _ELEMENTS = 120, 24, 20_000

# How far the largest logit of a certain row is from the others.
_CERTAIN = (15.0, 40.0, 200.0)

# The sizes of logits.
_SIZES = (0.1, 1.0, 5.0, 50.0, 1e4)


def row_probes(
    spaces: tuple[Space, ...], dtype: np.dtype[Any], columns: int, *, by_index: bool
) -> tuple[NDArray, ...]:
    """Return arguments within some spaces, the same each time.

    Parameters
    ----------
    spaces : tuple of Space
        Those of a prediction and a target, or of the arguments of an activation.
    dtype : dtype
    columns : int
        The length of a row.
    by_index : bool
        The second is a class for each row.

    Returns
    -------
    tuple of ndarray, shape (N, K) or (N,)
    """
    rng = np.random.default_rng(0)
    rows = number_of_rows(columns)
    first = _rows_of(spaces[0], rng, rows, columns)
    found = [first]
    if len(spaces) > 1:
        found.append(_targets(spaces[1], rng, first, by_index))
    with np.errstate(all="ignore"):
        return tuple(x if x.dtype.kind == "i" else x.astype(dtype) for x in found)


def number_of_rows(columns: int) -> int:
    """Return how many rows the probes of a length are."""
    return min(_MOST, max(_LEAST, _ELEMENTS // columns))


def _targets(space: Space, rng: np.random.Generator, y: NDArray, by_index: bool) -> NDArray:
    """Return targets, a half of them where the prediction is largest."""
    rows, columns = y.shape
    index: NDArray = rng.integers(0, columns, rows)
    near = rng.random(rows) < 0.5
    index[near] = np.argmax(np.where(np.isnan(y), -np.inf, y), axis=-1)[near]
    if by_index:
        return index
    if space not in (CLASS_INDEX, SIMPLEX):
        return _rows_of(space, rng, rows, columns)
    t = np.zeros(y.shape)
    t[np.arange(rows), index] = 1.0
    soft = np.arange(rows) % 3 == 0
    t[soft] = _distributions(rng, rows, columns)[soft]
    t[-1, 0] = np.nan
    return t


def _rows_of(space: Space, rng: np.random.Generator, rows: int, columns: int) -> NDArray:
    if space in (CLASS_INDEX, SIMPLEX):
        y = _distributions(rng, rows, columns)
        y[1, columns // 2] = np.nan
        return y
    if isinstance(space, Interval) and (space.low, space.high) == (-np.inf, np.inf):
        return _logits(rng, rows, columns)
    return members(space, rng, rows * columns).reshape(rows, columns)


def _distributions(rng: np.random.Generator, rows: int, columns: int) -> NDArray:
    """Return distributions, some of them with zeros, some all in one place."""
    sizes = np.resize(_SIZES[:4], rows)[:, np.newaxis]
    e = np.exp(-sizes * rng.exponential(size=(rows, columns)))
    e[5::6] *= rng.random((rows, columns))[5::6] < 0.5
    e[:, 0] += e.sum(axis=-1) == 0
    e[3::8] = np.eye(columns)[rng.integers(0, columns, rows)][3::8] if columns < rows else e[3::8]
    distributions: NDArray = e / e.sum(axis=-1, keepdims=True)
    return distributions


def _logits(rng: np.random.Generator, rows: int, columns: int) -> NDArray:
    """Return logits of many sizes, and rows with ties, infinities and NaN."""
    z: NDArray = np.resize(_SIZES, rows)[:, np.newaxis] * rng.normal(size=(rows, columns))
    at = rng.integers(0, columns, (rows, 3))
    everywhere = np.arange(rows)
    # A sure class, as trained networks have it.
    sure = everywhere % 4 == 1
    largest = z[sure].max(axis=-1)
    z[sure, at[sure, 0]] = largest + np.resize(_CERTAIN, largest.shape)
    for place, value in enumerate((np.inf, -np.inf, np.nan, 0.0, -0.0, 1e30, 3e38)):
        z[place + 3 :: 20, at[place + 3 :: 20, 0]] = value
    z[10::20, at[10::20, 1]] = z[10::20, at[10::20, 0]]
    z[11::20, at[11::20]] = np.inf
    z[12::20] = -np.inf
    z[13::20, : columns // 2] = -np.inf
    z[14::20] = 0.0
    z[15::20] *= np.exp(rng.normal(size=(1, columns)))
    return z
