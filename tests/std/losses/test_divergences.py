"""Kullback-Leibler and Jensen-Shannon: digits near equality, zeros, guards, constants."""

import math

import mpmath as mp
import numpy as np
import pytest

import lossfw

GUARDS = ["normalised", "additive", "floor", "none"]
INF = math.inf


def kl(**parameters):
    return lossfw.loss("kl_divergence", **parameters)


def js(**parameters):
    return lossfw.loss("js_divergence", **parameters)


class TestAccuracy:
    def test_near_equality_half_of_the_digits_are_not_lost(self):
        # t log(t / y) is 5e-10 for one class and -5e-10 for the other, their sum 4e-19.
        step = 2.0**-31
        y, t = [0.5 + step, 0.5 - step], [0.5, 0.5]
        with mp.workdps(50):
            exact = {
                "kl": -mp.log(1 - 4 * mp.mpf(step) ** 2) / 2,
                "reverse": (mp.mpf(0.5) + step) * mp.log(1 + 2 * mp.mpf(step))
                + (mp.mpf(0.5) - step) * mp.log(1 - 2 * mp.mpf(step)),
            }
        assert kl(guard="none")(y, t) == pytest.approx(float(exact["kl"]), rel=1e-15)
        backwards = kl(guard="none", reverse=True)(y, t)
        assert backwards == pytest.approx(float(exact["reverse"]), rel=1e-15)
        # A quarter of the squared distance over the sum, to first order.
        assert js(guard="none")(y, t) == pytest.approx(step**2 / 2, rel=1e-8)


class TestZeros:
    def test_without_a_guard_the_limits(self):
        plain = kl(guard="none")
        assert plain([0.0, 1.0], [0.0, 1.0]) == 0
        assert plain([0.5, 0.5], [0.0, 1.0]) == pytest.approx(math.log(2))
        assert plain([0.0, 1.0], [0.5, 0.5]) == INF
        assert plain.replace(reverse=True)([0.0, 1.0], [0.5, 0.5]) == pytest.approx(math.log(2))
        assert plain.replace(reverse=True)([0.5, 0.5], [0.0, 1.0]) == INF
        assert plain.gradient([0.0, 1.0], [0.0, 1.0]).tolist() == [0, -1]
        assert plain.gradient([0.0, 1.0], [0.5, 0.5])[0] == -INF

    def test_a_class_of_probability_0_in_both_is_no_matter_of_a_ratio(self):
        y, t = [0.3, 0.7, 0.0], [0.6, 0.4, 0.0]
        for make in (kl, js):
            for guard in GUARDS:
                loss = make(guard=guard)
                assert loss(y, t) == pytest.approx(loss(y[:2], t[:2]), rel=1e-15)

    @pytest.mark.parametrize("guard", GUARDS[:3])
    def test_a_guard_makes_it_finite_and_bounded(self, guard):
        for reverse in (False, True):
            loss = kl(guard=guard, delta=1e-5, reverse=reverse)
            found = loss([0.0, 1.0], [1.0, 0.0])
            assert found == pytest.approx(loss.claims().bounded)
            assert np.isfinite(loss.gradient([0.0, 1.0], [1.0, 0.0])).all()

    @pytest.mark.parametrize("guard", GUARDS)
    def test_disjoint_rows_are_log_2_apart(self, guard):
        assert js(guard=guard)([0.0, 1.0], [1.0, 0.0]) == pytest.approx(math.log(2), abs=1e-6)
        assert js(guard=guard).claims().bounded == math.log(2)

    def test_js_has_a_slope_where_nothing_is_right(self):
        # y log(2) / 2 for a class of target 0, whatever y.
        slope = js(guard="none").gradient([0.0, 1.0], [0.0, 1.0])
        assert slope == pytest.approx([math.log(2) / 2, 0])
        assert js(guard="none").gradient([0.0, 1.0], [1.0, 0.0])[0] == -INF
        assert np.isfinite(js().gradient([0.0, 1.0], [1.0, 0.0])).all()

    def test_the_smallest_numbers(self):
        small = 5e-324
        assert kl(guard="none")([small, 1.0], [1.0, 0.0]) == pytest.approx(1074 * math.log(2))
        assert js(guard="none")([small, 1.0], [0.0, 1.0]) >= 0


class TestClaims:
    def test_kl_is_not_claimed_to_be_nonnegative(self):
        # Rows of floats sum to 1 only up to rounding, and here the truth is below 0.
        y, t = [0.5 + 2**-40, 0.5], [0.5, 0.5]
        assert kl(guard="none")(y, t) < 0
        assert not kl().claims().nonnegative
        assert js(guard="none")(y, t) > 0
        assert js().claims().nonnegative

    def test_the_reverse_is_strongly_convex(self):
        # Reached between two even classes: (f(a) + f(b)) / 2 - f(m) = mu/2 |(a - b) / 2|^2.
        loss, step = kl(guard="none", reverse=True), 1e-4
        t = [0.5, 0.5]
        ends = [loss([0.5 + s, 0.5 - s], t) for s in (-step, step)]
        mu = (sum(ends) / 2 - loss(t, t)) / (step**2)
        assert mu == pytest.approx(loss.claims().strongly_convex, rel=1e-6)
