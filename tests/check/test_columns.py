"""The harness draws columns and vectors, finds what is wrong, and names the column."""

from typing import ClassVar

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lossfw import BINARY, NONNEGATIVE, REAL, Claims, Columns, DomainError, PointwiseLoss
from lossfw.check import check, check_function
from lossfw.check.strategies import pairs
from lossfw.numerics import namespace_of


class Distance(PointwiseLoss):
    """Squared distance in the plane, twice along the first axis."""

    prediction = target = Columns.of(east=REAL, north=REAL)

    def value(self, xp, y, t):
        return 2 * (y.east - t.east) ** 2 + (y.north - t.north) ** 2

    def claims(self):
        return Claims(convex=True, nonnegative=True, zero_at_target=True, smooth=True)


class OtherOrder(Distance):
    """Its derivatives are in the wrong order."""

    def derivative(self, xp, y, t):
        return 2 * (y.north - t.north), 4 * (y.east - t.east)


class Product(Distance):
    """Convex in each column, and not in the row."""

    def value(self, xp, y, t):
        return (y.east * y.north - t.east) ** 2


class Interval(PointwiseLoss):
    """The squared distance from an interval."""

    prediction, target = REAL, Columns.of(lower=REAL, upper=REAL)

    def check_domain(self, y, t, by_index, start):
        super().check_domain(y, t, by_index, start)
        ends = self.target_space.to_record(t)
        if namespace_of(t).any(ends.lower > ends.upper):
            raise DomainError("lower lies above upper.")

    def value(self, xp, y, t):
        gap = xp.maximum(xp.maximum(t.lower - y, y - t.upper), 0.0 * y)
        return gap * gap

    def claims(self):
        return Claims(convex=True, nonnegative=True)


class Time(PointwiseLoss):
    """A bounded function of a time and an event; it is not convex."""

    prediction, target = REAL, Columns.of(time=NONNEGATIVE, event=BINARY)
    wrong: ClassVar[float] = 0.0

    def value(self, xp, y, t):
        return xp.tanh(t.time / (1 + t.time)) / (1 + y * y) + t.event

    def claims(self):
        return Claims(lower_bound=1.0)


CHECKS = (
    *("shape:result", "shape:layout", "shape:broadcast", "nan", "nan:legal", "domain", "value"),
    *("gradient", "hessian", "reductions", "mask"),
    *("value:roundtrip", "claim:convex", "claim:nonnegative", "dtype:half", "dtype:inputs"),
)


@pytest.mark.parametrize("loss", [Distance(), Interval()], ids=repr)
def test_nothing_true_is_refuted(loss):
    report = check(loss, examples=24, only=CHECKS)
    assert report.refuted == [], str(report)
    assert set(CHECKS) <= {one.check for one in report.passed}


@pytest.mark.parametrize(
    ("loss", "name", "place"),
    [
        (OtherOrder(), "gradient", "y.east = "),
        (Product(), "claim:convex", "a.east = "),
        (Time(), "claim:lower_bound", "t.time = 0.0, t.event = 0.0"),
    ],
)
def test_what_is_wrong_is_found_and_named_by_column(loss, name, place):
    report = check(loss, examples=24, only=[name])
    (found,) = [one for one in report.refuted if one.check == name]
    assert place in str(found)


@pytest.mark.parametrize("loss", [Distance(), Interval(), Time()], ids=repr)
@settings(max_examples=3)
@given(data=st.data())
def test_strategies_give_arguments_of_a_call(loss, data):
    y, t = data.draw(pairs(loss, rows=3))
    assert loss(y, t, reduction="none").shape == (3,)


def waiting(y, t):
    """Return the loss of an exponential time that may be censored, of numbers and rows."""
    assert t.shape == (*y.shape, 2)
    return t[..., 0] * np.exp(y) - t[..., 1] * y


class Waiting(PointwiseLoss):
    """A number beside a target with columns."""

    prediction: ClassVar = REAL
    target: ClassVar = Columns.of(time=NONNEGATIVE, event=BINARY)

    def value(self, xp, y, t):
        return t.time * xp.exp(y) - t.event * y


@pytest.mark.slow
def test_an_outside_function_gets_arrays_of_the_shapes_of_the_loss():
    options = {"against": Waiting(), "examples": 10, "only": ["value"], "within": (1e-3, 1e2)}
    assert check_function(waiting, **options).refuted == []
    (found,) = check_function(lambda y, t: 2 * waiting(y, t), **options).refuted
    assert found.check == "value"
