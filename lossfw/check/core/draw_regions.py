"""Points in every region: each decade, value, bound and side of each argument.

Each pair of values of two discrete arguments is also a region. All but one or two arguments of a
point are unremarkable, so an error in one region shows there. These points are screened in floats
(`lossfw.check.core.screening`); few are judged exactly.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import combinations, product

import numpy as np

from lossfw.check.core.draw import usual_targets
from lossfw.check.core.draw_columns import target_size, usual_rows
from lossfw.check.core.draw_groups import group_width, usual_group
from lossfw.check.core.members import (
    Generator,
    is_bounded,
    is_real_line,
    reflect_to_half_line,
    usual_members,
)
from lossfw.check.core.points import Points, is_inside
from lossfw.check.core.region import MOST
from lossfw.check.core.subject import Subject
from lossfw.components.spaces import (
    CLASS_INDEX,
    REAL,
    SIMPLEX,
    Counts,
    FiniteSpace,
    Interval,
    Simplex,
    Space,
)
from lossfw.numerics.arrays import NDArray

# Powers of ten at which the decades begin.
_DECADES = np.arange(-round(np.log10(MOST)), round(np.log10(MOST)))

# Counts one by one, and those that are paired with values of another argument.
_COUNTS, _PAIRED_COUNTS = (0.0, 1.0, 2.0, 3.0, 4.0), (0.0, 1.0, 2.0)

# So many points of each region, of one number and of rows; of rows half have one number there, and
# half have all.
_POINTS = {False: 6, True: 4}

# A fraction of the points has one of so many sizes of rows, the largest ones.
_SIZES = 2

# Points whose numbers are all of any size.
_FREE = 64

# Numbers on a side of a parameter are so much smaller or larger.
_NEAREST, _FARTHEST = 0.02, 0.4


@dataclass(frozen=True)
class RegionPoints:
    """Points with the number of the region of each."""

    points: Points
    regions: NDArray


def draw_regions(subject: Subject, rng: Generator, fraction: float = 1.0) -> list[RegionPoints]:
    """Return a fraction of points in every region, in float64; a set for each size of rows.

    Each lies in the spaces of the loss.
    """
    count = max(1, round(fraction * _POINTS[subject.rows]))
    found = []
    sizes = subject.column_counts if subject.rows else (0,)
    if fraction < 1:
        # The sizes and forms are those of the defaults.
        sizes = (int(rng.choice(sizes[-_SIZES:])),)
    for size in sizes:
        for form in _with_both_target_forms(subject):
            sets = [*_iter_regions(form, size, rng, count)]
            ys, ts = zip(*((some.y, some.t) for some in sets), strict=True)
            points = Points(np.concatenate(ys), np.concatenate(ts))
            regions = np.repeat(np.arange(len(sets)), [len(some) for some in sets])
            keep = is_inside(form, points)
            keep &= np.isfinite(points.y).reshape(len(points), -1).all(-1)
            # A mask of the loss leaves some out.
            keep[keep] = form.mean_weights(points.y[keep], points.t[keep]) > 0
            found.append(RegionPoints(points.take(keep), regions[keep]))
    return [some for some in found if len(some.points)]


def _with_both_target_forms(subject: Subject) -> list[Subject]:
    """Return a loss of class indices with targets of both forms, another as it is."""
    if subject.target is CLASS_INDEX and subject.takes_distributions:
        return [subject, replace(subject, target=SIMPLEX)]
    return [subject]


def _iter_regions(subject: Subject, size: int, rng: Generator, count: int) -> Iterator[Points]:
    """Yield the points of each region."""
    if subject.kind in ("distance", "margin") and is_real_line(subject.prediction):
        for x in values_in_regions(subject.prediction, subject.kinks(), rng, count):
            t = np.zeros(x.size) if subject.kind == "distance" else rng.choice([-1.0, 1.0], x.size)
            yield Points(x if subject.kind == "distance" else x * t, t)
        return
    shapes = _shapes(subject, size)
    for which, place, space in _argument_places(subject, size):
        kinks = subject.kinks() if which == "y" else ()
        for one in (False, True)[: 1 + (shapes[which][0] > 1)]:
            # Single numbers, or one number of a row; then all of them.
            n = count if shapes[which][0] == 1 else max(1, count // 2)
            for x in _iter_row_regions(space, shapes[which][0], kinks, rng, n, one=one):
                base = _usual_points(subject, size, rng, len(x))
                yield _replace_values(subject, base, which, shapes[which], place, x)
    for (a, space_a), (b, space_b) in combinations(_discrete_target_places(subject, size), 2):
        for values in product(_discrete_values(space_a), _discrete_values(space_b)):
            points = _usual_points(subject, size, rng, count)
            row = rng.integers(0, shapes["t"][0])
            for place, value in zip((a, b), values, strict=True):
                x = np.full((count, shapes["t"][0]), np.nan)
                x[:, row] = value
                points = _replace_values(subject, points, "t", shapes["t"], place, x)
            yield points
    yield _draw_mixed_regions(subject, size, shapes, rng)


def _shapes(subject: Subject, size: int) -> dict[str, tuple[int, int]]:
    """Return how many numbers of a kind, and how many kinds, a prediction and a target hold."""
    if subject.kind == "group":
        widths = subject.truth.sizes  # type: ignore[union-attr]  # a `GroupRows`
        rows = size // group_width(subject)
        return {"y": (rows, widths[0]), "t": (rows, widths[1])}
    if subject.has_columns:
        return {"y": (1, size), "t": (1, target_size(subject, size))}
    return {"y": (size or 1, 1), "t": (size or 1, 1)}


def _argument_places(subject: Subject, size: int) -> list[tuple[str, int, Space]]:
    """Return prediction and target, the place of each kind of number, and its space."""
    shapes = _shapes(subject, size)
    spaces = {"y": subject.prediction, "t": subject.target}
    if subject.kind == "group":
        rows = subject.truth
        spaces = {"y": rows.prediction_space, "t": rows.target_space}  # type: ignore[union-attr]
    found = []
    for which, space in spaces.items():
        each = space.space_of_each(shapes[which][1]) if subject.has_columns else [space]
        # A distribution among columns has its numbers in more than one place.
        found += [
            (which, place, one)
            for place, one in enumerate(each)
            if not (subject.has_columns and isinstance(one, Simplex))
        ]
    return found


def _discrete_target_places(subject: Subject, size: int) -> list[tuple[int, Space]]:
    """Return the places of discrete numbers of a target."""
    arguments = _argument_places(subject, size) if subject.has_columns else []
    return [
        (place, space)
        for which, place, space in arguments
        if which == "t" and isinstance(space, FiniteSpace | Counts)
    ]


def _discrete_values(space: Space) -> tuple[float, ...]:
    return space.members if isinstance(space, FiniteSpace) else _PAIRED_COUNTS


def _replace_values(
    subject: Subject, points: Points, role: str, shape: tuple[int, int], place: int, x: NDArray
) -> Points:
    """Return points with other numbers in one place of each row, NaN leaving them as they are."""
    old = getattr(points, role)
    if old.ndim == 1:
        return replace(points, **{role: x.reshape(old.shape)})
    # Predictions of class indices are rows, with a 1 for the class.
    x = x if x.ndim > 1 else np.eye(shape[0])[x]
    new = old.reshape(len(old), *shape).copy()
    new[:, :, place] = np.where(np.isnan(x), new[:, :, place], x)
    space = subject.prediction if role == "y" else subject.target
    new = np.sort(new, axis=-1) if getattr(space, "is_ordered", False) else new
    return replace(points, **{role: new.reshape(old.shape)})


def _usual_points(subject: Subject, size: int, rng: Generator, count: int) -> Points:
    if subject.kind == "group":
        return usual_group(subject, size // group_width(subject), rng, count)
    if subject.has_columns:
        y = usual_rows(subject.prediction, size, rng, count)
        return Points(y, usual_rows(subject.target, target_size(subject, size), rng, count))
    if size:
        y = usual_members(subject.prediction, rng, (count, size))
        t = usual_targets(subject, max(count, 2), size, rng)
        return Points(y, t[rng.permutation(len(t))[:count]])
    return Points(
        *(usual_members(space, rng, (count,)) for space in (subject.prediction, subject.target))
    )


def _iter_row_regions(
    space: Space, items: int, kinks: tuple[float, ...], rng: Generator, count: int, *, one: bool
) -> Iterator[NDArray]:
    """Yield for each region of a space some numbers, or rows with one or all of them there."""
    if space is CLASS_INDEX:
        for k in range(items):
            yield np.full(count, k)
    elif isinstance(space, Simplex):
        yield from _iter_distribution_regions(items, rng, count)
    elif items == 1:
        yield from values_in_regions(space, kinks, rng, count)[:, :, np.newaxis]
    elif one:
        for x in values_in_regions(space, kinks, rng, count):
            rows = np.full((count, items), np.nan)
            rows[np.arange(count), rng.integers(0, items, count)] = x
            yield rows
    else:
        x = values_in_regions(space, kinks, rng, count * items)
        yield from x.reshape(len(x), count, items)


def _iter_distribution_regions(items: int, rng: Generator, count: int) -> Iterator[NDArray]:
    """Yield distributions in which a class has a share near 0, near 1, or 0, or is certain."""
    small = 10.0 ** (_DECADES[_DECADES < -1][:, np.newaxis] + rng.random(count))
    ends = np.repeat([[0.0], [1.0]], count, axis=1)
    for share in np.concatenate([ends, small, 1 - small]):
        found = usual_members(SIMPLEX, rng, (count, items))
        if items > 1:
            one = np.arange(count), rng.integers(0, items, count)
            found[one] = 0.0
            found *= ((1 - share) / found.sum(-1))[:, np.newaxis]
            found[one] = share
        yield found


def values_in_regions(
    space: Space, kinks: tuple[float, ...], rng: Generator, count: int
) -> NDArray:
    """Return some numbers of each region of a space of numbers, one row per region."""
    if isinstance(space, FiniteSpace):
        return np.repeat(np.array(space.members)[:, np.newaxis], count, axis=1)
    powers = _DECADES[:, np.newaxis] + rng.random((_DECADES.size, count))
    if isinstance(space, Counts):
        few = np.repeat(np.array(_COUNTS)[:, np.newaxis], count, axis=1)
        return np.concatenate([few, np.round(10.0 ** powers[_DECADES >= 0])])
    if not isinstance(space, Interval):
        # What lies outside is left out.
        space = REAL
    bounds = [
        np.full((1, count), bound)
        for bound, included in ((space.low, space.low_included), (space.high, space.high_included))
        if included and np.isfinite(bound)
    ]
    if is_bounded(space):
        gaps = (space.high - space.low) * 10.0 ** powers[_DECADES < 0]
        return np.concatenate([space.low + gaps, space.high - gaps, *bounds])
    sizes = 10.0**powers
    beside = [
        kink * (1 + side * rng.uniform(_NEAREST, _FARTHEST, (1, count)))
        for kink in kinks
        if kink
        for side in (-1, 1)
    ]
    if is_real_line(space):
        return np.concatenate([sizes, -sizes, np.zeros((1, count)), *beside])
    return np.concatenate(
        [
            reflect_to_half_line(space, sizes),
            *bounds,
            *(reflect_to_half_line(space, x) for x in beside),
        ]
    )


def _draw_mixed_regions(
    subject: Subject, size: int, shapes: dict[str, tuple[int, int]], rng: Generator
) -> Points:
    """Return points whose numbers are all in any region, each by itself."""
    points = _usual_points(subject, size, rng, _FREE)
    for which, place, space in _argument_places(subject, size):
        if space is not CLASS_INDEX and not isinstance(space, Simplex):
            items = shapes[which][0]
            values = values_in_regions(space, (), rng, _FREE)
            x = rng.choice(values.ravel(), (_FREE, items))
            # Every other number stays as it is.
            x = np.where(rng.random(x.shape) < 0.5, x, np.nan) if items > 1 else x
            points = _replace_values(subject, points, which, shapes[which], place, x)
    return points
