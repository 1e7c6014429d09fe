"""Attacks on bounds: non-negative, lower and upper bound, zero at the target, finite at the edge.

Signs and zeros are exact; other bounds hold up to rounding.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from lossfw.check.core.points import Points
from lossfw.check.core.session import Check, NotApplicable, Refuted, Search
from lossfw.check.core.subject import Subject, call
from lossfw.components.spaces import BINARY, CLASS_INDEX, LOGITS, SIMPLEX, UNIT

_DTYPES = ("float64", "float32")

# A bound other than 0 may be missed by rounding: so many units of the result.
_BOUND_ULPS = 8


def _values(subject: Subject, points: Points) -> Any:
    return np.asarray(call(subject.value, points.y, points.t))


def _first(points: Points, bad: Any, values: Any, text: str) -> Refuted:
    """Return the refutation of the point whose numbers are the smallest."""
    index = np.flatnonzero(bad)
    sizes = [np.abs(np.nan_to_num(points.y[i], posinf=1e300, neginf=1e300)).max() for i in index]
    one = int(index[int(np.argmin(sizes))])
    return Refuted(
        text.format(float(values[one])), y=points.y[one : one + 1], t=points.t[one : one + 1]
    )


def check_nonnegative(subject: Subject, search: Search) -> int:
    """Claim: the value is at least 0, exactly."""
    tried = 0
    for dtype in _DTYPES:
        for points in search.points(subject, dtype):
            values = _values(subject, points)
            tried += len(points)
            if (values < 0).any():
                raise _first(points, values < 0, values, "the value is {:.9g}, below 0.")
    return tried


def check_lower_bound(subject: Subject, search: Search) -> int:
    """Claim: the value is at least the bound."""
    bound, tried = float(subject.claims["lower_bound"]), 0
    for dtype in _DTYPES:
        slack = _BOUND_ULPS * float(np.finfo(dtype).eps) * abs(bound)
        for points in search.points(subject, dtype):
            values = _values(subject, points)
            tried += len(points)
            bad = values.astype(np.float64) < bound - slack
            if bad.any():
                text = f"the value is {{:.9g}}, below the claimed lower bound {bound!r}."
                raise _first(points, bad, values, text)
    return tried


def check_bounded(subject: Subject, search: Search) -> int:
    """Claim: the value is at most the bound."""
    bound, tried = float(subject.claims["bounded"]), 0
    for dtype in _DTYPES:
        slack = _BOUND_ULPS * float(np.finfo(dtype).eps) * abs(bound)
        for points in search.points(subject, dtype):
            values = _values(subject, points)
            tried += len(points)
            bad = values.astype(np.float64) > bound + slack
            if bad.any():
                text = f"the value is {{:.9g}}, above the claimed bound {bound!r}."
                raise _first(points, bad, values, text)
    return tried


def check_zero_at_target(subject: Subject, search: Search) -> int:
    """Claim: the value is exactly 0 where the prediction is the target."""
    tried = 0
    for dtype in _DTYPES:
        for points in _at_target(subject, search, dtype):
            values = _values(subject, points)
            tried += len(points)
            if (values != 0).any():
                text = "at y = t the value is {:.9g}, and not 0."
                raise _first(points, values != 0, values, text)
    if not tried:
        raise NotApplicable("no target is a possible prediction")
    return tried


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


def check_finite_at_boundary(subject: Subject, search: Search) -> int:
    """Claim: the value is finite for predictions with exact zeros and ones."""
    tried = 0
    for dtype in _DTYPES:
        for points in _boundary(subject, dtype):
            values = _values(subject, points)
            tried += len(points)
            if not np.isfinite(values).all():
                text = "at the boundary the value is {}, and not finite."
                raise _first(points, ~np.isfinite(values), values, text)
    return tried


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


CHECKS: dict[str, Check] = {
    "nonnegative": check_nonnegative,
    "lower_bound": check_lower_bound,
    "bounded": check_bounded,
    "zero_at_target": check_zero_at_target,
    "finite_at_boundary": check_finite_at_boundary,
}
