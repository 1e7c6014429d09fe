"""Tests of values: bounds, and invariance under exchange, shifts, renaming and averaging.

Signs and zeros are exact; other bounds hold up to rounding.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np

from lossfw.check.claims.groups import check_derivatives_of_shift
from lossfw.check.core.curves import EPS, TINY
from lossfw.check.core.exact_points import many_class_points
from lossfw.check.core.judge import judge
from lossfw.check.core.members import usual_members
from lossfw.check.core.oracle import FLOOR
from lossfw.check.core.points import Points, any_in_row, are_promised, first_bad
from lossfw.check.core.search import (
    Counterexample,
    NotApplicable,
    Search,
    check,
    format_number,
    is_close,
)
from lossfw.check.core.shrink import shrink, simplest_bad
from lossfw.check.core.subject import JUDGED_DTYPES, OUTSIDE_ULPS, Subject, call
from lossfw.components.spaces import BINARY, CLASS_INDEX, LOGITS, SIMPLEX, UNIT
from lossfw.numerics.arrays import NDArray
from lossfw.numerics.exact.ulp import to_float

# So many derivatives at the target that are not 0 are looked at exactly.
_MOST_DERIVATIVES = 24

# A bound other than 0 may be missed by rounding: so many units of the result.
_BOUND_ULPS = 8


def _refute(
    subject: Subject,
    search: Search,
    point_sets: Iterable[Points],
    is_wrong: Callable[[Points, NDArray], NDArray],
    text: str,
) -> None:
    """Refute if values are wrong at some points: by one at numbers that are ordinary and simple.

    `is_wrong` takes points and their values.
    """

    def badness(points: Points) -> NDArray:
        values = np.asarray(call(subject.value, points.y, points.t))
        return is_wrong(points, values).astype(int)

    bad = simplest_bad(subject, ((points, badness(points)) for points in point_sets if len(points)))
    if bad is not None:
        one = shrink(subject, search, bad, badness)
        value = float(np.asarray(call(subject.value, one.y, one.t))[0])
        raise Counterexample.with_points(one, text.format(value))


@check("claim:nonnegative")
def check_nonnegative(subject: Subject, search: Search) -> None:
    """Claim: the value is at least 0, exactly."""
    text = "the value is {:.9g}, below 0."
    _refute(subject, search, search.points(subject), lambda _, values: values < 0, text)


@check("claim:lower_bound")
def check_lower_bound(subject: Subject, search: Search) -> None:
    """Claim: the value is at least the bound."""
    bound = float(subject.claims["lower_bound"])
    _check_bound(subject, search, bound, 1, f"below the claimed lower bound {bound!r}.")


@check("claim:bounded")
def check_bounded(subject: Subject, search: Search) -> None:
    """Claim: the value is at most the bound."""
    bound = float(subject.claims["bounded"])
    _check_bound(subject, search, bound, -1, f"above the claimed bound {bound!r}.")


def _check_bound(subject: Subject, search: Search, bound: float, sign: int, text: str) -> None:
    def is_beyond(points: Points, values: NDArray) -> NDArray:
        slack = _BOUND_ULPS * float(np.finfo(points.y.dtype).eps) * abs(bound)
        return np.asarray(sign * (values.astype(np.float64) - bound) < -slack)

    _refute(subject, search, search.points(subject), is_beyond, f"the value is {{:.9g}}, {text}")


@check("claim:zero_at_target")
def check_zero_at_target(subject: Subject, search: Search) -> None:
    """Claim: at the target the value is exactly 0, and so is a derivative that is 0 in theory."""

    def is_other(points: Points, values: NDArray) -> NDArray:
        y, t = points.y, points.t
        return np.asarray(
            (values != 0) & ~any_in_row(y != (t if t.ndim == y.ndim else np.eye(y.shape[-1])[t]))
        )

    text = "the value is {:.9g}; expected 0, because the prediction is the target."
    sets = [points for points in _points_at_target(subject, search) if len(points)]
    _refute(subject, search, sets, is_other, text)
    if not search.n_examples:
        raise NotApplicable("no target is a possible prediction")
    if subject.gradient is not None and subject.truth is not None:
        for points in sets:
            _require_zero_derivative(subject, points)


def _require_zero_derivative(subject: Subject, points: Points) -> None:
    """Refute derivatives at the target that are not 0, where the exact one is 0 and has no kink."""
    derivatives = np.asarray(call(subject.gradient, points.y, points.t), np.float64)
    rows = np.flatnonzero(any_in_row((derivatives != 0) & np.isfinite(derivatives)))[
        :_MOST_DERIVATIVES
    ]
    if not rows.size:
        return
    some = points.take(rows)
    exact = to_float(subject.exact.results(1, some.y, some.t))
    is_other = (derivatives[rows] != 0) & (np.abs(exact) < FLOOR)
    which = np.flatnonzero(any_in_row(is_other))
    if not which.size:
        return
    # Differences of exact numbers: only where a derivative is in question.
    is_kink = subject.exact.kinks(some.y[which], some.t[which])
    wrong = which[any_in_row(is_other[which] & ~is_kink)]
    if wrong.size:
        derivative = derivatives[rows[wrong[0]]]
        text = (
            f"the gradient is {format_number(derivative)}; expected 0, because the prediction is "
            "the target."
        )
        raise Counterexample.at_point(some, int(wrong[0]), text, "gradient(y, t)")


def _points_at_target(subject: Subject, search: Search) -> list[Points]:
    if subject.target is CLASS_INDEX:
        if subject.prediction not in (SIMPLEX, UNIT):
            return []
        return [Points(np.eye(k, dtype=dtype), np.arange(k))
                for dtype in JUDGED_DTYPES for k in subject.column_counts]  # fmt: skip
    found = []
    for points in search.points(subject):
        dtype = points.y.dtype
        if subject.prediction.outside_or_none(points.t.astype(dtype)) is None:
            target = points.keep(np.isfinite(points.t)).t.astype(dtype)
            found.append(Points(target.copy(), target))
    return found


@check("claim:finite_at_boundary")
def check_finite_at_boundary(subject: Subject, search: Search) -> None:
    """Claim: the value is finite for predictions with exact zeros and ones."""

    def is_infinite(points: Points, values: NDArray) -> NDArray:
        return np.asarray(~np.isfinite(values) & ~any_in_row(~np.isin(points.y, (0, 1))))

    text = "the value at the boundary is {}; expected a finite number."
    for dtype in JUDGED_DTYPES:
        _refute(subject, search, _boundary_points(subject, dtype), is_infinite, text)


def _boundary_points(subject: Subject, dtype: str) -> list[Points]:
    if not subject.rows:
        if subject.prediction is not UNIT:
            raise NotApplicable("predictions have no exact zeros and ones")
        t = np.array([0, 1] if subject.target is BINARY else [0, 1, 0.5, 0.25], dtype)
        y, t = np.meshgrid(np.array([0, 1], dtype), t)
        return [Points(y.ravel(), t.ravel())]
    if subject.prediction is LOGITS:
        raise NotApplicable("logits have no boundary")
    found = []
    for k in subject.column_counts:
        which = np.indices((k, k)).reshape(2, -1)
        y = np.eye(k, dtype=dtype)[which[0]]
        t = which[1] if subject.by_index else np.eye(k, dtype=dtype)[which[1]]
        found.append(Points(y, t))
        if subject.prediction is UNIT:
            ends = np.array(np.meshgrid(*[[0, 1]] * k)).reshape(k, -1).T.astype(dtype)
            found.append(Points(ends, ends[::-1].copy()))
    return found


# Rounding errors of both values, of rows of many columns.
_EXCHANGED = 1e-12

# Logits on this grid are shifted without rounding.
_GRID = 2.0**-6
_SHIFTS = (1.0, -3.0, 16.0, 128.0, -2048.0, 2.0**20)


@check("claim:symmetric")
def check_symmetric(subject: Subject, search: Search) -> None:
    """Claim: the value is the same for r and for -r."""
    if subject.kind != "distance":
        raise NotApplicable("only a loss of the residual can be symmetric in it")
    for points in search.points(subject):
        r = points.y - points.t
        zero = np.zeros_like(r)
        plus, minus = (np.asarray(call(subject.value, y, zero)) for y in (r, -r))
        bad = ~is_close(plus, minus, OUTSIDE_ULPS)
        if bad.any():
            one = int(np.flatnonzero(bad)[np.argmin(np.abs(np.log(np.abs(r[bad]))))])
            text = f"the value is {plus[one]:.9g} at r = {r[one]:.9g} and {minus[one]:.9g} at -r."
            raise Counterexample(text, y=np.array([r[one], -r[one]]), t=zero[:2])


@check("claim:exchangeable")
def check_exchangeable(subject: Subject, search: Search) -> None:
    """Claim: the value is the same with prediction and target exchanged."""
    if subject.prediction != subject.target and subject.target is not CLASS_INDEX:
        raise NotApplicable("predictions and targets are in different spaces")
    for points in search.points(subject, "float64"):
        # Classes can be exchanged only as distributions.
        if points.t.shape != points.y.shape:
            continue
        here, there = (
            subject.losses(*pair) for pair in ((points.y, points.t), (points.t, points.y))
        )
        with np.errstate(invalid="ignore"):
            bad = ~(np.abs(there - here) <= _EXCHANGED * np.abs(here)) & (here != there)
        bad &= ~(np.isnan(here) & np.isnan(there))
        if subject.truth is not None and bad.any():
            # Both may be right: a small angle between rows has fewer digits than they have.
            bad[bad] = judge(subject, points.take(np.flatnonzero(bad)), there[bad], 0).is_wrong
        if bad.any():
            one = first_bad(bad)
            text = (
                f"the value is {here[one]:.9g}, and {there[one]:.9g} after prediction and target "
                "are exchanged."
            )
            raise Counterexample.at_point(points, one, text, "value(y, t), value(t, y)")


@check("claim:shift_invariant")
def check_shift_invariant(subject: Subject, search: Search) -> None:
    """Claim: adding one constant to a row of logits does not change the result."""
    if not subject.rows:
        raise NotApplicable("only a loss of rows can be shift-invariant")
    for points in (*search.points(subject, "float64"), *many_class_points(subject, search)):
        some = points.keep(np.isfinite(points.y) & (np.abs(points.y) < 30))
        y = np.round(some.y / _GRID) * _GRID
        here = subject.losses(y, some.t)
        for shift in _SHIFTS:
            there = subject.losses(y + shift, some.t)
            # Sums and differences of logits round as large as these are.
            size = np.fmax(np.abs(y).max(-1), np.abs(y + shift).max(-1))
            bad = ~(np.abs(there - here) <= 1e-12 * (1 + np.abs(here) + size))
            bad &= np.isfinite(here) & are_promised(subject, y + shift).all(-1)
            if bad.any():
                one = int(np.flatnonzero(bad)[np.argmin(np.abs(y[bad]).max(-1))])
                text = (
                    f"the value is {here[one]:.9g}, and {there[one]:.9g} after {shift:g} is added "
                    f"to each {'prediction' if subject.kind == 'group' else 'logit'}."
                )
                both = f"value(y, t), value(y + {shift!r}, t)"
                raise Counterexample.at_point(Points(y, some.t), one, text, both)
    if subject.kind == "group":
        check_derivatives_of_shift(subject, search)


@check("claim:permutation_equivariant")
def check_permutation_equivariant(subject: Subject, search: Search) -> None:
    """Claim: renaming the classes in prediction and target does not change the result."""
    if not subject.rows:
        raise NotApplicable("there are no classes to permute")
    for points in (*search.points(subject, "float64"), *many_class_points(subject, search)):
        columns = points.y.shape[-1]
        order = search.rng(f"renaming {columns}").permutation(columns)
        if columns > 1 and (order == np.arange(columns)).all():
            order = np.roll(order, 1)
        some = points.keep(np.isfinite(points.y))
        if some.t.ndim == 1 and some.t.dtype.kind in "iu":
            t, target_code = np.argsort(order)[some.t], f"np.array({np.argsort(order).tolist()})[t]"
        else:
            t, target_code = some.t[:, order], f"t[:, {order.tolist()}]"
        here = subject.losses(some.y, some.t)
        there = subject.losses(some.y[:, order], t)
        # A sum in another order rounds otherwise, relative to its largest term.
        bad = ~(np.abs(here - there) <= 1e-12 * (1 + np.abs(here)))
        bad &= np.isfinite(here) | np.isfinite(there)
        bad &= ~(np.isnan(here) & np.isnan(there))
        if bad.any():
            one = first_bad(bad)
            text = (
                f"the value is {here[one]:.9g}, and {there[one]:.9g} after the classes are "
                "permuted."
            )
            code = f"value(y, t), value(y[:, {order.tolist()}], {target_code})"
            raise Counterexample.at_point(some, one, text, code)


_CODE = (
    "value(y, t), sum(q * value(y, np.array([k])) for k, q in enumerate(t[0])) if y.ndim > 1 "
    "else t * value(y, np.ones(1)) + (1 - t) * value(y, np.zeros(1))"
)


@check("claim:linear_in_target")
def check_linear_in_target(subject: Subject, search: Search) -> None:
    """Claim: the loss of a soft target is the mean of the losses of its classes."""
    if subject.rows and not (subject.by_index and subject.takes_distributions):
        raise NotApplicable("targets are not distributions over classes")
    if not subject.rows and (subject.target is not UNIT or subject.kind != "pointwise"):
        raise NotApplicable("targets are not probabilities")
    for points in search.points(subject, "float64"):
        finite: NDArray = np.isfinite(points.y)
        some = points.take(np.asarray(finite.reshape(len(points), -1).all(-1)))
        _check_linear_in_target(subject, some, search.rng(f"linear {points.y.shape[-1]}"))


def _check_linear_in_target(subject: Subject, points: Points, rng: np.random.Generator) -> None:
    y, count = points.y, len(points)
    if subject.rows:
        columns = y.shape[-1]
        t = usual_members(SIMPLEX, rng, (count, columns))
        shares = t.T
        terms = [subject.losses(y, np.full(count, k)) for k in range(columns)]
    else:
        t = rng.choice([0.25, 0.5, 0.9], count)
        shares = np.stack([t, 1 - t])
        terms = [subject.losses(y, np.ones(count)), subject.losses(y, np.zeros(count))]
    soft = subject.losses(y, t)
    with np.errstate(all="ignore"):
        each = np.stack([np.where(q == 0, 0, q * v) for q, v in zip(shares, terms, strict=True)])
        expected, size = each.sum(0), np.abs(each).sum(0)
        near = np.abs(soft - expected) <= OUTSIDE_ULPS * (EPS * size + TINY)
    bad = np.isfinite(expected) & ~near
    if bad.any():
        one = first_bad(bad)
        text = (
            f"the loss of the soft target is {soft[one]:.9g}; the losses of its classes, weighted "
            f"by it, sum to {expected[one]:.9g}."
        )
        raise Counterexample.at_point(Points(y, t), one, text, _CODE)
