"""Checks of value, gradient and Hessian, against exact numbers.

A wrong result is classed by its error: ``value``, ``gradient`` or ``hessian`` where it is
another one altogether, ``precision`` where it is finite but has lost its digits to
cancellation, ``overflow`` where it is infinite or NaN though the truth is an ordinary number.

At a kink a gradient is right if it lies between the one-sided derivatives, and for convex
losses of rows if it is a subgradient. At a kink of the value the Hessian is not judged; where
the loss jumps, nothing is.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from lossfw.check.core.extra_points import branch_points, suspects
from lossfw.check.core.gravity import grades
from lossfw.check.core.judge import Judgement, judge
from lossfw.check.core.members import by_space
from lossfw.check.core.points import (
    Points,
    any_in_row,
    drop_masked,
    first_bad,
    in_rows,
    is_left_by_cancellation,
)
from lossfw.check.core.screening import screened
from lossfw.check.core.search import (
    Check,
    Counterexample,
    Grade,
    NotApplicable,
    Search,
    check,
    format_number,
    ordinary,
    outputs,
)
from lossfw.check.core.shrink import shrink, simplest_bad
from lossfw.check.core.steady import steady
from lossfw.check.core.subject import JUDGED_DTYPES, Subject, call
from lossfw.check.laws.own_differences import check_by_differences
from lossfw.components.spaces import SIMPLEX, UNIT, Interval, Space
from lossfw.numerics.arrays import NDArray
from lossfw.numerics.exact.ulp import to_float

# The results of each order, as functions of a subject and in messages.
_NAMES = ("value", "gradient", "hessian")
_WORDS = ("value", "gradient", "Hessian")

# The function that an author writes for a derivative, and the remedy if there is none.
_WRITTEN = {1: "derivative", 2: "second_derivative"}
_FOLLOWS_VALUE = "It follows `value` step by step, and loses digits on the way: write a `{}`."

# The remedy for each sort of error; the page on stable formulas has them all.
_REMEDIES = {
    "value": "",
    "precision": (
        "A difference of near numbers loses digits: write it with xp.log1p or xp.expm1, or take "
        "a function of lossfw.numerics."
    ),
    "overflow": (
        "An exponential, a square or a quotient overflows on the way: softplus, logsumexp, "
        "log_cosh and others of lossfw.numerics do not."
    ),
}

# The graver an error, the earlier its point is shown.
_GRADES: dict[int, Grade] = {1: "extreme", 2: "digits", 3: "wrong"}

# Directions from a kink of rows in which the subgradient inequality is tried.
_DIRECTIONS = 24

# How many rows with ties are looked at, for each number of columns.
_TIES = 24

# As many partial derivatives as examples are looked at for each number of columns, but
# no fewer and no more than this.
_PARTIALS = (12, 120)


def inner(subject: Subject, points: Points) -> Points:
    """Return the points at which derivatives are judged: not on the boundary."""
    return points.keep(is_inner(subject, points))


def is_inner(subject: Subject, points: Points) -> NDArray:
    """Tell which elements or rows are those of `inner`."""
    y = points.y
    rows = in_rows(subject, subject.prediction, y)
    keep = np.isfinite(y) & _is_off_bounds(subject.prediction, rows).reshape(y.shape)
    return np.asarray(keep.all(tuple(range(1, keep.ndim))))


@by_space
def _is_off_bounds(space: Space, y: NDArray) -> NDArray:
    interval = UNIT if space is SIMPLEX else space
    if not isinstance(interval, Interval):
        return np.ones(y.shape, bool)
    return np.asarray((y > interval.low) & (y < interval.high))


def judgements(subject: Subject, search: Search, order: int) -> list[Judgement]:
    """Return values (order 0) or derivatives next to the exact ones; computed once."""
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

    return search.once(("judgements", order), judge_all)


def _exact_results(subject: Subject, search: Search, order: int) -> Iterator[tuple[Points, Any]]:
    """Yield points with the exact results there, None where they are not computed yet."""
    suspected = [p for dtype in JUDGED_DTYPES for p in suspects(subject, search, dtype, order)]
    suspected += screened(subject, search, order)
    if order == 0:
        yield from ((points, None) for points in (*_shared(subject, search), *suspected))
        return
    for points, derivatives in _exact_derivatives(subject, search):
        yield points, derivatives[order - 1]
    for points in (inner(subject, points) for points in suspected):
        if len(points):
            yield points, subject.exact.derivatives(order, points.y, points.t)[order - 1]


def _shared(subject: Subject, search: Search) -> list[Points]:
    """Return the points of all checks, and those on branches that these seldom take."""
    branches = [p for dtype in JUDGED_DTYPES for p in branch_points(subject, search, dtype)]
    return [*search.points(subject), *branches]


def _exact_derivatives(subject: Subject, search: Search) -> list[tuple[Points, tuple[Any, ...]]]:
    """Return shared inner points with the exact derivatives, of both orders; computed once."""
    order = 1 if subject.hessian is None else 2

    def compute() -> list[tuple[Points, tuple[Any, ...]]]:
        # Fewer rows are chosen among all regions, so that those of all together are as few.
        judged_at = (inner(subject, points) for points in _shared(subject, search.everywhere))
        few = [_few(subject, search.everywhere, points) for points in judged_at]
        kept = search.kept(subject, few, "derivatives")
        return [(s, subject.exact.derivatives(order, s.y, s.t)) for s in kept if len(s)]

    return search.once("exact derivatives", compute)


def _few(subject: Subject, search: Search, points: Points) -> Points:
    """Return fewer rows where each has many columns, as each has as many derivatives."""
    most = int(np.clip(search.examples, *_PARTIALS))
    # The formula is the same: single precision is judged at fewer points.
    most = most if points.y.dtype == np.float64 else most // 2
    if not subject.rows or points.y.size <= most:
        return points
    count = max(1, most // points.y.shape[-1])
    return points.take(np.linspace(0, len(points) - 1, count).round().astype(int))


def sort_of_error(judgement: Judgement) -> NDArray:
    """Return the class of each error: "", "value", "precision" or "overflow"."""
    points, actual, expected = judgement.points, judgement.actual, judgement.expected
    small = is_left_by_cancellation(points, actual, expected)
    # A target of 0 is as ordinary as any other.
    y, t = points.y, points.t
    edge = _at_edge(y, len(points)) | _at_edge(np.where(t == 0, 1.0, t), len(points))
    sort = np.where(small, "precision", "value")
    edge = edge.reshape(-1, *[1] * (actual.ndim - 1))
    overflows = ~np.isfinite(actual) & np.isfinite(expected) & ~edge
    return np.where(judgement.is_wrong, np.where(overflows, "overflow", sort), "")


def _at_edge(x: NDArray, rows: int) -> NDArray:
    """Tell which rows hold an exact 0 or an infinite number: where a limit is asked for."""
    edge = (x == 0) | ~np.isfinite(x)
    return edge.reshape(rows, -1).any(-1) if edge.size else np.zeros(rows, bool)


def _sorts(subject: Subject, judgement: Judgement, order: int) -> NDArray:
    """Return the class of each error, by more than its size.

    A NaN at a kink is not between the one-sided derivatives, and a steady error is not rounding.
    """
    found = sort_of_error(judgement)
    rows = np.flatnonzero(any_in_row(found == "overflow")) if order else np.zeros(0, int)
    if rows.size:
        some = judgement.points.take(rows)
        at_kink = (found[rows] == "overflow") & subject.exact.kinks(some.y, some.t)
        found[rows] = np.where(at_kink, "value", found[rows])
    rows = np.flatnonzero(any_in_row(found == "precision"))
    if rows.size:
        with np.errstate(all="ignore"):
            error = judgement.actual[rows].astype(np.float64) - judgement.expected[rows]
            error = error / np.abs(judgement.expected[rows])
        error = np.where(found[rows] == "precision", error, 0.0)
        which = rows[steady(subject, order, judgement.points.take(rows), error)]
        found[which] = np.where(found[which] == "precision", "value", found[which])
    return found


def _sorts_of_all(subject: Subject, search: Search, order: int) -> list[NDArray]:
    """Return the classes of the errors of all results; computed once."""
    judged = judgements(subject, search, order)
    return search.once(("sorts", order), lambda: [_sorts(subject, j, order) for j in judged])


def _badness(
    subject: Subject, judgement: Judgement, found: NDArray, sort: str, order: int
) -> NDArray:
    """Return how grave a sort of error is at each point; 0 where it is not among those found."""
    of_sort = replace(judgement, is_wrong=found == sort)
    graded = grades(subject, of_sort, order)
    return np.select([graded == grade for grade in _GRADES.values()], list(_GRADES))


def relative_error(judgement: Judgement) -> NDArray:
    """Return the errors of results as shares of the true ones, infinite where either is 0 or so."""
    actual, expected = judgement.actual.astype(np.float64), judgement.expected
    with np.errstate(all="ignore"):
        error = np.abs(actual - expected) / np.abs(expected)
    return np.where(actual == expected, 0.0, np.where(np.isnan(error), np.inf, error))


def judged_at(subject: Subject, points: Points, order: int) -> Judgement:
    """Return the values (order 0) or derivatives at points next to the exact ones."""
    function = getattr(subject, _NAMES[order])
    return judge(subject, points, np.asarray(call(function, points.y, points.t)), order)


def _refute(subject: Subject, search: Search, order: int, sort: str) -> None:
    """Refute results with a sort of error: by one at numbers that are ordinary and simple."""

    def badness(points: Points) -> NDArray:
        bad = np.zeros(len(points), int)
        which = np.flatnonzero(is_inner(subject, points)) if order else np.arange(len(points))
        if which.size:
            judgement = judged_at(subject, points.take(which), order)
            found = _sorts(subject, judgement, order)
            bad[which] = _badness(subject, judgement, found, sort, order)
        return bad

    judged = judgements(subject, search, order)
    pairs = zip(judged, _sorts_of_all(subject, search, order), strict=True)
    wrong = ((j, found) for j, found in pairs if (found == sort).any())
    bad = simplest_bad(
        subject, ((j.points, _badness(subject, j, found, sort, order)) for j, found in wrong)
    )
    if bad is not None:
        # What is known from the defaults is as simple as it gets.
        simple = bad if search.only is not None else shrink(subject, search, bad, badness)
        one = judged_at(subject, simple, order)
        text = f"{_description(one, order)} {_remedy(subject, one, order, sort)}".rstrip()
        rank = int(badness(one.points).max())
        grade = _GRADES[rank]
        raise Counterexample.by(one.points, text, f"{_NAMES[order]}(y, t)").graded(grade)


def _description(one: Judgement, order: int) -> str:
    """Return what a result is, what it should be, and how many of its digits are right."""
    # As many digits as it takes to tell them apart.
    few, every = (
        [format_number(x[0], digits) for x in (one.actual, one.expected)] for digits in (9, 17)
    )
    actual, expected = few if few[0] != few[1] else every
    text = f"the {_WORDS[order]} is {actual}, and the formula gives {expected}"
    error = float(np.max(relative_error(one), initial=0.0, where=one.is_wrong))
    digits = math.floor(-math.log10(error)) if 0 < error < 1 else 0
    if not digits:
        return f"{text}."
    with np.errstate(all="ignore"):
        ulps = np.abs(one.actual.astype(np.float64) - one.expected) / np.spacing(
            np.abs(one.expected)
        )
    worst = float(np.max(ulps, initial=0.0, where=one.is_wrong))
    right = "1 digit is right" if digits == 1 else f"{digits} digits are right"
    return (
        f"{text}: {right}, {worst:.2g} units in the last place off ({one.tolerance:g} are allowed)."
    )


def _remedy(subject: Subject, one: Judgement, order: int, sort: str) -> str:
    if not order or sort == "overflow":
        return _REMEDIES[sort]
    if sort == "precision":
        written = _WRITTEN[order]
        is_written = written not in subject.unwritten
        return _REMEDIES[sort] if is_written else _FOLLOWS_VALUE.format(written)
    y, t = one.points.y, one.points.t
    is_at_tie = not subject.rows and bool(np.isin(y, subject.kinks()).any())
    if "derivative" not in subject.unwritten or not (is_at_tie or subject.exact.kinks(y, t).any()):
        return ""
    return "At a tie of where, maximum or abs it depends on the branch: write a `derivative`."


def _check_result(subject: Subject, search: Search, order: int) -> None:
    """A value or a derivative is that of the formula."""
    if order and subject.truth is None and getattr(subject, _NAMES[order]) is not None:
        check_by_differences(subject, search, order)
        return
    _refute(subject, search, order, "value")
    if order == 1 and subject.rows and subject.truth and subject.truth.claims().convex:
        _check_subgradients(subject, search)


def _check_precision(subject: Subject, search: Search, order: int) -> None:
    """A result has the digits of the formula's, however small it is."""
    if any((found == "value").any() for found in _sorts_of_all(subject, search, order)):
        raise NotApplicable(f"the {_WORDS[order]} is wrong altogether")
    _refute(subject, search, order, "precision")


