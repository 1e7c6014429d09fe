"""Oracle: how far results are from the exact ones, and which errors the harness lets pass.

The conditioning of a function excuses nothing: an argument is the number that it is, and a result
is as far off as it is. There are three rules:

- a loss that says which terms of it cancel (`Loss.terms`) is measured against the largest of them;
- a derivative at a kink is right if it lies between the one-sided derivatives, and at a kink of
  the value the second derivative is not judged;
- an infinite result is right where the truth is beyond the largest float.

The harness lets some units in the last place pass, or the change that moving each input by 4 of
them makes in the exact result, whichever is larger: no program can do better with inputs that are
rounded themselves. Results near 0 and near the largest float, and derivatives at kinks, have
rules of their own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lossfw.check.core.exact import Formula
from lossfw.check.core.members import clipped
from lossfw.check.core.points import Points, any_in_row, written_lengths
from lossfw.check.core.subject import NUDGE_ULPS, Subject
from lossfw.components.columns import Columns
from lossfw.components.spaces import SIMPLEX, UNIT, Space, Vector
from lossfw.numerics.arrays import Array, NDArray
from lossfw.numerics.exact import differences
from lossfw.numerics.exact.namespace import DIGITS, exact_array, namespace
from lossfw.numerics.exact.ulp import to_float, ulp_error

# Derivatives by dual numbers and by differences agree to this part, or one is wrong.
_AGREEMENT = 1e-20

# So many derivatives, drawn by chance, are checked by differences (first, second),
# which take much longer; of rows as many rows as have so many.
_DRAWN = {1: 24, 2: 8}

# The value of h**0.3 at the shortest step h of a difference.
_REST_OF_ROOT = 1e-100

# The worst results are looked at again, in groups that double, up to so many.
_MOST_LOOKED_AT = 4096


class Oracle:
    """The exact values (order 0) or derivatives at some points; judges any results for them.

    The terms are those that cancel, as `Loss.terms` names them.
    """

    def __init__(
        self,
        formula: Formula,
        order: int,
        arrays: Sequence[NDArray],
        exact: Array,
        terms: Sequence[NDArray] = (),
    ) -> None:
        self.formula, self.order, self.arrays = formula, order, tuple(arrays)
        self.shape, self.exact = np.shape(exact), exact.ravel()
        with np.errstate(all="ignore"):
            sizes = [np.broadcast_to(np.abs(term), self.shape).ravel() for term in terms]
        self.unit = np.asarray(np.fmax.reduce(sizes)) if sizes else None
        # One-sided derivatives of the results that were looked at, and whether
        # the value has a kink or a jump there, at which they are not judged.
        self._sides: dict[int, tuple[Any, Any, bool]] = {}

    def errors(self, computed: NDArray, which: NDArray | None = None) -> NDArray:
        """Return errors of flattened results (those of `which`), NaN where the truth is."""
        numbers = np.arange(self.exact.size) if which is None else which
        return self._against(computed.ravel(), numbers, self.exact[numbers])

    def worst_errors(self, computed: NDArray, considered: NDArray) -> NDArray:
        """Return the errors of flattened results; the worst are judged by one-sided derivatives.

        Those that are not considered are NaN, and so are those that cannot be judged.
        """
        some = np.flatnonzero(considered)
        errors = np.full(computed.shape, np.nan)
        errors[some] = self.errors(computed[some], some)
        if self.order:
            self._refine_worst(computed, errors, considered)
        return errors

    def subnormal(self, dtype: np.dtype[Any]) -> NDArray:
        """Tell which results, or the arguments they come from, are subnormal in a dtype."""
        least = np.finfo(dtype).tiny
        rows = np.zeros(len(self.arrays[0]), bool)
        for x in self.arrays:
            if x.dtype.kind == "f":
                rows |= ((np.abs(x) < least) & (x != 0)).reshape(len(x), -1).any(-1)
        own = (np.abs(to_float(self.exact)) < least) & np.asarray(self.exact != 0, bool)
        return np.asarray(own | np.repeat(rows, own.size // max(rows.size, 1)))

    def nearest(self, number: int) -> Any:
        """Return the exact result of one number, at a kink the derivative from the left."""
        sides = self._sides.get(number)
        if sides is None or bool(np.isnan(float(sides[0]))):
            return self.exact[number]
        return sides[0]

    def verified(self) -> Oracle:
        """Take the truth from differences if dual numbers disagree with them at random points.

        Dual numbers give the derivatives of a component whose author wrote none; differences
        follow no rule.
        """
        if self.order and self._wrong_by_chance():
            self.exact = self.formula.difference(self.order, *self.arrays).ravel()
        return self

    def _against(self, computed: NDArray, which: NDArray, exact: Array) -> NDArray:
        errors = ulp_error(computed, exact)
        if self.unit is not None:
            errors = _of_terms(computed, exact, self.unit[which], errors)
        return np.where(np.isnan(to_float(exact)), np.nan, errors)

    def _sides_at(self, order: int, flat: NDArray) -> tuple[Array, Array]:
        """Return the left and the right derivative for places in the flattened results."""
        row, *rest = np.unravel_index(flat, self.shape)
        unique, place = np.unique(row, return_inverse=True)
        arrays = [x[unique] for x in self.arrays]
        left, right = (
            self.formula.difference(order, *arrays, side=side)[(place, *rest)] for side in (-1, 1)
        )
        return left, right

    def _wrong_by_chance(self) -> bool:
        rows = len(self.arrays[0])
        width = self.exact.size // max(1, rows)
        count = min(max(1, _DRAWN[self.order] // max(1, width)), rows)
        drawn = np.random.default_rng(rows).choice(rows, count, replace=False)
        which = np.arange(self.exact.size).reshape(rows, -1)[drawn].ravel()
        central = self.formula.difference(self.order, *(x[drawn] for x in self.arrays)).ravel()
        is_apart = ~_near(self.exact[which], central) & ~np.isnan(to_float(central))
        apart, central = which[is_apart], central[is_apart]
        if not apart.size:
            return False
        # At a kink they may differ: there dual numbers have rules of their own.
        left, right = self._sides_at(self.order, apart)
        # Where a small derivative of a huge value is lost in its rounding, the three are apart.
        alike = _near(left, right) & _near(left, central)
        return bool((alike & ~_near(self.exact[apart], left)).any())

    def _refine_worst(self, computed: NDArray, errors: NDArray, considered: NDArray) -> None:
        """Judge the worst by one-sided derivatives, until no other can be worse."""
        todo = considered & (np.isnan(errors) | (errors > 0))
        seen, group, best = 0, 1, -1.0
        while seen < _MOST_LOOKED_AT:
            rank = np.where(todo, np.where(np.isnan(errors), np.inf, errors), -1.0)
            which = np.argsort(-rank, kind="stable")[:group]
            which = which[rank[which] > best]
            if not which.size:
                return
            errors[which] = self._errors_between_sides(computed[which], which, errors[which])
            todo[which] = False
            best = max(best, *np.nan_to_num(errors[which], nan=-1.0).tolist())
            seen, group = seen + which.size, 2 * group

    def _errors_between_sides(self, computed: NDArray, which: NDArray, known: NDArray) -> NDArray:
        """Return the distance from the interval of the one-sided derivatives."""
        self._cache_sides([i for i in which.tolist() if i not in self._sides])
        sides = [self._sides[i] for i in which.tolist()]
        left, right = (
            self._without_rest(which, np.array([side[i] for side in sides], object)) for i in (0, 1)
        )
        errors = [self._against(computed, which, side) for side in (left, right)]
        value = exact_array(computed.astype(np.float64))
        rising = np.asarray((left <= value) & (value <= right), bool)
        falling = np.asarray((right <= value) & (value <= left), bool)
        found = np.where(rising | falling, 0.0, np.fmin(*errors))
        # Neither side has a derivative: the one of dual numbers has to do.
        found = np.where(np.isnan(errors[0]) & np.isnan(errors[1]), known, found)
        # An infinite derivative, where dual numbers have none: differences cannot tell.
        lost = np.isnan(to_float(self.exact[which])) & np.isinf(computed)
        found = np.where(lost, np.nan, found)
        return np.where([kink for _, _, kink in sides], np.nan, found)

    def _without_rest(self, which: NDArray, side: Array) -> Array:
        """Return 0 for the rest of a derivative that vanishes like a root of the step.

        There dual numbers have no derivative: it is infinity times 0.
        """
        lost = np.isnan(to_float(self.exact[which])) & (np.abs(to_float(side)) < _REST_OF_ROOT)
        return np.where(lost, exact_array(np.zeros(side.shape)), side)

    def _cache_sides(self, which: list[int]) -> None:
        if not which:
            return
        left, right = self._sides_at(self.order, np.asarray(which))
        kink = np.zeros(len(which), bool)
        if self.order == 2:
            slopes = self._sides_at(1, np.asarray(which))
            both = ~np.isnan(to_float(slopes[0])) & ~np.isnan(to_float(slopes[1]))
            kink = both & ~_near(*slopes)
        else:
            # Where the value jumps it has no derivative.
            kink = ~_near(left, right) & (
                np.fmax(*(abs(to_float(x)) for x in (left, right))) > _JUMP
            )
        self._sides.update(zip(which, zip(left, right, kink.tolist(), strict=True), strict=True))


def _near(a: Array, b: Array) -> NDArray:
    """Tell where exact numbers agree; False for NaN.

    Numbers that every float rounds to 0 are 0: a derivative that vanishes is only
    nearly reached by differences.
    """
    size = namespace(DIGITS).maximum(abs(a), abs(b))
    tolerance = exact_array(np.asarray(_AGREEMENT))[()]
    close = np.asarray(abs(a - b) <= tolerance * size, bool)
    return np.asarray(close | (to_float(size) == 0))


def _of_terms(computed: NDArray, exact: Array, terms: NDArray, errors: NDArray) -> NDArray:
    """Return errors in units of the larger of the truth and the terms.

    Where something is infinite, the errors stay as they are.
    """
    own = np.abs(to_float(exact, computed.dtype))
    with np.errstate(all="ignore"):
        unit = np.spacing(np.fmax(own, terms.astype(computed.dtype))).astype(np.float64)
        gap = np.abs(to_float(exact_array(computed) - exact))
        found = gap / unit
    return np.where(np.isfinite(found) & np.isfinite(computed), found, errors)


# Errors below so many of the smallest subnormals are none: one that is rounded away in a
# factor comes back multiplied by the others, a prediction or one over a small variance.
_SUBNORMALS = 2**14

# Infinity is not a wrong answer for a number this close to the largest: a factor of one
# over so much may come after the product that overflows.
_ALMOST = 2.0**14

# Functions of other libraries get this many times the bound: a real loss of digits
# exceeds that by far.
_MARGIN = 4.0

# A difference of exact numbers over 1e-20 that is larger than this is a jump.
_JUMP = 1e18

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
    if rows.size:
        forgiven = _excused_by_rounding(subject, oracle, points, actual, rows)
        bad[rows] &= ~forgiven


def _excused_by_rounding(
    subject: Subject, oracle: Oracle, points: Points, actual: NDArray, rows: NDArray
) -> NDArray:
    """Tell which results of some rows a move of the arguments by rounding would make right."""
    order, margin, some = oracle.order, _margin(subject), points.take(rows)
    exact, actual = oracle.exact.reshape(oracle.shape)[rows], actual[rows]
    rounded = to_float(exact, actual.dtype)
    moved = margin * _nudged(subject, order, some, exact)
    with np.errstate(all="ignore"):
        off, size = np.abs(actual.astype(np.float64) - rounded), np.abs(rounded)
        for term in subject.terms(some.y, some.t, order):
            size = np.fmax(size, np.abs(term).astype(size.dtype))
        forgiven = off <= moved + (margin * subject.ulps[order] + 1) * np.spacing(size)
        # Near the largest float either answer is right, and also where a term that the component
        # declares is infinite: the derivative of a wrapper's part, before its factor makes it less.
        beyond = np.abs(rounded) + moved > float(np.finfo(actual.dtype).max) / _ALMOST
        beyond |= np.isinf(size)
        return np.asarray(forgiven | (beyond & np.isinf(actual)))


def _at_kinks(
    subject: Subject, points: Points, actual: NDArray, order: int
) -> tuple[NDArray, NDArray]:
    """Tell which derivatives are right because they stand at a kink, and which are wrong at one."""
    right = np.zeros(actual.shape, bool)
    if order == 2:
        # Where the slope jumps, curvature is not judged.
        right |= subject.exact.kinks(points.y, points.t)
    sides = [subject.exact.difference(order, points.y, points.t, side=side) for side in (-1, 1)]
    low, high = (to_float(side, np.float64) for side in sides)
    with np.errstate(all="ignore"):
        size = np.fmax(np.abs(low), np.abs(high))
        slack = _SLACK + subject.ulps[order] * float(np.finfo(actual.dtype).eps) * size
        between = (actual >= np.fmin(low, high) - slack) & (actual <= np.fmax(low, high) + slack)
        jump = size > _JUMP
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
    total = np.zeros(np.shape(exact))
    for moved in _moves(subject, points):
        size = np.zeros(np.shape(exact))
        for near in moved:
            there = exact_results(subject, order, near)
            with np.errstate(all="ignore"):
                change = np.abs(to_float(there - exact, np.float64))
            size = np.fmax(size, np.where(np.isfinite(change), change, 0))
        total += size
    return total


def _moves(subject: Subject, points: Points) -> list[list[Points]]:
    """Return for each input the points with it a few units lower, and higher."""
    y, t, signs = points.y, points.t, (-1, 1)
    moves = [
        [Points(_step(y, column, sign, subject.prediction), t) for sign in signs]
        for column in (range(y.shape[-1]) if subject.rows else (None,))
    ]
    if t.dtype.kind == "f" and subject.target.name not in ("SIGN", "BINARY"):
        moves += [
            [Points(y, _step(t, column, sign, subject.target)) for sign in signs]
            for column in (range(t.shape[-1]) if t.ndim > 1 else (None,))
        ]
    return moves


def _step(x: NDArray, column: int | None, sign: int, space: Space) -> NDArray:
    moved = x.copy()
    part = np.s_[:] if column is None else np.s_[:, column]
    with np.errstate(all="ignore"):
        step = sign * NUDGE_ULPS * np.spacing(np.abs(moved[part]))
    moved[part] = np.where(np.isfinite(step), moved[part] + step, moved[part])
    if isinstance(space, Columns | Vector):
        return clipped(space, moved)
    moved[part] = clipped(UNIT if space is SIMPLEX else space, moved[part])
    return moved
