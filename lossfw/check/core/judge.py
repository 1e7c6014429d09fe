"""Judge results by the oracle: which errors the harness lets pass.

It lets some units in the last place pass, or the change that moving each input by 4 of them makes
in the exact result, whichever is larger: no program can do better with inputs that are rounded
themselves. Results near 0 and near the largest float, and derivatives at kinks, have rules of
their own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from lossfw.check.core.members import clipped
from lossfw.check.core.oracle import JUMP, Oracle
from lossfw.check.core.points import Points, any_in_row, in_rows, written_lengths
from lossfw.check.core.subject import NUDGE_ULPS, Subject
from lossfw.components.columns import Columns
from lossfw.components.spaces import SIMPLEX, UNIT, Space, Vector
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


def exact_results(subject: Subject, order: int, points: Points) -> Any:
    """Return exact values (order 0) or derivatives at points."""
    if order == 0:
        return subject.exact.values(points.y, points.t)
    return subject.exact.derivatives(order, points.y, points.t)[order - 1]


def judge(
    subject: Subject, points: Points, actual: NDArray, order: int, exact: Any = None
) -> Judgement:
    """Compare values (order 0) or derivatives with the exact ones, which may be known already."""
    exact = exact_results(subject, order, points) if exact is None else exact
    oracle = Oracle(subject.exact, order, (points.y, points.t), exact)
    passed = within_tolerance(subject, points, actual, oracle)
    ulps = _margin(subject) * subject.ulps[order]
    return Judgement(points, actual, to_float(exact, actual.dtype), ~passed, ulps)


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
    if subject.rows and order:
        _excuse_rows(subject, oracle, points, actual, bad)
        return np.asarray(~bad)
    wrong = np.zeros(bad.shape, bool)
    rows = _limit_bad_rows(points, bad, _MOST_AT_KINKS[False]) if order else np.zeros(0, int)
    if rows.size:
        right, wrong[rows] = _at_kinks(subject, points.take(rows), actual[rows], order)
        bad[rows] &= ~right
    rows = _limit_bad_rows(points, bad, _MOST_NUDGED[subject.rows])
    _excuse_by_rounding(subject, oracle, points, actual, bad, rows)
    bad[rows] |= wrong[rows]
    return np.asarray(~bad)


def _excuse_rows(
    subject: Subject, oracle: Oracle, points: Points, actual: NDArray, bad: NDArray
) -> None:
    """Take the mark from derivatives of rows that rounding excuses, or a kink.

    One-sided derivatives have many digits and cost the most: what rounding excuses needs none. In
    place of rows that stand at a kink, others are looked at.
    """
    waiting = _limit_bad_rows(points, bad, _MOST_AT_KINKS[True])
    places = _MOST_NUDGED[True]
    while waiting.size and places > 0:
        some = bad.copy()
        some[np.setdiff1d(np.arange(len(bad)), waiting)] = False
        rows = _limit_bad_rows(points, some, places)
        waiting = np.setdiff1d(waiting, rows)
        _excuse_by_rounding(subject, oracle, points, actual, bad, rows)
        rest = rows[any_in_row(bad[rows])]
        right, _ = _at_kinks(subject, points.take(rest), actual[rest], oracle.order)
        bad[rest] &= ~right
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
    moved: Any = margin * _nudged(subject, order, some, exact) if is_moved else 0.0
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
        forgiven = off <= moved + (margin * subject.ulps[order] + 1) * rounding
        # Near the largest float either answer is right, and also where a term that the component
        # declares is infinite: the derivative of a wrapper's part, before its factor makes it less.
        beyond = is_beyond | (np.abs(rounded) + moved > float(info.max) / _ALMOST)
        return np.asarray(forgiven | (beyond & np.isinf(actual)))


def _at_kinks(
    subject: Subject, points: Points, actual: NDArray, order: int
) -> tuple[NDArray, NDArray]:
    """Tell which derivatives are right because they stand at a kink, and which are wrong at one."""
    right = np.zeros(actual.shape, bool)
    if order == 2:
        # Where the slope jumps, any number may be the curvature.
        right |= subject.exact.kinks(points.y, points.t) & ~np.isnan(actual)
    sides = [subject.exact.difference(order, points.y, points.t, side=side) for side in (-1, 1)]
    low, high = (to_float(side, np.float64) for side in sides)
    with np.errstate(all="ignore"):
        size = np.fmax(np.abs(low), np.abs(high))
        slack = _SLACK + subject.ulps[order] * float(np.finfo(actual.dtype).eps) * size
        between = (actual >= np.fmin(low, high) - slack) & (actual <= np.fmax(low, high) + slack)
        jump = size > JUMP
    kink = differences.differ(*sides)
    right |= kink & (between | jump)
    # An error on the kink itself is not excused by the slopes next to it.
    wrong = kink & ~right & (not subject.rows and order == 1)
    return right, np.asarray(wrong)


def _limit_bad_rows(points: Points, bad: NDArray, most: int) -> NDArray:
    """Return the rows that hold something bad, after the mark is taken from all but so many."""
    rows = np.flatnonzero(any_in_row(bad))
    if rows.size <= most:
        return rows
    # Errors nearly everywhere need not be shown everywhere: half of them are those
    # written most shortly, half are evenly spread.
    short = rows[np.argsort(written_lengths(points, rows), kind="stable")[: most // 2]]
    kept = np.union1d(short, rows[:: max(1, 2 * rows.size // most)])
    bad[np.setdiff1d(rows, kept)] = False
    return kept


def _nudged(subject: Subject, order: int, points: Points, exact: Any) -> NDArray:
    """Return the change of exact results when inputs move a few units, summed over the inputs."""
    moves = _moves(subject, points)
    # One call for all: few rows cost as much as many.
    every = [near for moved in moves for near in moved]
    together = Points(*(np.concatenate([getattr(near, x) for near in every]) for x in "yt"))
    found = exact_results(subject, order, together).reshape(len(moves), -1, *np.shape(exact))
    with np.errstate(all="ignore"):
        change = np.abs(to_float(found - exact, np.float64))
    sizes = np.where(np.isfinite(change), change, 0).max(axis=1)
    total: NDArray = sizes.sum(axis=0)
    return total


def _moves(subject: Subject, points: Points) -> list[list[Points]]:
    """Return for each input the points with it a few units lower, and higher."""
    y, t, signs = points.y, points.t, (-1, 1)
    moves = [
        [Points(_step(subject, y, column, sign, subject.prediction), t) for sign in signs]
        for column in (range(y.shape[-1]) if subject.rows else (None,))
    ]
    if t.dtype.kind == "f" and subject.target.name not in ("SIGN", "BINARY"):
        moves += [
            [Points(y, _step(subject, t, column, sign, subject.target)) for sign in signs]
            for column in (range(t.shape[-1]) if t.ndim > 1 else (None,))
        ]
    return moves


def _step(subject: Subject, x: NDArray, column: int | None, sign: int, space: Space) -> NDArray:
    moved = x.copy()
    part = np.s_[:] if column is None else np.s_[:, column]
    with np.errstate(all="ignore"):
        step = sign * NUDGE_ULPS * np.spacing(np.abs(moved[part]))
    moved[part] = np.where(np.isfinite(step), moved[part] + step, moved[part])
    if isinstance(space, Columns | Vector):
        # Each row of a group has the columns.
        return clipped(space, in_rows(subject, space, moved)).reshape(x.shape)
    moved[part] = clipped(UNIT if space is SIMPLEX else space, moved[part])
    return moved
