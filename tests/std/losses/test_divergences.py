"""Kullback-Leibler and Jensen-Shannon: digits near equality, zeros, guards, constants."""

import math

import pytest

import lossfw

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

    @pytest.mark.parametrize("small", [1e-30, 1e-300])
    def test_a_small_number_beside_a_large_one(self, small):
        assert kl(guard="none")([small, 1.0], [1.0, 0.0]) == pytest.approx(-math.log(small))
        assert js(guard="none")([small, 1.0], [1.0, 0.0]) == pytest.approx(math.log(2.0))
        assert js(guard="none")([small, 1.0], [0.0, 1.0]) >= 0
