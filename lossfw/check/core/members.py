"""Members of spaces: edges, all magnitudes, and unremarkable ones.

An author may declare any interval, so nothing here depends on the name of a space: a bound may be
any number, included or not.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeAlias, TypeGuard, TypeVar, cast

import numpy as np

from lossfw.components.columns import Columns
from lossfw.components.ranges import EXPONENTIATED, PROMISED, PromisedRange
from lossfw.components.spaces import (
    BINARY,
    CLASS_INDEX,
    COUNT,
    NONNEGATIVE,
    POSITIVE,
    SIMPLEX,
    UNIT,
    Counts,
    FiniteSpace,
    Interval,
    Simplex,
    Space,
    Vector,
)
from lossfw.numerics.arrays import NDArray

Generator: TypeAlias = np.random.Generator

# Neighbours of a kink, in units in the last place on each side.
_NEIGHBOURS = (1, 2, 1000)

# Farther ones, by the fraction of its size.
_SHARES = (0.1, 1e-2, 5e-3, 1e-3, 1e-4, 1e-5, 1e-6)

# Counts beyond a few, and the mean of unremarkable ones.
_COUNTS = (20.0, 100.0, 255.0, 1000.0, 2000.0, 50000.0, 1e6)
_MEAN_COUNT = 3.0

# Magnitudes at which stable forms change over and unstable ones fail, and where the promise ends.
_MAGNITUDES = (1e-30, 1e-20, 1e-12, 1e-10, 1e-9, 1e-7, 1e-4, 1e-3, 0.01, 0.1, 0.25, 0.3, 0.5,
               0.7, 0.9, 1.0, 1.5, 2.0, 3.0, 5.0, 8.0, 10.0, 15.0, 20.0, 37.0, 40.0, 88.0, 100.0,
               104.0, 710.0, 746.0, 1e3, 1e4, 1e7, 1e10, 1e12, 1e19, 1e25, 1e30)  # fmt: skip

# Numbers approach others by powers of ten, until they are equal.
_CLOSEST = 18.0

# Others are so many units in the last place away, and so many of them are equal.
_UNITS, _SAME = 8, 0.3

# Unremarkable members of a bounded interval keep away from its bounds by this fraction of it.
_MARGIN = 0.02

# Unremarkable distributions keep away from 0 by this share, and other numbers have this spread.
_FLOOR, _SPREAD = 0.1, 2.0


_Function = TypeVar("_Function", bound=Callable[..., NDArray])


def apply_per_column(function: _Function) -> _Function:
    """Decorate a function of a space and numbers, to give each number of a row its space."""

    @functools.wraps(function)
    def of_rows(space: Space, x: NDArray, *others: Any, **options: Any) -> NDArray:
        if not isinstance(space, Columns | Vector):
            return function(space, x, *others, **options)
        each = [UNIT if one is SIMPLEX else one for one in space.space_of_each(x.shape[-1])]
        parts = [function(one, x[..., k], *others, **options) for k, one in enumerate(each)]
        return np.stack(parts, axis=-1)

    return cast(_Function, of_rows)


def members(space: Space, dtype: str, rng: Generator, count: int) -> NDArray:
    """Return edges of a space of numbers and random members, at least `count` of them."""
    if isinstance(space, FiniteSpace):
        return rng.choice(np.array(space.members), count).astype(dtype)
    if isinstance(space, Counts):
        large = [x for x in _COUNTS if x < float(np.finfo(dtype).max)]
        found = [np.arange(5), large, rng.poisson(8.0, count // 2), rng.choice(large, count // 8)]
        return np.concatenate([*found, rng.poisson(300.0, count - count // 2)]).astype(dtype)
    if is_bounded(space):
        return _place_in_interval(
            space, _fractions_of_interval(dtype, rng, count) * (space.high - space.low)
        )
    numbers = numbers_of_all_magnitudes((), dtype, rng, count)
    return _place_in_interval(space, numbers) if isinstance(space, Interval) else numbers


def is_bounded(space: Space) -> TypeGuard[Interval]:
    """Tell whether a space is an interval with two finite bounds."""
    return isinstance(space, Interval) and bool(np.isfinite(space.low) and np.isfinite(space.high))


def is_real_line(space: Space) -> TypeGuard[Interval]:
    """Tell whether a space has all real numbers."""
    return isinstance(space, Interval) and bool(np.isinf(space.low) and np.isinf(space.high))


def is_exponentiated(space: Space) -> bool:
    """Tell whether a space is one of logarithms, from its promised range."""
    own = space.sizes if isinstance(space, Interval) else None
    return own is not None and own.high <= EXPONENTIATED.high


def _place_in_interval(space: Interval, x: NDArray) -> NDArray:
    """Return members of an interval at the distances `x` from its bounds, or the line's `x`."""
    if is_real_line(space):
        return x
    bounds = [(b, side) for b, side in ((space.low, 1), (space.high, -1)) if np.isfinite(b)]
    found = [bound + side * np.abs(x) for bound, side in bounds]
    # Beside bounds that are not 0 small numbers would all be rounded away.
    small = x[np.abs(x) < min(abs(bound) for bound, _ in bounds)]
    inside = np.concatenate([*found, small]).astype(x.dtype)
    outside = space.outside_or_none(inside)
    return np.asarray(inside if outside is None else inside[~outside])


