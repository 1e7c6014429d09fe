"""Attack on linearity in the target: the loss of a soft target is the mean over its classes."""

from __future__ import annotations

import numpy as np

from lossfw.check.core.points import Points, first
from lossfw.check.core.session import NotApplicable, Refuted, Search, check
from lossfw.check.core.subject import OUTSIDE_ULPS, Subject, call
from lossfw.components.spaces import UNIT
from lossfw.numerics.arrays import NDArray

_EPS = float(np.finfo(np.float64).eps)
_TINY = float(np.finfo(np.float64).smallest_subnormal)

_CODE = (
    "value(y, t), sum(q * value(y, np.array([k])) for k, q in enumerate(t[0])) if y.ndim > 1 "
    "else t * value(y, np.ones(1)) + (1 - t) * value(y, np.zeros(1))"
)


@check("claim:linear_in_target")
def check_linear_in_target(subject: Subject, search: Search) -> None:
    """Claim: the loss of a soft target is the mean of the losses of its classes."""
    if subject.rows and not (subject.by_index and subject.soft):
        raise NotApplicable("targets are no distributions over classes")
    if not subject.rows and (subject.target is not UNIT or subject.kind != "pointwise"):
        raise NotApplicable("targets are no probabilities")
    for points in search.points(subject, "float64"):
        finite: NDArray = np.isfinite(points.y)
        some = points.take(np.asarray(finite.reshape(len(points), -1).all(-1)))
        _one_set(subject, some, search.rng(f"linear {points.y.shape[-1]}"))


def _one_set(subject: Subject, points: Points, rng: np.random.Generator) -> None:
    y, count = points.y, len(points)
    if subject.rows:
        columns = y.shape[-1]
        t = rng.dirichlet(np.ones(columns), count)
        shares = t.T
        terms = [_values(subject, y, np.full(count, k)) for k in range(columns)]
    else:
        t = rng.choice([0.25, 0.5, 0.9], count)
        shares = np.stack([t, 1 - t])
        terms = [_values(subject, y, np.ones(count)), _values(subject, y, np.zeros(count))]
    soft = _values(subject, y, t)
    with np.errstate(all="ignore"):
        each = np.stack([np.where(q == 0, 0, q * v) for q, v in zip(shares, terms, strict=True)])
        wanted, size = each.sum(0), np.abs(each).sum(0)
        near = np.abs(soft - wanted) <= OUTSIDE_ULPS * (_EPS * size + _TINY)
    bad = np.isfinite(wanted) & ~near
    if bad.any():
        text = (
            f"the loss of the soft target is {soft[first(bad)]:.9g}; the losses of its classes, "
            f"weighted by it, sum to {wanted[first(bad)]:.9g}."
        )
        raise Refuted.at(Points(y, t), first(bad), text, _CODE)


def _values(subject: Subject, y: NDArray, t: NDArray) -> NDArray:
    return np.asarray(call(subject.value, y, t), np.float64)
