"""Pairs for losses of groups: flat rows of the numbers of a group, with ties and equal targets."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np

from lossfw.check.core.group_rows import GROUP_WIDTH, flatten_groups
from lossfw.check.core.members import Generator, usual_members
from lossfw.check.core.points import Points
from lossfw.check.core.subject import Subject
from lossfw.components.columns import Columns
from lossfw.components.spaces import Interval, Simplex, Space
from lossfw.numerics.arrays import NDArray

# ``draw_rows(space, columns, dtype, rng, count)``; see `lossfw.check.core.draw`.
_DrawRows: TypeAlias = Callable[[Space, int, str, Generator, int], NDArray]

# In these shares of the groups rows have the targets of others, or all have that of the first.
_TIES, _EQUAL = 0.4, 0.1

# In this fraction of the groups targets are small whole numbers, as grades of relevance are.
_GRADES, _HIGHEST = 0.5, 4


def group_pairs(
    subject: Subject, columns: int, dtype: str, rng: Generator, count: int, draw_rows: _DrawRows
) -> Points:
    """Return groups whose predictions have so many numbers together."""
    spaces, widths = group_spaces(subject)
    size = columns // widths[0]
    y, t = (_draw_members(space, size, dtype, rng, count, draw_rows) for space in spaces)
    t = np.where(np.isfinite(t), t, 1.0)
    if isinstance(subject.target, Interval):
        graded = rng.random(count) < _GRADES
        grades = rng.integers(0, _HIGHEST + 1, (count, size, 1))
        if subject.target.outside_or_none(grades.astype(dtype)) is None:
            t[graded] = grades[graded]
    # Rows with the numbers of others: each column by itself, or whole rows.
    for column in (*range(t.shape[-1]), slice(None)):
        some = np.flatnonzero(rng.random(count) < _TIES)
        source = rng.integers(0, size, (len(some), size))
        t[some, :, column] = t[some[:, np.newaxis], source, column]
    equal = rng.random(count) < _EQUAL
    t[equal] = t[equal, :1]
    return Points(flatten_groups(y).astype(dtype), flatten_groups(t).astype(dtype))


def _draw_members(
    space: Space, size: int, dtype: str, rng: Generator, count: int, draw_rows: _DrawRows
) -> NDArray:
    """Return members of a space as an array of groups, rows and numbers of a row."""
    if isinstance(space, Columns):
        parts = [_draw_members(part, size, dtype, rng, count, draw_rows) for part in space.spaces]
        joined = np.concatenate(parts, axis=-1)
        return np.sort(joined, axis=-1) if space.is_ordered else joined
    width = space.flat_size(GROUP_WIDTH)
    if isinstance(space, Simplex):
        return usual_members(space, rng, (count, size, width))
    numbers = getattr(space, "of_numbers", space)
    rows = draw_rows(numbers, size * width, dtype, rng, count)
    drawn: NDArray = rows[rng.permutation(np.resize(np.arange(len(rows)), count))]
    drawn = drawn.astype(np.float64).reshape(count, size, width)
    # A space of rows may refuse more than that of its numbers, as a row of zeros.
    bad = space.outside_or_none(drawn)
    if bad is not None:
        drawn[bad] = usual_members(numbers, rng, drawn[bad].shape)
    return drawn


def group_spaces(subject: Subject) -> tuple[tuple[Space, Space], tuple[int, int]]:
    """Return the spaces of a row's prediction and target, and how many numbers they have."""
    rows: Any = subject.truth
    return (rows.prediction_space, rows.target_space), rows.sizes


def group_width(subject: Subject) -> int:
    """Return how many numbers the prediction of a row has."""
    return group_spaces(subject)[1][0]


def usual_group(subject: Subject, size: int, rng: Generator, count: int = 1) -> Points:
    """Return unremarkable groups of a size, with ties among the targets."""
    y, t = (
        space.generate_rows(own, lambda space, row: usual_members(space, rng, (count, size, *row)))
        for space, own in zip(*group_spaces(subject), strict=True)
    )
    t = np.take_along_axis(t, _tie_sources(t, rng), axis=1)
    return Points(flatten_groups(y), flatten_groups(t))


def _tie_sources(t: NDArray, rng: Generator) -> NDArray:
    """Return for every other row of a group the number of a row whose target it has."""
    count, size = t.shape[:2]
    own = np.broadcast_to(np.arange(size), (count, size))
    source = np.where(own % 2 == 0, own, rng.integers(0, size, (count, size)))
    return source.reshape(count, size, *[1] * (t.ndim - 2))
