"""The law of the curvature bound: its parabola never lies below the loss."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from lossfw.check.core.points import Points, is_inside
from lossfw.check.core.session import NotApplicable, Refuted, Search, check
from lossfw.check.core.subject import Subject
from lossfw.losses.loss import Loss
from lossfw.numerics.arrays import NDArray

_CODE = "loss.curvature_bound(np, y, t)"

# Sizes of steps, of which the drawn directions are multiples.
_STEPS = (1e-3, 0.1, 1.0, 10.0, 300.0)

# Larger predictions and targets leave no digits for the difference that is bounded.
_LARGEST = 1e4

# Rounding errors of value, slope and bound, in parts of the largest term. They are added
# and cancel, so that this is no unit in the last place.
_SLACK = 1e-10

# Below the normal numbers a product has no such digits.
_TINY = float(np.finfo(np.float64).tiny)


@check("curvature:bound")
def check_curvature_bound(subject: Subject, search: Search) -> None:
    """With h the curvature bound, l(y + d) <= l + g d + h d^2 / 2 for every step d."""
    loss = subject.component
    assert loss is not None
    for points in search.points(subject, "float64"):
        usual = (np.abs(points.y) <= _LARGEST) & np.isfinite(points.y)
        some = _with_rows(subject, points.keep(usual))
        if not len(some):
            continue
        if loss.curvature_bound(np, some.y, some.t) is None:
            raise NotApplicable("the loss knows no bound of its curvature")
        for step in _steps(search, some):
            _check_step(subject, search, loss, some, step)


def _with_rows(subject: Subject, points: Points) -> Points:
    """Return points whose targets are rows as their predictions, and of ordinary size."""
    if not len(points) or subject.target_per_row:
        return points
    points = Points(points.y, subject.exact.full(points.y, points.t).astype(np.float64))
    return points.keep(np.abs(points.t) <= _LARGEST)


def _steps(search: Search, points: Points) -> Iterator[NDArray]:
    """Yield steps: of several sizes in any direction, to the target, and past it."""
    rng = search.rng(f"curvature:bound {points.y.shape}")
    for size in _STEPS:
        yield np.multiply(size, rng.normal(size=points.y.shape))
    if points.t.shape == points.y.shape:
        yield points.t - points.y
        yield 2.0 * (points.t - points.y)
    yield -points.y
    yield -2.0 * points.y


def _check_step(
    subject: Subject, search: Search, loss: Loss, points: Points, step: NDArray
) -> None:
    there = Points(points.y + step, points.t)
    reached = is_inside(subject, there)
    y, t = points.y[reached], points.t[reached]
    # Not the step that was asked for: one of the size of a rounding error is not taken as it is.
    d = there.y[reached] - y
    if not len(y):
        return
    search.count(len(y))
    bound, slope = loss.curvature_bound(np, y, t), loss.unreduced_gradient(np, y, t)
    if bound is None or bound.shape != y.shape:
        raise Refuted("the bound has not the shape of the prediction.", _CODE, y=y, t=t)
    terms = [loss.unreduced(np, y, t), *(_summed(loss, x) for x in (slope * d, bound * d * d / 2))]
    value = loss.unreduced(np, there.y[reached], t)
    excess = value - sum(terms)
    size = np.abs(value) + sum(np.abs(term) for term in terms)
    # An infinite bound bounds, and of an infinite loss nothing can be said.
    bad = np.isfinite(size) & (excess > _SLACK * size + _TINY) | np.isnan(_summed(loss, bound))
    if bad.any():
        at = int(np.argmax(bad))
        raise Refuted(
            f"after a step of {d[at]} the loss is {value[at]:.9g}, which is {excess[at]:.3g} above "
            f"the parabola with the curvature bound {bound[at]}.",
            _CODE,
            y=y[at : at + 1],
            t=t[at : at + 1],
        )


def _summed(loss: Loss, x: NDArray) -> NDArray:
    return np.asarray(x.sum(axis=-1)) if loss.takes_rows else x
