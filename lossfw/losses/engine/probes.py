"""Probes: arguments at which a graph and a kernel must agree with the body.

They are a check, not a proof. Elements are ordinary numbers of every size, the ends of the spaces,
zeros of both signs, subnormal and huge numbers, infinities and NaN, predictions near their targets,
counts beyond every width of integers, the ends of tables, and powers whose result is a float. Rows
are ordinary or far apart, certain or undecided, with ties, infinities, zeros and NaN.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from lossfw.components.spaces import CLASS_INDEX, SIMPLEX, Counts, FiniteSpace, Interval, Space
from lossfw.numerics.arrays import NDArray

# Ordinary arguments, and rare ones in pairs.
_USUAL, _PAIRED = 600, 420
PROBES = _USUAL + _PAIRED

# The fraction of predictions that are near their target, and how near.
_NEAR_SHARE = 0.3
_NEAR = 1e-3

_SPECIAL = (
    *(0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 2.0, 64.0, -64.0, 1e-30, -1e-30, 1e30, -1e30),
    *(5e-324, 1e-310, 1e-45, 1e300, -1e300, 3e38, -3e38, 1.0 - 2.0**-53, 1.0 - 2.0**-24),
    *(np.inf, -np.inf),
)

# Whole numbers at the ends of integers of every width, and of floats' whole numbers.
_WIDTHS = (7, 8, 15, 16, 24, 31, 32, 53, 62)
_LARGE = tuple(2.0**bits + step for bits in _WIDTHS for step in (-1.0, 0.0, 1.0))

# Numbers of which powers, roots and logarithms are floats, and exponents for which NumPy has
# functions of its own.
_BASES = (*(2.0**k for k in range(-8, 9)), 3.0, 9.0, 27.0, 81.0, 10.0, 100.0, 1000.0, 0.1)
_EXPONENTS = (-1.0, 0.0, 0.5, 1.0, 1.5, 2.0, 3.0, -0.5)


# Rows, and elements of very long ones.
_MOST_ROWS, _LEAST_ROWS, _ROW_ELEMENTS = 120, 24, 20_000

# How far the largest logit of a certain row is from the others.
_CERTAIN = (15.0, 40.0, 200.0)

# The sizes of logits.
_SIZES = (0.1, 1.0, 5.0, 50.0, 1e4)


def element_probes(
    spaces: tuple[Space, ...], dtype: np.dtype[Any], lengths: tuple[int, ...] = ()
) -> tuple[NDArray, ...]:
    """Return `PROBES` arguments within one or two spaces, for tables of some lengths."""
    rng = np.random.default_rng(0)
    drawn = [_draw_members(space, rng, _USUAL) for space in spaces]
    if len(drawn) == 2:
        y, t = drawn
        near = rng.random(_USUAL) < _NEAR_SHARE
        close = t * (1.0 + _NEAR * rng.normal(size=_USUAL))
        y[near] = np.where(_is_inside(spaces[0], close), close, y)[near]
    paired = _draw_rare_numbers(rng, len(spaces), lengths)
    drawn = [
        np.append(x, np.where(_is_inside(space, more), more, _draw_members(space, rng, _PAIRED)))
        for x, space, more in zip(drawn, spaces, paired, strict=True)
    ]
    with np.errstate(all="ignore"):
        # Rounding may leave an open interval.
        cast = [x.astype(dtype) for x in drawn]
    return tuple(
        np.where(_is_inside(space, x), x, x.dtype.type(np.nan))
        for space, x in zip(spaces, cast, strict=True)
    )


def _draw_rare_numbers(rng: np.random.Generator, count: int, lengths: tuple[int, ...]) -> NDArray:
    """Return one or two rows of numbers that are rare among ordinary ones, of both signs."""
    ends = [float(n - step) for n in lengths for step in (1, 2)]
    rare = np.array([*_LARGE, *_BASES, *ends])
    x = rng.choice(rare, (count, _PAIRED))
    # Each base meets each exponent.
    bases, exponents = np.meshgrid(_BASES, _EXPONENTS)
    x[0, : bases.size] = bases.ravel()
    x[-1, : bases.size] = exponents.ravel() if count > 1 else x[0, : bases.size]
    if ends:
        x[:, bases.size :][:, : len(ends)] = ends[: _PAIRED - bases.size]
    signs = rng.choice([1.0, -1.0], x.shape)
    signs[:, : bases.size] = 1.0
    pairs: NDArray = x * signs
    return pairs


def _draw_members(space: Space, rng: np.random.Generator, count: int) -> NDArray:
    """Return members of a space, in float64: ordinary and special ones, and NaN."""
    if isinstance(space, FiniteSpace):
        chosen: NDArray = rng.choice(space.members, count)
        return chosen
    sizes = np.exp(3.0 * rng.normal(size=count))
    if isinstance(space, Counts):
        return np.floor(sizes)
    low, high = -np.inf, np.inf
    if isinstance(space, Interval):
        low, high = space.low, space.high
    if np.isfinite(low) and np.isfinite(high):
        x = low + (high - low) * rng.random(count)
    elif np.isfinite(low):
        x = low + sizes
    elif np.isfinite(high):
        x = high - sizes
    else:
        x = sizes * rng.choice([-1.0, 1.0], count)
    special = np.array([*_SPECIAL, low, high])
    special = special[_is_inside(space, special)]
    x[: len(special)] = special
    rng.shuffle(x)
    x[rng.integers(0, count, 3)] = np.nan
    return x


def _is_inside(space: Space, x: NDArray) -> NDArray:
    with np.errstate(invalid="ignore"):
        outside = space.outside_or_none(x)
    return np.ones(x.shape, bool) if outside is None else ~np.asarray(outside)


def row_probes(
    spaces: tuple[Space, ...], dtype: np.dtype[Any], columns: int, *, by_index: bool
) -> tuple[NDArray, ...]:
    """Return rows within one or two spaces; the second may be a class for each row."""
    rng = np.random.default_rng(0)
    rows = probe_row_count(columns)
    first = _draw_rows(spaces[0], rng, rows, columns)
    arrays = [first]
    if len(spaces) > 1:
        arrays.append(_draw_targets(spaces[1], rng, first, by_index))
    with np.errstate(all="ignore"):
        return tuple(x if x.dtype.kind == "i" else x.astype(dtype) for x in arrays)


def column_probes(
    spaces: tuple[Space, ...], dtype: np.dtype[Any], width: int
) -> tuple[NDArray, ...]:
    """Return members of spaces, one of them of rows, as flat rows or numbers.

    Rows of open size have `width` numbers.
    """
    sizes = [space.flat_size(width) for space in spaces]
    return _draw_records(
        spaces, dtype, sizes, probe_row_count(max(sizes)), np.random.default_rng(0)
    )


def record_probes(
    spaces: tuple[Space, ...], dtype: np.dtype[Any], sizes: tuple[int, ...]
) -> tuple[NDArray, ...]:
    """Return `PROBES` members of spaces as flat rows or numbers, some of them close together."""
    rng = np.random.default_rng(0)
    arrays = _draw_records(spaces, dtype, sizes, PROBES, rng)
    columns = [column for x in arrays for column in x.reshape(PROBES, -1).T]
    for space, x in zip(spaces, arrays, strict=True):
        usual = x[_are_rows_inside(space, x)]
        for column in x.reshape(PROBES, -1).T:
            near = rng.random(PROBES) < _NEAR_SHARE
            step = _NEAR * rng.normal(size=PROBES) * (rng.random(PROBES) < 0.5)
            with np.errstate(all="ignore"):
                close = (columns[rng.integers(len(columns))] * (1.0 + step)).astype(dtype)
            column[near] = close[near]
        # Rounding may leave an open interval too.
        outside = ~_are_rows_inside(space, x)
        x[outside] = usual[rng.integers(len(usual), size=np.count_nonzero(outside))]
    return arrays


def _are_rows_inside(space: Space, x: NDArray) -> NDArray:
    inside: Any = _is_inside(space, x).reshape(len(x), -1)
    return np.asarray(inside.all(axis=-1))


def _draw_records(
    spaces: tuple[Space, ...],
    dtype: np.dtype[Any],
    sizes: Sequence[int],
    rows: int,
    rng: np.random.Generator,
) -> tuple[NDArray, ...]:
    def draw(space: Space, row: tuple[int, ...]) -> NDArray:
        if space.axes:
            return _draw_distributions(rng, rows, row[0])
        return _draw_members(space, rng, rows * math.prod(row)).reshape(rows, *row)

    with np.errstate(all="ignore"):
        return tuple(
            space.generate_rows(size, draw).astype(dtype)
            for space, size in zip(spaces, sizes, strict=True)
        )


def probe_row_count(columns: int) -> int:
    """Return the number of probe rows of a length."""
    return min(_MOST_ROWS, max(_LEAST_ROWS, _ROW_ELEMENTS // columns))


def _draw_targets(space: Space, rng: np.random.Generator, y: NDArray, by_index: bool) -> NDArray:
    """Return targets, a half of them where the prediction is largest."""
    rows, columns = y.shape
    index: NDArray = rng.integers(0, columns, rows)
    near = rng.random(rows) < 0.5
    index[near] = np.argmax(np.where(np.isnan(y), -np.inf, y), axis=-1)[near]
    if by_index:
        return index
    if space not in (CLASS_INDEX, SIMPLEX):
        return _draw_rows(space, rng, rows, columns)
    t = np.zeros(y.shape)
    t[np.arange(rows), index] = 1.0
    soft = np.arange(rows) % 3 == 0
    t[soft] = _draw_distributions(rng, rows, columns)[soft]
    t[-1, 0] = np.nan
    return t


def _draw_rows(space: Space, rng: np.random.Generator, rows: int, columns: int) -> NDArray:
    if space in (CLASS_INDEX, SIMPLEX):
        y = _draw_distributions(rng, rows, columns)
        y[1, columns // 2] = np.nan
        return y
    if isinstance(space, Interval) and (space.low, space.high) == (-np.inf, np.inf):
        return _draw_logits(rng, rows, columns)
    return _draw_members(space, rng, rows * columns).reshape(rows, columns)


def _draw_distributions(rng: np.random.Generator, rows: int, columns: int) -> NDArray:
    """Return distributions, some of them with zeros, some all in one place."""
    sizes = np.resize(_SIZES[:4], rows)[:, np.newaxis]
    e = np.exp(-sizes * rng.exponential(size=(rows, columns)))
    e[5::6] *= rng.random((rows, columns))[5::6] < 0.5
    e[:, 0] += e.sum(axis=-1) == 0
    e[3::8] = np.eye(columns)[rng.integers(0, columns, rows)][3::8] if columns < rows else e[3::8]
    distributions: NDArray = e / e.sum(axis=-1, keepdims=True)
    return distributions


def _draw_logits(rng: np.random.Generator, rows: int, columns: int) -> NDArray:
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
