"""Probes: arguments at which a graph and a kernel have to agree with the body.

They are a check and no proof: ordinary numbers of every size, the ends of the spaces, zeros of
both signs, subnormal and huge numbers, infinities and NaN, predictions near their targets, counts
beyond every width of integers, the ends of tables, and powers whose result is a float.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from lossfw.components.spaces import Counts, Interval, Members, Space
from lossfw.numerics.arrays import NDArray

# Of the first and of the second kind.
_USUAL, _PAIRED = 600, 420
PROBES = _USUAL + _PAIRED

# The share of predictions that are near their target, and how near.
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


def probes(
    spaces: tuple[Space, ...], dtype: np.dtype[Any], lengths: tuple[int, ...] = ()
) -> tuple[NDArray, ...]:
    """Return arguments within some spaces, the same each time.

    Parameters
    ----------
    spaces : tuple of Space
        Those of a prediction and a target, or of one argument.
    dtype : dtype
    lengths : tuple of int
        Those of the tables that are looked up in.

    Returns
    -------
    tuple of ndarray, shape (PROBES,)
    """
    rng = np.random.default_rng(0)
    drawn = [members(space, rng, _USUAL) for space in spaces]
    if len(drawn) == 2:
        y, t = drawn
        near = rng.random(_USUAL) < _NEAR_SHARE
        close = t * (1.0 + _NEAR * rng.normal(size=_USUAL))
        y[near] = np.where(_inside(spaces[0], close), close, y)[near]
    paired = _pairs(rng, len(spaces), lengths)
    drawn = [
        np.append(x, np.where(_inside(space, more), more, members(space, rng, _PAIRED)))
        for x, space, more in zip(drawn, spaces, paired, strict=True)
    ]
    with np.errstate(all="ignore"):
        # Rounding may leave an open interval.
        cast = [x.astype(dtype) for x in drawn]
    return tuple(
        np.where(_inside(space, x), x, x.dtype.type(np.nan))
        for space, x in zip(spaces, cast, strict=True)
    )


def _pairs(rng: np.random.Generator, count: int, lengths: tuple[int, ...]) -> NDArray:
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
    found: NDArray = x * signs
    return found


def members(space: Space, rng: np.random.Generator, count: int) -> NDArray:
    """Return members of a space, in float64: ordinary and special ones, and NaN."""
    if isinstance(space, Members):
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
    special = special[_inside(space, special)]
    x[: len(special)] = special
    rng.shuffle(x)
    x[rng.integers(0, count, 3)] = np.nan
    return x


def _inside(space: Space, x: NDArray) -> NDArray:
    outside = space.outside(x)
    return np.ones(x.shape, bool) if outside is None else ~np.asarray(outside)
