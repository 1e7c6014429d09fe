"""Members of spaces of numbers: edges, all magnitudes, and unremarkable ones.

An author may declare any interval, so nothing here looks at the name of one: a bound may be any
number, and belong to the space or not.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TypeAlias, TypeGuard

import numpy as np

from lossfw.components.spaces import LOGITS, Counts, Interval, Members, Space
from lossfw.numerics.arrays import NDArray

Generator: TypeAlias = np.random.Generator

# Neighbours of a kink, in units in the last place on each side.
_NEIGHBOURS = (1, 2, 1000)

# Farther ones, by the share of its size.
_SHARES = (0.1, 1e-2, 5e-3, 1e-3, 1e-4, 1e-5, 1e-6)

# Counts beyond a few, and the mean of unremarkable ones.
_COUNTS = (20.0, 100.0, 255.0, 1000.0, 2000.0, 50000.0, 1e6)
_MEAN_COUNT = 3.0

# Magnitudes at which stable forms change over and unstable ones fail.
_MAGNITUDES = (1e-30, 1e-20, 1e-12, 1e-9, 1e-7, 1e-4, 1e-3, 0.01, 0.1, 0.25, 0.3, 0.5, 0.7, 0.9,
               1.0, 1.5, 2.0, 3.0, 5.0, 8.0, 10.0, 15.0, 20.0, 37.0, 40.0, 88.0, 100.0, 104.0,
               710.0, 746.0, 1e3, 1e4, 1e7, 1e12, 1e19, 1e25, 4e37, 1e150, 1e200,
               1e300)  # fmt: skip

# How many logits of each infinite end are drawn, each with another target.
_ENDS = 4

# Unremarkable members of a bounded interval keep away from its bounds by this share of it.
_MARGIN = 0.02


def members(space: Space, dtype: str, rng: Generator, count: int) -> NDArray:
    """Return edges of a space of numbers and random members, at least `count` of them."""
    if isinstance(space, Members):
        return rng.choice(np.array(space.members), count).astype(dtype)
    if isinstance(space, Counts):
        large = [x for x in _COUNTS if x < float(np.finfo(dtype).max)]
        found = [np.arange(5), large, rng.poisson(8.0, count // 2), rng.choice(large, count // 8)]
        return np.concatenate([*found, rng.poisson(300.0, count - count // 2)]).astype(dtype)
    if is_bounded(space):
        return _between(space, dtype, rng, count)
    numbers = line((), dtype, rng, count)
    if space is LOGITS:
        numbers = np.concatenate([np.repeat([np.inf, -np.inf], _ENDS), numbers]).astype(dtype)
    if isinstance(space, Interval) and np.isfinite(space.low):
        return _above(space, numbers)
    if isinstance(space, Interval) and np.isfinite(space.high):
        return -_above(_mirrored(space), numbers)
    return numbers


def is_bounded(space: Space) -> TypeGuard[Interval]:
    """Tell whether a space is an interval with two finite bounds."""
    return isinstance(space, Interval) and bool(np.isfinite(space.low) and np.isfinite(space.high))


def _mirrored(space: Interval) -> Interval:
    """Return the interval of the negative numbers of another one."""
    low_in, high_in = space.high_included, space.low_included
    return replace(
        space, low=-space.high, high=-space.low, low_included=low_in, high_included=high_in
    )


def _above(space: Interval, numbers: NDArray) -> NDArray:
    """Return members of an interval without an upper bound."""
    above = (np.abs(numbers) + np.asarray(space.low, numbers.dtype)).astype(numbers.dtype)
    # Beside a bound that is not 0 small numbers would all be rounded away.
    small = numbers[(numbers > space.low) & (np.abs(numbers) < abs(space.low))]
    found = np.concatenate([above, small])
    if not space.low_included:
        found = found[found > space.low]
    return np.asarray(found[np.isfinite(found)])


def _between(space: Interval, dtype: str, rng: Generator, count: int) -> NDArray:
    """Return numbers between two bounds, with many close to either."""
    info = np.finfo(dtype)
    gaps = np.array([0.0, float(info.smallest_subnormal), float(info.tiny), float(info.eps) / 2,
                     float(info.eps), 1e-30, 1e-20, 1e-10, 1e-7, 1e-5, 1e-3, 0.01, 0.1, 0.25,
                     0.3, 0.4, 0.5])  # fmt: skip
    width = space.high - space.low
    drawn = rng.random(count)
    close = 10.0 ** -rng.uniform(0, 12, count) * 0.5
    low = space.low + width * np.concatenate([gaps, drawn, close]).astype(dtype)
    high = space.high - width * np.concatenate([gaps, close])
    half = np.nextafter(np.asarray(0.5, dtype), np.asarray([0, 1], dtype))
    found = np.concatenate([low, high, space.low + width * half]).astype(dtype)
    inside = np.clip(found, np.asarray(space.low, dtype), np.asarray(space.high, dtype))
    if not space.low_included:
        inside = inside[inside > space.low]
    if not space.high_included:
        inside = inside[inside < space.high]
    return np.asarray(inside, dtype)


def usual(space: Space, rng: Generator, shape: tuple[int, ...], scale: float = 1.0) -> NDArray:
    """Return unremarkable members of a space of numbers, in float64.

    The numbers of an interval that is not bounded have the spread `scale`.
    """
    if isinstance(space, Members):
        return np.asarray(rng.choice(np.array(space.members), shape))
    if isinstance(space, Counts):
        return np.asarray(rng.poisson(_MEAN_COUNT, shape).astype(np.float64))
    if is_bounded(space):
        share = _MARGIN + (1 - 2 * _MARGIN) * rng.random(shape)
        return np.asarray(space.low + (space.high - space.low) * share)
    return on_side(space, rng.normal(size=shape) * scale)


def on_side(space: Space, x: NDArray, off: float = 1.0) -> NDArray:
    """Return real numbers, turned to the side of its bound on which a half-line lies.

    For other spaces they stay as they are. If the bound does not belong to the space, 0 goes as
    far from it as `off` says.
    """
    if not isinstance(space, Interval) or (np.isinf(space.low) and np.isinf(space.high)):
        return x
    below = np.isinf(space.low)
    size, bound = np.abs(x), space.high if below else space.low
    if not (space.high_included if below else space.low_included):
        size = np.where(size == 0, off, size)
    return np.asarray(bound - size if below else bound + size)


def clipped(space: Space, x: NDArray) -> NDArray:
    """Return the members of an interval that are nearest to some numbers; of others the numbers."""
    if not isinstance(space, Interval):
        return x
    low, high = (np.asarray(bound, x.dtype) for bound in (space.low, space.high))
    if not space.low_included:
        low = np.nextafter(low, np.asarray(np.inf, x.dtype))
    if not space.high_included and np.isfinite(high):
        high = np.nextafter(high, np.asarray(-np.inf, x.dtype))
    return np.asarray(np.clip(x, low, high))


def line(kinks: tuple[float, ...], dtype: str, rng: Generator, count: int) -> NDArray:
    """Return numbers over the whole line: edges, kinks and their neighbours, all magnitudes."""
    info = np.finfo(dtype)
    edges = [0.0, float(info.smallest_subnormal), 3 * float(info.smallest_subnormal),
             float(info.tiny), float(info.eps), *_MAGNITUDES]  # fmt: skip
    edges = [x for x in edges if x < float(info.max) / 8]
    around = [near for kink in kinks for near in neighbours(kink, dtype)]
    around += [kink * (1 + s * d) for kink in kinks if kink for d in _SHARES for s in (-1, 1)]
    signs = np.where(rng.random(count) < 0.5, -1, 1)
    # Squares overflow beyond half of the magnitudes, so half of the numbers stay below.
    reach = (np.log10(float(info.max)) - 1) * rng.choice([0.5, 1.0], count)
    wide = signs * 10.0 ** (reach * rng.uniform(-1, 1, count))
    usual = rng.normal(size=count) * rng.choice([0.1, 1.0, 10.0], count)
    mixed = np.where(rng.random(count) < 0.4, wide, usual)
    return np.concatenate([edges, np.negative(edges), around, mixed]).astype(dtype)


def neighbours(x: float, dtype: str) -> list[float]:
    """Return a number and its neighbours 1, 2 and 1,000 units in the last place away."""
    here = np.asarray(x, dtype)
    step = np.spacing(np.abs(here))
    return [float(here + n * step) for k in _NEIGHBOURS for n in (-k, k)] + [float(here)]
