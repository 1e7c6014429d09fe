"""Pairs of plain numbers for the checks of the call, with as many columns as the memory allows.

The numbers are few, small and exact in every precision, so a pair can be passed in any dtype, and
results can be compared with one another instead of a formula.

A loss of rows may compute with all pairs or triples of its columns: its memory then grows with a
power of the number of columns, and a wide row would end the process. So the width is doubled from a
few columns on, as long as the memory of the previous steps predicts that the next one fits.
"""

from __future__ import annotations

import math
import tracemalloc
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from lossfw.check.core.draw import usual_targets
from lossfw.check.core.members import Generator, apply_per_column, usual_members
from lossfw.check.core.points import Points, drop_masked, drop_outside, split_group_rows
from lossfw.check.core.search import (
    Counterexample,
    NotApplicable,
    Output,
    Search,
    ordinary_points,
    outputs,
)
from lossfw.check.core.subject import Subject
from lossfw.components.spaces import (
    SIMPLEX,
    UNIT,
    Counts,
    FiniteSpace,
    Interval,
    Simplex,
    Space,
)
from lossfw.numerics.arrays import NDArray

# Rows of each number of classes.
_ROWS_OF_EACH = 4
# What a call may take, in bytes: with Python and its libraries the process stays below 1 GiB.
LIMIT = 2**29

_FIRST_COLUMNS = 16

# The next step is taken to grow like a square at least: pairs of columns may have begun to show.
_LEAST_POWER = 2.0


def largest_column_count(
    search: Search, functions: Sequence[Output], rows: Callable[[int], Points], limit: int
) -> int:
    """Return the number of columns, at most `limit`, for which the functions fit into memory.

    `rows` returns rows with a number of columns, as many as a call will have. If there are
    fewer columns than `limit`, the report of the running check says so.
    """

    def measure_memory() -> int:
        n_calls = len(search.calls)
        columns = _find_largest_column_count(functions, rows, limit)
        # They are not examples: nobody looks at the results.
        del search.calls[n_calls:]
        return columns

    key = ("memory", len(rows(_FIRST_COLUMNS)), limit, *(function.name for function in functions))
    columns = search.cached(key, measure_memory)
    if columns < limit:
        search.record_limit(
            f"{columns:,} columns instead of {limit:,}, which would take more than "
            f"{LIMIT // 2**20} MiB of memory"
        )
    return columns


def _find_largest_column_count(
    functions: Sequence[Output], rows: Callable[[int], Points], limit: int
) -> int:
    columns, previous_peak = _FIRST_COLUMNS, 0
    while columns < limit:
        points = rows(columns)
        peak = max(
            (_peak_memory(function, points.y, points.t) for function in functions), default=0
        )
        following = min(2 * columns, limit)
        growth = math.log2(peak / previous_peak) if previous_peak and peak else 0.0
        if peak * (following / columns) ** max(_LEAST_POWER, growth) > LIMIT:
            return columns
        columns, previous_peak = following, peak
    return limit


def _peak_memory(function: Output, *arguments: Any) -> int:
    """Return how many bytes a call takes at most, besides its arguments."""
    is_traced = tracemalloc.is_tracing()
    if not is_traced:
        tracemalloc.start()
    try:
        tracemalloc.reset_peak()
        initial = tracemalloc.get_traced_memory()[0]
        function(*arguments)
        return tracemalloc.get_traced_memory()[1] - initial
    finally:
        if not is_traced:
            tracemalloc.stop()


DTYPES = ("float64", "float32", "float16")

# Whole multiples of this, below 64, are numbers of half precision.
_GRID = 1 / 16

# More classes than the shared points have: about those of digits, of a byte's
# half and of more than a byte.
MANY_CLASSES = (9, 130, 300)
_MOST = max(MANY_CLASSES)

# Results that differ by no more than this fraction of their own size, and of the largest
# result or 1, differ by rounding: the order of vector instructions changes it, and a
# difference of large terms magnifies it.
_ALIKE = {"float64": (1e-9, 1e-11), "float32": (1e-4, 1e-5), "float16": (0.06, 4e-3)}


