"""Checks of NaN, of labels that are not classes, and of the sign of zero.

Legal, finite predictions and targets have a value and derivatives. 0 times infinity, as in ``t log
y`` at a target and a prediction of 0, is NaN in floats and exact numbers, so a formula with it
would accept a value with it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from lossfw.check.core.exact_points import DTYPES, cast
from lossfw.check.core.gravity import are_useless
from lossfw.check.core.inner import is_inner
from lossfw.check.core.points import (
    Points,
    any_in_row,
    drop_masked,
    drop_outside,
    first_bad,
    shortest_written,
)
from lossfw.check.core.search import (
    Counterexample,
    NotApplicable,
    Search,
    check,
    format_number,
    ordinary_points,
    outputs,
)
from lossfw.check.core.shrink import shrink, simplest_bad
from lossfw.check.core.subject import Subject, call
from lossfw.check.laws.remedies import exponential_remedy
from lossfw.components.spaces import REAL
from lossfw.errors import LossfwError
from lossfw.losses.kinds import PointwiseLoss
from lossfw.numerics.arrays import NDArray
from lossfw.numerics.exact.ulp import to_float

# Without a space, most of the arguments are not those that the author thought of.
_SPACES = (
    "Predictions and targets were drawn from all real numbers: a loss of others declares them, as "
    "in `prediction = POSITIVE` and `target = NONNEGATIVE`."
)
_REMEDY = (
    "`xlogy`, `multiply_or_zero` or `guarded_log` of lossfw.numerics take 0 times infinity for 0, "
    "and `quotient` 0 / 0."
)
_ONE_COLUMN = " A loss that needs two columns sets `least_classes = 2`."


@check("nan:legal")
def check_legal(subject: Subject, search: Search) -> None:
    """Value and derivatives are numbers at legal, finite arguments."""
    for function in outputs(subject):
        _refute_nan(subject, search, function.name, function)


def _refute_nan(
    subject: Subject,
    search: Search,
    name: str,
    function: Callable[[Any, Any], NDArray],
    *dtypes: str,
) -> None:
    """Refute a function whose results at some legal, finite points are NaN."""

    def badness(points: Points) -> NDArray:
        found = np.zeros(len(points), int)
        which = np.flatnonzero(_are_considered(subject, points, name))
        if which.size:
            some = points.take(which)
            results = function(some.y, some.t)
            if results.shape[:1] != (len(some),):
                raise NotApplicable("results have the wrong shape")
            which = which[any_in_row(np.isnan(results))]
            found[which] = np.where(are_useless(subject, points.take(which)), 1, 2)
        return found

    every = [
        p
        for points in search.points(subject, *dtypes)
        for p in _with_perfect_predictions(subject, points)
    ]
    bad = simplest_bad(subject, ((points, badness(points)) for points in every))
    if bad is None:
        return
    code = "value(y, t)" if name == "formula" else f"{name}(y, t)"
    text = f"the {name} is NaN at legal, finite arguments. "
    one = shrink(subject, search, bad, badness)
    may_need_two = subject.rows and not subject.has_columns and one.y.shape[-1] == 1
    found = Counterexample.with_points(one, text + _REMEDY + _ONE_COLUMN * may_need_two, code)
    loss = subject.component
    if exponentials := exponential_remedy(subject, one):
        found.message = text + exponentials
        found.with_grade("extreme")
    elif isinstance(loss, PointwiseLoss) and loss.prediction is loss.target is REAL:
        # The author has declared no space.
        found.message = text + _SPACES
        found.as_blocking()
    raise found


def _with_perfect_predictions(subject: Subject, points: Points) -> list[Points]:
    """Return points, and those with a prediction that is the target: the best that there is."""
    if points.t.shape != points.y.shape or not len(points):
        return [points]
    equal = drop_masked(subject, drop_outside(subject, Points(points.t, points.t)))
    return [points, equal] if len(equal) else [points]


def refute_nan_of_formula(subject: Subject, search: Search) -> None:
    """Refute a formula that is NaN at legal, finite arguments, because it cannot judge a value."""

    def formula(y: NDArray, t: NDArray) -> NDArray:
        search.count(len(y))
        exact = to_float(subject.exact.values(y, t))
        # Where the value is NaN too, `nan:legal` reports it, and the two are one mistake.
        return np.where(np.isnan(call(subject.value, y, t)), 0.0, exact)

    _refute_nan(subject, search, "formula", formula, "float64")


def _are_considered(subject: Subject, points: Points, name: str) -> NDArray:
    """Tell which points count.

    Inside of a space, derivatives are compared with the formula's, where there is one. At a bound
    other libraries have none.
    """
    keep = subject.mean_weights(points.y, points.t) > 0
    if name in ("value", "formula"):
        return keep
    if subject.component is not None:
        return keep & ~is_inner(subject, points)
    return keep & is_inner(subject, points) if subject.truth is None else np.zeros_like(keep)


# The cause of each finding of a NaN that does not come back.
SWALLOWED = "a NaN is swallowed"

# So many rows for a wrong label that is not among the first ones.
_MANY_ROWS = 300

# The neighbours of a NaN in a row.
_BOUNDS = {"LOGITS": (-np.inf, np.inf), "UNIT": (0.0, 1.0), "SIMPLEX": (0.0, 1.0)}


@check("nan")
def check_nan(subject: Subject, search: Search) -> None:
    """NaN in a prediction makes that result NaN, and no other."""
    few = _without_own_nan(
        subject, drop_masked(subject, ordinary_points(subject, search, "nan", 9))
    )
    if not len(few):
        raise NotApplicable("every ordinary result is NaN")
    for dtype in DTYPES:
        # In float32 a mask may leave out a target, and a probability be 0.
        points = _without_own_nan(subject, drop_masked(subject, cast(subject, few, dtype)))
        for spoilt in _iter_with_nan(subject, points, every=dtype == "float64"):
            expected = any_in_row(np.isnan(spoilt.y))
            for function in outputs(subject):
                result = function(spoilt.y, spoilt.t)
                rows = any_in_row(np.isnan(result))
                swallowed, spread = expected & ~rows, rows & ~expected
                code = f"{function}(y, t)"
                if swallowed.any():
                    one = first_bad(swallowed)
                    text = f"the {function} of a NaN is {format_number(result[one])}; expected NaN."
                    raise Counterexample.at_point(spoilt, one, text, code).with_cause(SWALLOWED)
                if spread.any():
                    one, source = first_bad(spread), first_bad(expected)
                    text = f"a NaN in the prediction of row {source} spreads to row {one}."
                    raise Counterexample.with_points(spoilt, text, code)


def _without_own_nan(subject: Subject, points: Points) -> Points:
    """Return the points without those whose results are NaN anyway, which `nan:legal` reports."""
    for function in outputs(subject):
        points = points.keep(~any_in_row(np.isnan(function(points.y, points.t))))
    return points


def _iter_with_nan(subject: Subject, points: Points, *, every: bool) -> list[Points]:
    """Return the points with NaN: one in each place (or in three), two, all, all but one.

    In rows it is in one column, also next to the bounds of the space.
    """
    count = len(points)
    places = range(count) if every else sorted({0, count // 2, count - 1})
    rows = [[row] for row in places]
    rows += [[0, count // 2], list(range(count)), list(range(1, count))] if count > 2 else []
    columns = range(points.y.shape[-1]) if subject.rows else [None]
    found = [
        _with_middle_nan(points, [0]),
        _with_middle_nan(points, np.resize(np.arange(count), _MANY_ROWS)),
    ]
    for column in columns:
        for row in rows:
            y = points.y.copy()
            y[row if column is None else (row, column)] = np.nan
            found.append(Points(y, points.t))
        for edge in () if column is None else _BOUNDS.get(subject.prediction.name, ()):
            y = np.full_like(points.y, edge)
            y[:, column] = np.nan
            found.append(Points(y, points.t))
    return found


def _with_middle_nan(points: Points, which: Any) -> Points:
    """Return some of the points, with a NaN in the middle one."""
    some = points.take(np.asarray(which))
    some.y[(len(some) // 2, *[0] * (some.y.ndim - 1))] = np.nan
    return some


@check("domain:class_index")
def check_class_index(subject: Subject, search: Search) -> None:
    """A class index below 0 or above K - 1 raises."""
    if not subject.by_index:
        raise NotApplicable("targets are not class indices")
    points = ordinary_points(subject, search, "domain:class_index", 3)
    for y, index in _wrong_labels(subject, points):
        for function in outputs(subject):
            try:
                result = call(function.raw, y, index)
            except Exception:  # noqa: S112  # any error is a refusal
                continue
            one = first_bad((index < 0) | (index >= y.shape[-1]))
            returned = format_number(np.asarray(result)[one])
            raise Counterexample(
                f"{function} takes class {index[one]} of {y.shape[-1]} classes and returns "
                f"{returned}.",
                f"{function}(y, t)",
                y=y,
                t=index,
            )


def _wrong_labels(subject: Subject, points: Points) -> list[tuple[Any, Any]]:
    """Return rows with one label that is not a class: first, last, inside, and far inside."""
    columns = points.y.shape[-1]
    beyond = [-1, columns, -columns, columns + 5]
    # Some become classes in fewer bits.
    beyond += [sign * 2**bits for bits in (7, 8, 16, 31, 32) for sign in (1, -1)]
    beyond += [2**bits + columns - 1 for bits in (8, 16, 32)]
    found = []
    for wrong in beyond:
        if _is_masked(subject, wrong) or 0 <= wrong < columns:
            continue
        for place in range(len(points)):
            index = np.arange(len(points)) % columns
            index[place] = wrong
            found.append((points.y, index))
    found += [(y, index.astype("int8")) for y, index in found[: len(points)]]
    many = points.y[np.resize(np.arange(len(points)), _MANY_ROWS)]
    if not _is_masked(subject, columns):
        index = np.arange(_MANY_ROWS) % columns
        index[_MANY_ROWS - len(points)] = columns
        found.append((many, index))
    return found


def _is_masked(subject: Subject, index: int) -> bool:
    """Tell whether a loss has a mask for just this index, so that it is not a class."""
    if subject.component is None:
        return False
    try:
        where, _ = subject.component._own_mask_and_weight(np, np.array([index]), True)
    except (LossfwError, IndexError):
        return False
    return where is not None and not bool(np.asarray(where)[0])


@check("value:negative_zero")
def check_negative_zero(subject: Subject, search: Search) -> None:
    """Zero is 0.0, and never -0.0."""
    value = outputs(subject)[0]
    for points in search.points(subject, *DTYPES):
        result = value(points.y, points.t)
        bad = (result == 0) & np.signbit(result)
        if bad.any():
            raise Counterexample.at_point(
                points, shortest_written(points, bad), "the loss is -0.0."
            )
