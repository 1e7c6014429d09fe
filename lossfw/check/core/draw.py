"""Draw points from the spaces that a loss declares; an author writes none of it.

Every set begins with edges (bounds, kinks and their neighbours, denormals, huge
numbers) and goes on with seeded random numbers over many magnitudes.
`lossfw.check.core.dense_points` draws more densely.
"""

from __future__ import annotations

import numpy as np

from lossfw.check.core.members import Generator, is_bounded, line, members, on_side, usual
from lossfw.check.core.subject import Points, Subject, drop_outside
from lossfw.components.spaces import (
    BINARY,
    CLASS_INDEX,
    LOGITS,
    REAL,
    SIMPLEX,
    UNIT,
    Counts,
    Interval,
    Members,
    Space,
)
from lossfw.numerics.arrays import NDArray

# Targets that stand for something else in somebody's data.
_MARKERS = (-1.0, 1.0, -999.0, 255.0)

# Sizes of rows of real numbers; those that a dtype cannot hold are left out.
_SIZES = (1e-200, 1e-30, 1e-10, 1e5, 1e10, 1e19, 1e30, 1e36, 1e150, 1e200)

_LEAST_LOGIT = 1e-20

# Probabilities of a class that is all but excluded: so many digits behind the point.
_FAINT = (7.0, 30.0)

# Counts and other single numbers are rows of these, so many for each row.
_MEMBERS = 4

# So many predictions of a line, its edges, meet each bound of a target.
_EDGES = 100


def draw(subject: Subject, dtype: str, rng: Generator, count: int) -> list[Points]:
    """Return pairs for a loss of any kind; for rows one set for each number of columns."""
    if not subject.rows:
        return [drop_outside(subject, elements(subject, dtype, rng, count))]
    each = count // len(subject.columns) + 8
    every = [drop_outside(subject, rows(subject, k, dtype, rng, each)) for k in subject.columns]
    return [points for points in every if len(points)]


def draw_pairs(subject: Subject, columns: int, dtype: str, rng: Generator, count: int) -> Points:
    """Return pairs of single numbers, or of rows where there is a number of columns."""
    if columns:
        return rows(subject, columns, dtype, rng, count)
    return elements(subject, dtype, rng, count)


def elements(subject: Subject, dtype: str, rng: Generator, count: int) -> Points:
    """Return pairs of single numbers for a distance, margin or pointwise loss."""
    if subject.kind == "pointwise":
        return _pointwise(subject, dtype, rng, count)
    if subject.kind == "distance" and not (
        _is_free(subject.prediction) and _is_free(subject.target)
    ):
        return _between_spaces(subject, dtype, rng, count)
    scalars = line(subject.kinks(), dtype, rng, count)
    if subject.kind == "margin":
        sign = np.where(rng.random(scalars.size) < 0.5, -1.0, 1.0).astype(dtype)
        return Points((scalars * sign).astype(dtype), sign)
    # Residuals are exact where the target is 0; others have targets of their size.
    target = np.zeros_like(scalars)
    moved = rng.random(scalars.size) < 0.3
    drawn = (rng.normal(size=scalars.size) * 3).astype(dtype)
    marked = rng.random(scalars.size) < 0.2
    drawn = np.where(marked, rng.choice(_MARKERS, scalars.size), drawn).astype(dtype)
    target = np.where(moved & (np.abs(scalars) < 1e6) & (np.abs(scalars) > 1e-6), drawn, target)
    return Points((scalars + target).astype(dtype), target)


def _is_free(space: Space) -> bool:
    """Tell whether a space has all real numbers."""
    return isinstance(space, Interval) and bool(np.isinf(space.low) and np.isinf(space.high))


def _between_spaces(subject: Subject, dtype: str, rng: Generator, count: int) -> Points:
    """Return pairs for a residual of numbers that have bounds: free ones, and residuals."""
    free = _pointwise(subject, dtype, rng, count)
    residuals = line(subject.kinks(), dtype, rng, count)
    t = usual(subject.target, rng, residuals.shape).astype(dtype)
    with np.errstate(over="ignore"):
        y = t + residuals
    return Points(np.concatenate([free.y, y]), np.concatenate([free.t, t]))


