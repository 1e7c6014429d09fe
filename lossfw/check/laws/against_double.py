"""Checks of results in half precision, against double precision.

A result that fits into half precision must be right, also if it is computed in a wider one.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from lossfw.check.core.exact_points import cast, largest_column_count
from lossfw.check.core.gravity import are_wrong_numbers
from lossfw.check.core.points import (
    Points,
    drop_masked,
    drop_outside,
    is_inside,
    shortest_written,
)
from lossfw.check.core.search import (
    Counterexample,
    NotApplicable,
    Output,
    Search,
    author_functions,
    check,
    format_number,
    outputs,
)
from lossfw.check.core.subject import Subject
from lossfw.components.spaces import BINARY, CLASS_INDEX, LOGITS, SIMPLEX, UNIT, Space
from lossfw.numerics.arrays import NDArray

# A result is right to so many units of half precision: the value, a derivative.
_HALF_ULPS = (2.0, 8.0)


class _Comparison(NamedTuple):
    """Results in half precision next to those in double."""

    actual: NDArray
    exact: NDArray
    is_wrong: NDArray  # where half precision holds the exact result


def _compare(function: Output, points: Points, ulps: float) -> _Comparison:
    """Compare results in half precision, right to some units of it, with those in double."""
    exact = _evaluate_in(np.float64, function, points).astype(np.float64)
    rough = _evaluate_in(np.float32, function, points).astype(np.float64)
    actual = function(points.y, points.t).astype(np.float64)
    limit = float(np.finfo(np.float16).max)
    with np.errstate(all="ignore"):
        fits = np.isfinite(exact) & (np.abs(exact) <= limit) & np.isfinite(rough)
        step = np.maximum(np.abs(exact) * 2.0**-10, 2.0**-24)
        # The error of float32 itself is not a mistake of half precision.
        allowed = ulps * step + 2 * np.abs(rough - exact)
        is_wrong = fits & ~(np.abs(actual - exact) <= allowed)
    return _Comparison(actual, exact, is_wrong)


def _evaluate_in(dtype: Any, function: Output, points: Points) -> NDArray:
    t = points.t.astype(dtype) if points.t.dtype.kind == "f" else points.t
    return function(points.y.astype(dtype), t)


@check("dtype:half")
def check_half_precision(subject: Subject, search: Search) -> None:
    """In float16 a value, gradient or Hessian that fits is finite and accurate."""
    for points in search.points(subject, "float16"):
        some = _drop_nonfinite(subject, points)
        for function in outputs(subject) if len(some) else ():
            half = _compare(function, some, _HALF_ULPS[function.name != "value"])
            if half.is_wrong.any():
                one = shortest_written(some, half.is_wrong)
                text = (
                    f"in float16 the {function} is {format_number(half.actual[one], 6)}, and in "
                    f"float64, for the same numbers, {format_number(half.exact[one], 6)}, which "
                    "fits float16."
                )
                found = Counterexample.at_point(some, one, text, f"{function}(y, t)")
                others = half.is_wrong & are_wrong_numbers(half.actual, half.exact, "float16")
                raise found.with_grade("wrong" if others.any() else "digits")


def _drop_nonfinite(subject: Subject, points: Points) -> Points:
    some = points.keep(np.isfinite(points.y))
    some = some.keep(np.isfinite(some.t))
    # Half precision's rows sum to 1 less exactly than wider ones may.
    return some.take(is_inside(subject, cast(subject, some, "float64")))


# Half precision stagnates where so many equal terms are added up in it.
_MOST_CLASSES = 4096

# Where nothing else is known of a space; a sum of so many of them fits half precision.
_USUAL = 8.0

# The error of a sum of so many terms that is rounded to half precision only at the end.
_SUM_ULPS = 16.0


def check_half_of_many(subject: Subject, search: Search) -> None:
    """In float16 the sum over very many classes keeps its digits."""
    functions = author_functions(subject)

    def computed_in_float64(columns: int) -> Points:
        return cast(subject, _equal_rows(subject, columns), "float64")

    columns = largest_column_count(search, functions, computed_in_float64, _MOST_CLASSES)
    points = _equal_rows(subject, columns)
    for function in functions:
        half = _compare(function, points, _SUM_ULPS)
        if half.is_wrong.any():
            where = np.unravel_index(int(np.argmax(half.is_wrong)), half.actual.shape)
            raise Counterexample.with_points(
                points,
                f"in float16 the {function} of {columns} equal classes is "
                f"{half.actual[where]:.6g}, and in float64, for the same numbers, "
                f"{half.exact[where]:.6g}.",
                f"{function}(y, t)",
            ).with_grade("digits")


def _equal_rows(subject: Subject, columns: int) -> Points:
    """Return rows of many equal predictions but two, and targets in which all take part."""
    if subject.kind != "categorical" or len(subject.column_counts) < 2 or subject.has_columns:
        raise NotApplicable("there are no rows with many classes")
    shape = (2, columns)
    y = np.full(shape, _equal_value(subject.prediction, columns), np.float16)
    # The last ones differ: half precision holds no number of a class beyond 2,048.
    y[:, -2:] = y[0, 0] * np.array([0.5, 1.5], np.float16) if y[0, 0] else (-1.0, 1.0)
    if subject.target is CLASS_INDEX:
        t: NDArray = np.array([columns - 2, columns - 1])
    elif subject.target is BINARY:
        t = np.broadcast_to(np.arange(columns) % 2, shape).astype(np.float16)
    else:
        t = np.full(shape, _equal_value(subject.target, columns), np.float16)
    found = drop_masked(subject, drop_outside(subject, Points(y, t)))
    if not len(found):
        raise NotApplicable("this space has no such rows")
    return found


def _equal_value(space: Space, columns: int) -> float:
    """Return the number that all columns of a row have."""
    return {SIMPLEX: 1 / columns, UNIT: 0.5, LOGITS: 0.0}.get(space, _USUAL)
