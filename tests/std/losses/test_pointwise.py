"""Relative errors, and the likelihood with a predicted variance."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import lossfw
from lossfw import DomainError, ShapeError

inf, nan = math.inf, math.nan

LOG = lossfw.loss("squared_log_error")
PERCENT = lossfw.loss("absolute_percentage_error")
VARIANCE = lossfw.loss("heteroscedastic_gaussian_nll")

above = st.floats(-1, 1e6, exclude_min=True)
reals = st.floats(-1e6, 1e6)


class TestSquaredLogError:
    def test_the_example_of_scikit_learn(self):
        # From the documentation of metrics.mean_squared_log_error.
        found = LOG([2.5, 5, 4, 8], [3, 5, 2.5, 7])
        assert found == pytest.approx(0.039, abs=1e-3)

    @given(above, above)
    def test_it_is_symmetric(self, y, t):
        assert LOG([y], [t]) == LOG([t], [y])

    @given(above, above)
    def test_it_is_the_squared_error_of_logarithms(self, y, t):
        wanted = lossfw.loss("squared_error")([math.log1p(y)], [math.log1p(t)])
        assert LOG([y], [t]) == pytest.approx(wanted, rel=1e-9, abs=1e-20)

    @given(above)
    def test_zero_at_the_target_and_nowhere_else(self, t):
        assert LOG([t], [t]) == 0
        assert LOG.gradient([t], [t])[0] == 0
        other = math.nextafter(t, inf)
        assert LOG([other], [t]) > 0 or abs(other - t) < 1e-160

    def test_near_zero_it_is_the_squared_error(self):
        y, t = np.array([1e-9, 2e-12]), np.array([3e-9, 1e-12])
        assert LOG(y, t, reduction="none") == pytest.approx((y - t) ** 2, rel=1e-8)

    def test_it_bends_the_other_way_far_above_the_target(self):
        beyond = math.e * (1 + 2.0) - 1
        bend = LOG.hessian([beyond - 0.1, beyond + 0.1], [2.0, 2.0])
        assert bend[0] > 0 > bend[1]
        assert not LOG.claims().convex

    def test_infinity_and_nan(self):
        y, t = [inf, nan], [1.0, 1.0]
        assert LOG(y, t, reduction="none")[0] == inf
        assert LOG.gradient(y, t)[0] == LOG.hessian(y, t)[0] == 0
        for call in (LOG, LOG.gradient, LOG.hessian):
            assert np.isnan(call(y, t, reduction="none")[1])

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

    @given(reals, reals.filter(lambda t: abs(t) > 1e-6), st.integers(-20, 20))
    def test_scaling_both_changes_nothing(self, y, t, k):
        assert PERCENT([y * 2.0**k], [t * 2.0**k]) == PERCENT([y], [t])

    @given(reals, reals.filter(lambda t: abs(t) > 1e-6))
    def test_it_is_the_absolute_error_weighted_by_the_target(self, y, t):
        wanted = lossfw.loss("absolute_error")([y], [t]) / abs(t)
        assert PERCENT([y], [t]) == pytest.approx(wanted, rel=1e-15)

    @given(reals, reals, st.floats(1e-3, 1e3))
    def test_a_floor_is_the_least_denominator(self, y, t, floor):
        loss = lossfw.loss("absolute_percentage_error", floor=floor)
        assert loss([y], [t]) == pytest.approx(abs(y - t) / max(abs(t), floor), rel=1e-15)
        if abs(t) >= floor:
            assert loss([y], [t]) == PERCENT([y], [t])

    def test_a_target_of_zero_needs_a_floor(self):
        with pytest.raises(DomainError, match=r"target\[1\] = 0 lies outside .*floor"):
            PERCENT([1.0, 1.0], [2.0, 0.0])
        assert lossfw.loss("absolute_percentage_error", floor=0.5)([1.0], [0.0]) == 2

    def test_derivatives(self):
        y, t = [3.0, -3.0, 2.0, inf, nan], [2.0, 2.0, 2.0, 2.0, 2.0]
        slope = PERCENT.gradient(y, t, reduction="none")
        assert slope[:4].tolist() == [0.5, -0.5, 0.0, 0.5]
        assert PERCENT.hessian(y, t, reduction="none")[:4].tolist() == [0] * 4
        assert np.isnan(slope[4])
        assert np.isnan(PERCENT.hessian(y, t, reduction="none")[4])

    def test_the_difference_of_large_numbers_may_overflow_and_the_share_not(self):
        assert PERCENT([1.5e308], [-1.5e308]) == 2
        found = PERCENT(np.array([3e38], np.float32), np.array([-3e38], np.float32))
        assert found == 2

    def test_a_floor_bounds_the_slope(self):
        loss = lossfw.loss("absolute_percentage_error", floor=0.25)
        assert loss.claims().lipschitz == 4
        assert loss.gradient([1.0], [0.0])[0] == 4
        assert PERCENT.claims().lipschitz is None


class TestHeteroscedastic:
    @pytest.mark.parametrize("full", [True, False])
    @given(m=reals, t=reals, v=st.floats(0.01, 100))
    def test_it_is_the_likelihood_of_a_known_variance(self, full, m, t, v):
        # exp(log(v)) is v but for its last digits.
        known = lossfw.loss("gaussian_nll", variance=v, full=full)
        loss = lossfw.loss("heteroscedastic_gaussian_nll", full=full)
        assert loss([[m, math.log(v)]], [t]) == pytest.approx(known([m], [t]), rel=1e-13, abs=1e-12)
        slope = loss.gradient([[m, math.log(v)]], [t])[0, 0]
        assert slope == pytest.approx(known.gradient([m], [t])[0], rel=1e-13)

    def test_mean_and_variance_of_the_targets_are_best(self):
        t = np.array([1.0, 2.0, 4.0, 9.0])
        best = np.tile([t.mean(), math.log(t.var())], (4, 1))
        assert VARIANCE.gradient(best, t).sum(axis=0) == pytest.approx([0, 0], abs=1e-15)

    def test_shapes(self):
        y, t = np.zeros((2, 3, 2)), np.ones((2, 3))
        assert VARIANCE(y, t, reduction="none").shape == (2, 3)
        assert VARIANCE.gradient(y, t).shape == VARIANCE.hessian(y, t).shape == y.shape
        assert VARIANCE([0.0, 0.0], 1.0) == pytest.approx((1 + math.log(2 * math.pi)) / 2)
        assert VARIANCE.gradient([0.0, 0.0], 1.0).tolist() == [-1, 0]
        total, slope = VARIANCE.value_and_gradient(y, t)
        assert total == VARIANCE(y, t)
        assert np.array_equal(slope, VARIANCE.gradient(y, t))

    @pytest.mark.parametrize("columns", [1, 3])
    def test_other_numbers_of_columns_are_refused(self, columns):
        with pytest.raises(ShapeError, match="wants 2, the mean and the logarithm of the variance"):
            VARIANCE(np.zeros((4, columns)), np.zeros(4))

    @pytest.mark.parametrize("shape", [(4, 2), (4, 1), (3,), ()])
    def test_a_target_is_one_number_per_row(self, shape):
        with pytest.raises(ShapeError, match=r"prediction has shape \(4, 2\) and target"):
            VARIANCE(np.zeros((4, 2)), np.zeros(shape))

    def test_huge_and_tiny_variances(self):
        # (m - t)^2 exp(-s) = 1e400 exp(-921) = 10^(400 - 400.0)
        s = 400 * math.log(10)
        found = VARIANCE(
            [[1e200, s], [1e-200, -s], [0.0, -2000.0], [1.0, 2000.0]], [0.0] * 4, reduction="none"
        )
        half = 0.5 * math.log(2 * math.pi)
        wanted = [s / 2 + 0.5, -s / 2 + 0.5, -1000, 1000]
        assert found == pytest.approx(np.array(wanted) + half, rel=1e-12)

    def test_it_has_no_bound_below_and_is_not_convex(self):
        assert VARIANCE([[0.0, -1e5]], [0.0]) < -1e4
        ends = VARIANCE([[-2.0, -1.0], [2.0, 3.0]], [0.0, 0.0], reduction="none")
        corner = np.array([[1.0, 0.0], [3.0, 1.0]])
        middle = VARIANCE([corner.mean(axis=0)], [0.0])
        assert middle > VARIANCE(corner, [0.0, 0.0]) or ends.min() < 0
        assert not VARIANCE.claims().convex
        assert VARIANCE.claims().lower_bound is None
