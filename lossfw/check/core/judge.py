"""Judge results by the oracle: which errors the harness lets pass.

It lets some units in the last place pass, or the change that moving each input by 4 of them makes
in the exact result, whichever is larger: no program can do better with inputs that are rounded
themselves. `lossfw.check.core.moves` says which inputs are, and that no jump is such a change.
Results near 0 and near the largest float, and derivatives at kinks, have rules of
their own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from lossfw.check.core.moves import Moves, beyond_jumps, exact_results
from lossfw.check.core.oracle import JUMP, Oracle
from lossfw.check.core.points import (
    Points,
    any_in_row,
    is_left_by_cancellation,
    written_lengths,
)
from lossfw.check.core.subject import Subject
from lossfw.numerics.arrays import NDArray
from lossfw.numerics.exact import differences
from lossfw.numerics.exact.ulp import to_float

# Errors below so many of the smallest subnormals are none: one that is rounded away in a
# factor comes back multiplied by the others, a prediction or one over a small variance.
_SUBNORMALS = 2**14

# Infinity is not a wrong answer for a number this close to the largest: a factor of one
# over so much may come after the product that overflows.
_ALMOST = 2.0**14

# Functions of other libraries get this many times the bound: a real loss of digits
# exceeds that by far.
_MARGIN = 4.0

# The rounding error of a one-sided derivative.
_SLACK = 1e-12

# Moving every input of a result costs several exact evaluations, for rows very
# many; of more bad elements or rows than this, those written most shortly and
# some others are looked at. Whether a derivative is right at a kink costs less.
_MOST_NUDGED = {False: 48, True: 10}
_MOST_AT_KINKS = {False: 96, True: 40}


@dataclass(frozen=True)
class Judgement:
    """Results at some points next to the exact ones, rounded to their dtype."""

    points: Points
    actual: NDArray
    expected: NDArray
    is_wrong: NDArray
    tolerance: float = 0.0  # so many units in the last place are let pass


def judge(
    subject: Subject, points: Points, actual: NDArray, order: int, exact: Any = None
) -> Judgement:
    """Compare values (order 0) or derivatives with the exact ones, which may be known already."""
    exact = exact_results(subject, order, points) if exact is None else exact
    # The oracle may find another truth at a tie; the given one belongs to the caller.
    oracle = Oracle(subject.exact, order, (points.y, points.t), np.array(exact))
    passed = within_tolerance(subject, points, actual, oracle)
    ulps = _margin(subject) * subject.ulps[order]
    expected = to_float(oracle.exact.reshape(oracle.shape), actual.dtype)
    return Judgement(points, actual, expected, ~passed, ulps)


def _margin(subject: Subject) -> float:
    return 1.0 if subject.component is not None else _MARGIN


def within_tolerance(subject: Subject, points: Points, actual: NDArray, oracle: Oracle) -> NDArray:
    """Tell which results are as right as they must be; where nothing is known, all are."""
    order, exact = oracle.order, oracle.exact.reshape(oracle.shape)
    ulps = _margin(subject) * subject.ulps[order]
    rounded = to_float(exact, actual.dtype)
    unit = float(np.finfo(actual.dtype).smallest_subnormal)
    with np.errstate(all="ignore"):
        off = np.abs(actual.astype(np.float64) - rounded)
        tiny = (off <= _SUBNORMALS * unit) | (off < subject.rtol * np.abs(rounded))
    bad = ~((oracle.errors(actual).reshape(actual.shape) <= ulps) | tiny) & ~np.isnan(rounded)
    if not subject.subnormal:
        bad &= ~oracle.subnormal(actual.dtype).reshape(actual.shape)
    is_gross = any_in_row(bad & ~is_left_by_cancellation(points, actual, rounded))
    if subject.rows and order:
        _excuse_rows(subject, oracle, points, actual, bad, is_gross)
        return np.asarray(~bad)
    if order:
        rows = _limit_bad_rows(points, bad, is_gross, _MOST_AT_KINKS[False])
        _excuse_at_kinks(subject, oracle, points, actual, bad, rows)
    rows = _limit_bad_rows(points, bad, is_gross, _MOST_NUDGED[subject.rows])
    _excuse_by_rounding(subject, oracle, points, actual, bad, rows)
    return np.asarray(~bad)


def _excuse_rows(
    subject: Subject,
    oracle: Oracle,
    points: Points,
    actual: NDArray,
    bad: NDArray,
    is_gross: NDArray,
) -> None:
    """Take the mark from derivatives of rows that rounding excuses, or a kink.

    One-sided derivatives have many digits and cost the most: what rounding excuses needs none. In
    place of rows that stand at a kink, others are looked at.
    """
    waiting = _limit_bad_rows(points, bad, is_gross, _MOST_AT_KINKS[True])
    places = _MOST_NUDGED[True]
    while waiting.size and places > 0:
        some = bad.copy()
        some[np.setdiff1d(np.arange(len(bad)), waiting)] = False
        rows = _limit_bad_rows(points, some, is_gross, places)
        waiting = np.setdiff1d(waiting, rows)
        _excuse_by_rounding(subject, oracle, points, actual, bad, rows)
        rest = rows[any_in_row(bad[rows])]
        _excuse_at_kinks(subject, oracle, points, actual, bad, rest)
        places -= rows.size - int(np.count_nonzero(~any_in_row(bad[rest])))
    bad[waiting] = False


def _excuse_by_rounding(
    subject: Subject,
    oracle: Oracle,
    points: Points,
    actual: NDArray,
    bad: NDArray,
    rows: NDArray,
) -> None:
    """Take the mark from results of some rows that are right but for the rounding of arguments."""
    # No move of the arguments makes NaN right.
    rows = rows[any_in_row(bad & ~np.isnan(actual))[rows]]
    # What the rounding of results and terms excuses needs no move, which costs the most.
    for is_moved in (False, True):
        if rows.size:
            bad[rows] &= ~_excused_by_rounding(subject, oracle, points, actual, rows, is_moved)
            rows = rows[any_in_row(bad & ~np.isnan(actual))[rows]]


def _excused_by_rounding(
    subject: Subject,
    oracle: Oracle,
    points: Points,
    actual: NDArray,
    rows: NDArray,
    is_moved: bool,
) -> NDArray:
    """Tell which results of some rows rounding makes right: of arguments only if they are moved."""
    order, margin, some = oracle.order, _margin(subject), points.take(rows)
    exact, actual = oracle.exact.reshape(oracle.shape)[rows], actual[rows]
    rounded = to_float(exact, actual.dtype)
    moves = Moves(subject, order, some, exact) if is_moved else None
    moved: Any = 0.0 if moves is None else margin * moves.change
    with np.errstate(all="ignore"):
        off, size = np.abs(actual.astype(np.float64) - rounded), np.abs(rounded).astype(np.float64)
        y, t = (x.astype(np.float64) if x.dtype.kind == "f" else x for x in (some.y, some.t))
        for term in subject.terms(y, t, order):
            size = np.fmax(size, np.abs(term))
        info = np.finfo(actual.dtype)
        # A term of float32 may be beyond its numbers, where the component computes in float64.
        is_beyond = size > float(info.max)
        rounding = np.where(is_beyond, size * info.eps, np.spacing(size.astype(actual.dtype)))
        rounding[np.isinf(size)] = 0.0
        tolerance = moved + (margin * subject.ulps[order] + 1) * rounding
        forgiven = off <= tolerance
        if moves is not None and not forgiven.all():
            forgiven |= moves.are_beyond_a_jump(actual, tolerance)
        # Near the largest float either answer is right, and also where a term that the component
        # declares is infinite: the derivative of a wrapper's part, before its factor makes it less.
        beyond = is_beyond | (np.abs(rounded) + moved > float(info.max) / _ALMOST)
        return np.asarray(forgiven | (beyond & np.isinf(actual)))


def _excuse_at_kinks(
    subject: Subject,
    oracle: Oracle,
    points: Points,
    actual: NDArray,
    bad: NDArray,
    rows: NDArray,
) -> None:
    """Take the mark from derivatives of some rows that lie between those next to them.

    At a tie of a maximum or a `where`, dual numbers take one branch, also where the terms have no
    kink together: there the sides agree, and are the truth.
    """
    if not rows.size:
        return
    order, some, actual = oracle.order, points.take(rows), actual[rows]
    sides = [subject.exact.difference(order, some.y, some.t, side=side) for side in (-1, 1)]
    right, kink = _lie_between(subject, order, actual, sides)
    rest = np.flatnonzero(any_in_row(bad[rows] & ~right))
    if subject.rows and rest.size:
        near = [side[rest] for side in sides]
        near += beyond_jumps(subject, order, some.take(rest), near[0])
        right[rest], kink[rest] = _lie_between(subject, order, actual[rest], near)
    if order == 2:
        # Where the slope jumps, any number may be the curvature.
        right |= subject.exact.kinks(some.y, some.t) & ~np.isnan(actual)
    bad[rows] &= ~right
    exact = oracle.exact.reshape(oracle.shape)
    is_unknown = np.isnan(to_float(sides[0])) & np.isnan(to_float(sides[1]))
    exact[rows] = np.where(kink | is_unknown, exact[rows], sides[0])


def _lie_between(
    subject: Subject, order: int, actual: NDArray, near: list[Any]
) -> tuple[NDArray, NDArray]:
    """Tell which derivatives lie between those next to them, and where these differ."""
    kink = np.logical_or.reduce([differences.differ(near[0], other) for other in near[1:]])
    with np.errstate(all="ignore"):
        floats = [to_float(one, np.float64) for one in near]
        low, high = np.fmin.reduce(floats), np.fmax.reduce(floats)
        size = np.fmax(np.abs(low), np.abs(high))
        slack = _SLACK * kink + subject.ulps[order] * float(np.finfo(actual.dtype).eps) * size
        right = (actual >= low - slack) & (actual <= high + slack)
        return right | (kink & (size > JUMP)), kink


def _limit_bad_rows(points: Points, bad: NDArray, is_gross: NDArray, most: int) -> NDArray:
    """Return the rows that hold something bad, after the mark is taken from all but so many."""
    rows = np.flatnonzero(any_in_row(bad))
    if rows.size <= most:
        return rows
    # Errors nearly everywhere need not be shown everywhere: half of them are those written most
    # shortly, first those that no loss of digits makes, which may be few among others that
    # rounding excuses; half are evenly spread.
    lengths = np.array(written_lengths(points, rows))
    short = rows[np.lexsort((lengths, ~is_gross[rows]))[: most // 2]]
    kept = np.union1d(short, rows[:: max(1, 2 * rows.size // most)])
    bad[np.setdiff1d(rows, kept)] = False
    return kept
