"""Draw points densely: all over the domain, for the worst error there.

To the points of `lossfw.check.core.draw` (edges, kinks and their neighbours,
denormals, many magnitudes) come floats of every exponent, floats that close in
on a kink, nearly equal pairs, and predictions near the one that is best for
their target. All are finite.

The difference of the pairs for a distance loss is always a float. The rounding
of ``y - t`` is not part of any loss, and in a steep place it would drown all else.
"""

from __future__ import annotations

import numpy as np

from lossfw.check.core.draw import elements, rows
from lossfw.check.core.members import Generator, clipped, members, neighbours
from lossfw.check.core.subject import ArgumentArrays, Points, Subject, drop_outside
from lossfw.components.spaces import (
    CLASS_INDEX,
    NONNEGATIVE,
    POSITIVE,
    REAL,
    SIMPLEX,
    UNIT,
    Interval,
    Space,
)
from lossfw.numerics.arrays import NDArray

# How many numbers a row has.
_COLUMNS = (1, 2, 3, 10)

# Kinks are closed in on by steps of ten, until neighbouring floats are reached.
_CLOSEST = 17.0


def dense_pairs(subject: Subject, dtype: str, rng: Generator, count: int) -> list[Points]:
    """Return sets of pairs for a loss; for one of rows sets for each number of columns.

    They are at least `count` elements, or about as many rows.
    """
    if subject.rows:
        return _row_sets(subject, dtype, rng, count)
    drawn = _element_sets(subject, dtype, rng, count)
    while sum(map(len, drawn)) < count:
        drawn += _element_sets(subject, dtype, rng, count)
    return drawn