def rows(subject: Subject, columns: int, dtype: str, rng: Generator, count: int) -> Points:
    """Return pairs of rows for a categorical loss."""
    y = _rows_of(subject.prediction, columns, dtype, rng, count)
    if subject.target is CLASS_INDEX:
        index = _finite_targets(y, np.eye(columns)[rng.integers(0, columns, len(y))]).argmax(-1)
        # Where a mask leaves out an index, or its one-hot row, these are not the same target.
        keep = subject.counts(y, index) * subject.counts(y, np.eye(columns)[index]) > 0
        return Points(y, index) if keep.all() else Points(y, index).take(keep)
    if subject.target_per_row:
        return Points(y, line((), dtype, rng, len(y))[: len(y)][rng.permutation(len(y))])
    if subject.target is REAL and subject.prediction is REAL:
        t = _near_rows(y, rng).astype(dtype)
        # The direction of a row of zeros is not defined.
        some = y.any(-1) & t.any(-1)
        return Points(y[some], t[some])
    t = _rows_of(subject.target, columns, dtype, rng, len(y))
    # Some come again where there are fewer.
    enough = len(t) >= len(y)
    t = t[rng.permutation(len(t))[: len(y)] if enough else rng.integers(0, len(t), len(y))]
    if subject.target is LOGITS:
        # An infinite logit is legal, an infinite target is not.
        t = np.where(np.isfinite(t), t, 1.0).astype(dtype)
    if subject.target is SIMPLEX and subject.prediction is SIMPLEX:
        same = rng.random(len(y)) < 0.1
        t[same] = y[same]
    if subject.target is SIMPLEX:
        t = _finite_targets(y, t)
    return Points(y, t)


def _finite_targets(y: NDArray, t: NDArray) -> NDArray:
    """Give every other row of infinite logits a target at which a loss may stay finite.

    Nothing is said of an excluded class, and all of one that is certain.
    """
    far = np.flatnonzero(np.isinf(y).any(-1))[::2]
    if not far.size:
        return t
    certain = y[far] == np.inf
    open_to = np.where(certain.any(-1, keepdims=True), certain, np.isfinite(y[far]))
    kept = t[far] * open_to
    total = kept.sum(-1, keepdims=True)
    share = open_to / open_to.sum(-1, keepdims=True)
    t = t.copy()
    with np.errstate(all="ignore"):
        t[far] = np.where(total > 0, kept / total, share)
    return t


