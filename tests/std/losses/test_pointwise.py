"""Relative errors, and the likelihood with a predicted variance."""

import math

import numpy as np
import pytest

import lossfw
from lossfw import DomainError, ShapeError

inf, nan = math.inf, math.nan

LOG = lossfw.loss("squared_log_error")
PERCENT = lossfw.loss("absolute_percentage_error")
VARIANCE = lossfw.loss("heteroscedastic_gaussian_nll")


class TestSquaredLogError:
    def test_the_example_of_scikit_learn(self):
        # From the documentation of metrics.mean_squared_log_error.
        found = LOG([2.5, 5, 4, 8], [3, 5, 2.5, 7])
        assert found == pytest.approx(0.039, abs=1e-3)

    @pytest.mark.parametrize("bad", [-1.0, -1000.0])
    def test_minus_one_and_below_are_refused(self, bad):
        with pytest.raises(DomainError, match=r"prediction\[1\].*the numbers above -1"):
            LOG([0.0, bad], [0.0, 0.0])
        with pytest.raises(DomainError, match=r"target\[0\]"):
            LOG([0.0], [bad])


class TestAbsolutePercentageError:
    def test_the_example_of_scikit_learn(self):
        # From the documentation of metrics.mean_absolute_percentage_error.
        assert PERCENT([2.5, 0.0, 2, 8], [3, -0.5, 2, 7]) == pytest.approx(0.3273, abs=1e-4)

    def test_a_target_of_zero_needs_a_floor(self):
        with pytest.raises(DomainError, match=r"target\[1\] = 0 lies outside .*floor"):
            PERCENT([1.0, 1.0], [2.0, 0.0])
        assert lossfw.loss("absolute_percentage_error", floor=0.5)([1.0], [0.0]) == 2

    def test_a_floor_bounds_the_derivative(self):
        loss = lossfw.loss("absolute_percentage_error", floor=0.25)
        assert loss.claims().lipschitz == 4
        assert loss.gradient([1.0], [0.0])[0] == 4
        assert PERCENT.claims().lipschitz is None


class TestHeteroscedastic:
    def test_shapes(self):
        y, t = np.zeros((2, 3, 2)), np.ones((2, 3))
        assert VARIANCE(y, t, reduction="none").shape == (2, 3)
        assert VARIANCE.gradient(y, t).shape == VARIANCE.hessian(y, t).shape == y.shape
        assert VARIANCE([0.0, 0.0], 1.0) == pytest.approx((1 + math.log(2 * math.pi)) / 2)
        assert VARIANCE.gradient([0.0, 0.0], 1.0).tolist() == [-1, 0]
        total, derivative = VARIANCE.value_and_gradient(y, t)
        assert total == VARIANCE(y, t)
        assert np.array_equal(derivative, VARIANCE.gradient(y, t))

    @pytest.mark.parametrize("columns", [1, 3])
    def test_other_numbers_of_columns_are_refused(self, columns):
        with pytest.raises(ShapeError, match="expected 2: mean, log_variance"):
            VARIANCE(np.zeros((4, columns)), np.zeros(4))

    @pytest.mark.parametrize("shape", [(4, 2), (4, 1), (3,), ()])
    def test_a_target_is_one_number_per_row(self, shape):
        with pytest.raises(ShapeError, match=r"prediction has shape \(4, 2\) and target"):
            VARIANCE(np.zeros((4, 2)), np.zeros(shape))


def test_a_distance_of_a_hinge_embedding_is_not_negative():
    loss = lossfw.loss("hinge_embedding")
    with pytest.raises(DomainError, match="NONNEGATIVE"):
        loss([-0.5], [1])
    # At the kink, far from it, and beside NaN.
    derivatives = loss.gradient([1.0, 1.0, nan], [-1, 1, 1], reduction="none")
    assert np.array_equal(derivatives, [0.0, 1.0, nan], equal_nan=True)
