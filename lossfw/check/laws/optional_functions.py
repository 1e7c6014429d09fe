"""Checks of functions that a component may add: value with derivative, and a curvature bound.

A function that computes two results together is right if it agrees with the separate functions up
to rounding. Otherwise either may have lost digits, so the formula decides.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from lossfw.check.core.inner import inner_points
from lossfw.check.core.judge import judge
from lossfw.check.core.points import (
    Points,
    any_in_row,
    drop_masked,
    first_bad,
    is_inside,
    shortest_written,
)
from lossfw.check.core.search import (
    Counterexample,
    NotApplicable,
    Search,
    check,
    format_number,
    is_close,
)
from lossfw.check.core.subject import Subject, call
from lossfw.losses.loss import Loss
from lossfw.numerics.arrays import NDArray

# If more differ, so many are compared with the formula.
_MOST = 24

_NAMES = ("value", "derivative")
_APART = ("_unreduced", "_unreduced_gradient")
_CODE = "loss.value_and_gradient(y, t, reduction='sum'), value(y, t), gradient(y, t)"

# Their functions of both call those of each, or dual numbers.
_DEFAULTS = ("lossfw.losses.bodies", "lossfw.losses.base", "lossfw.losses.kinds")


@check("gradient:both")
def check_both(subject: Subject, search: Search) -> None:
    """Value and derivative computed together equal those computed separately."""
    assert subject.component is not None
    loss, body = type(subject.component), type(subject.component.body)
    names = ("value_and_derivative", "value_and_derivative_at")
    functions = [loss._compute_losses, *(getattr(body, name, None) for name in names)]
    if all(getattr(f, "__module__", _DEFAULTS[0]) in _DEFAULTS for f in functions):
        raise NotApplicable("the class has no function that computes both")
    compare_both(subject, search, _CODE)


def compare_both(subject: Subject, search: Search, code: str) -> None:
    """Refute a component whose value or derivative differs if computed together.

    The expression `code` shows the difference.
    """
    loss = None if subject.component is None else subject.truth
    for points in search.points(subject):
        some = drop_masked(subject, inner_points(subject, points))
        if not len(some):
            continue
        at = "_at" if subject.by_index and some.t.ndim < some.y.ndim else ""
        search.count(len(some))
        both = call(getattr(loss, f"_unreduced_with_gradient{at}"), np, some.y, some.t)
        for order, (own, actual) in enumerate(zip(_APART, both, strict=True)):
            expected = call(getattr(loss, own + at), np, some.y, some.t)
            _compare(subject, some, order, code, np.asarray(actual), np.asarray(expected))


def _compare(
    subject: Subject, points: Points, order: int, code: str, actual: NDArray, expected: NDArray
) -> None:
    """Refute one of two results that differs from that of its own function."""
    together, alone = f"computed together, the {_NAMES[order]}", "computed alone, it"
    if actual.shape != expected.shape or actual.dtype != expected.dtype:
        text = (
            f"{together} has shape {actual.shape} and dtype {actual.dtype}; {alone} has "
            f"{expected.shape} and {expected.dtype}."
        )
        raise Counterexample.with_points(points.take(slice(2)), text, code)
    differ = np.flatnonzero(any_in_row(~is_close(actual, expected)))[:_MOST]
    if not differ.size:
        return
    wrong = np.zeros(len(points), bool)
    wrong[differ] = any_in_row(judge(subject, points.take(differ), actual[differ], order).is_wrong)
    if wrong.any():
        one = shortest_written(points, wrong)
        text = (
            f"{together} is {format_number(actual[one], 17)}; {alone} is "
            f"{format_number(expected[one], 17)}."
        )
        raise Counterexample.at_point(points, one, text, code)


_BOUND_CODE = "loss._unreduced_curvature_bound(np, y, t)"

# Sizes of steps, of which the drawn directions are multiples.
_STEPS = (1e-3, 0.1, 1.0, 10.0, 300.0)

# Larger predictions and targets leave no digits for the difference that is bounded.
_LARGEST = 1e4

# Rounding errors of value, derivative and bound, in parts of the largest term. They are added
# and cancel, so that this is more than a unit in the last place.
_SLACK = 1e-10

# Below the normal numbers a product has no such digits.
_TINY = float(np.finfo(np.float64).tiny)


@check("curvature:bound")
def check_curvature_bound(subject: Subject, search: Search) -> None:
    """With h the curvature bound, l(y + d) <= l + g d + h d^2 / 2 for every step d."""
    loss = None if subject.component is None else subject.truth
    assert loss is not None
    for points in search.points(subject, "float64"):
        some = points.keep((np.abs(points.y) <= _LARGEST) & np.isfinite(points.y))
        if len(some) and not subject.has_columns:
            # Targets are rows as their predictions, and of ordinary size.
            t = subject.exact.class_rows(some.y, some.t).astype(np.float64)
            some = Points(some.y, t).keep(np.abs(t) <= _LARGEST)
        if not len(some):
            continue
        if loss._unreduced_curvature_bound(np, some.y, some.t) is None:
            raise NotApplicable("the loss defines no curvature bound")
        for step in _difference_steps(search, some):
            _check_step(subject, search, loss, some, step)


def _difference_steps(search: Search, points: Points) -> Iterator[NDArray]:
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
    bound, derivative = (
        loss._unreduced_curvature_bound(np, y, t),
        loss._unreduced_gradient(np, y, t),
    )
    if bound is None or bound.shape != y.shape:
        text = "the bound does not have the shape of the prediction."
        raise Counterexample(text, _BOUND_CODE, y=y, t=t)
    terms = [
        loss._unreduced(np, y, t),
        *(_sum_rows(loss, x) for x in (derivative * d, bound * d * d / 2)),
    ]
    value = loss._unreduced(np, there.y[reached], t)
    excess = value - sum(terms)
    size = np.abs(value) + sum(np.abs(term) for term in terms)
    # An infinite bound bounds, and nothing can be said of an infinite loss.
    bad = np.isfinite(size) & (excess > _SLACK * size + _TINY) | np.isnan(_sum_rows(loss, bound))
    if bad.any():
        one = first_bad(bad)
        text = (
            f"after a step of {d[one]} the loss is {value[one]:.9g}, which is {excess[one]:.3g} "
            f"above the parabola with the curvature bound {bound[one]}."
        )
        raise Counterexample.at_point(Points(y, t), one, text, _BOUND_CODE)


def _sum_rows(loss: Loss, x: NDArray) -> NDArray:
    return np.asarray(x.sum(axis=-1)) if loss.takes_rows else x
