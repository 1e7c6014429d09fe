"""Attacks on bounds: non-negative, lower and upper bound, zero at the target, finite at the edge.

Signs and zeros are exact; other bounds hold up to rounding.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np

from lossfw.check.core.search import Counterexample, NotApplicable, Search, check
from lossfw.check.core.subject import Points, Subject, call
from lossfw.components.spaces import BINARY, CLASS_INDEX, LOGITS, SIMPLEX, UNIT
from lossfw.numerics.arrays import NDArray

_DTYPES = ("float64", "float32")

# A bound other than 0 may be missed by rounding: so many units of the result.
_BOUND_ULPS = 8


def _refute(
    subject: Subject,
    sets: Iterable[Points],
    wrong: Callable[[NDArray], NDArray],
    text: str,
) -> None:
    """Refute if values are wrong at some points: by the point whose numbers are the smallest."""
    for points in sets:
        values = np.asarray(call(subject.value, points.y, points.t))
        bad = np.flatnonzero(wrong(values))
        if bad.size:
            y = np.nan_to_num(points.y[bad], posinf=1e300, neginf=1e300)
            one = int(bad[np.argmin(np.abs(y).reshape(bad.size, -1).max(-1))])
            raise Counterexample.at(points, one, text.format(float(values[one])))


@check("claim:nonnegative")
def check_nonnegative(subject: Subject, search: Search) -> None:
    """Claim: the value is at least 0, exactly."""
    for dtype in _DTYPES:
        sets = search.points(subject, dtype)
        _refute(subject, sets, lambda values: values < 0, "the value is {:.9g}, below 0.")


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
    for dtype in _DTYPES:
        slack = _BOUND_ULPS * float(np.finfo(dtype).eps) * abs(bound)

        def wrong(values: NDArray, slack: float = slack) -> NDArray:
            return np.asarray(sign * (values.astype(np.float64) - bound) < -slack)

        _refute(subject, search.points(subject, dtype), wrong, f"the value is {{:.9g}}, {text}")


@check("claim:zero_at_target")
def check_zero_at_target(subject: Subject, search: Search) -> None:
    """Claim: the value is exactly 0 where the prediction is the target."""
    for dtype in _DTYPES:
        sets = _at_target(subject, search, dtype)
        _refute(subject, sets, lambda x: x != 0, "at y = t the value is {:.9g}, and not 0.")
    if not search.tried:
        raise NotApplicable("no target is a possible prediction")


def _at_target(subject: Subject, search: Search, dtype: str) -> list[Points]:
    if subject.target is CLASS_INDEX:
        if subject.prediction not in (SIMPLEX, UNIT):
            return []
        return [Points(np.eye(k, dtype=dtype), np.arange(k)) for k in subject.columns]
    found = []
    for points in search.points(subject, dtype):
        inside = subject.prediction.outside(points.t.astype(dtype))
        if inside is None:
            target = points.keep(np.isfinite(points.t)).t.astype(dtype)
            found.append(Points(target.copy(), target))
    return found


@check("claim:finite_at_boundary")
def check_finite_at_boundary(subject: Subject, search: Search) -> None:
    """Claim: the value is finite for predictions with exact zeros and ones."""
    text = "at the boundary the value is {}, and not finite."
    for dtype in _DTYPES:
        _refute(subject, _boundary(subject, dtype), lambda values: ~np.isfinite(values), text)


def _boundary(subject: Subject, dtype: str) -> list[Points]:
    if not subject.rows:
        if subject.prediction is not UNIT:
            raise NotApplicable("predictions have no exact zeros and ones")
        t = np.array([0, 1] if subject.target is BINARY else [0, 1, 0.5, 0.25], dtype)
        y, t = np.meshgrid(np.array([0, 1], dtype), t)
        return [Points(y.ravel(), t.ravel())]
    if subject.prediction is LOGITS:
        raise NotApplicable("logits have no boundary")
    found = []
    for k in subject.columns:
        which = np.indices((k, k)).reshape(2, -1)
        y = np.eye(k, dtype=dtype)[which[0]]
        t = which[1] if subject.by_index else np.eye(k, dtype=dtype)[which[1]]
        found.append(Points(y, t))
        if subject.prediction is UNIT:
            ends = np.array(np.meshgrid(*[[0, 1]] * k)).reshape(k, -1).T.astype(dtype)
            found.append(Points(ends, ends[::-1].copy()))
    return found
