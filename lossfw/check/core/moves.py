"""Moves: which change of an exact result the rounding of arguments explains.

An argument stands for all numbers within a few units in the last place, and a result may be that of
any of them. Rounding does not explain:

- a discrete argument: a flag, a count, a sign or the index of a class is the number that it is, and
  so is a 0, beside which every number is another one. They are never moved.
- a jump, where the formula takes another branch. A change that rounding makes grows with the move;
  one that eight times the move does not enlarge is a jump, and counts for nothing. So is one that
  a move far below rounding makes: two ends of an interval that are equal are parted by it already.
- the other side of a jump, if the argument is on the jump itself. Beside it, where ``y - t`` may be
  rounded onto it, the result may be that of the other side, and nothing in between.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from lossfw.check.core.group_rows import GROUP_WIDTH
from lossfw.check.core.members import clipped
from lossfw.check.core.points import Points, in_rows
from lossfw.check.core.subject import NUDGE_ULPS, Subject
from lossfw.components.columns import Columns
from lossfw.components.spaces import (
    SIMPLEX,
    UNIT,
    ClassIndex,
    Counts,
    Interval,
    Members,
    Space,
    Vector,
)
from lossfw.numerics.arrays import NDArray
from lossfw.numerics.exact import differences
from lossfw.numerics.exact.namespace import exact_array
from lossfw.numerics.exact.ulp import to_float

# The change is looked at again with so many times the move.
FARTHER = 8

# An argument on a jump crosses it with a move by 2 to this power of itself: far below the rounding
# of a difference of floats, and well within the digits of exact numbers.
_LEAST_MOVE = -110

_SIGNS = (-1, 1)


class _Input(NamedTuple):
    """A prediction or a target (role "y" or "t"), or one column of its rows."""

    role: str
    column: int | None
    space: Space


def exact_results(subject: Subject, order: int, points: Points) -> Any:
    """Return exact values (order 0) or derivatives at points."""
    if order == 0:
        return subject.exact.values(points.y, points.t)
    return subject.exact.derivatives(order, points.y, points.t)[order - 1]


class Moves:
    """The exact results at points whose inputs are moved, one at a time, a few units both ways.

    Attributes
    ----------
    change : array
        The change that rounding of the arguments explains, summed over the inputs.
    """

    def __init__(self, subject: Subject, order: int, points: Points, exact: Any) -> None:
        self._subject, self._order, self._points, self._exact = subject, order, points, exact
        self._inputs = _inputs(subject, points)
        self.change: NDArray = np.zeros(np.shape(exact))
        if self._inputs:
            near_and_far = (NUDGE_ULPS, FARTHER * NUDGE_ULPS)
            moves = [
                moved for units in near_and_far for moved in moved_points(subject, points, units)
            ]
            near, far = self._results(moves).reshape(2, -1, *np.shape(exact))
            self._near = near
            size = _size(near - exact)
            smooth = without_jumps(size, _size(far - near))
            self._beside = self._results_beside()
            smooth[_size(self._beside - exact) > size / 2] = 0
            self._is_jump = smooth < size
            shape = len(self._inputs), len(_SIGNS), *np.shape(exact)
            self.change = np.nan_to_num(smooth).reshape(shape).max(axis=1).sum(axis=0)

    def _results_beside(self) -> Any:
        """Return the results next to the arguments, in the order of the moves."""
        found = []
        for role in "yt":
            # The other role stays as it is: an index of a class cannot be an exact number.
            beside = [
                _moved_least(one, self._points, sign)
                for one in self._inputs
                if one.role == role
                for sign in _SIGNS
            ]
            if beside:
                found.append(self._results(beside))
        return np.concatenate(found)

    def _results(self, moves: Sequence[Points]) -> Any:
        # One call for all: few rows cost as much as many.
        together = Points(*(np.concatenate([getattr(near, x) for near in moves]) for x in "yt"))
        found = exact_results(self._subject, self._order, together)
        return found.reshape(len(moves), *np.shape(self._exact))

    def are_beyond_a_jump(self, actual: NDArray, tolerance: NDArray) -> NDArray:
        """Tell which results are those beyond a jump that a move crosses, with some tolerance.

        Where the jump is at the argument itself, none is: no rounding leads there.
        """
        found = np.zeros(actual.shape, bool)
        for number in range(2 * len(self._inputs)):
            near = self._near[number]
            with np.errstate(all="ignore"):
                off = np.abs(actual.astype(np.float64) - to_float(near, actual.dtype))
                reached = self._is_jump[number] & ~found & (off <= tolerance)
            rows = np.flatnonzero(reached.any(tuple(range(1, reached.ndim))))
            if not rows.size:
                continue
            here = self._beside[number][rows]
            is_beside = _size(here - self._exact[rows]) < _size(here - near[rows])
            found[rows] |= reached[rows] & is_beside
        return found


def beyond_jumps(subject: Subject, order: int, points: Points, here: Any) -> list[Any]:
    """Return the exact results next to points, or those here where no jump is between them.

    All predictions of a row are made smaller by less than any float can be, or larger, and all gaps
    between them with them. So terms that bend at one place, some of them on its left and some on
    its right, bend together or not at all, which no single prediction does.
    """
    found = []
    for sign in _SIGNS:
        near, far = (
            exact_results(subject, order, Points(_scaled(points.y, sign * times), points.t))
            for times in (1, FARTHER)
        )
        change = _size(near - here)
        is_jump = without_jumps(change, _size(far - near)) < change
        found.append(np.where(is_jump & differences.differ(near, here), near, here))
    return found


def without_jumps(change: NDArray, farther: NDArray) -> NDArray:
    """Return changes without those that are jumps.

    Parameters
    ----------
    change : array
        The changes of results by a move.
    farther : array
        Those from the end of this move to that of one eight times as long, of which a change that
        is spread evenly has seven eighths. Less than an eighth of its share has that of a jump.
    """
    with np.errstate(all="ignore"):
        bound = np.where(np.isnan(farther), change, FARTHER * farther)
        return np.asarray(np.minimum(change, bound))


def steps(space: Space, x: NDArray, units: int) -> NDArray:
    """Return moves of numbers by units in the last place: 0 for those that are never moved."""
    if isinstance(space, Members | Counts | ClassIndex):
        return np.zeros_like(x)
    with np.errstate(all="ignore"):
        step = units * np.spacing(np.abs(x))
        step = np.where(np.isfinite(step) & (x != 0), step, 0).astype(x.dtype)
        if not space.axes and not isinstance(space, Interval):
            # An author's own space: what leaves it is not an argument.
            outside = space.outside(x + step)
            step = step if outside is None else np.where(outside, 0, step).astype(x.dtype)
    return np.asarray(step)


def moved_points(subject: Subject, points: Points, units: int) -> list[Points]:
    """Return the points with each input that is ever moved lower by some units, and higher."""
    inputs = _inputs(subject, points)
    return [_moved(subject, one, points, sign * units) for one in inputs for sign in _SIGNS]


def _inputs(subject: Subject, points: Points) -> list[_Input]:
    """Return each input that can be moved at all: of rows each column."""
    found = []
    spaces = subject.prediction, subject.space_of_targets(points.t)
    for role, space in zip("yt", spaces, strict=True):
        x = getattr(points, role)
        if x.dtype.kind != "f":
            continue
        if x.ndim == 1:
            found.append(_Input(role, None, space))
            continue
        width = space.flat_size(GROUP_WIDTH) if subject.kind == "group" else x.shape[-1]
        each = space.space_of_each(width) if space.axes else [space]
        found += [_Input(role, k, each[k % len(each)]) for k in range(x.shape[-1])]
    return [one for one in found if _is_moved(one, points)]


def _part(one: _Input) -> Any:
    return np.s_[:] if one.column is None else np.s_[:, one.column]


def _is_moved(one: _Input, points: Points) -> bool:
    return bool(steps(one.space, getattr(points, one.role)[_part(one)], NUDGE_ULPS).any())


def _moved(subject: Subject, one: _Input, points: Points, units: int) -> Points:
    """Return points with an input moved by some units, within its space."""
    x = getattr(points, one.role)
    space = subject.prediction if one.role == "y" else subject.target
    moved = x.copy()
    moved[_part(one)] += steps(one.space, x[_part(one)], units)
    if isinstance(space, Columns | Vector):
        # Each row of a group has the columns.
        moved = clipped(space, in_rows(subject, space, moved)).reshape(x.shape)
    else:
        space = UNIT if one.space is SIMPLEX else one.space
        moved[_part(one)] = clipped(space, moved[_part(one)])
    return _with(points, one.role, moved)


def _moved_least(one: _Input, points: Points, sign: int) -> Points:
    """Return points with an input moved by less than any float can be."""
    x = getattr(points, one.role)
    part = x[_part(one)]
    times = np.where(steps(one.space, part, NUDGE_ULPS) != 0, sign * np.sign(part), 0)
    moved = exact_array(x)
    moved[_part(one)] = _scaled(part, times)
    return _with(points, one.role, moved)


def _scaled(x: NDArray, times: Any) -> Any:
    """Return exact numbers that are larger by so many of the least moves."""
    exact = exact_array(x)
    return exact + exact * exact_array(times * np.exp2(float(_LEAST_MOVE)))


def _with(points: Points, role: str, x: NDArray) -> Points:
    return Points(x, points.t) if role == "y" else Points(points.y, x)


def _size(difference: Any) -> NDArray:
    """Return the sizes of exact differences as floats, NaN for those that are not finite."""
    with np.errstate(all="ignore"):
        size = np.abs(to_float(difference, np.float64))
    return np.where(np.isfinite(size), size, np.nan)
