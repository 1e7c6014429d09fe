"""Checks of dtypes: a result depends on the given numbers, not on how they are stored."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from lossfw.check.core.exact_points import (
    DTYPES,
    cast,
    draw_exact_points,
    largest_column_count,
    many_class_points,
    nearly_equal,
    ordinary_rows,
)
from lossfw.check.core.points import Points, drop_masked, drop_outside, first_bad
from lossfw.check.core.search import (
    Counterexample,
    NotApplicable,
    Output,
    Search,
    author_functions,
    check,
    format_number,
    ordinary_points,
    outputs,
    require_same_bits,
    run_parts,
)
from lossfw.check.core.subject import Subject
from lossfw.check.laws.purity import join_points
from lossfw.components.spaces import BINARY, SIMPLEX, UNIT
from lossfw.numerics.arrays import NDArray

# Whole numbers of every width, and with each a number whose square is beyond it; of the
# wide ones one that float32 does not hold either.
_INTEGERS = {"int8": 100, "uint8": 200, "int16": 300, "uint16": 60_000, "int32": 100_000_003,
             "uint32": 4_000_000_100, "int64": 4_000_000_100}  # fmt: skip

# Labels of every width; of so many rows, the numbers of all their elements do not fit it.
_LABELS = ("int8", "uint8", "int16", "uint16", "int32", "uint32")
_ROWS = 120


@check("dtype:result")
def check_result_dtype(subject: Subject, search: Search) -> None:
    """Results have the prediction's dtype, whatever the target's."""
    points = ordinary_points(subject, search, "dtype:result", 6)
    for dtype in DTYPES:
        y = cast(subject, points, dtype).y
        for t in _target_dtypes(subject, points.t):
            for function in outputs(subject):
                result = function(y, t)
                if result.dtype != dtype:
                    what = f"{dtype} predictions and {t.dtype} targets"
                    text = f"{function} of {what} is {result.dtype}."
                    raise Counterexample(text, f"{function}(y, t).dtype", y=y, t=t)


def _target_dtypes(subject: Subject, t: NDArray) -> list[NDArray]:
    if t.dtype.kind == "i":
        return [t, t.astype(np.int32)]
    whole = [t.astype(np.int64)] if (t == np.round(t)).all() and not subject.by_index else []
    return [t.astype(np.float64), t.astype(np.float32), t.astype(np.float16), *whole]


@check("dtype:inputs")
def check_inputs(subject: Subject, search: Search) -> None:
    """Targets of any dtype, and arrays in the other byte order, give the same results.

    Integer predictions of any width, lists and single numbers are computed as float64.
    """
    run_parts(
        subject, search, _check_targets, _check_byte_order, _check_whole_predictions, _check_lists
    )


def _check_targets(subject: Subject, search: Search) -> None:
    points = draw_exact_points(subject, search, "targets")
    same = [(points, dtype, _dtypes_that_hold(subject, points.t)) for dtype in DTYPES]
    whole = _whole_targets(subject, points)
    if len(whole) and whole.t.dtype.kind == "f":
        above = whole.keep(whole.t >= 0)
        for some in (whole, above):
            same += [
                (some, dtype, _dtypes_that_hold(subject, some.t)) for dtype in DTYPES if len(some)
            ]
    # Predictions that fewer bits do not hold show if these are used.
    full = Points(ordinary_points(subject, search, "targets").y[: len(points)], points.t)
    full = drop_masked(subject, drop_outside(subject, full))
    same += [(full, "float64", DTYPES)] if len(full) and points.t.dtype.kind == "f" else []
    if subject.by_index:
        same += [
            (some, "float64", dtypes) for some, dtypes in _label_points(subject, search, points)
        ]
    for some, dtype, others in same:
        here = cast(subject, some, dtype)
        for function in outputs(subject) if len(some) < _ROWS else author_functions(subject):
            expected = function(here.y, here.t)
            for other in others:
                t, what = some.t.astype(other), f"{other} targets"
                result = function(here.y, t, what)
                _compare(function, result, expected, Points(here.y, t), what, here.t)


def _label_points(
    subject: Subject, search: Search, points: Points
) -> list[tuple[Points, tuple[str, ...]]]:
    """Return many rows with class indices, and the narrow dtypes in which to give these."""
    rng = search.rng("labels")
    narrow = {9: _LABELS[:2], 130: ("uint8",), 300: _LABELS[2:4]}
    several = (points, *many_class_points(subject, search))
    widest = max(some.y.shape[-1] for some in several)
    rows_of = partial(ordinary_rows, subject, search, _ROWS)
    most = largest_column_count(search, author_functions(subject), rows_of, widest)
    found = []
    for some in several:
        columns = some.y.shape[-1]
        if columns > most:
            continue
        y = some.y[rng.integers(0, len(some), _ROWS)]
        index = np.append(rng.integers(0, columns, _ROWS - 1), columns - 1)
        rows = drop_masked(subject, Points(y, index))
        if len(rows):
            found.append((rows, narrow.get(columns, _LABELS)))
    return found


def _whole_targets(subject: Subject, points: Points) -> Points:
    """Return the pairs with their targets rounded; of distributions one-hot rows."""
    if points.t.dtype.kind in "iu":
        return points
    if subject.target is SIMPLEX:
        t = np.eye(points.t.shape[-1])[points.t.argmax(-1)]
    else:
        t = np.round(points.t)
        t = np.where(t == 0, 1.0, t) if points.t.ndim > 1 and subject.target is not BINARY else t
    return drop_masked(subject, drop_outside(subject, Points(points.y, t)))


def _dtypes_that_hold(subject: Subject, t: NDArray) -> tuple[str, ...]:
    """Return the dtypes that hold the targets and that are legal for them."""
    if t.dtype.kind in "iu":
        return tuple(dtype for dtype in _LABELS if t.max(initial=0) <= np.iinfo(dtype).max)
    found = list(DTYPES)
    if (t == np.round(t)).all():
        low, high = t.min(initial=0), t.max(initial=0)
        fits = (d for d in _INTEGERS if np.iinfo(d).min <= low and high <= np.iinfo(d).max)
        # A row of one whole number might be a class index.
        found += [] if subject.by_index and t.shape[-1] == 1 else list(fits)
    if subject.target in (BINARY, SIMPLEX) and np.isin(t, (0.0, 1.0)).all():
        found.append("bool")
    return tuple(found)


def _check_whole_predictions(subject: Subject, search: Search) -> None:
    points = _whole_predictions(subject, search)
    for function in outputs(subject):
        for dtype, large in _INTEGERS.items():
            for some, t in _pairs_of_width(subject, points, dtype, large):
                expected = function(some.y, some.t)
                whole = some.y.astype(dtype)
                result = function(whole, t)
                text = f"{dtype} predictions with {t.dtype} targets"
                _compare(function, result, expected, Points(whole, t), text, some.t, np.float64)


def _whole_predictions(subject: Subject, search: Search) -> Points:
    """Return pairs of whole predictions, with whole targets where the space has them."""
    points = ordinary_points(subject, search, "whole predictions")
    y = points.y
    if subject.prediction is SIMPLEX:
        # Whole probabilities are 0 and 1.
        y = np.eye(y.shape[-1])[y.argmax(-1)]
    elif subject.prediction is UNIT:
        y = np.round(y)
    else:
        y = np.round(y) + (subject.prediction.name != "REAL")
        y = np.where(np.abs(y) < 1, 1, np.abs(y)) if subject.prediction.name == "POSITIVE" else y
        # A row of zeros has no direction.
        y = np.where(y == 0, 1, y) if subject.rows else y
    t = points.t
    if subject.kind == "distance":
        # Small numbers on both sides of each other, whose difference may have no sign.
        rng = search.rng("whole pairs")
        y, t = (np.append(x, rng.integers(0, 9, len(points))) for x in (y, t))
    found = drop_outside(subject, Points(y, t))
    if not len(found):
        raise NotApplicable("this space has too few integers")
    return join_points(found, _whole_targets(subject, found))


def _pairs_of_width(
    subject: Subject, points: Points, dtype: str, large: int
) -> list[tuple[Points, NDArray]]:
    """Return the pairs that a width holds and a large one, and targets for them: also so wide."""
    some = points.keep(_fits_dtype(points.y, dtype))
    if not len(some):
        return []
    if subject.prediction not in (UNIT, SIMPLEX):
        last = some.take(slice(-1, None))
        y = last.y.copy()
        y[..., -1:] = large
        some = drop_outside(subject, join_points(some, Points(y, last.t)))
    found = [(some, some.t)]
    if some.t.dtype.kind == "f" and not (subject.by_index and some.t.shape[-1] == 1):
        both = some.keep(_fits_dtype(some.t, dtype))
        found += [(both, both.t.astype(dtype))] if len(both) else []
    return found


def _fits_dtype(x: NDArray, dtype: str) -> NDArray:
    """Tell which numbers, or rows of them, a width of whole numbers holds."""
    info = np.iinfo(dtype)
    fits = (x == np.round(x)) & (x >= info.min) & (x <= info.max)
    return np.asarray(fits if x.ndim == 1 else fits.all(-1))


def _check_byte_order(subject: Subject, search: Search) -> None:
    points = draw_exact_points(subject, search, "byte order", 6)
    for dtype in ("float64", "float32"):
        here = cast(subject, points, dtype)
        y, t = (x.astype(x.dtype.newbyteorder()) for x in (here.y, here.t))
        for function in outputs(subject):
            expected = function(here.y, here.t)
            for a, b in ((y, here.t), (here.y, t), (y, t)):
                try:
                    result = function(a, b)
                except Counterexample:
                    # To refuse them is a restriction, not a wrong result.
                    continue
                result = result.astype(result.dtype.newbyteorder("="))
                text = f"{a.dtype.str} predictions and {b.dtype.str} targets"
                _compare(function, result, expected, Points(a, b), text, here.t)


def _check_lists(subject: Subject, search: Search) -> None:
    if subject.component is None:
        raise NotApplicable("functions of other libraries may accept arrays only")
    points = ordinary_points(subject, search, "lists", 6)
    expected = np.asarray(subject.value(points.y, points.t))
    listed = np.asarray(subject.value(points.y.tolist(), points.t.tolist()))
    require_same_bits(listed, expected, points, "lists give another result.")
    one = np.asarray(subject.value(points.y[0].tolist(), points.t[0].tolist()))
    if one.shape != () or not np.isclose(one, expected[0], rtol=1e-13, atol=0, equal_nan=True):
        raise Counterexample.at_point(points, 0, "a single example gives another result.")


def _compare(
    function: Output,
    result: NDArray,
    expected: NDArray,
    points: Points,
    text: str,
    t: NDArray,
    dtype: Any = None,
) -> None:
    """Refute a result that is not the expected one, or that has another dtype than `dtype`."""
    if result.shape != expected.shape:
        return
    if dtype is not None and result.dtype != dtype:
        text = f"{function} of {text} is {result.dtype}."
        raise Counterexample.with_points(points.take(slice(1)), text, f"{function}(y, t).dtype")
    same = nearly_equal(result, expected)
    if not same.all():
        bad = first_bad(~same)
        # Labels may be wrong because of the number of rows.
        some = points if points.t.dtype.kind in "iu" else points.take(slice(bad, bad + 1))
        same_numbers = f"y.astype({expected.dtype.name!r}), t.astype({t.dtype.name!r})"
        raise Counterexample.with_points(
            some,
            f"{function} of {text} is {format_number(result[bad])} at the first difference; the "
            f"same numbers in {points.y.dtype if points.y.dtype.kind == 'f' else 'float64'} and "
            f"{t.dtype} give {format_number(expected[bad])}.",
            f"{function}(y, t), {function}({same_numbers})",
        )
