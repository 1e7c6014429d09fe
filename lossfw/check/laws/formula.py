"""Checks of value, gradient and Hessian, against exact numbers.

The gravest error of a function is its finding; `lossfw.check.core.gravity` grades it.

At a kink a gradient is right if it is between those on both sides, or for convex losses of rows a
subgradient. The Hessian is not judged at a kink, and nothing is judged at a jump of the loss.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np

from lossfw.check.core.extra_points import branch_points, suspect_points
from lossfw.check.core.gravity import grades
from lossfw.check.core.inner import inner_points, is_inner
from lossfw.check.core.judge import Judgement, judge
from lossfw.check.core.points import Points, any_in_row, drop_masked, first_bad
from lossfw.check.core.screening import screen_points
from lossfw.check.core.search import (
    Check,
    Counterexample,
    Grade,
    NotApplicable,
    Search,
    check,
    format_number,
    ordinary_points,
    outputs,
)
from lossfw.check.core.shrink import shrink, simplest_bad
from lossfw.check.core.subject import JUDGED_DTYPES, Subject, call
from lossfw.check.laws.nan_and_labels import refute_nan_of_formula
from lossfw.check.laws.own_differences import check_by_differences
from lossfw.check.laws.remedies import Remedies, classify_error, describe_error
from lossfw.components.spaces import SIMPLEX, UNIT
from lossfw.numerics.arrays import NDArray
from lossfw.numerics.exact.ulp import to_float

# The results of each order, as functions of a subject and in messages.
_NAMES = ("value", "gradient", "hessian")
# The graver an error, the earlier its point is shown.
_GRADES: dict[int, Grade] = {1: "extreme", 2: "digits", 3: "wrong"}

# Directions from a kink of rows in which the subgradient inequality is tried.
_DIRECTIONS = 24

# How many rows with ties are looked at, for each number of columns.
_TIES = 24

# As many partial derivatives as examples are looked at for each number of columns, but
# no fewer and no more than this.
_PARTIALS = (12, 120)


def judgements(subject: Subject, search: Search, order: int) -> list[Judgement]:
    """Return values (order 0) or derivatives with the exact ones, cached."""
    function = getattr(subject, _NAMES[order])
    if function is None:
        raise NotApplicable(f"there is no {_NAMES[order]}")
    if subject.truth is None:
        raise NotApplicable("no formula is known to compare with")

    def judge_all() -> list[Judgement]:
        found = []
        for points, exact in _exact_results(subject, search, order):
            actual = np.asarray(call(function, points.y, points.t))
            shape = points.y.shape if order else points.y.shape[:1]
            if actual.shape != shape or actual.dtype.kind != "f":
                raise NotApplicable("results have the wrong shape or dtype")
            found.append(judge(subject, points, actual, order, exact))
        return found

    return search.cached(("judgements", order), judge_all)


def _exact_results(subject: Subject, search: Search, order: int) -> Iterator[tuple[Points, Any]]:
    """Yield points with the exact results there, None where they are not computed yet."""
    suspected = [
        p for dtype in JUDGED_DTYPES for p in suspect_points(subject, search, dtype, order)
    ]
    suspected += screen_points(subject, search, order)
    if order == 0:
        yield from ((points, None) for points in (*_shared_points(subject, search), *suspected))
        return
    for points, derivatives in _exact_derivatives(subject, search):
        yield points, derivatives[order - 1]
    for points in (inner_points(subject, points) for points in suspected):
        if len(points):
            yield points, subject.exact.derivatives(order, points.y, points.t)[order - 1]


def _shared_points(subject: Subject, search: Search) -> list[Points]:
    """Return the points of all checks, and those on branches that these seldom take."""
    branches = [p for dtype in JUDGED_DTYPES for p in branch_points(subject, search, dtype)]
    return [*search.points(subject), *branches]


def _exact_derivatives(subject: Subject, search: Search) -> list[tuple[Points, tuple[Any, ...]]]:
    """Return shared inner points with the exact derivatives, of both orders; computed once."""
    order = 1 if subject.hessian is None else 2

    def compute() -> list[tuple[Points, tuple[Any, ...]]]:
        # Fewer rows are chosen among all regions, so that those of all together are as few.
        judged_at = (
            inner_points(subject, points)
            for points in _shared_points(subject, search.in_all_regions)
        )
        few = [_reduce_wide_rows(subject, search.in_all_regions, points) for points in judged_at]
        kept = search.select_points(subject, few, "derivatives")
        return [(s, subject.exact.derivatives(order, s.y, s.t)) for s in kept if len(s)]

    return search.cached("exact derivatives", compute)


def _reduce_wide_rows(subject: Subject, search: Search, points: Points) -> Points:
    """Return fewer rows where each has many columns, as each has as many derivatives."""
    most = int(np.clip(search.examples, *_PARTIALS))
    # The formula is the same: single precision is judged at fewer points.
    most = most if points.y.dtype == np.float64 else most // 2
    if not subject.rows or points.y.size <= most:
        return points
    count = max(1, most // points.y.shape[-1])
    return points.take(np.linspace(0, len(points) - 1, count).round().astype(int))


def _badness(subject: Subject, judgement: Judgement, order: int) -> NDArray:
    """Return how grave the error at each point is; 0 where there is none."""
    graded = grades(subject, judgement, order)
    return np.select([graded == grade for grade in _GRADES.values()], list(_GRADES))


def judge_at(subject: Subject, points: Points, order: int) -> Judgement:
    """Return the values (order 0) or derivatives at points with the exact ones."""
    function = getattr(subject, _NAMES[order])
    return judge(subject, points, np.asarray(call(function, points.y, points.t)), order)


def _refute(subject: Subject, search: Search, order: int) -> None:
    """Refute wrong results: by the gravest one, at numbers that are ordinary and simple."""

    def badness(points: Points) -> NDArray:
        bad = np.zeros(len(points), int)
        which = np.flatnonzero(is_inner(subject, points)) if order else np.arange(len(points))
        if which.size:
            judgement = judge_at(subject, points.take(which), order)
            bad[which] = _badness(subject, judgement, order)
        return bad

    wrong = [one for one in judgements(subject, search, order) if one.is_wrong.any()]
    bad = simplest_bad(subject, ((one.points, _badness(subject, one, order)) for one in wrong))
    if bad is None:
        return
    # What is known from the defaults is as simple as it gets.
    simple = bad if search.only is not None else shrink(subject, search, bad, badness)
    one = judge_at(subject, simple, order)
    grade = _GRADES[int(badness(one.points).max())]
    error = classify_error(one)
    help_for = Remedies(subject, order, judge_at, wrong)
    text = f"{describe_error(one, order)} {help_for.text_for(one, error, grade)}".rstrip()
    found = Counterexample.with_points(one.points, text, f"{_NAMES[order]}(y, t)").with_grade(grade)
    found.error = error
    raise found


def _check_result(subject: Subject, search: Search, order: int) -> None:
    """A value or a derivative is that of the formula."""
    if order and subject.truth is None and getattr(subject, _NAMES[order]) is not None:
        check_by_differences(subject, search, order)
        return
    _refute(subject, search, order)
    if order == 0 and subject.component is not None:
        refute_nan_of_formula(subject, search)
    if order == 1 and subject.rows and subject.truth and subject.truth.claims().convex:
        _check_subgradients(subject, search)


RESULT_CHECKS = tuple(
    Check(name, partial(_check_result, order=order)) for order, name in enumerate(_NAMES)
)


@check("value:index")
def check_soft_and_hard(subject: Subject, search: Search) -> None:
    """Class indices and one-hot rows mean the same target."""
    if not (subject.by_index and subject.takes_distributions):
        raise NotApplicable("targets have only one form")
    points = ordinary_points(subject, search, "value:index")
    columns = points.y.shape[-1]
    index = search.rng("value:index rows").integers(0, columns, len(points))
    points = drop_masked(subject, Points(points.y, index))
    hot = np.eye(columns)[points.t]
    for function in outputs(subject):
        both = f"{function}(y, t), {function}(y, np.eye(y.shape[-1])[t])"
        try:
            by_index, by_row = (call(function.raw, points.y, t) for t in (points.t, hot))
        except Exception as error:
            text = f"{function} raises an error for a target in one of its two forms: {error}"
            raise Counterexample.with_points(points, text, both) from error
        with np.errstate(all="ignore"):
            same = np.isclose(by_index, by_row, rtol=1e-10, atol=1e-13, equal_nan=True)
        if not same.all():
            one = first_bad(~same)
            text = f"{function} for class {points.t[one]} and for its one-hot row differ."
            raise Counterexample.at_point(points, one, text, both)


def _check_subgradients(subject: Subject, search: Search) -> None:
    """At kinks of a convex loss of rows: from y the loss rises at least as the gradient says."""
    rng = search.rng("subgradients")
    if subject.prediction in (UNIT, SIMPLEX):
        return
    for points in search.points(subject, "float64"):
        some = inner_points(subject, points)
        # Kinks of rows lie where columns differ by whole numbers.
        whole = (some.y == np.round(some.y)) & (np.abs(some.y) < 50)
        some = some.take(np.flatnonzero(whole.all(-1))[:_TIES])
        if len(some):
            some = some.take(any_in_row(subject.exact.kinks(some.y, some.t)))
        if not len(some):
            continue
        derivative = np.asarray(call(subject.gradient, some.y, some.t), np.float64)
        for direction in rng.integers(-1, 2, (_DIRECTIONS, some.y.shape[-1])).astype(float):
            # The one-sided derivative: ties and hinges lie at multiples far above this step.
            step = 2.0**-40
            there = subject.exact.values(some.y + step * direction, some.t)
            change = there - subject.exact.values(some.y, some.t)
            rise = np.asarray(to_float(change, np.float64)) / step
            promised = derivative @ direction
            bad = promised > rise + 1e-9 * (1 + np.abs(rise))
            if bad.any():
                one = first_bad(bad)
                text = (
                    f"at a tie the gradient {format_number(derivative[one])} is not a subgradient: "
                    f"along {format_number(direction)} it promises a derivative of "
                    f"{promised[one]:.6g}; the loss rises by {rise[one]:.6g}."
                )
                raise Counterexample.at_point(some, one, text, "gradient(y, t)")
