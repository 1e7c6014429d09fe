"""Predictions that nobody can use are worth a note, and others are not."""

import numpy as np
import pytest

from lossfw import LOG, REAL, Columns, PointwiseLoss
from lossfw.check import check
from lossfw.check.core.gravity import are_useless
from lossfw.check.core.points import Points
from lossfw.check.core.subject import subject_of_component


class OfLogVariance(PointwiseLoss):
    """Its author has not said that log_var goes through an exponential."""

    prediction = Columns.of(mean=REAL, log_var=REAL)

    def value(self, xp, y, t):
        return (y.log_var + (t - y.mean) ** 2 * xp.exp(-y.log_var)) / 2


class Declared(OfLogVariance):
    """The cure."""

    prediction = Columns.of(mean=REAL, log_var=LOG)


@pytest.mark.parametrize(
    ("dtype", "log_var", "expected"),
    # exp(88.7) is the largest float of single precision, and exp(709.7) of double precision.
    [("float64", -800.0, True), ("float64", -690.0, False), ("float64", 800.0, False),
     ("float32", -100.0, True), ("float32", -80.0, False)],
)  # fmt: skip
def test_a_prediction_is_useless_where_losses_are_above_every_float(dtype, log_var, expected):
    points = Points(np.array([[0.5, log_var]], dtype), np.array([0.5], dtype))
    assert are_useless(subject_of_component(OfLogVariance()), points) == [expected]


def test_a_note_names_the_number_that_needs_the_space_of_logarithms():
    only = ["nan:legal", "value", "gradient", "hessian"]
    report = check(OfLogVariance(), examples=60, only=only)
    assert report.ok
    assert {found.grade for found in report.refuted} == {"extreme"}
    for found in report.refuted:
        assert "Declare the space LOG for y.log_var: sizes" in found.message
    assert check(Declared(), examples=60, only=only).refuted == []
