"""Shrink a counterexample: the same error at simple numbers.

A search finds an error at numbers of 17 digits. Numbers with fewer digits, closer to 1 or to 0, are
tried instead, and kept if the result is as wrong and the numbers are more ordinary or shorter. It
is deterministic, so the same error is shown at the same numbers.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from typing import TypeAlias

import numpy as np

from lossfw.check.core.points import Points, drop_masked, drop_outside, written_lengths
from lossfw.check.core.region import regions_of_points
from lossfw.check.core.search import Search
from lossfw.check.core.subject import Subject
from lossfw.numerics.arrays import NDArray

# Tells of each point how bad its result is: 0 for one that does not show the error.
Badness: TypeAlias = Callable[[Points], NDArray]

# The exponent of a number is halved at each round, so that a few lead from 1e-300 to 1e-5.
_ROUNDS = 6

_PLAIN = (1.0, 10.0, 0.1, 100.0, 0.01, 1000.0, 0.001)
_DIGITS = (1, 2, 3)
_SHARES_OF_EXPONENT = (0.5, 0.75, 0.9)

# Above this, every float64 is a whole number.
_WHOLE = 1e15


def simplest_bad(subject: Subject, sets: Iterable[tuple[Points, NDArray]]) -> Points | None:
    """Return the worst point, of equally bad ones the most ordinary, then the shortest.

    Each set of points has the badness of each point. It is None if no point is bad.
    """
    found = [
        (cost, points.take(slice(one, one + 1)))
        for points, badness in sets
        for cost, one in _least_cost(subject, points, badness)
    ]
    return min(found, key=lambda pair: pair[0])[1] if found else None


def shrink(subject: Subject, search: Search, points: Points, badness: Badness) -> Points:
    """Return a simpler point with the same error.

    A search of given points does not shrink, because its points are already simple.
    """
    for _ in range(_ROUNDS if search.only is None else 0):
        tried = drop_masked(subject, drop_outside(subject, _simpler_points(points)))
        simpler = simplest_bad(subject, [(tried, badness(tried))] if len(tried) else [])
        if simpler is None or _is_equal(simpler, points):
            break
        points = simpler
    return points


def _least_cost(
    subject: Subject, points: Points, badness: NDArray
) -> list[tuple[tuple[int, int, int], int]]:
    """Return the least cost among the bad points and the number of its point; empty without any."""
    index = np.flatnonzero(badness)
    if not index.size:
        return []
    regions = regions_of_points(subject, points.take(index)).tolist()
    lengths = written_lengths(points, index)
    costs = zip((-badness[index]).tolist(), regions, lengths, index.tolist(), strict=True)
    *cost, one = min(costs)
    return [((cost[0], cost[1], cost[2]), one)]


def _is_equal(a: Points, b: Points) -> bool:
    return np.array_equal(a.y, b.y) and np.array_equal(a.t, b.t)


def _simpler_points(point: Points) -> Points:
    """Return a point and others, in which one number of a row, or both of a pair, are simpler."""
    y, t = point.y[0], point.t[0]
    if y.ndim == 0:
        # A target of 0 comes first.
        pairs = [(a, b) for b in _simpler_arrays(t) for a in _simpler_arrays(y)]
    else:
        pairs = [(a, t) for a in _simpler_arrays(y)] + [(y, b) for b in _simpler_arrays(t)]
    ys, ts = zip(*pairs, strict=True)
    return Points(np.stack(ys), np.stack(ts))


def _simpler_arrays(x: NDArray) -> Iterator[NDArray]:
    """Yield an array with one of its numbers in a simpler form, the simplest first, and itself."""
    for place in np.ndindex(x.shape) if x.dtype.kind == "f" else ():
        for number in _simpler_numbers(float(x[place])):
            changed = np.array(x)
            changed[place] = number
            yield changed
    yield x


def _simpler_numbers(x: float) -> Iterator[float]:
    if not math.isfinite(x) or x == 0:
        return
    yield 0.0
    yield from (math.copysign(number, x) for number in _PLAIN)
    exponent = math.log10(abs(x))
    for share in _SHARES_OF_EXPONENT:
        yield math.copysign(float(f"1e{round(share * exponent)}"), x)
    yield from (math.copysign(float(f"1e{math.floor(exponent) + up}"), x) for up in (0, 1))
    yield from (float(f"{x:.{digits - 1}e}") for digits in _DIGITS)
    if abs(x) < _WHOLE:
        yield float(round(x))
