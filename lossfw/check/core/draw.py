"""Draw points from the declared spaces of a loss, without help from its author.

Every set begins with edges (bounds, kinks and their neighbours, the ends of the promised ranges)
and continues with seeded random numbers over many magnitudes, some of them near a kink, near one
another, or near the best prediction for their target. All are within the promised ranges. Dense
points, for the worst error over the whole domain, are drawn in the same way.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from lossfw.check.core.draw_columns import column_pairs, target_size, usual_rows
from lossfw.check.core.draw_groups import group_pairs, group_width, usual_group
from lossfw.check.core.draw_near import move_to_cancellations, rotate_rows
from lossfw.check.core.members import (
    Generator,
    apply_per_column,
    clip_to_interval,
    is_bounded,
    is_real_line,
    magnitude_limits,
    members,
    neighbours,
    numbers_of_all_magnitudes,
    perturb,
    promised_sizes,
    reflect_to_half_line,
    usual_best_predictions,
    usual_members,
)
from lossfw.check.core.points import Points, drop_masked, drop_outside, split_group_rows
from lossfw.check.core.subject import Subject
from lossfw.components.ranges import PROMISED, PromisedRange
from lossfw.components.spaces import (
    BINARY,
    CLASS_INDEX,
    REAL,
    SIMPLEX,
    UNIT,
    Counts,
    FiniteSpace,
    Interval,
    Space,
)
from lossfw.numerics.arrays import NDArray

# Targets that stand for something else in somebody's data.
_MARKERS = (-1.0, 1.0, -999.0, 255.0)

# Sizes of rows of real numbers; those that are not promised are left out.
_SIZES = (1e-25, 1e-9, 1e5, 1e9, 1e19, 1e29)

# Probabilities of a class that is all but excluded: so many digits behind the point and more.
_FAINT = 7.0

# Errors of rows grow with their length, so the last of several dense sets has so many columns.
LONG = 10

# Counts and other single numbers are rows of these, so many for each row.
_MEMBERS = 4

# So many predictions of a line, its edges, meet each bound of a target.
_EDGES = 100

# This fraction of the numbers outside of a promised range goes to its ends.
_AT_ENDS = 0.1

# If a loss promises more than others do, this fraction of the numbers is from its whole range.
_WIDER = 0.4

# With fewer points than these, rows of a number of columns have targets of one form, by turns.
_BOTH_FORMS = 100

# This fraction of the rows is near their targets, where both are in one space.
_NEAR = 0.2


def draw(
    subject: Subject, dtype: str, rng: Generator, count: int, *, dense: bool = False
) -> list[Points]:
    """Return pairs for a loss of any kind; for rows, one set per number of columns.

    Each set is in the spaces of the loss, and none is empty.
    """
    columns = subject.column_counts if subject.rows else (0,)
    if dense and len(columns) > 1 and subject.kind != "group":
        long = subject.prediction.flat_size(LONG) if subject.has_columns else LONG
        columns = (*columns[:-1], long)
    each = count // len(columns) + 8 * subject.rows
    drawn = [draw_pairs(subject, k, dtype, rng, each, dense=dense) for k in columns]
    if subject.target is CLASS_INDEX and subject.takes_distributions and not dense:
        drawn = list(
            _iter_both_target_forms(subject, drawn, dtype, rng, alternate_sets=count < _BOTH_FORMS)
        )
    return [points for points in drawn if len(points)]


def _iter_both_target_forms(
    subject: Subject, point_sets: list[Points], dtype: str, rng: Generator, *, alternate_sets: bool
) -> Iterator[Points]:
    """Yield rows with class indices; every other row, or every other set, has distributions."""
    for number, points in enumerate(point_sets):
        if alternate_sets:
            yield (
                _replace_targets_by_distributions(subject, points, dtype, rng)
                if number % 2
                else points
            )
        else:
            yield points.take(slice(0, None, 2))
            yield _replace_targets_by_distributions(
                subject, points.take(slice(1, None, 2)), dtype, rng
            )


def _replace_targets_by_distributions(
    subject: Subject, points: Points, dtype: str, rng: Generator
) -> Points:
    """Return rows with distributions in place of class indices."""
    t = draw_rows(SIMPLEX, points.y.shape[-1], dtype, rng, len(points))
    t = t[rng.permutation(len(t))[: len(points)]]
    found = drop_outside(replace(subject, target=SIMPLEX), Points(points.y, t))
    return drop_masked(subject, found)


def draw_pairs(
    subject: Subject, columns: int, dtype: str, rng: Generator, count: int, *, dense: bool = False
) -> Points:
    """Return pairs of single numbers, or of rows if there is a number of columns."""
    if subject.kind == "group":
        drawn = group_pairs(subject, columns, dtype, rng, count, draw_rows)
    elif subject.has_columns:
        drawn = column_pairs(subject, columns, dtype, rng, count)
    elif columns:
        drawn = _draw_row_pairs(subject, columns, dtype, rng, count)
    elif subject.kind == "pointwise":
        drawn = _draw_pointwise(subject, dtype, rng, count)
    else:
        drawn = _draw_residuals_or_margins(subject, dtype, rng, count, dense)
    roles = (
        (subject.prediction, drawn.y, subject.prediction_range),
        (subject.target, drawn.t, subject.target_range),
    )
    y, t = (
        _move_into_range(space, split_group_rows(subject, space, x), sizes, rng).reshape(x.shape)
        for space, x, sizes in roles
    )
    return drop_outside(subject, move_to_cancellations(subject, Points(y, t), rng))


@apply_per_column
def _move_into_range(space: Space, x: NDArray, sizes: PromisedRange, rng: Generator) -> NDArray:
    """Return numbers, those of which nothing is promised at another size, some at its ends."""
    if not isinstance(space, Interval) or x.dtype.kind != "f":
        return x
    sizes = promised_sizes(space, sizes)
    ends, usual = np.array(magnitude_limits(sizes, x.dtype)), magnitude_limits(PROMISED, x.dtype)
    share = _WIDER if ends[0] < usual[0] or ends[1] > usual[1] else 0.0
    stays = sizes.contains(x) & ((rng.random(x.shape) >= share) | (x == 0))
    # Between two sizes too small for the dtype there is only 0.
    low, high = sorted(np.log10(ends).tolist())
    drawn = 10.0 ** rng.uniform(low, high, x.shape) * (ends[0] <= ends[1])
    drawn = np.where(rng.random(x.shape) < _AT_ENDS, rng.choice(ends, x.shape), drawn)
    return np.where(stays, x, np.copysign(drawn, x)).astype(x.dtype)


def draw_densely(subject: Subject, dtype: str, rng: Generator, count: int) -> Iterator[Points]:
    """Yield at least `count` finite pairs from the whole domain.

    For a distance loss, the difference of a pair is always an exact float: the rounding of
    ``y - t`` is not part of a loss, and would dominate where the loss is steep.
    """
    # A class may be given by its index, or as a distribution.
    both = subject.by_index and subject.takes_distributions
    targets = (CLASS_INDEX, SIMPLEX) if both else (subject.target,)
    total = 0
    while total < count:
        before = total
        share = (count - total) // len(targets)
        for target in targets:
            for points in draw(replace(subject, target=target), dtype, rng, share, dense=True):
                some = points.keep(np.isfinite(points.y))
                if subject.kind == "distance":
                    some = some.keep(_has_exact_difference(some))
                total += len(some)
                yield some
        if total == before:
            # Nothing is promised for any number of the spaces.
            return


def _has_exact_difference(points: Points) -> NDArray:
    """Tell which differences are floats, by the error term of the subtraction."""
    with np.errstate(all="ignore"):
        r = points.y - points.t
        back = points.y - r
        remainder = (points.y - (r + back)) + (back - points.t)
        exact: NDArray = np.isfinite(r) & (remainder == 0)
    return exact


def _draw_residuals_or_margins(
    subject: Subject, dtype: str, rng: Generator, count: int, dense: bool
) -> Points:
    """Return pairs for a loss of the residual or the margin."""
    scalars = numbers_of_all_magnitudes(subject.kinks(), dtype, rng, count)
    if subject.kind == "margin":
        sign = np.where(rng.random(scalars.size) < 0.5, -1.0, 1.0).astype(dtype)
        return Points((scalars * sign).astype(dtype), sign)
    if not (is_real_line(subject.prediction) and is_real_line(subject.target)):
        free = _draw_pointwise(subject, dtype, rng, count)
        t = usual_members(subject.target, rng, scalars.shape).astype(dtype)
        with np.errstate(over="ignore"):
            return _join_draws(free, Points(t + scalars, t))
    # Residuals are exact where the target is 0.
    exact = Points(scalars, np.zeros_like(scalars))
    if dense:
        return _join_draws(exact, *_draw_exact_pairs(dtype, rng, count // 8))
    # Others have targets of their size.
    target = (rng.normal(size=scalars.size) * 3).astype(dtype)
    marked = rng.random(scalars.size) < 0.2
    target = np.where(marked, rng.choice(_MARKERS, scalars.size), target).astype(dtype)
    size, moved = np.abs(scalars), rng.random(scalars.size) < 0.3
    target = np.where(moved & (size < 1e6) & (size > 1e-6), target, exact.t)
    return Points((scalars + target).astype(dtype), target)


def _draw_exact_pairs(dtype: str, rng: Generator, count: int) -> tuple[Points, Points]:
    """Return nearly equal numbers of many sizes, and numbers of few bits."""
    reach = rng.choice([0.0, np.log10(magnitude_limits(PROMISED, dtype)[1]) - 1], count)
    some = 10.0 ** (reach * rng.uniform(-1, 1, count)) * rng.normal(size=count)
    few = rng.integers(-400, 400, (2, count)) * 2.0 ** -rng.integers(0, 8, count)
    return Points(perturb(some, dtype, rng), some.astype(dtype)), Points(*few.astype(dtype))


def _draw_pointwise(subject: Subject, dtype: str, rng: Generator, count: int) -> Points:
    """Pair members of both spaces, free, at kinks, and near the best prediction."""
    half = max(1, count // 2)
    kinks = [x for kink in subject.kinks() for x in neighbours(kink, dtype)]
    y = members(subject.prediction, dtype, rng, half)
    y = np.append(y, np.array(kinks, dtype))
    t = members(subject.target, dtype, rng, half)
    free = Points(y, rng.choice(t, y.size))
    t = rng.choice(t, half)
    best = usual_best_predictions(subject.prediction, subject.target, t.astype(np.float64))
    far = rng.normal(size=half) * (rng.random(half) < 0.5)
    with np.errstate(over="ignore"):
        near = (perturb(best, "float64", rng) + far).astype(dtype)
    points = _join_draws(free, Points(clip_to_interval(subject.prediction, near), t))
    return _join_draws(points, *_pairs_at_bounds(subject.target, points, rng, count // 4))


def _pairs_at_bounds(space: Space, points: Points, rng: Generator, count: int) -> Iterator[Points]:
    """Yield edges and other predictions with each bound of the targets' interval.

    A target at its bound ends a term, and what is left may go wrong at predictions at which
    the drawn targets hide it.
    """
    if isinstance(space, Interval):
        for end, included in (space.low, space.low_included), (space.high, space.high_included):
            if included and np.isfinite(end):
                some = np.append(points.y[:_EDGES], rng.choice(points.y, count))
                yield Points(some, np.full(some.size, end, points.t.dtype))


def _join_draws(*sets: Points) -> Points:
    return Points(*(np.concatenate([getattr(some, x) for some in sets]) for x in "yt"))


def _draw_row_pairs(
    subject: Subject, columns: int, dtype: str, rng: Generator, count: int
) -> Points:
    """Return pairs of rows for a categorical loss."""
    y = draw_rows(subject.prediction, columns, dtype, rng, count)
    if subject.target is CLASS_INDEX:
        index = rng.integers(0, columns, len(y))
        # Where a mask leaves out an index, or its one-hot row, these are not the same target.
        shares = subject.mean_weights(y, index) * subject.mean_weights(y, np.eye(columns)[index])
        return Points(y, index).keep(shares > 0)
    if subject.target is REAL and subject.prediction is REAL:
        t = _draw_parallel_rows(y, rng).astype(dtype)
        # The direction of a row of zeros is not defined.
        return Points(y, t).take(np.flatnonzero(y.any(-1) & t.any(-1)))
    t = draw_rows(subject.target, columns, dtype, rng, len(y))
    # Some come again where there are fewer.
    enough = len(t) >= len(y)
    t = t[rng.permutation(len(t))[: len(y)] if enough else rng.integers(0, len(t), len(y))]
    if subject.prediction is subject.target:
        some = np.flatnonzero(rng.random(len(y)) < _NEAR)
        y[some] = _perturb_rows(subject.prediction, t[some], rng)
    return Points(y, t)


def draw_rows(space: Space, columns: int, dtype: str, rng: Generator, count: int) -> NDArray:
    """Return about `count` rows of a space."""
    if space is CLASS_INDEX:
        return usual_members(space, rng, (count, columns)).astype(dtype)
    if space is SIMPLEX:
        return _draw_distributions(columns, dtype, rng, count)
    if space in (UNIT, BINARY):
        return _draw_unit_rows(space, columns, dtype, rng, count)
    if isinstance(space, FiniteSpace | Counts):
        return rng.choice(members(space, dtype, rng, _MEMBERS * count), (count, columns))
    if is_bounded(space):
        share = _draw_unit_rows(UNIT, columns, "float64", rng, count)
        return (space.low + (space.high - space.low) * share).astype(dtype)
    return reflect_to_half_line(space, _draw_real_rows(columns, dtype, rng, count)).astype(dtype)


def usual_targets(subject: Subject, count: int, columns: int, rng: Generator) -> NDArray:
    """Return unremarkable targets for rows; the last class is one of them."""
    if subject.kind == "group":
        return usual_group(subject, columns // group_width(subject), rng, count).t
    if subject.target is CLASS_INDEX:
        return np.append(rng.integers(0, columns, count - 1), columns - 1)
    if subject.has_columns:
        return usual_rows(subject.target, target_size(subject, columns), rng, count)
    t = usual_members(subject.target, rng, (count, columns))
    if subject.target is SIMPLEX:
        t[-2:] = np.eye(columns)[[columns - 1, int(rng.integers(0, columns))]]
    return t


def _draw_distributions(columns: int, dtype: str, rng: Generator, count: int) -> NDArray:
    """Return rows on the simplex: vertices, edges, centre, and points close to each."""
    info = np.finfo(dtype)
    hot = np.eye(columns)
    centre = np.full((1, columns), 1 / columns)
    even = rng.dirichlet(np.ones(columns), count)
    ruled = rng.dirichlet(np.full(columns, 0.2), count // 3 + 1)
    found = [hot, centre, even, ruled]
    for gap in (1e-30, 1e-10, 1e-7, float(info.eps) / 2, 1e-4):
        near = np.where(hot > 0, 1 - gap * (columns - 1), gap)
        found.append(near if columns > 1 else hot)
    if columns > 2:
        edge = rng.dirichlet(np.ones(columns), count // 4 + 1)
        one = np.arange(len(edge)), rng.integers(0, columns, len(edge))
        edge[one] = 0
        found.append(edge / edge.sum(-1, keepdims=True))
        # A class that is all but excluded, where the others are not all but certain.
        most = -np.log10(magnitude_limits(PROMISED, dtype)[0])
        edge[one] = 10.0 ** -rng.uniform(_FAINT, most, len(edge))
        found.append(edge / edge.sum(-1, keepdims=True))
    return np.concatenate(found).astype(dtype)


def _draw_unit_rows(space: Space, columns: int, dtype: str, rng: Generator, count: int) -> NDArray:
    ends = rng.integers(0, 2, (count, columns)).astype(float)
    if space is BINARY:
        return np.concatenate([ends, np.zeros((1, columns)), np.ones((1, columns))]).astype(dtype)
    inner = rng.random((count, columns))
    mixed = np.where(rng.random(inner.shape) < 0.3, ends, inner)
    small = inner * 10.0 ** -rng.uniform(0, 20, (count, 1))
    return np.concatenate([ends, mixed, small, 1 - small]).astype(dtype)


def _draw_real_rows(columns: int, dtype: str, rng: Generator, count: int) -> NDArray:
    """Return rows of real numbers: ties, all magnitudes, and one that rules."""
    quarter = max(count // 4, 8)
    ties = rng.integers(-2, 3, (quarter, columns)).astype(float)
    scale = rng.choice([0.01, 1.0, 5.0, 30.0, 300.0, 3000.0], (quarter, 1))
    usual = rng.normal(size=(quarter, columns)) * scale
    ruled = rng.normal(size=(quarter, columns))
    lead = rng.choice([5.0, 15.0, 20.0, 40.0, 100.0, 200.0, 800.0], quarter)
    ruled[np.arange(quarter), rng.integers(0, columns, quarter)] += lead
    fine = ties[: quarter // 2] + rng.normal(size=(quarter // 2, columns)) * 1e-6
    least, most = magnitude_limits(PROMISED, dtype)
    sizes = [x for x in _SIZES if least < x < most]
    far = rng.normal(size=(len(sizes), columns)) * np.asarray(sizes)[:, None]
    return np.concatenate([ties, usual, ruled, fine, far]).astype(dtype)


def _draw_parallel_rows(y: NDArray, rng: Generator) -> NDArray:
    """Return targets for rows of real numbers: free, parallel, nearly parallel and opposite."""
    free = rng.normal(size=y.shape) * np.where(rng.random((len(y), 1)) < 0.2, 1e9, 1.0)
    factor = rng.choice([0.5, 1.0, 3.0, -1.0, -2.0], (len(y), 1))
    share = rng.random((len(y), 1))
    return np.select([share < 0.5, share < 0.6], [free, factor * y], factor * rotate_rows(y, rng))


def _perturb_rows(space: Space, t: NDArray, rng: Generator) -> NDArray:
    """Return rows of a space that are nearly those of `t`."""
    moved = clip_to_interval(space, perturb(t.astype(np.float64), "float64", rng))
    if space is SIMPLEX:
        moved /= moved.sum(-1, keepdims=True)
    return moved.astype(t.dtype)