def draw_exact_points(subject: Subject, search: Search, name: str, count: int = 24) -> Points:
    """Return ordinary pairs of numbers that are exact in half precision, so sums are exact."""
    rng = search.rng(f"{name} plain")
    points = ordinary_points(subject, search, name, count)
    if subject.kind == "group":
        y, t = (
            round_to_grid(space, split_group_rows(subject, space, x), rng).reshape(x.shape)
            for space, x in ((subject.prediction, points.y), (subject.target, points.t))
        )
    else:
        y = round_to_grid(subject.prediction, points.y, rng)
        t = (
            points.t
            if points.t.dtype.kind in "iu"
            else round_to_grid(subject.target, points.t, rng)
        )
    found = drop_masked(subject, drop_outside(subject, Points(y, t)))
    if not len(found):
        raise NotApplicable("there are no real numbers in this space")
    return found


@apply_per_column
def round_to_grid(space: Space, x: NDArray, rng: Generator) -> NDArray:
    """Return members of a space near `x` that are sixteenths, away from its bounds."""
    if isinstance(space, Simplex):
        columns = x.shape[-1]
        # Each class has a sixteenth at least.
        shares = rng.multinomial(16 - columns, np.full(columns, 1 / columns), len(x)) + 1
        return shares * _GRID if columns <= 16 else x
    if isinstance(space, FiniteSpace | Counts):
        return x
    near = np.round(x / _GRID) * _GRID
    near = np.where(near == 0, _GRID, near)
    if isinstance(space, Interval):
        near = np.clip(near, space.low + _GRID, space.high - _GRID)
    return np.asarray(near)


def cast(subject: Subject, points: Points, dtype: str) -> Points:
    """Return the pairs in another precision; class indices are unchanged."""
    y = points.y.astype(dtype)
    # Rounding may have left the space: bring a probability back.
    y = np.clip(y, 0, 1) if subject.prediction in (UNIT, SIMPLEX) else y
    return Points(y, points.t.astype(dtype) if points.t.dtype.kind == "f" else points.t)


def nearly_equal(a: NDArray, b: NDArray) -> NDArray:
    """Tell where two results are equal up to (magnified) rounding; NaN equals NaN."""
    own, all_over = _ALIKE.get(a.dtype.name, (0.0, 0.0))
    with np.errstate(all="ignore"):
        x, y = a.astype(np.float64), b.astype(np.float64)
        size = np.maximum(np.abs(x), np.abs(y))
        most = min(1.0, float(np.max(size, initial=0.0, where=np.isfinite(size))))
        same: NDArray = (x == y) | (np.isnan(x) & np.isnan(y))
        near = np.isfinite(size) & (np.abs(x - y) <= own * size + all_over * most)
        return same | near


def require_nearly_equal(
    actual: NDArray, expected: NDArray, points: Points, message: str, code: str
) -> None:
    """Refute results, of the expected shape, that differ from others by more than rounding."""
    if actual.shape == expected.shape and not nearly_equal(actual, expected).all():
        raise Counterexample.with_points(points, message, code)


def many_class_points(subject: Subject, search: Search) -> list[Points]:
    """Return a few ordinary rows for each of many numbers of classes; none if the loss fixes it."""
    if not subject.rows or len(subject.column_counts) < 2 or subject.has_columns:
        return []
    rows = partial(ordinary_rows, subject, search, _ROWS_OF_EACH)
    most = largest_column_count(search, outputs(subject), rows, _MOST)
    found = [
        drop_masked(subject, drop_outside(subject, rows(columns)))
        for columns in MANY_CLASSES
        if columns <= most
    ]
    return [points for points in found if len(points)]


def ordinary_rows(subject: Subject, search: Search, count: int, columns: int) -> Points:
    """Return a number of ordinary rows with a number of columns."""
    rng = search.rng(f"rows of {columns}")
    y = usual_members(subject.prediction, rng, (count, columns))
    return Points(y, usual_targets(subject, count, columns, rng))
