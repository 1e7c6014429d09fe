"""Judge results by the oracle: which ones are wrong.

One rule: a result is right if it is within some units in its last place of an interval of exact
results (`lossfw.check.core.oracle`). Four kinds of results have a coarser unit:

- derivatives by numbers that are alike, as the classes of a row, are a vector: its unit is that
  of the largest one;
- derivatives by logarithms have the unit of the loss: that of the largest one too, but no larger
  than that of 1;
- values of a loss that has both signs, as a likelihood: where it is 0 depends on a constant, and
  its unit is at least that of 1;
- functions of other libraries get four times the units, and the error that their caller allows.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from lossfw.check.core.draw import draw
from lossfw.check.core.interval import MovableFormula
from lossfw.check.core.members import is_exponentiated
from lossfw.check.core.moves import have_one_unit, movable_inputs, moved_formulas
from lossfw.check.core.oracle import Oracle
from lossfw.check.core.points import (
    ArgumentArrays,
    Points,
    any_in_row,
    is_cancellation_error,
    split_group_rows,
    written_lengths,
)
from lossfw.check.core.subject import Subject
from lossfw.components.columns import Columns
from lossfw.numerics.arrays import NDArray
from lossfw.numerics.exact.ulp import to_float

# Functions of other libraries get this many times the units: a real loss of digits
# exceeds that by far.
_MARGIN = 4.0

# Intervals cost several exact evaluations, for rows very many: of more bad elements or rows than
# this, some are looked at. What is next to a kink costs less.
_MOST_MOVED = {False: 48, True: 10}
_MOST_AT_KINKS = {False: 96, True: 40}

# So many values show whether a loss has both signs; below this the rounding of exact numbers shows.
_SIGNS_SEEN, _NO_SIGN = 60, 1e-12


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
    """Compare values (order 0) or derivatives with the exact ones, which may be given."""
    arrays = points.y, points.t
    exact = subject.exact.results(order, *arrays) if exact is None else exact
    oracle = oracle_of(subject, order, points, exact)
    ulps = (1.0 if subject.component is not None else _MARGIN) * subject.ulps[order]
    bad = ~_are_within_ulps(subject, oracle, actual, ulps)
    gross = any_in_row(bad & ~is_cancellation_error(points, actual, to_float(exact, actual.dtype)))
    for is_moved, most in ((False, _MOST_AT_KINKS), (True, _MOST_MOVED)):
        if order or is_moved:
            rows = _limit_bad_rows(points, bad, gross, most[subject.rows])
            # No move makes NaN right.
            rows = rows[any_in_row((bad & ~np.isnan(actual))[rows])]
            if rows.size:
                errors = oracle.errors_of_rows(actual, rows, is_moved=is_moved)
                bad[rows] &= errors > ulps
    return Judgement(points, actual, to_float(oracle.exact, actual.dtype), bad, ulps)


def oracle_of(subject: Subject, order: int, points: Points, exact: Any) -> Oracle:
    """Return what judges the results of a subject at some points."""
    arrays = points.y, points.t
    movable = MovableFormula(
        subject.exact,
        partial(movable_inputs, subject),
        partial(moved_formulas, subject, points.y.dtype),
    )
    sizes: Any = 0.0
    if order and subject.rows:
        size = np.abs(to_float(exact))
        sizes = _largest_in_row(subject, arrays, np.where(np.isfinite(size), size, 0))
    elif not order and _has_both_signs(subject):
        sizes = 1.0
    return Oracle(movable, order, arrays, exact, sizes)


def _are_within_ulps(subject: Subject, oracle: Oracle, actual: NDArray, ulps: float) -> NDArray:
    """Tell which results are right by the exact ones at the arguments themselves."""
    errors = oracle.errors(actual)
    near = (errors <= ulps) | np.isnan(errors)
    expected = to_float(oracle.exact, actual.dtype).astype(np.float64)
    with np.errstate(all="ignore"):
        near |= np.abs(actual.astype(np.float64) - expected) < subject.rtol * np.abs(expected)
    if not subject.subnormal:
        near |= oracle.subnormal_mask(actual.dtype)
    return np.asarray(near)


def _largest_in_row(subject: Subject, arrays: ArgumentArrays, size: NDArray) -> NDArray:
    """Return the largest derivative by numbers that are alike, for each of a row.

    A group has as many of each column as rows.
    """
    space = subject.prediction
    groups = (
        split_group_rows(subject, space, size) if subject.kind == "group" else size[:, np.newaxis]
    )
    if groups.ndim < 3:
        groups = groups[..., np.newaxis]
    columns, logs = [groups], []
    if isinstance(space, Columns) and not have_one_unit(subject, arrays):
        ends = np.cumsum(space.widths(groups.shape[-1]))
        columns = np.split(groups, ends[:-1], axis=-1)
        spaces = enumerate(space.space_of_each(groups.shape[-1]))
        logs = [column for column, own in spaces if is_exponentiated(own)]
    largest = [
        np.broadcast_to(own.max(axis=(1, 2), keepdims=True), own.shape)
        if own[0].size > 1
        else np.zeros(own.shape)
        for own in columns
    ]
    found = np.concatenate(largest, axis=-1)
    if len(logs) > 1:
        of_logs = groups[..., logs].max(axis=(1, 2), keepdims=True)
        found[..., logs] = np.maximum(found[..., logs], np.minimum(of_logs, 1.0))
    return found.reshape(size.shape)


def _has_both_signs(subject: Subject) -> bool:
    """Tell whether a loss has values of both signs, as a likelihood does; found out once."""
    if "signs" not in subject.known:
        signs: set[float] = set()
        for some in draw(subject, "float64", np.random.default_rng(0), _SIGNS_SEEN):
            values = to_float(subject.exact.values(some.y[:_SIGNS_SEEN], some.t[:_SIGNS_SEEN]))
            signs.update(np.sign(values[np.abs(values) > _NO_SIGN]).tolist())
        subject.known["signs"] = {-1.0, 1.0} <= signs
    return bool(subject.known["signs"])


def _limit_bad_rows(points: Points, bad: NDArray, is_gross: NDArray, count: int) -> NDArray:
    """Return the rows that hold something bad, after the mark is taken from all but so many."""
    rows = np.flatnonzero(any_in_row(bad))
    if rows.size <= count:
        return rows
    # Errors nearly everywhere need not be shown everywhere: half of them are those written most
    # shortly, first those that no loss of digits makes, which may be few among others that
    # rounding excuses; half are evenly spread.
    lengths = np.array(written_lengths(points, rows))
    short = rows[np.lexsort((lengths, ~is_gross[rows]))[: count // 2]]
    kept = np.union1d(short, rows[:: max(1, 2 * rows.size // count)])
    bad[np.setdiff1d(rows, kept)] = False
    return kept
