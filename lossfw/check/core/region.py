"""Regions: how ordinary the numbers of an example are.

An ordinary number is 0 or has a size from 1e-3 to 1e3 (a logit or a margin up to 100); in a bounded
interval it is a bound, or at least a thousandth of the width from the bounds. A far number has a
size from 1e-6 to 1e6, as in real data: a result may overflow there, but must not be another number.
Other numbers are wide.
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np

from lossfw.check.core.members import apply_per_column, is_bounded
from lossfw.check.core.points import Points, split_group_rows
from lossfw.check.core.subject import Subject
from lossfw.components.spaces import BINARY, LOGITS, SIGN, SIMPLEX, UNIT, Space
from lossfw.numerics.arrays import NDArray

# Sizes of ordinary numbers. The exponential of a logit or a margin is taken, so that its ordinary
# sizes end earlier.
_NEAR, _FAR, _FAR_EXPONENT = 1e-3, 1e3, 1e2

# Sizes of far numbers end here and at one over it; so does the fraction of an interval's width that
# they keep from its bounds.
MOST = 1e6


class Region(IntEnum):
    """How ordinary a number is; a pair has the region of its worst number."""

    ORDINARY = 0
    FAR = 1
    WIDE = 2


def regions_of_points(subject: Subject, points: Points) -> NDArray:
    """Return the `Region` of each pair: the worst of prediction, target and their closeness."""
    y, t = points.y, points.t
    has_exponent = subject.kind in ("margin", "categorical") or subject.prediction is LOGITS
    far = _FAR_EXPONENT if has_exponent or subject.target in (BINARY, SIGN) else _FAR
    worst = regions_of_numbers(
        subject.prediction, split_group_rows(subject, subject.prediction, y), far
    )
    if t.dtype.kind != "f":
        return worst
    target = subject.space_of_targets(t)
    worst = np.maximum(worst, regions_of_numbers(target, split_group_rows(subject, target, t)))
    if subject.rows or t.shape != y.shape:
        return worst
    with np.errstate(all="ignore"):
        gap = np.abs(y.astype(np.float64) - t)
        scale = np.maximum(np.abs(t), 1.0) if subject.kind == "distance" else np.abs(t)
        # Their difference is small beside both.
        close = [(gap > 0) & (gap < least * scale) & (t != 0) for least in (1 / MOST, _NEAR)]
    closeness = np.select(close, [Region.WIDE, Region.FAR], Region.ORDINARY)
    return np.asarray(np.maximum(worst, closeness))


def regions_of_numbers(space: Space, x: NDArray, far: float = _FAR) -> NDArray:
    """Return the region of each number of a space, or of each row of them."""
    found = _region_of_each(space, x, far)
    return np.asarray(found.max(tuple(range(1, x.ndim)), initial=Region.ORDINARY))


@apply_per_column
def _region_of_each(space: Space, x: NDArray, far: float) -> NDArray:
    x = np.asarray(x, np.float64)
    bounds = UNIT if space is SIMPLEX else space
    if is_bounded(bounds):
        share = np.minimum(x - bounds.low, bounds.high - x) / (bounds.high - bounds.low)
        inside = [(share == 0) | (share >= _NEAR), share >= 1 / MOST]
    else:
        size = np.abs(x)
        inside = [
            (size == 0) | ((size >= _NEAR) & (size <= far)),
            (size >= 1 / MOST) & (size <= MOST),
        ]
    return np.asarray(np.select(inside, list(Region)[:2], Region.WIDE))
