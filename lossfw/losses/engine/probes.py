"""Probes: arguments at which a graph and a kernel have to agree with the body.

They are a check and no proof: ordinary numbers of every size, the ends of the spaces, zeros of
both signs, subnormal and huge numbers, infinities and NaN, and predictions near their targets.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from lossfw.components.spaces import Counts, Interval, Members, Space
from lossfw.numerics.arrays import NDArray

PROBES = 600

# The share of predictions that are near their target, and how near.
_NEAR_SHARE = 0.3
_NEAR = 1e-3

_SPECIAL = (
    *(0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 2.0, 64.0, -64.0, 1e-30, -1e-30, 1e30, -1e30),
    *(5e-324, 1e-310, 1e-45, 1e300, -1e300, 3e38, -3e38, 1.0 - 2.0**-53, 1.0 - 2.0**-24),
    *(np.inf, -np.inf),
)


def probes(spaces: tuple[Space, ...], dtype: np.dtype[Any]) -> tuple[NDArray, ...]:
    """Return arguments within some spaces, the same each time.

    Parameters
    ----------
    spaces : tuple of Space
        Those of a prediction and a target, or of one argument.
    dtype : dtype

    Returns
    -------
    tuple of ndarray, shape (PROBES,)
    """
    rng = np.random.default_rng(0)
    drawn = [members(space, rng, PROBES) for space in spaces]
    if len(drawn) == 2:
        y, t = drawn
        near = rng.random(PROBES) < _NEAR_SHARE
        close = t * (1.0 + _NEAR * rng.normal(size=PROBES))
        y[near] = np.where(_inside(spaces[0], close), close, y)[near]
    with np.errstate(all="ignore"):
        # Rounding may leave an open interval.
        cast = [x.astype(dtype) for x in drawn]
    return tuple(
        np.where(_inside(space, x), x, x.dtype.type(np.nan))
        for space, x in zip(spaces, cast, strict=True)
    )


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
