"""A promise for a range of sizes: results and claims outside of it are looked at by no check."""

from typing import ClassVar

import numpy as np
import pytest

from lossfw import Claims, DistanceLoss, Interval, PointwiseLoss, PromisedRange
from lossfw.check import check
from lossfw.check.accuracy.measure import measure
from lossfw.check.core.search import Search
from lossfw.check.core.subject import subject_of_component
from lossfw.components.ranges import PROMISED
from lossfw.errors import ArgumentError

USUAL = PromisedRange(1e-3, 1e3)


class Square(DistanceLoss):
    """The square, right at a usual size."""

    prediction_range: ClassVar[PromisedRange] = USUAL
    # Residuals are as large as predictions.
    target_range: ClassVar[PromisedRange] = PromisedRange(0.0, 1e-250)

    def formula(self, xp, r):
        return r * r

    def value(self, xp, r):
        size = xp.abs(r)
        wrong = (size > 2e3) | ((size < 5e-4) & (size > 1e-200))
        return xp.where(wrong, -r, r * r)

    def claims(self):
        return Claims(convex=True, nonnegative=True, symmetric=True, gradient_lipschitz=2.0)


class Everywhere(Square):
    """It promises too much."""

    prediction_range = target_range = PROMISED


RESULTS = ("value", "gradient", "hessian", "claim")


def test_nothing_is_held_against_a_loss_outside_of_its_promise():
    report = check(Square(), examples=100, only=RESULTS)
    assert report.ok, str(report)
    assert check(Everywhere(), examples=100, only=RESULTS).refuted


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_points_lie_in_the_range_of_their_dtype(dtype):
    class Both(Square):
        """It promises less in float32."""

        prediction_range: ClassVar[PromisedRange] = PromisedRange(
            1e-100, 1e100, float32=(1e-10, 1e10)
        )

    (points,) = Search().points(subject_of_component(Both()), dtype)
    size = np.abs(points.y[points.y != 0]).astype(float)
    low, high = Both.prediction_range.limits(dtype)
    assert low <= size.min() < 10 * low
    assert high / 10 < size.max() <= high


def test_a_range_without_numbers_of_the_space_ends_the_search():
    class Nothing(PointwiseLoss):
        """Large shares are none."""

        prediction = Interval("SHARE", "the shares above 0", low=0.0, high=1.0, low_included=False)
        prediction_range = PromisedRange(1e3)

        def value(self, xp, y, t):
            return (y - t) ** 2

    assert not check(Nothing(), examples=20, only=["value", "shape"]).refuted
    assert not measure(Nothing(), "float64", points=50).results


def test_a_search_is_bounded_on_request():
    report = check(Everywhere(), examples=100, only=["value", "claim"], within=(1e-3, 1e3))
    near = [r for r in report.refuted if np.abs(r.inputs["y"]).max() > 1e3]
    assert not near
    assert report.remarks == [
        "results and claims were checked only for predictions and targets of size 0.001 to 1000"
    ]
    assert check(Square(), examples=100, only=["value"], within=(1e-9, 1e9)).refuted


def test_an_activation_is_not_checked_within_a_range():
    with pytest.raises(ArgumentError, match="only a loss is checked within a range"):
        check("tanh", within=(0, 1))
