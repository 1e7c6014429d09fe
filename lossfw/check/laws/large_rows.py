"""The check of rows of up to 1,000 classes, and of groups of up to 300 rows, against the formula.

Exact numbers would be slow for so many. So a few rows of each size, and some columns of their
derivatives, are compared with the formula in floats, and if a result differs, the exact formula
decides.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from lossfw.check.core.draw import usual_targets
from lossfw.check.core.draw_columns import target_size, usual_rows
from lossfw.check.core.draw_groups import usual_group
from lossfw.check.core.exact_points import largest_column_count
from lossfw.check.core.members import Generator, usual_members
from lossfw.check.core.points import Points, drop_masked, drop_outside
from lossfw.check.core.search import (
    Counterexample,
    NotApplicable,
    Output,
    Search,
    author_functions,
    check,
    run_parts,
)
from lossfw.check.core.subject import Subject, call
from lossfw.check.laws.against_double import check_half_of_many
from lossfw.components.spaces import CLASS_INDEX, SIMPLEX
from lossfw.numerics.arrays import NDArray
from lossfw.numerics.dual.derivatives import derivatives
from lossfw.numerics.exact.ulp import to_float

# The most classes, numbers of a vector, and rows of a group; one size is drawn from each octave
# up to there, beginning with this one.
_MOST_CLASSES, _MOST_NUMBERS, _MOST_ROWS = 1000, 100, 300
_FIRST = {"categorical": 7, "group": 3}

# Rows of each size, and octaves for a search of few examples.
_ROWS, _FEW = 2, 2
_FULL_EXAMPLES = 100

# How far a result may be from the formula in double precision: of its own size, of the largest in
# its row, and next to 0. Beyond it the exact formula decides, and allows as much.
_RELATIVE, _OF_ROW, _TINY = 1e-9, 1e-10, 1e-13

_NAMES = ("value", "gradient", "hessian")


@check("classes")
def check_large_rows(subject: Subject, search: Search) -> None:
    """In long rows and large groups results agree with the formula, also in float16."""
    run_parts(subject, search, _check_by_formula, check_half_of_many)


def _check_by_formula(subject: Subject, search: Search) -> None:
    """Compare the functions that an author wrote with the formula in floats."""
    if subject.truth is None:
        raise NotApplicable("no formula is known to compare with")
    # One pass gives all orders, and most of the time goes to a formula that visits each class.
    functions = {_NAMES.index(one.name): one for one in author_functions(subject)}
    for points in large_rows(subject, search):
        columns = _columns(subject, points, search)
        exact = _formula_in_floats(subject, points, columns, max(functions))
        for order, function in functions.items():
            chosen = columns if order else None
            actual = _take_columns(np.asarray(function(points.y, points.t)), chosen)
            bad = _is_off(actual, exact[order])
            for k in np.flatnonzero(bad.reshape(len(points), -1).any(-1))[:1]:
                some = None if chosen is None else chosen[k].tolist()
                _refute_by_exact_formula(
                    subject, function, points.take(slice(k, k + 1)), order, some, actual[k]
                )


def large_rows(subject: Subject, search: Search) -> list[Points]:
    """Return a few unremarkable rows of each octave of sizes, with targets of both forms."""
    most = _largest_size(subject)
    if not most:
        raise NotApplicable("there are no rows of many numbers")
    rng = search.rng("large rows")
    fits = largest_column_count(
        search, [author_functions(subject)[0]], partial(_rows, subject, rng), most
    )
    octaves = [(low, min(2 * low - 1, most)) for low in 2 ** np.arange(2, 10).astype(int)]
    drawn = [_FIRST[subject.kind], *(int(rng.integers(a, b + 1)) for a, b in octaves if a <= most)]
    drawn[-1] = most
    if search.examples < _FULL_EXAMPLES:
        drawn = sorted(rng.choice(drawn, _FEW, replace=False).tolist())
    found = []
    for size in drawn:
        if size <= fits:
            found.append(_rows(subject, rng, size))
            if subject.target is CLASS_INDEX and subject.takes_distributions:
                y = found[-1].y
                found.append(drop_masked(subject, Points(y, usual_members(SIMPLEX, rng, y.shape))))
    return [points for points in found if len(points)]


def _largest_size(subject: Subject) -> int:
    """Return the most columns, numbers or rows that are looked at; 0 where the loss fixes them."""
    if subject.kind == "group":
        return _MOST_ROWS
    if not subject.rows or len(subject.column_counts) < 2:
        return 0
    if subject.has_columns and subject.component is None:
        # An outside function may take vectors of the sizes that it was written for.
        return 0
    return _MOST_NUMBERS if subject.has_columns else _MOST_CLASSES


def _rows(subject: Subject, rng: Generator, size: int) -> Points:
    """Return unremarkable rows of a size."""
    if subject.kind == "group":
        return usual_group(subject, size, rng, _ROWS)
    if subject.has_columns:
        columns = subject.prediction.flat_size(size)
        y = usual_rows(subject.prediction, columns, rng, _ROWS)
        points = Points(y, usual_rows(subject.target, target_size(subject, columns), rng, _ROWS))
    else:
        y = usual_members(subject.prediction, rng, (_ROWS, size))
        points = Points(y, usual_targets(subject, _ROWS, size, rng))
    return drop_masked(subject, drop_outside(subject, points))


def _columns(subject: Subject, points: Points, search: Search) -> NDArray:
    """Return for each row a few columns: that of its target, the last and another."""
    width = points.y.shape[-1]
    own = points.t if points.t.ndim == 1 and points.t.dtype.kind in "iu" else None
    first = np.zeros(len(points), int) if own is None else own
    other = search.rng(f"columns of {width}").integers(0, width, len(points))
    return np.stack([first, np.full(len(points), width - 1), other], axis=1)


def _take_columns(x: NDArray, columns: NDArray | None) -> NDArray:
    return x if columns is None else np.take_along_axis(x, columns, axis=1)


def _formula_in_floats(
    subject: Subject, points: Points, columns: NDArray, order: int
) -> tuple[NDArray, ...]:
    """Return values of the formula in floats, and derivatives by some columns of each row."""
    body: Any = subject.truth._unreduced_formula  # type: ignore[union-attr]  # asked before
    t = subject.exact.class_rows(points.y, points.t)
    if not order:
        return (np.asarray(call(body, np, points.y, t)),)
    count = columns.shape[1]
    y, t = (np.repeat(x, count, axis=0) for x in (points.y, t))
    direction = np.zeros(y.shape)
    direction[np.arange(len(y)), columns.ravel()] = 1.0
    value, *parts = call(derivatives, body, np, y, t, order=order, direction=direction)
    return (value[::count], *[np.asarray(part).reshape(columns.shape) for part in parts])


def _is_off(actual: NDArray, expected: NDArray) -> NDArray:
    """Tell which results are off; also those of which floats tell nothing."""
    actual, expected = actual.astype(np.float64), expected.astype(np.float64)
    size = np.abs(expected)
    largest = size.max(-1, keepdims=True) if size.ndim > 1 else size
    with np.errstate(all="ignore"):
        near = np.abs(actual - expected) <= _RELATIVE * size + _OF_ROW * largest + _TINY
    return np.asarray(~near & (actual != expected))


def _refute_by_exact_formula(
    subject: Subject,
    function: Output,
    point: Points,
    order: int,
    columns: list[int] | None,
    actual: NDArray,
) -> None:
    """Refute a result of a row, or its derivatives by some columns, if the exact formula does."""
    if columns is None:
        exact = to_float(subject.exact.values(point.y, point.t), np.float64)
    else:
        partials = (subject.exact.partials(k, order, point.y, point.t)[order - 1] for k in columns)
        exact = np.concatenate([to_float(x, np.float64) for x in partials])
    found = np.atleast_1d(actual)
    for place in np.flatnonzero(_is_off(found, exact) & np.isfinite(exact)):
        name = f"{function}" if columns is None else f"{function}[{columns[place]}]"
        text = (
            f"of {point.y.shape[-1]} numbers in a row the {name} is {found[place]:.9g}, and the "
            f"formula gives {exact[place]:.9g}."
        )
        raise Counterexample.with_points(point, text, f"{function}(y, t)")