def _fractions_of_interval(dtype: str, rng: Generator, count: int) -> NDArray:
    """Return shares of an interval: of the edges at a bound, of all of it, and of the half."""
    info = np.finfo(dtype)
    edges = [0.0, float(info.eps) / 2, float(info.eps), 1e-30, 1e-20, 1e-10, 1e-7, 1e-5, 1e-3,
             0.01, 0.1, 0.25, 0.3, 0.4, 0.5, *neighbours(0.5, dtype)[:2]]  # fmt: skip
    close = 10.0 ** -rng.uniform(0, 12, count // 2) * 0.5
    return np.concatenate([edges, rng.random(count // 2), close]).astype(dtype)


def usual_members(space: Space, rng: Generator, shape: tuple[int, ...]) -> NDArray:
    """Return unremarkable members of a space, in float64; rows of one 1 stand for class indices."""
    if isinstance(space, Simplex):
        drawn = rng.dirichlet(np.ones(shape[-1]), shape[:-1])
        return np.asarray((1 - _FLOOR) * drawn + _FLOOR / shape[-1])
    if space is CLASS_INDEX:
        return np.eye(shape[-1])[rng.integers(0, shape[-1], shape[:-1])]
    if isinstance(space, FiniteSpace):
        return np.asarray(rng.choice(np.array(space.members), shape))
    if isinstance(space, Counts):
        return np.asarray(rng.poisson(_MEAN_COUNT, shape).astype(np.float64))
    if is_bounded(space):
        share = _MARGIN + (1 - 2 * _MARGIN) * rng.random(shape)
        return np.asarray(space.low + (space.high - space.low) * share)
    return reflect_to_half_line(space, rng.normal(size=shape) * _SPREAD)


def reflect_to_half_line(space: Space, x: NDArray, zero_distance: float = 1.0) -> NDArray:
    """Return real numbers, reflected into a half-line.

    For other spaces they are unchanged. If the bound is excluded, 0 moves away from it by
    `zero_distance`.
    """
    if not isinstance(space, Interval) or is_real_line(space):
        return x
    below = np.isinf(space.low)
    size, bound = np.abs(x), space.high if below else space.low
    if not (space.high_included if below else space.low_included):
        size = np.where(size == 0, zero_distance, size)
    return np.asarray(bound - size if below else bound + size)


@apply_per_column
def promised_mask(space: Space, x: NDArray, sizes: PromisedRange) -> NDArray:
    """Return a mask of the numbers within promised sizes."""
    return promised_sizes(space, sizes).contains(x)


def magnitude_limits(sizes: PromisedRange, dtype: str | np.dtype[Any]) -> tuple[float, float]:
    """Return the smallest and the largest magnitude of a dtype."""
    info, (least, most) = np.finfo(dtype), sizes.limits(dtype)
    return max(least, float(info.smallest_subnormal)), min(most, float(info.max))


def promised_sizes(space: Space, sizes: PromisedRange) -> PromisedRange:
    """Return the sizes of numbers of a space for which a loss promises results."""
    own = space.sizes if isinstance(space, Interval) else None
    return sizes if own is None else PromisedRange.intersection((sizes, own))


@apply_per_column
def clip_to_interval(space: Space, x: NDArray) -> NDArray:
    """Return the numbers clipped to an interval; for other spaces the numbers."""
    if not isinstance(space, Interval):
        return x
    low, high = (np.asarray(bound, x.dtype) for bound in (space.low, space.high))
    if not space.low_included:
        low = np.nextafter(low, np.asarray(np.inf, x.dtype))
    if not space.high_included and np.isfinite(high):
        high = np.nextafter(high, np.asarray(-np.inf, x.dtype))
    return np.asarray(np.clip(x, low, high))


def numbers_of_all_magnitudes(
    kinks: tuple[float, ...], dtype: str, rng: Generator, count: int
) -> NDArray:
    """Return numbers of all promised magnitudes: edges, kinks, their neighbours, and others."""
    info, (least, most) = np.finfo(dtype), magnitude_limits(PROMISED, dtype)
    edges = [0.0, *(x for x in (float(info.eps), *_MAGNITUDES) if least <= x <= most)]
    around = [near for kink in kinks for near in neighbours(kink, dtype)]
    around += [kink * (1 + s * d) for kink in kinks if kink for d in _SHARES for s in (-1, 1)]
    signs = np.where(rng.random(count) < 0.5, -1, 1)
    wide = signs * 10.0 ** rng.uniform(np.log10(least), np.log10(most), count)
    far = [kink for kink in kinks if kink and abs(kink) < info.max] or [1.0]
    # The last spread reaches to both sides of the farthest kink.
    spread = rng.choice([0.1, 1.0, 10.0, 2 * max(map(abs, far))], count)
    near = perturb(rng.choice(far, count), dtype, rng)
    share = rng.random(count)
    mixed = np.select([share < 0.35, share < 0.5], [wide, near], rng.normal(size=count) * spread)
    return np.concatenate([edges, np.negative(edges), around, mixed]).astype(dtype)


def neighbours(x: float, dtype: str) -> list[float]:
    """Return a number and its neighbours 1, 2 and 1,000 units in the last place away."""
    here = np.asarray(x, dtype)
    step = np.spacing(np.abs(here))
    return [float(here + n * step) for k in _NEIGHBOURS for n in (-k, k)] + [float(here)]


def perturb(x: NDArray, dtype: str, rng: Generator) -> NDArray:
    """Move each number or row by a fraction of itself, between 0 and a third."""
    step = 10.0 ** -rng.uniform(0.5, _CLOSEST, (len(x), *[1] * (x.ndim - 1)))
    sign = rng.choice([-1.0, 1.0], x.shape)
    with np.errstate(all="ignore"):
        return np.asarray(x * (1 + sign * step)).astype(dtype)


def perturb_by_ulps(x: NDArray, rng: Generator) -> NDArray:
    """Return numbers that are equal to others, or a few units in the last place away."""
    units = rng.integers(-_UNITS, _UNITS + 1, x.shape) * (rng.random(x.shape) >= _SAME)
    with np.errstate(all="ignore"):
        moved = x + units * np.spacing(np.abs(x))
    return np.where(np.isfinite(moved), moved, x).astype(x.dtype)


def usual_best_predictions(prediction: Space, target: Space, t: NDArray) -> NDArray:
    """Return predictions near the best for each target, as their spaces suggest.

    If targets are positive and predictions any real numbers, they are logarithms; if targets
    are probabilities, logits.
    """
    best = t
    with np.errstate(all="ignore"):
        if is_real_line(prediction) and target in (NONNEGATIVE, POSITIVE, COUNT):
            best = np.log(t)
        elif is_real_line(prediction) and target in (UNIT, BINARY):
            best = np.log(t) - np.log1p(-t)
    return np.where(np.isfinite(best), best, 0.0)