def _check_overflow(subject: Subject, search: Search, order: int) -> None:
    """A result is finite where the formula's is."""
    _refute(subject, search, order, "overflow")


def _checks(*orders: int) -> tuple[Check, ...]:
    return tuple(
        Check(name.format(_NAMES[order]).removesuffix(":value"), partial(function, order=order))
        for name, function in (
            ("{}", _check_result),
            ("precision:{}", _check_precision),
            ("overflow:{}", _check_overflow),
        )
        for order in orders
    )


VALUE_CHECKS, DERIVATIVE_CHECKS = _checks(0), _checks(1, 2)


@check("value:index")
def check_soft_and_hard(subject: Subject, search: Search) -> None:
    """Class indices and one-hot rows are one target."""
    if not (subject.by_index and subject.soft):
        raise NotApplicable("a target has one form only")
    points = ordinary(subject, search, "value:index")
    columns = points.y.shape[-1]
    index = search.rng("value:index rows").integers(0, columns, len(points))
    points = drop_masked(subject, Points(points.y, index))
    hot = np.eye(columns)[points.t]
    for function in outputs(subject):
        both = f"{function}(y, t), {function}(y, np.eye(y.shape[-1])[t])"
        try:
            by_index, by_row = (call(function.raw, points.y, t) for t in (points.t, hot))
        except Exception as error:
            text = f"{function} raises for a target in one of its two forms: {error}"
            raise Counterexample.by(points, text, both) from error
        with np.errstate(all="ignore"):
            same = np.isclose(by_index, by_row, rtol=1e-10, atol=1e-13, equal_nan=True)
        if not same.all():
            one = first_bad(~same)
            text = f"{function} for class {points.t[one]} and for its one-hot row differ."
            raise Counterexample.at(points, one, text, both)


