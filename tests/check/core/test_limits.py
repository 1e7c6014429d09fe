"""Limits at infinite logits."""

import numpy as np
import pytest

import lossfw
from lossfw.check.core.exact import value_limits
from lossfw.check.core.subject import of_component
from lossfw.numerics.exact.ulp import to_float

INF = np.inf
ROWS = lossfw.loss("cross_entropy", from_logits=True)
ONE = lossfw.loss("binary_cross_entropy", from_logits=True)


@pytest.mark.parametrize("share", [0.5, 5e-31, 5e-324])
def test_an_excluded_class_of_any_probability_costs_infinitely_much(share):
    y, t = np.array([[-INF, 2.0, -1.0]]), np.array([[share, 0.5, 0.5]])
    assert to_float(value_limits(ROWS.unreduced_formula, y, t)) == [INF]


def test_an_excluded_class_without_probability_costs_nothing():
    y, t = np.array([[-INF, 0.0, 0.0]]), np.array([[0.0, 0.5, 0.5]])
    assert to_float(value_limits(ROWS.unreduced_formula, y, t)) == pytest.approx([np.log(2)])


def test_a_certain_class_costs_nothing_if_it_is_the_label():
    y, t = np.array([[INF, 2.0], [INF, 2.0]]), np.eye(2)
    assert to_float(value_limits(ROWS.unreduced_formula, y, t)) == pytest.approx([0.0, INF])


def test_what_neither_arrives_nor_goes_straight_on_is_not_known():
    def slow(xp, y, t):
        return 1 / (1 + xp.abs(y - t))

    assert np.isnan(to_float(value_limits(slow, np.array([INF]), np.zeros(1)))).all()


def test_elements_have_limits_too():
    y = np.array([INF, INF, -INF, -INF, 1.0])
    t = np.array([1.0, 0.3, 0.0, 1.0, 1.0])
    found = to_float(of_component(ONE).exact.values(y, t))
    np.testing.assert_allclose(found, [0.0, INF, 0.0, INF, np.log1p(np.exp(-1.0))])


def test_derivatives_have_limits():
    y = np.array([[INF, 0.0], [0.0, -INF], [1.0, 1.0]])
    t = np.array([[1.0, 0.0], [1.0, 0.0], [1.0, 0.0]])
    first, second = of_component(ROWS).exact.derivatives(2, y, t)
    np.testing.assert_allclose(to_float(first), [[0, 0], [0, 0], [-0.5, 0.5]], atol=1e-300)
    np.testing.assert_allclose(to_float(second), [[0, 0], [0, 0], [0.25, 0.25]], atol=1e-300)
