"""Tests of claims of losses of groups: the order of rows, groups of one row, and shifts."""

from __future__ import annotations

import numpy as np

from lossfw.check.core.draw_groups import usual_group
from lossfw.check.core.points import Points, first_bad
from lossfw.check.core.search import Counterexample, NotApplicable, Search, check, format_number
from lossfw.check.core.subject import Subject, call
from lossfw.numerics.arrays import NDArray

# Rounding errors of sums in another order, relative to the largest number.
_ROUNDED = 1e-12

# Beyond this, sums of predictions lose digits.
_PLAIN = 1e3


def required_row_width(subject: Subject) -> int:
    """Return how many numbers the prediction of a row has; only for a loss of groups."""
    if subject.kind != "group":
        raise NotApplicable("only a loss of groups has groups of rows")
    width: int = subject.truth.width  # type: ignore[union-attr]  # a `GroupRows`
    return width


def take_group_rows(subject: Subject, points: Points, order: NDArray) -> Points:
    """Return groups with their rows in an order, or with some of them."""
    size = points.y.shape[-1] // required_row_width(subject)
    y, t = (x.reshape(len(x), size, -1)[:, order].reshape(len(x), -1) for x in (points.y, points.t))
    return Points(y, t)


def _scale(x: NDArray) -> NDArray:
    return np.asarray(1 + np.abs(x).reshape(len(x), -1).max(-1))


@check("claim:row_order")
def check_row_order(subject: Subject, search: Search) -> None:
    """Claim: the result does not depend on the order of the rows in a group."""
    width = required_row_width(subject)
    rng = search.rng("row order")
    for points in search.points(subject, "float64"):
        size = points.y.shape[-1] // width
        if size < 2:
            continue
        some = points.keep(np.isfinite(points.y) & (np.abs(points.y) < _PLAIN))
        for order in (np.arange(size)[::-1], rng.permutation(size)):
            moved = take_group_rows(subject, some, order)
            here, there = (subject.losses(one.y, one.t) for one in (some, moved))
            bad = ~(np.abs(here - there) <= _ROUNDED * _scale(here)) & (here != there)
            bad &= ~(np.isnan(here) & np.isnan(there))
            if bad.any():
                one = first_bad(bad)
                text = (
                    f"the value is {here[one]:.9g}, and {there[one]:.9g} with the rows in the "
                    f"order {order.tolist()}."
                )
                raise Counterexample.at_point(some, one, text)
            derivatives, others = (
                np.asarray(call(subject.gradient, one.y, one.t)) for one in (some, moved)
            )
            back = take_group_rows(subject, Points(derivatives, some.t), order).y
            differ = ~(np.abs(others - back) <= _ROUNDED * _scale(back)[:, np.newaxis])
            differ &= np.isfinite(back) & np.isfinite(others)
            if differ.any():
                one = first_bad(differ)
                text = (
                    f"the derivatives are {format_number(derivatives[one])}, and those of the rows "
                    f"in the order {order.tolist()} are {format_number(others[one])}."
                )
                raise Counterexample.at_point(some, one, text, "gradient(y, t)")


@check("claim:zero_alone")
def check_zero_alone(subject: Subject, search: Search) -> None:
    """Claim: a group of one row has the loss 0 and the derivative 0, exactly."""
    width = required_row_width(subject)
    for points in search.points(subject):
        if points.y.shape[-1] != width:
            continue
        some = points.keep(np.isfinite(points.y))
        values = subject.losses(some.y, some.t)
        derivatives = np.asarray(call(subject.gradient, some.y, some.t))
        for name, found in (("value", values[:, np.newaxis]), ("gradient", derivatives)):
            bad = (found != 0).any(-1)
            if bad.any():
                one = first_bad(bad)
                text = f"the {name} of one row alone is {format_number(found[one])}; expected 0."
                raise Counterexample.at_point(some, one, text, f"{name}(y, t)")


def check_derivatives_of_shift(subject: Subject, search: Search) -> None:
    """Refute derivatives of a group that do not sum to 0, although a shift changes nothing."""
    if required_row_width(subject) != 1:
        return
    rng = search.rng("derivatives of a shift")
    for size in (2, 5):
        points = usual_group(subject, size, rng, 20)
        derivatives = np.asarray(call(subject.gradient, points.y, points.t), np.float64)
        total, scale = derivatives.sum(-1), np.abs(derivatives).sum(-1)
        bad = ~(np.abs(total) <= _ROUNDED * (1 + scale)) & np.isfinite(scale)
        if bad.any():
            one = first_bad(bad)
            text = (
                f"the derivatives {format_number(derivatives[one])} sum to {total[one]:.3g}, and a "
                "shift of all predictions is claimed to change nothing."
            )
            raise Counterexample.at_point(points, one, text, "gradient(y, t)")
