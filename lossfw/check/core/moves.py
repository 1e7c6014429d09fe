"""Moves: the numbers that arguments and parameters represent.

An argument represents all numbers within a few units in its last place. Three kinds do not:

- a discrete argument (a flag, a count, a sign, the index of a class) and a 0 are exact, and are
  never moved;
- for a prediction and a target of which only the difference counts, the difference is moved, by
  units in its own last place, because close floats have an exact difference;
- each float parameter is also moved.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from lossfw.check.core.exact import Formula
from lossfw.check.core.group_rows import GROUP_WIDTH, GroupRows
from lossfw.check.core.members import clip_to_interval
from lossfw.check.core.points import ArgumentArrays
from lossfw.check.core.subject import Subject
from lossfw.components.columns import Columns
from lossfw.components.spaces import (
    REAL,
    SIMPLEX,
    UNIT,
    ClassIndex,
    Counts,
    FiniteSpace,
    Interval,
    Space,
)
from lossfw.errors import LossfwError
from lossfw.losses.loss import Loss
from lossfw.numerics.arrays import Array, NDArray
from lossfw.numerics.exact.namespace import exact_array
from lossfw.numerics.exact.ulp import to_float

# So many units in the last place an argument is moved; functions of other libraries get more.
UNITS, OUTSIDE_UNITS = 4, 16

# A move so many times as long, and one as much shorter, tell a jump from a derivative.
FARTHER, NEARER = 8, 1 / 8

# The least move, as a power of two of the number, or by itself of 0: far below the rounding of a
# difference of floats, and well within the digits of exact numbers.
_LEAST_MOVE, _LEAST_OF_ZERO = -110, 2.0**-200

# Predictions and targets are shifted by this to see whether only their differences count.
_SHIFT = 2.0**-10
# At so many points, whose numbers are the nearest to 1.
_SHIFTED = 8

# The column of a number in its row, None for a single number.
_Column: TypeAlias = int | None


class Input(NamedTuple):
    """A prediction (role 0) or a target (1), or one column of their rows.

    `steps` are the moves of its numbers, and `least` are moves far below rounding; 0 means a
    number that is never moved.
    """

    role: int
    column: _Column
    space: Space
    steps: NDArray
    least: NDArray
    is_residual: bool = False

    def move_arguments(self, arrays: ArgumentArrays, times: Any) -> ArgumentArrays:
        """Return arguments with this one moved, by so many steps, within its space."""
        if self.is_residual or abs(np.max(times)) == NEARER:
            return self._move_exactly(arrays, times * self.steps)
        x = arrays[self.role].copy()
        step = (times * self.steps).astype(x.dtype)
        x[self._index] = clip_to_interval(self.space, x[self._index] + step)
        return self._replace_argument(arrays, x)

    def move_slightly(self, arrays: ArgumentArrays, sign: int) -> ArgumentArrays:
        """Return arguments next to given ones, nearer than any float."""
        return self._move_exactly(arrays, sign * self.least)

    @property
    def _index(self) -> Any:
        return np.s_[:] if self.column is None else np.s_[:, self.column]

    def _move_exactly(self, arrays: ArgumentArrays, steps: NDArray) -> ArgumentArrays:
        x = exact_array(arrays[self.role]).copy()
        x[self._index] = x[self._index] + exact_array(steps)
        return self._replace_argument(arrays, x)

    def _replace_argument(self, arrays: ArgumentArrays, x: Array) -> ArgumentArrays:
        return tuple(x if role == self.role else other for role, other in enumerate(arrays))


def ulps_to_move(subject: Subject) -> int:
    """Return by how many units in the last place arguments of a subject are moved."""
    return UNITS if subject.component is not None else OUTSIDE_UNITS


def movable_inputs(subject: Subject, arrays: ArgumentArrays) -> list[Input]:
    """Return what can be moved; differences last."""
    y, t = arrays
    units, pairs = ulps_to_move(subject), residuals(subject, arrays)
    found = []
    for column, space in iter_columns(subject, 0, y):
        numbers = _column(y, column)
        steps = ulp_steps(space, numbers, units)
        if column in pairs:
            with np.errstate(all="ignore"):
                gap = numbers.astype(np.float64) - _column(t, pairs[column])
                steps = ulp_steps(REAL, gap.astype(y.dtype), units)
        # A kink may be at a prediction of 0.
        is_moved = not _is_discrete(space)
        found.append(Input(0, column, _clipping_space(space), steps, least_steps(numbers, is_moved),
                           column in pairs))  # fmt: skip
    for column, space in iter_columns(subject, 1, t) if t.dtype.kind == "f" else ():
        if column not in pairs.values():
            numbers = _column(t, column)
            steps = ulp_steps(space, numbers, units)
            least = np.where(steps != 0, least_steps(numbers), 0)
            found.append(Input(1, column, _clipping_space(space), steps, least))
    movable = [one for one in found if one.steps.any() or one.least.any()]
    return sorted(movable, key=lambda one: one.is_residual)


def movable_numbers(arrays: ArgumentArrays) -> list[Input]:
    """Return what can be moved of the argument of an activation: any real numbers."""
    (x,) = arrays
    columns: Any = (None,) if x.ndim == 1 else range(x.shape[-1])
    numbers = [(column, _column(x, column)) for column in columns]
    return [Input(0, k, REAL, ulp_steps(REAL, own, UNITS), least_steps(own)) for k, own in numbers]


def ulp_steps(space: Space, x: NDArray, units: int) -> NDArray:
    """Return moves of numbers by units in the last place: 0 for those that are never moved."""
    if _is_discrete(space):
        return np.zeros_like(x)
    with np.errstate(all="ignore"):
        step = units * np.spacing(np.abs(x))
        step = np.where(np.isfinite(step) & (x != 0), step, 0).astype(x.dtype)
        if not space.axes and not isinstance(space, Interval):
            # An author's own space: what leaves it is not an argument.
            outside = space.outside_or_none(x + step)
            step = step if outside is None else np.where(outside, 0, step).astype(x.dtype)
    return np.asarray(step)


def least_steps(x: NDArray, is_moved: bool = True) -> NDArray:
    """Return moves of numbers that are far below rounding."""
    with np.errstate(all="ignore"):
        size = np.ldexp(np.abs(x).astype(np.float64), _LEAST_MOVE)
    size = np.where(np.isfinite(size), size, 0)
    return np.where(x == 0, _LEAST_OF_ZERO, size) * is_moved


def scale_gaps(x: NDArray, sign: int) -> Array:
    """Return numbers enlarged or reduced by their least moves, which scales all gaps alike."""
    return exact_array(x) + exact_array(sign * np.sign(x) * least_steps(x))


def residuals(subject: Subject, arrays: ArgumentArrays) -> dict[_Column, _Column]:
    """Return the predictions whose difference from a target is all that counts, with their targets.

    Such a pair can be shifted without changing the exact result. The result is cached per width
    of rows.
    """
    y, t = arrays
    key = ("residuals", y.shape[1:], t.shape[1:], t.dtype.kind)
    if key not in subject.known:
        subject.known[key] = _residuals(subject, arrays)
    found: dict[_Column, _Column] = subject.known[key]
    return found


def _residuals(subject: Subject, arrays: ArgumentArrays) -> dict[_Column, _Column]:
    y, t = arrays
    if subject.kind == "distance":
        return {None: None}
    if subject.kind == "margin" or t.dtype.kind != "f":
        return {}
    y, t = _most_ordinary(arrays)
    here = _values(subject, y, t)
    found: dict[_Column, _Column] = {}
    for one, other in _candidate_pairs(subject, arrays):
        if one in found or other in found.values():
            continue
        shifted = _shift_column(y, one)
        alone, together = (
            _values(subject, shifted, t),
            _values(subject, shifted, _shift_column(t, other)),
        )
        if (together == here).all() and (alone != here).any():
            found[one] = other
    return found


def have_one_unit(subject: Subject, arrays: ArgumentArrays) -> bool:
    """Tell whether all predictions of a row have the same unit, cached per width.

    Named columns do if they can be shifted together, alone or with the targets.
    """
    if not isinstance(subject.prediction, Columns):
        return True
    key = ("alike", *(x.shape[1:] for x in arrays))
    if key not in subject.known:
        y, t = _most_ordinary(arrays)
        here, moved = _values(subject, y, t), y + exact_array(_SHIFT)[()]
        with_targets = [t + exact_array(_SHIFT)[()]] if t.dtype == object else []
        subject.known[key] = any(
            (_values(subject, moved, x) == here).all() for x in (t, *with_targets)
        )
    return bool(subject.known[key])


def _most_ordinary(arrays: ArgumentArrays) -> ArgumentArrays:
    """Return a few of the points, whose numbers are the nearest to 1, as exact numbers."""
    with np.errstate(all="ignore"):
        logs = [np.abs(np.log(np.abs(np.where(x == 0, 1, x)))).reshape(len(x), -1) for x in arrays]
    far = np.concatenate(logs, axis=1).max(axis=1)
    some = [x[np.argsort(far, kind="stable")[:_SHIFTED]] for x in arrays]
    return tuple(exact_array(x) if x.dtype.kind == "f" else x for x in some)


def _candidate_pairs(subject: Subject, arrays: ArgumentArrays) -> Iterator[tuple[_Column, _Column]]:
    """Yield each prediction with each target: of alike rows those in the same place."""
    widths = [1 if x.ndim == 1 else x.shape[-1] for x in arrays]
    columns = [list(iter_columns(subject, role, x)) for role, x in enumerate(arrays)]
    is_alike = subject.rows and not subject.has_columns
    rows: Any = subject.truth
    sizes = rows.sizes if subject.kind == "group" else widths
    for j, (one, first) in enumerate(columns[0]):
        for k, (other, _) in enumerate(columns[1]):
            is_same_row = j // sizes[0] == k // sizes[1]
            if is_same_row and (j == k or not is_alike) and not _is_discrete(first):
                yield one, other


def _shift_column(x: Array, column: _Column) -> Array:
    found = x.copy()
    part = np.s_[:] if column is None else np.s_[:, column]
    found[part] = found[part] + exact_array(_SHIFT)[()]
    return found


def _values(subject: Subject, y: Array, t: Array) -> NDArray:
    return to_float(subject.exact.values(y, t), np.float64)


def moved_formulas(
    subject: Subject, dtype: np.dtype[Any]
) -> list[tuple[Formula, Formula, Formula, Formula]]:
    """Return, for each parameter, the formula with it lower and higher, and with larger moves."""
    key, units = ("parameters", dtype), ulps_to_move(subject)
    if key not in subject.known:
        times = (-units, units, -FARTHER * units, FARTHER * units)
        moved = [list(_variants(subject.truth, dtype, n)) for n in times]
        subject.known[key] = [
            tuple(Formula(x._unreduced_formula, subject.rows, subject.by_index) for x in each)
            for each in zip(*moved, strict=True)
            if None not in each
        ]
    found: list[tuple[Formula, Formula, Formula, Formula]] = subject.known[key]
    return found


def _variants(value: Any, dtype: np.dtype[Any], units: int) -> Iterator[Any]:
    """Yield a value with one float in it moved, for each; None where that is not allowed."""
    if isinstance(value, GroupRows):
        yield from (x and GroupRows(x) for x in _variants(value.loss, dtype, units))
    elif isinstance(value, float) and np.isfinite(value) and value:
        yield value + units * float(np.spacing(np.asarray(abs(value), dtype)))
    elif isinstance(value, tuple | list):
        for place, one in enumerate(value):
            for x in _variants(one, dtype, units):
                yield None if x is None else type(value)([*value[:place], x, *value[place + 1 :]])
    elif isinstance(value, Loss):
        for name, one in value.parameters.items():
            for x in _variants(one, dtype, units):
                try:
                    yield None if x is None else value.replace(**{name: x})
                except (LossfwError, TypeError, ValueError):
                    yield None


def iter_columns(subject: Subject, role: int, x: NDArray) -> Iterator[tuple[_Column, Space]]:
    """Yield each number of the rows of a role, and its space."""
    space = subject.prediction if role == 0 else subject.space_of_targets(x)
    if x.ndim == 1:
        yield None, space
        return
    width = space.flat_size(GROUP_WIDTH) if subject.kind == "group" else x.shape[-1]
    each = space.space_of_each(width) if space.axes else [space]
    yield from ((k, each[k % len(each)]) for k in range(x.shape[-1]))


def _column(x: NDArray, column: _Column) -> NDArray:
    return x if column is None else x[:, column]


def _clipping_space(space: Space) -> Space:
    return UNIT if space is SIMPLEX else space


def _is_discrete(space: Space) -> bool:
    return isinstance(space, FiniteSpace | Counts | ClassIndex)
