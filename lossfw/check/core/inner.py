"""Inner points, at which derivatives are judged."""

from __future__ import annotations

import numpy as np

from lossfw.check.core.members import apply_per_column
from lossfw.check.core.points import Points, split_group_rows
from lossfw.check.core.subject import Subject
from lossfw.components.spaces import SIMPLEX, UNIT, Interval, Space
from lossfw.numerics.arrays import NDArray


def inner_points(subject: Subject, points: Points) -> Points:
    """Return the points at which derivatives are judged: not on the boundary."""
    return points.keep(is_inner(subject, points))


def is_inner(subject: Subject, points: Points) -> NDArray:
    """Return a mask of the elements or rows that `inner_points` keeps."""
    y = points.y
    rows = split_group_rows(subject, subject.prediction, y)
    keep = np.isfinite(y) & _is_off_bounds(subject.prediction, rows).reshape(y.shape)
    return np.asarray(keep.all(tuple(range(1, keep.ndim))))


@apply_per_column
def _is_off_bounds(space: Space, y: NDArray) -> NDArray:
    interval = UNIT if space is SIMPLEX else space
    if not isinstance(interval, Interval):
        return np.ones(y.shape, bool)
    return np.asarray((y > interval.low) & (y < interval.high))
