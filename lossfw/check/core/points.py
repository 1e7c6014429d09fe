"""Points: predictions with their targets, those that a subject takes, and bad ones."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from lossfw.check.core.group_rows import GROUP_WIDTH
from lossfw.check.core.members import promised_mask
from lossfw.check.core.reproduce import format_nested
from lossfw.check.core.subject import Subject
from lossfw.components.spaces import Space
from lossfw.errors import DomainError
from lossfw.losses.loss import Loss
from lossfw.numerics.arrays import NDArray

# A prediction and its target, or the one argument of an activation.
ArgumentArrays: TypeAlias = tuple[NDArray, ...]

# The end of a whole number, and a digit other than 0.
_POINT, _DIGIT = re.compile(r"\.0\b"), re.compile("[1-9]")

# An error below so many rounding steps of the largest number in play (an input,
# the result, or 1) is left by cancellation; a larger one is another value.
_LOST_DIGITS = 2.0**7

# Numbers larger than this are in play only where they are close to each other.
_LARGE, _CLOSE, _NEXT = 1e3, 0.1, 1e-6


@dataclass(frozen=True)
class Points:
    """Predictions and targets, each of shape (N,) or (N, K): one pair per element or row."""

    y: NDArray
    t: NDArray

    def __len__(self) -> int:
        return int(self.y.shape[0])

    def take(self, which: NDArray | slice) -> Points:
        """Return some of the pairs."""
        return Points(self.y[which], self.t[which])

    def keep(self, mask: NDArray) -> Points:
        """Return the pairs for which a mask, of elements or rows, is true throughout."""
        whole = mask.all(tuple(range(1, mask.ndim)))
        return self.take(np.flatnonzero(whole))


def drop_outside(subject: Subject, points: Points) -> Points:
    """Return the pairs whose prediction and target both lie in their spaces and ranges."""
    keep = is_inside(subject, points)
    return points if keep.all() else points.take(keep)


def split_group_rows(subject: Subject, space: Space, x: NDArray) -> NDArray:
    """Return flat groups with the numbers of each row on their own axis; others unchanged."""
    if subject.kind != "group" or not space.axes:
        return x
    return x.reshape(len(x), -1, space.flat_size(GROUP_WIDTH))


def is_inside(subject: Subject, points: Points) -> NDArray:
    """Tell which pairs have prediction and target in their spaces and ranges."""
    keep = is_promised(subject, points)
    keep[keep] = is_legal(subject, points.take(np.flatnonzero(keep)))
    return keep


def is_promised(subject: Subject, points: Points) -> NDArray:
    """Tell for which pairs results are promised: those of sizes in their ranges."""
    keep = ~any_in_row(~are_promised(subject, points.y))
    if points.t.dtype.kind not in "iu":
        space = subject.space_of_targets(points.t)
        rows = split_group_rows(subject, space, points.t)
        keep &= ~any_in_row(~promised_mask(space, rows, subject.target_range))
    return keep


def are_promised(subject: Subject, y: NDArray) -> NDArray:
    """Tell for which numbers of predictions results are promised."""
    rows = split_group_rows(subject, subject.prediction, y)
    return promised_mask(subject.prediction, rows, subject.prediction_range).reshape(y.shape)


def is_legal(subject: Subject, points: Points) -> NDArray:
    """Tell which pairs have prediction and target in their spaces, of any size."""
    keep = np.ones(len(points), bool)
    spaces = subject.prediction, subject.space_of_targets(points.t)
    if subject.kind == "group":
        # Those of a row say more than those of its numbers, such as that not all are 0.
        rows: Any = subject.truth
        spaces = rows.prediction_space, rows.target_space
    for space, x in zip(spaces, (points.y, points.t), strict=True):
        if x.dtype.kind in "iu":
            continue
        bad = space.outside_or_none(split_group_rows(subject, space, x))
        if bad is not None:
            keep &= ~any_in_row(np.asarray(bad))
    if subject.has_columns and subject.component is not None and subject.kind != "group":
        keep[keep] = _is_accepted(subject.component, points.take(np.flatnonzero(keep)))
    return keep


def _is_accepted(loss: Loss, points: Points) -> NDArray:
    """Tell which pairs a loss takes that refuses more than its spaces say."""
    if type(loss).check_domain is Loss.check_domain or not len(points):
        return np.ones(len(points), bool)
    try:
        loss.check_domain(points.y, points.t, False, 0)
    except DomainError:
        if len(points) == 1:
            return np.zeros(1, bool)
        half = len(points) // 2
        parts = points.take(slice(half)), points.take(slice(half, None))
        return np.concatenate([_is_accepted(loss, part) for part in parts])
    return np.ones(len(points), bool)


def drop_masked(subject: Subject, points: Points) -> Points:
    """Return the points that the loss's mask keeps."""
    if not len(points):
        return points
    keep = subject.mean_weights(points.y, points.t) > 0
    return points if keep.all() else points.take(keep)


def cancellation_scale(points: Points) -> NDArray:
    """Return, for each element or row, the largest term that may cancel in it.

    Logarithms of elements are also such terms.
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
        # Next to each other nothing else is left of them.
        squares = np.where(np.abs(y - t) <= _NEXT * size, np.maximum(squares, size**2), squares)
        logs = np.abs(np.log(np.where(y == 0, 1.0, np.abs(y))))
    return np.maximum(np.where(close, squares, np.minimum(size, _LARGE)), logs)


def is_cancellation_error(points: Points, actual: NDArray, expected: NDArray | float) -> NDArray:
    """Tell which results are off by no more than a difference of the terms in play leaves."""
    size = cancellation_scale(points).reshape(-1, *[1] * (actual.ndim - 1))
    eps = float(np.finfo(actual.dtype).eps)
    with np.errstate(all="ignore"):
        error = np.abs(actual.astype(np.float64) - expected)
        largest = np.maximum(size, np.abs(expected))
        return np.asarray(error <= _LOST_DIGITS * eps * largest)


def _size(x: NDArray, rows: int) -> NDArray:
    with np.errstate(all="ignore"):
        finite = np.where(np.isfinite(x), np.abs(x), 0)
    return finite.reshape(rows, -1).max(-1) if finite.size else np.zeros(rows)


def any_in_row(x: NDArray) -> NDArray:
    """Tell which elements, or rows with anything in them, are true."""
    return np.asarray(x.any(tuple(range(1, x.ndim))))


def first_bad(bad: Any) -> int:
    """Return the number of the first bad element, or row with a bad element."""
    return int(np.argmax(any_in_row(bad)))


def shortest_written(points: Points, bad: NDArray) -> int:
    """Return the bad point that is written with the fewest characters."""
    index = np.flatnonzero(any_in_row(bad))
    return int(index[int(np.argmin(written_lengths(points, index)))])


def written_lengths(points: Points, index: NDArray) -> list[int]:
    """Return the written lengths of points: characters, with non-zero digits twice."""
    texts = [f"{format_nested(points.y[i])} {format_nested(points.t[i])}" for i in index]
    return [len(_POINT.sub("", text)) + len(_DIGIT.findall(text)) for text in texts]