def dense_arguments(
    kinks: tuple[float, ...], of_rows: bool, dtype: str, rng: Generator, count: int
) -> list[ArgumentArrays]:
    """Return arguments for an activation; for one of rows a set for each number of columns."""
    # A stand-in by which real numbers or rows of them are drawn.
    subject = Subject(
        name="",
        kind="categorical" if of_rows else "margin",
        prediction=REAL,
        target=CLASS_INDEX if of_rows else REAL,
        value=lambda y, t: y,
        claims={"breaks": kinks},
    )
    if not of_rows:
        edges = elements(subject, dtype, rng, count // 2).y
        x = np.concatenate([edges, _on_line(kinks, dtype, rng, count // 2)])
        return [(x[np.isfinite(x)],)]
    share = count // len(_COLUMNS)
    drawn = [rows(subject, k, dtype, rng, share).y for k in _COLUMNS]
    return [(x[np.isfinite(x).all(-1)],) for x in drawn]


def _element_sets(subject: Subject, dtype: str, rng: Generator, count: int) -> list[Points]:
    found = [elements(subject, dtype, rng, count // 4)]
    if subject.kind == "pointwise":
        found += _pointwise(subject, dtype, rng, 3 * count // 4)
    else:
        line = _on_line(subject.kinks(), dtype, rng, count // 2)
        sign = np.where(rng.random(line.size) < 0.5, -1, 1).astype(dtype)
        if subject.kind == "margin":
            found.append(Points(line * sign, sign))
        else:
            found.append(Points(line, np.zeros_like(line)))
            found.append(_near_pairs(dtype, rng, count // 8))
            # Pairs with few bits have exact differences.
            size = count // 8
            grid = 2.0 ** -rng.integers(0, 8, size)
            pair = [(rng.integers(-400, 400, size) * grid).astype(dtype) for _ in range(2)]
            found.append(Points(*pair))
    return [_legal(subject, points) for points in found]


def _legal(subject: Subject, points: Points) -> Points:
    """Leave out pairs that are not finite or legal or, for a distance loss, have no difference."""
    keep = np.isfinite(points.y) & np.isfinite(points.t)
    if subject.kind == "distance":
        # By the error term of the subtraction.
        with np.errstate(all="ignore"):
            r = points.y - points.t
            back = points.y - r
            keep &= np.isfinite(r) & ((points.y - (r + back)) + (back - points.t) == 0)
    return drop_outside(subject, points.take(keep))


def _on_line(kinks: tuple[float, ...], dtype: str, rng: Generator, count: int) -> NDArray:
    """Return real numbers: floats of every exponent, and floats close to each kink."""
    near = [kink for kink in kinks if kink and abs(kink) < np.finfo(dtype).max]
    around = rng.choice(near, count // 4) if near else rng.normal(size=count // 4)
    return np.concatenate(
        [
            [x for kink in near for x in neighbours(kink, dtype)],
            floats(dtype, rng, count // 4),
            _closing_in(around, dtype, rng),
            # Within the range where most functions bend.
            (rng.normal(size=count // 4) * rng.choice([1.0, 10.0, 100.0], count // 4)),
            rng.uniform(-4, 4, count // 4) * max([1.0, *map(abs, near)]),
        ]
    ).astype(dtype)


def floats(dtype: str, rng: Generator, count: int) -> NDArray:
    """Return finite floats of every exponent and sign, subnormal ones included."""
    bits = np.dtype(dtype).itemsize * 8
    whole = rng.integers(0, 2**bits, count, dtype=f"uint{bits}", endpoint=False)
    found = whole.view(dtype)
    return np.asarray(np.where(np.isfinite(found), found, np.finfo(dtype).max))


def _closing_in(x: NDArray, dtype: str, rng: Generator) -> NDArray:
    """Move each number by a part of itself, from a tenth to less than its last place."""
    sign = rng.choice([-1.0, 1.0], x.size)
    with np.errstate(all="ignore"):
        moved = x * (1 + sign * 10.0 ** -rng.uniform(1, _CLOSEST, x.size))
        return np.asarray(moved).astype(dtype)


def _near_pairs(dtype: str, rng: Generator, count: int) -> Points:
    """Return pairs of nearly equal numbers of many magnitudes."""
    reach = np.log10(float(np.finfo(dtype).max)) / 2
    scale = 10.0 ** np.where(rng.random(count) < 0.5, 0, rng.uniform(-reach, reach, count))
    t = (rng.normal(size=count) * scale).astype(dtype)
    return Points(_closing_in(t.astype(np.float64), dtype, rng), t)


def _pointwise(subject: Subject, dtype: str, rng: Generator, count: int) -> list[Points]:
    """Return pairs of members of both spaces, free, nearly equal, and nearly best."""
    third = count // 3
    y, t = (_members(space, dtype, rng, third) for space in (subject.prediction, subject.target))
    size = min(len(y), len(t))
    found = [Points(rng.permutation(y)[:size], rng.permutation(t)[:size])]
    kinks = [x for kink in subject.kinks() for x in neighbours(kink, dtype)]
    found.append(Points(np.array(kinks, dtype), rng.choice(t, len(kinks))))
    t = rng.choice(_members(subject.target, dtype, rng, third), third)
    best = _best(subject.prediction, subject.target, t.astype(np.float64))
    close = _closing_in(best, dtype, rng)
    usual = rng.choice(_members(subject.prediction, dtype, rng, third), third)
    around = (best + rng.normal(size=third)).astype(dtype)
    return found + [Points(y, t) for y in (close, around, usual)]


def _best(prediction: Space, target: Space, t: NDArray) -> NDArray:
    """Return predictions near the best for each target, as their spaces suggest.

    Where one is a mean and the other any real number, it is a logarithm; where
    one is a probability, it is a logit.
    """
    with np.errstate(all="ignore"):
        if isinstance(prediction, Interval) and prediction.low == -np.inf:
            if target in (NONNEGATIVE, POSITIVE):
                return np.asarray(np.log(t))
            if target is UNIT:
                return np.asarray(np.log(t) - np.log1p(-t))
        return t


def _members(space: Space, dtype: str, rng: Generator, count: int) -> NDArray:
    """Return finite members of a space of numbers, from edge to edge."""
    found = members(space, dtype, rng, count // 2)
    if isinstance(space, Interval):
        more = floats(dtype, rng, count)
        if space.low > -np.inf:
            more = np.abs(more)
        if space.high < np.inf:
            small = more[more < (space.high - space.low) / 2]
            more = np.concatenate([space.low + small, space.high - small]).astype(dtype)
        found = np.concatenate([found, more])
    found = found[np.isfinite(found)]
    outside = space.outside(found)
    return np.asarray(found if outside is None else found[~outside])


def _row_sets(subject: Subject, dtype: str, rng: Generator, count: int) -> list[Points]:
    if subject.component is not None and subject.component.target_per_row:
        return [_with_numbers(2, dtype, rng, count)]
    fixed = None if subject.truth is None else subject.truth.fixed_classes
    columns = [k for k in _COLUMNS if k >= subject.least_classes] if fixed is None else [fixed]
    share = count // len(columns)
    found = [points for k in columns for points in _rows(subject, k, dtype, rng, share)]
    finite = [points.keep(np.isfinite(points.y)) for points in found]
    return [drop_outside(subject, points.keep(np.isfinite(points.t))) for points in finite]


def _rows(subject: Subject, k: int, dtype: str, rng: Generator, count: int) -> list[Points]:
    base = rows(subject, k, dtype, rng, max(16, count // 4))
    found = [base]
    y = _some(base.y, rng, count // 2)
    if subject.by_index and subject.soft:
        # A class may be given by its index, or as a distribution.
        found.append(Points(y, rng.integers(0, k, len(y))))
        y = _some(base.y, rng, count // 4)
        soft = _some(_distributions(k, dtype, rng, count // 4), rng, len(y))
        found.append(Points(y, soft))
        if subject.prediction is SIMPLEX:
            found.append(Points(_near_rows(soft, rng), soft))
    elif subject.target is CLASS_INDEX:
        found.append(Points(y, rng.integers(0, k, len(y))))
    else:
        t = _some(base.t, rng, len(y))
        found.append(Points(y, t))
        if subject.prediction is subject.target:
            # Predictions that are nearly their targets.
            if subject.target in (UNIT, SIMPLEX):
                near = _near_rows(t, rng)
            else:
                near = _closing_in(t.ravel().astype(np.float64), dtype, rng).reshape(t.shape)
                near = clipped(subject.target, near)
            found.append(Points(near, t))
    return found


def _some(x: NDArray, rng: Generator, count: int) -> NDArray:
    """Return rows drawn from others."""
    return x[rng.integers(0, len(x), count)]


def _distributions(k: int, dtype: str, rng: Generator, count: int) -> NDArray:
    even = rng.dirichlet(np.ones(k), count // 2 + 1)
    peaked = rng.dirichlet(np.full(k, 0.2), count // 2 + 1)
    return np.concatenate([even, peaked]).astype(dtype)


def _near_rows(t: NDArray, rng: Generator) -> NDArray:
    """Return probabilities that are nearly those of `t`."""
    step = 10.0 ** -rng.uniform(1, _CLOSEST, (len(t), 1))
    moved = t * (1 + rng.normal(size=t.shape) * step).clip(0.1)
    total = t.sum(-1, keepdims=True) / np.maximum(moved.sum(-1, keepdims=True), 1e-30)
    return np.asarray(np.clip(moved * total, 0, 1)).astype(t.dtype)


def _with_numbers(k: int, dtype: str, rng: Generator, count: int) -> Points:
    """Return rows of `k` numbers, and one number for each row near the first of them."""
    y = rng.normal(size=(count, k)) * rng.choice([0.01, 1.0, 10.0, 80.0], (count, k))
    y = y.astype(dtype)
    reach = np.log10(float(np.finfo(dtype).max)) / 4
    wide = rng.normal(size=count) * 10.0 ** rng.uniform(-reach, reach, count)
    t = np.where(rng.random(count) < 0.5, y[:, 0] + rng.normal(size=count), wide).astype(dtype)
    return Points(y, t)
