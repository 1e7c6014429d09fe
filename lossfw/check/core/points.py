"""Points: pairs of predictions and targets, and their selection."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from lossfw.check.core.subject import Subject
from lossfw.numerics.arrays import NDArray

# A prediction and its target, or the one argument of an activation.
ArgumentArrays: TypeAlias = tuple[NDArray, ...]

# Numbers larger than this are in play only where they are close to each other.
_LARGE, _CLOSE = 1e3, 0.1


@dataclass(frozen=True)
class Points:
    """Predictions and targets, one pair to an element or to a row.

    Attributes
    ----------
    y : ndarray, shape (N,) or (N, K)
    t : ndarray, shape (N,) or (N, K)
    """

    y: NDArray
    t: NDArray

    def __len__(self) -> int:
        return int(self.y.shape[0])

    def take(self, which: NDArray | slice) -> Points:
        """Return some of the pairs."""
        return Points(self.y[which], self.t[which])

    def keep(self, mask: NDArray) -> Points:
        """Return the pairs for which a mask, of elements or of whole rows, is true throughout."""
        whole = mask.all(tuple(range(1, mask.ndim)))
        return self.take(np.flatnonzero(whole))


def inside(subject: Subject, points: Points) -> Points:
    """Return the pairs whose prediction and target both lie in their spaces."""
    keep = is_inside(subject, points)
    return points if keep.all() else points.take(keep)


def is_inside(subject: Subject, points: Points) -> NDArray:
    """Tell which pairs have prediction and target in their spaces."""
    keep = np.ones(len(points), bool)
    for space, x in ((subject.prediction, points.y), (subject.target, points.t)):
        bad = None if x.dtype.kind in "iu" else space.outside(x)
        if bad is not None:
            keep &= ~np.asarray(bad).reshape(len(points), -1).any(-1)
    return keep


def counting(subject: Subject, points: Points) -> Points:
    """Return the points that a mask of the loss leaves in."""
    if not len(points):
        return points
    keep = subject.counts(points.y, points.t) > 0
    return points if keep.all() else points.take(keep)


def in_play(points: Points) -> NDArray:
    """Return for each element or row the largest of the terms whose difference it may be.

    Logarithms of elements are such terms too.
    """
    y, t = (np.asarray(x, np.float64) for x in (points.y, points.t))
    rows = len(y)
    size = np.maximum(np.maximum(_size(y, rows), _size(t, rows)), 1.0)
    with np.errstate(all="ignore"):
        # Squares and products are terms, too; of huge numbers they hide everything.
        squares = np.maximum(size, np.minimum(size**2, _LARGE**2))
        if y.ndim > 1 or t.shape != y.shape:
            return np.asarray(squares)
        close = np.abs(y - t) <= _CLOSE * size
        logs = np.abs(np.log(np.where(y == 0, 1.0, np.abs(y))))
    return np.maximum(np.where(close, squares, np.minimum(size, _LARGE)), logs)


def _size(x: NDArray, rows: int) -> NDArray:
    with np.errstate(all="ignore"):
        finite = np.where(np.isfinite(x), np.abs(x), 0)
    return finite.reshape(rows, -1).max(-1) if finite.size else np.zeros(rows)


def first(bad: Any) -> int:
    """Return the number of the first element or row that is bad, or that holds something bad."""
    return int(np.argmax(bad.reshape(len(bad), -1).any(-1)))


def simplest(points: Points, bad: NDArray) -> int:
    """Return which of the bad points is written with the fewest characters."""
    index = np.flatnonzero(bad)
    lengths = [len(str(points.y[i].tolist())) + len(str(points.t[i].tolist())) for i in index]
    return int(index[int(np.argmin(lengths))])
