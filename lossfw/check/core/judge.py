"""Truth: the exact results at the points of a search, and how far results may be from them.

Results are judged against the textbook formula on the very floats that were
given. The error may be some units in the last place, or what moving each input
by 4 of them does to the exact result, whichever is larger: no program can do
better with inputs that are rounded themselves.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from lossfw.check.core.limits import derivative_limits, value_limits
from lossfw.check.core.points import Points
from lossfw.check.core.subject import NUDGE_ULPS, Subject
from lossfw.components.spaces import SIMPLEX, UNIT, Interval
from lossfw.numerics.arrays import NDArray
from lossfw.numerics.dual.derivatives import derivatives, row_derivatives
from lossfw.numerics.exact import differences
from lossfw.numerics.exact.truth import evaluate
from lossfw.numerics.exact.ulp import to_float, ulp_error

Exact = Callable[[NDArray, NDArray], Any]

# Errors below so many of the smallest subnormals are none: one that is rounded away in a
# factor comes back multiplied by the others, a prediction or one over a small variance.
_SUBNORMALS = 2**14

# Infinity is no wrong answer for a number this close to the largest: a factor of one
# over so much may come after the product that overflows.
_ALMOST = 2.0**14

# Somebody else's function is accused where it misses its bound by this factor: who
# lost digits has lost many, and who keeps the bound at most points is let be.
_MARGIN = 4.0

# A difference of exact numbers over 1e-20 that is larger than this is a jump.
JUMP = 1e18


# Moving every input of a result costs several exact evaluations, for rows very
# many; of more bad elements or rows than this, those written most shortly and
# some others are looked at. Whether a derivative is right at a kink costs less.
_MOST_NUDGED = {False: 48, True: 10}
_MOST_FORGIVEN = {False: 96, True: 40}


@dataclass(frozen=True)
class Judgement:
    """Results at some points beside the truth.

    Attributes
    ----------
    points : Points
    got : ndarray
        The results, of which each one is judged.
    truth : ndarray
        The exact results, rounded to the dtype of the results.
    bad : ndarray of bool
        Which results are farther from the truth than they may be.
    """

    points: Points
    got: NDArray
    truth: NDArray
    bad: NDArray


def formula(subject: Subject) -> Any:
    """Return the exact formula, a body of prediction and target."""
    assert subject.truth is not None
    return subject.truth.unreduced_formula


def exact_values(subject: Subject, y: NDArray, t: NDArray) -> Any:
    """Return exact values; at infinite logits their limit, NaN where there is none."""
    target = subject.full(y, t)
    far = _far(y)
    if not far.any():
        return evaluate(formula(subject), y, target, rows=subject.rows)
    found = np.empty(len(y), object)
    found[far] = value_limits(formula(subject), y[far], target[far])
    found[~far] = evaluate(formula(subject), y[~far], target[~far], rows=subject.rows)
    return found


def exact_derivatives(subject: Subject, y: NDArray, t: NDArray, order: int) -> Any:
    """Return exact first or second derivatives, of rows the partial ones.

    They come from dual numbers over exact ones, which is several times cheaper
    than differences. Dual numbers are held to differences by tests of their own.
    """
    return all_derivatives(subject, y, t, order)[order - 1]


def all_derivatives(subject: Subject, y: NDArray, t: NDArray, order: int) -> tuple[Any, ...]:
    """Return exact derivatives up to an order, of rows the partial ones, from one pass.

    At infinite logits they are limits, NaN where there is none.
    """
    far = _far(y)
    if far.any():
        return _with_limits(subject, y, t, order, far)
    body = formula(subject)
    rule = row_derivatives if subject.rows else derivatives

    def slopes(xp: Any, y: Any, t: Any) -> Any:
        return xp.stack(rule(body, xp, y, t, order=order)[1:], axis=-1)

    found = evaluate(slopes, y, subject.full(y, t), rows=subject.rows)
    return tuple(found[..., k] for k in range(order))


def _with_limits(
    subject: Subject, y: NDArray, t: NDArray, order: int, far: NDArray
) -> tuple[Any, ...]:
    found = tuple(np.empty(y.shape, object) for _ in range(order))
    limits = derivative_limits(lambda z: all_derivatives(subject, z, t[far], order), y[far])
    usual = all_derivatives(subject, y[~far], t[~far], order)
    for whole, limit, here in zip(found, limits, usual, strict=True):
        whole[far], whole[~far] = limit, here
    return found


def _far(y: NDArray) -> NDArray:
    """Tell which elements or rows hold something infinite."""
    return np.asarray(np.isinf(y).any(tuple(range(1, y.ndim))))


def exact_partial(
    subject: Subject, y: NDArray, t: NDArray, column: int, order: int
) -> tuple[Any, ...]:
    """Return exact derivatives of rows by one column, up to an order."""
    body = formula(subject)

    def slopes(xp: Any, y: Any, t: Any) -> Any:
        moved = np.arange(y.shape[-1]) == column
        unit = xp.where(moved, xp.ones_like(y), xp.zeros_like(y))
        return xp.stack(derivatives(body, xp, y, t, order=order, direction=unit)[1:], axis=-1)

    found = evaluate(slopes, y, subject.full(y, t), rows=True)
    return tuple(found[..., k] for k in range(order))


def one_sided(subject: Subject, y: NDArray, t: NDArray, order: int, side: int) -> Any:
    """Return the exact derivative from the left (-1) or from the right (+1)."""
    target = subject.full(y, t)
    return differences.derivative(
        formula(subject), y, target, order=order, side=side, rows=subject.rows
    )


def kinks(subject: Subject, points: Points) -> NDArray:
    """Tell at which points the exact value has a kink, of rows in each column."""
    y, target = points.y, subject.full(points.y, points.t)
    return differences.kinks(formula(subject), y, target, rows=subject.rows)


def judge(
    subject: Subject,
    points: Points,
    got: NDArray,
    exact: Exact,
    ulps: float,
    *,
    order: int = 0,
    truth: Any = None,
    forgive: Callable[[Points, NDArray], tuple[NDArray, NDArray]] | None = None,
) -> Judgement:
    """Compare results with the truth.

    Parameters
    ----------
    subject : Subject
    points : Points
        Where the results were computed.
    got : ndarray
        Results, one for each point, or for rows of derivatives one row.
    exact : callable
        ``exact(y, t)``, the exact results.
    ulps : float
        How many units in the last place a result may be off.
    order : int
        Of the derivative, 0 for the value.
    truth : array of exact numbers, optional
        What `exact` returns at the points, where that is known.
    forgive : callable, optional
        ``forgive(points, got)`` tells which results are right for a reason of
        their own, and which are wrong whatever happens close by; it is asked
        about those that differ from the truth.
    """
    margin = 1.0 if subject.component is not None else _MARGIN
    ulps = margin * ulps
    truth = exact(points.y, points.t) if truth is None else truth
    rounded = to_float(truth, got.dtype)
    error = ulp_error(got, truth)
    unit = float(np.finfo(got.dtype).smallest_subnormal)
    with np.errstate(all="ignore"):
        tiny = np.abs(got.astype(np.float64) - rounded) <= _SUBNORMALS * unit
    bad = ~((error <= ulps) | tiny) & ~np.isnan(rounded)
    if not subject.subnormal:
        bad &= ~_subnormal(points, rounded, got.dtype)
    wrong = np.zeros(bad.shape, bool)
    if forgive is not None:
        rows = _fewer(points, bad, _MOST_FORGIVEN[subject.rows])
        if rows.size:
            right, wrong[rows] = forgive(points.take(rows), got[rows])
            bad[rows] &= ~right
    rows = _fewer(points, bad, _MOST_NUDGED[subject.rows])
    if rows.size:
        some = points.take(rows)
        allowed = margin * nudged(subject, some, truth[rows], exact)
        with np.errstate(all="ignore"):
            off = np.abs(got[rows].astype(np.float64) - rounded[rows])
            size = np.abs(rounded[rows])
            for term in subject.terms(some.y, some.t, order):
                size = np.fmax(size, np.abs(term).astype(size.dtype))
            forgiven = off <= allowed + (ulps + 1) * np.spacing(size)
            # Near the largest float either answer is right.
            beyond = np.abs(rounded[rows]) + allowed > float(np.finfo(got.dtype).max) / _ALMOST
            forgiven |= beyond & np.isinf(got[rows])
        bad[rows] &= ~forgiven | wrong[rows]
    return Judgement(points, got, rounded, bad)


def _subnormal(points: Points, truth: NDArray, dtype: Any) -> NDArray:
    """Tell which results, or which of their arguments, are below the normal numbers of a dtype."""

    def below(x: NDArray) -> NDArray:
        return np.asarray((x != 0) & (np.abs(x) < float(np.finfo(dtype).tiny)))

    found = below(truth)
    for x in (points.y, points.t):
        row = below(x).reshape(len(points), -1).any(-1)
        found |= row.reshape(-1, *[1] * (truth.ndim - 1))
    return np.asarray(found)


def _fewer(points: Points, bad: NDArray, most: int) -> NDArray:
    """Return the rows that hold something bad, after the mark is taken from all but so many."""
    rows = np.flatnonzero(bad.reshape(len(points), -1).any(-1))
    if rows.size <= most:
        return rows
    # What is wrong nearly everywhere need not be shown everywhere.
    kept = _spread(points, rows, most)
    bad[np.setdiff1d(rows, kept)] = False
    return kept


def _spread(points: Points, rows: NDArray, most: int) -> NDArray:
    """Return some of the rows: half of them the shortest, half evenly spread."""
    lengths = [len(str(points.y[i].tolist())) + len(str(points.t[i].tolist())) for i in rows]
    short = rows[np.argsort(lengths, kind="stable")[: most // 2]]
    return np.union1d(short, rows[:: max(1, 2 * rows.size // most)])


def nudged(subject: Subject, points: Points, truth: Any, exact: Exact) -> NDArray:
    """Return what moving each input by a few units does to exact results, summed over inputs."""
    total = np.zeros(np.shape(truth))
    for moved in _moves(subject, points):
        size = np.zeros(np.shape(truth))
        for near in moved:
            there = exact(near.y, near.t)
            with np.errstate(all="ignore"):
                change = np.abs(to_float(there - truth, np.float64))
            size = np.fmax(size, np.where(np.isfinite(change), change, 0))
        total += size
    return total


def _moves(subject: Subject, points: Points) -> list[tuple[Points, Points]]:
    """Return for each input the points with it a few units lower, and higher."""
    found = []
    for column in range(points.y.shape[-1]) if subject.rows else (None,):
        found.append(
            tuple(Points(_step(points.y, column, s, subject.prediction), points.t) for s in (-1, 1))
        )
    real = points.t.dtype.kind == "f" and subject.target.name not in ("SIGN", "BINARY")
    if real:
        for column in range(points.t.shape[-1]) if points.t.ndim > 1 else (None,):
            found.append(
                tuple(Points(points.y, _step(points.t, column, s, subject.target)) for s in (-1, 1))
            )
    return found  # type: ignore[return-value]  # each is a pair


def _step(x: NDArray, column: int | None, sign: int, space: Any) -> NDArray:
    moved = x.copy()
    part = np.s_[:] if column is None else np.s_[:, column]
    with np.errstate(all="ignore"):
        step = sign * NUDGE_ULPS * np.spacing(np.abs(moved[part]))
    moved[part] = np.where(np.isfinite(step), moved[part] + step, moved[part])
    if space in (UNIT, SIMPLEX):
        moved[part] = np.clip(moved[part], 0, 1)
    elif isinstance(space, Interval) and np.isfinite(space.low):
        lowest = (
            space.low
            if space.low_included
            else np.nextafter(x.dtype.type(space.low), x.dtype.type(1))
        )
        moved[part] = np.maximum(moved[part], lowest)
    return moved
