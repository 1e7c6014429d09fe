"""Inner points, at which derivatives are judged."""

from __future__ import annotations

import numpy as np

from lossfw.check.core.members import by_space
from lossfw.check.core.points import Points, in_rows
from lossfw.check.core.subject import Subject
from lossfw.components.spaces import SIMPLEX, UNIT, Interval, Space
from lossfw.numerics.arrays import NDArray


def inner(subject: Subject, points: Points) -> Points:
    """Return the points at which derivatives are judged: not on the boundary."""
    return points.keep(is_inner(subject, points))


def is_inner(subject: Subject, points: Points) -> NDArray:
    """Return a mask of the elements or rows that `inner` keeps."""
    y = points.y
    rows = in_rows(subject, subject.prediction, y)
    keep = np.isfinite(y) & _is_off_bounds(subject.prediction, rows).reshape(y.shape)
    return np.asarray(keep.all(tuple(range(1, keep.ndim))))


@by_space
def _is_off_bounds(space: Space, y: NDArray) -> NDArray:
    interval = UNIT if space is SIMPLEX else space
    if not isinstance(interval, Interval):
        return np.ones(y.shape, bool)
    return np.asarray((y > interval.low) & (y < interval.high))
