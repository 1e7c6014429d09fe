"""Gravity: which findings are wrong, and which are only worth a note.

A result is wrong if it misleads training or reports: it is NaN or infinite, or so inaccurate that
it is another number. Lost last digits are only worth a note, and so are results at useless
predictions, where the exact loss of an ordinary target exceeds every float.
"""

from __future__ import annotations

import numpy as np

from lossfw.check.core.draw import usual_targets
from lossfw.check.core.judge import Judgement
from lossfw.check.core.members import usual_members
from lossfw.check.core.points import Points, any_in_row, is_legal
from lossfw.check.core.subject import DERIVATIVES, Subject
from lossfw.components.ranges import PromisedRange
from lossfw.numerics.arrays import NDArray
from lossfw.numerics.exact.ulp import to_float

# A result is another number if it is off by more than this, both as it is and as a fraction of the
# true one. A careful body of rounded operations stays far below, and a wrong term, sign or constant
# does not. Reports and comparisons show fewer digits.
_WRITTEN = {"float64": 1e-9, "float32": 1e-4, "float16": 1e-1}

# A derivative that nobody wrote follows `value` step by step: half of the digits are what an author
# can expect who does not write one.
_UNWRITTEN = {"float64": 1e-4, "float32": 1e-2, "float16": 1e-1}

# The functions that an author may write for the derivatives, by order.
FUNCTIONS = dict(enumerate(DERIVATIVES.values(), start=1))

# Sizes of numbers that data have. Beyond them a result that is a number is only worth a note.
_OF_DATA = PromisedRange(1e-6, 1e6)

# So many ordinary targets show whether a prediction can be used. Numbers of most data have these.
_TARGETS = 8


def has_author_function(subject: Subject, order: int) -> bool:
    """Tell whether a result comes from its author's function, not from `value`."""
    return FUNCTIONS.get(order) not in subject.inherited_derivatives


def grades(subject: Subject, judgement: Judgement, order: int) -> NDArray:
    """Return the grade of each element or row of results; an empty string for a right one."""
    actual, expected = judgement.actual, judgement.expected
    # Another library may return float64 for float32, or float32: the fewer digits count.
    dtype = min(judgement.points.y.dtype, actual.dtype, key=lambda one: one.itemsize).name
    is_other = are_wrong_numbers(actual, expected, dtype, has_author_function(subject, order))
    has_none = ~np.isfinite(actual) & np.isfinite(expected)
    points, bad = judgement.points, judgement.is_wrong
    is_far = ~_have_sizes(_OF_DATA, subject, points)
    # Only promised numbers are drawn.
    is_grave = any_in_row(bad & has_none) | (any_in_row(bad & is_other) & ~is_far)
    grave = np.flatnonzero(is_grave)
    useless = grave[are_useless(subject, points.take(grave))]
    is_grave[useless], is_far[useless] = False, True
    small = np.where(is_far, "extreme", "digits")
    return np.where(any_in_row(bad), np.where(is_grave, "wrong", small), "")


def are_useless(subject: Subject, points: Points) -> NDArray:
    """Return a mask of predictions at which ordinary targets have losses beyond every float.

    An example is a log variance of -800. Rows of classes and groups have no such predictions.
    """
    y, t = points.y, points.t
    found = np.zeros(len(points), bool)
    is_single = not subject.rows or subject.has_columns
    if not len(points) or subject.truth is None or subject.kind == "group" or not is_single:
        return found
    rng = np.random.default_rng(0)
    if subject.rows:
        targets = usual_targets(subject, _TARGETS, y.shape[-1], rng)
    else:
        targets = usual_members(subject.target, rng, (_TARGETS,))
    for target in targets.astype(t.dtype):
        here = Points(y, np.broadcast_to(target, t.shape))
        which = np.flatnonzero(~found & is_legal(subject, here))
        here = here.take(which)
        found[which] = np.isinf(to_float(subject.exact.values(here.y, here.t), y.dtype))
    return found


def are_wrong_numbers(
    actual: NDArray, expected: NDArray, dtype: str, has_author: bool = True
) -> NDArray:
    """Return a mask of results that are other numbers than the true ones, not only inaccurate."""
    least = (_WRITTEN if has_author else _UNWRITTEN)[dtype]
    actual, expected = actual.astype(np.float64), expected.astype(np.float64)
    with np.errstate(all="ignore"):
        off = np.abs(actual - expected)
        is_other = (off > least) & (off > least * np.abs(expected))
    return np.asarray(is_other | ~np.isfinite(off))


def _have_sizes(sizes: PromisedRange, subject: Subject, points: Points) -> NDArray:
    """Tell at which points all numbers have some sizes, of a residual the difference too.

    Missing numbers and labels count as ordinary.
    """
    numbers = [x for x in (points.y, points.t) if x.dtype.kind == "f"]
    if subject.kind == "distance" and len(numbers) == 2:
        with np.errstate(all="ignore"):
            numbers.append(points.y - points.t)
    return np.asarray(np.logical_and.reduce([~any_in_row(~sizes.contains(x)) for x in numbers]))
