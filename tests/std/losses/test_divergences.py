"""Kullback-Leibler and Jensen-Shannon: digits near equality, zeros, guards, constants."""

import math

import numpy as np
import pytest

import lossfw

GUARDS = ["normalised", "additive", "floor", "none"]
INF = math.inf


def kl(**parameters):
    return lossfw.loss("kl_divergence", **parameters)


def js(**parameters):
    return lossfw.loss("js_divergence", **parameters)


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

    @pytest.mark.parametrize("guard", GUARDS)
    def test_disjoint_rows_are_log_2_apart(self, guard):
        assert js(guard=guard)([0.0, 1.0], [1.0, 0.0]) == pytest.approx(math.log(2), abs=1e-6)
        assert js(guard=guard).claims().bounded == math.log(2)

    def test_js_has_a_derivative_where_nothing_is_right(self):
        # y log(2) / 2 for a class of target 0, whatever y.
        derivative = js(guard="none").gradient([0.0, 1.0], [0.0, 1.0])
        assert derivative == pytest.approx([math.log(2) / 2, 0])
        assert js(guard="none").gradient([0.0, 1.0], [1.0, 0.0])[0] == -INF
        assert np.isfinite(js().gradient([0.0, 1.0], [1.0, 0.0])).all()

    @pytest.mark.parametrize("small", [1e-30, 1e-300])
    def test_a_small_number_beside_a_large_one(self, small):
        assert kl(guard="none")([small, 1.0], [1.0, 0.0]) == pytest.approx(-math.log(small))
        assert js(guard="none")([small, 1.0], [1.0, 0.0]) == pytest.approx(math.log(2.0))
        assert js(guard="none")([small, 1.0], [0.0, 1.0]) >= 0