def _pointwise(subject: Subject, dtype: str, rng: Generator, count: int) -> Points:
    """Pair members of both spaces; where they are of one kind also nearly equal ones."""
    y = members(subject.prediction, dtype, rng, count)
    t = members(subject.target, dtype, rng, count)
    t = t[rng.integers(0, t.size, y.size)]
    if isinstance(subject.target, Counts) and isinstance(subject.prediction, Interval):
        # Expected counts close to the counts.
        close = (rng.random(y.size) < 0.3) & (subject.prediction.low == 0)
        near = np.maximum(t, 0.5) * (1 + rng.normal(size=y.size) / np.sqrt(np.maximum(t, 1)) / 2)
        y = np.where(close, np.maximum(near, 1e-3), y).astype(dtype)
    if isinstance(subject.prediction, Interval) and isinstance(subject.target, Interval):
        close = rng.random(y.size) < 0.35
        factor = 1 + rng.choice([-1.0, 1.0], y.size) * 10.0 ** -rng.uniform(0.5, 17, y.size)
        t = np.where(close, (y * factor).astype(dtype), t)
        clipped = np.clip(t, subject.target.low, subject.target.high).astype(dtype)
        if not subject.target.low_included:
            clipped = np.where(clipped > subject.target.low, clipped, y)
        t = np.where(rng.random(y.size) < 0.05, y, clipped)
        # An infinite logit is legal, an infinite target is not.
        t = np.where(np.isfinite(t), t, 1.0)
    points = Points(y.astype(dtype), t.astype(dtype))
    return _with_bounds(subject.target, points, rng, count // 4)


def _with_bounds(space: Space, points: Points, rng: Generator, others: int) -> Points:
    """Add pairs of edges and other predictions with each bound of the targets' interval.

    A target at its bound ends a term, and what is left may go wrong at predictions at which
    the drawn targets hide it.
    """
    if not isinstance(space, Interval):
        return points
    ends = ((space.low, space.low_included), (space.high, space.high_included))
    bounds = [end for end, included in ends if included and np.isfinite(end)]
    y, t = [points.y], [points.t]
    for bound in bounds:
        some = np.append(points.y[:_EDGES], rng.choice(points.y, others))
        y.append(some)
        t.append(np.full(some.size, bound, points.t.dtype))
    return Points(np.concatenate(y), np.concatenate(t))


def _rows_of(space: Space, columns: int, dtype: str, rng: Generator, count: int) -> NDArray:
    if space is CLASS_INDEX:
        return np.eye(columns, dtype=dtype)[rng.integers(0, columns, count)]
    if space is SIMPLEX:
        return _distributions(columns, dtype, rng, count)
    if space in (UNIT, BINARY):
        return _unit_rows(space, columns, dtype, rng, count)
    if isinstance(space, Members | Counts):
        return rng.choice(members(space, dtype, rng, _MEMBERS * count), (count, columns))
    if is_bounded(space):
        share = _unit_rows(UNIT, columns, "float64", rng, count)
        return (space.low + (space.high - space.low) * share).astype(dtype)
    return on_side(space, _real_rows(space is LOGITS, columns, dtype, rng, count)).astype(dtype)


def _distributions(columns: int, dtype: str, rng: Generator, count: int) -> NDArray:
    """Return rows on the simplex: vertices, edges, centre, and points close to each."""
    info = np.finfo(dtype)
    hot = np.eye(columns)
    centre = np.full((1, columns), 1 / columns)
    even = rng.dirichlet(np.ones(columns), count)
    ruled = rng.dirichlet(np.full(columns, 0.2), count // 3 + 1)
    found = [hot, centre, even, ruled]
    for gap in (float(info.smallest_subnormal), 1e-30, 1e-10, 1e-7, float(info.eps) / 2, 1e-4):
        near = np.where(hot > 0, 1 - gap, gap / max(columns - 1, 1))
        found.append(near if columns > 1 else hot)
    if columns > 2:
        edge = rng.dirichlet(np.ones(columns), count // 4 + 1)
        one = np.arange(len(edge)), rng.integers(0, columns, len(edge))
        edge[one] = 0
        found.append(edge / edge.sum(-1, keepdims=True))
        # A class that is all but excluded, where the others are not all but certain.
        edge[one] = 10.0 ** -rng.uniform(*_FAINT, len(edge))
        found.append(edge / edge.sum(-1, keepdims=True))
    return np.concatenate(found).astype(dtype)


def _unit_rows(space: Space, columns: int, dtype: str, rng: Generator, count: int) -> NDArray:
    ends = rng.integers(0, 2, (count, columns)).astype(float)
    if space is BINARY:
        return np.concatenate([ends, np.zeros((1, columns)), np.ones((1, columns))]).astype(dtype)
    inner = rng.random((count, columns))
    mixed = np.where(rng.random(inner.shape) < 0.3, ends, inner)
    small = inner * 10.0 ** -rng.uniform(0, 20, (count, 1))
    return np.concatenate([ends, mixed, small, 1 - small]).astype(dtype)


def _real_rows(infinite: bool, columns: int, dtype: str, rng: Generator, count: int) -> NDArray:
    """Return rows of real numbers: ties, all magnitudes, one that rules, and infinite ones."""
    quarter = max(count // 4, 8)
    ties = rng.integers(-2, 3, (quarter, columns)).astype(float)
    scale = rng.choice([0.01, 1.0, 5.0, 30.0, 300.0, 3000.0], (quarter, 1))
    usual = rng.normal(size=(quarter, columns)) * scale
    ruled = rng.normal(size=(quarter, columns))
    lead = rng.choice([5.0, 15.0, 20.0, 40.0, 100.0, 200.0, 800.0], quarter)
    ruled[np.arange(quarter), rng.integers(0, columns, quarter)] += lead
    fine = ties[: quarter // 2] + rng.normal(size=(quarter // 2, columns)) * 1e-6
    info = np.finfo(dtype)
    # Beside the 1 of a margin no smaller logit is seen in exact numbers either.
    least = _LEAST_LOGIT if infinite else float(info.tiny)
    sizes = [x for x in _SIZES if least < x < float(info.max) / 8]
    far = rng.normal(size=(len(sizes), columns)) * np.asarray(sizes)[:, None]
    found = [ties, usual, ruled, fine, far]
    if infinite:
        ends = rng.normal(size=(9, columns))
        if columns > 1:
            ends[np.arange(8), rng.integers(0, columns, 8)] = np.repeat([-np.inf, np.inf], 4)
        if columns > 2:
            # Two classes are excluded.
            ends[-1, rng.permutation(columns)[:2]] = -np.inf
        found.append(ends)
    return np.concatenate(found).astype(dtype)


def _near_rows(y: NDArray, rng: Generator) -> NDArray:
    """Return targets for rows of real numbers: free, parallel, nearly parallel and opposite."""
    free = rng.normal(size=y.shape) * np.where(rng.random((len(y), 1)) < 0.2, 1e10, 1.0)
    factor = rng.choice([0.5, 1.0, 3.0, -1.0, -2.0], (len(y), 1))
    close = factor * y * (1 + rng.normal(size=y.shape) * 10.0 ** -rng.uniform(1, 12, (len(y), 1)))
    return np.where(rng.random((len(y), 1)) < 0.5, free, close)