def _check_subgradients(subject: Subject, search: Search) -> None:
    """At kinks of a convex loss of rows: from y the loss rises at least as the gradient says."""
    rng = search.rng("subgradients")
    if subject.prediction in (UNIT, SIMPLEX):
        return
    for points in search.points(subject, "float64"):
        some = inner(subject, points)
        # Kinks of rows lie where columns differ by whole numbers.
        whole = (some.y == np.round(some.y)) & (np.abs(some.y) < 50)
        some = some.take(np.flatnonzero(whole.all(-1))[:_TIES])
        if len(some):
            some = some.take(any_in_row(subject.exact.kinks(some.y, some.t)))
        if not len(some):
            continue
        slope = np.asarray(call(subject.gradient, some.y, some.t), np.float64)
        for direction in rng.integers(-1, 2, (_DIRECTIONS, some.y.shape[-1])).astype(float):
            # The one-sided derivative: ties and hinges lie at multiples far above this step.
            step = 2.0**-40
            there = subject.exact.values(some.y + step * direction, some.t)
            change = there - subject.exact.values(some.y, some.t)
            rise = np.asarray(to_float(change, np.float64)) / step
            promised = slope @ direction
            bad = promised > rise + 1e-9 * (1 + np.abs(rise))
            if bad.any():
                one = first_bad(bad)
                text = (
                    f"at a tie the gradient {format_number(slope[one])} is not a subgradient: "
                    f"along {format_number(direction)} it promises a slope of {promised[one]:.6g}; "
                    f"the loss rises by {rise[one]:.6g}."
                )
                raise Counterexample.at(some, one, text, "gradient(y, t)")
