"""Losses of distributions, samples and quantiles: what their reference cases do not show."""

import math
from statistics import NormalDist

import numpy as np
import pytest

import lossfw
from lossfw import ParameterError, ShapeError

RNG = np.random.default_rng(5)


def test_vectors_have_one_size():
    with pytest.raises(ShapeError, match="vectors of 3 numbers, but target has 2"):
        lossfw.loss("energy_score")(np.zeros((5, 4, 3)), np.zeros((5, 2)))
    with pytest.raises(ShapeError, match=r"prediction has shape \(5, 3\)"):
        lossfw.loss("energy_score")(np.zeros((5, 3)), np.zeros((5, 3)))


@pytest.mark.parametrize("fair", [False, True])
def test_equal_members_share_the_derivative_of_both_sides(fair):
    loss = lossfw.loss("crps_ensemble", fair=fair)
    y, t = np.array([[1.0, 1.0, 2.0, 1.0, 0.5]]), np.array([1.0])
    derivatives = loss.gradient(y, t)
    np.testing.assert_allclose(
        derivatives, loss.exact(y, t, derivative=1).astype(float), rtol=1e-15
    )
    assert derivatives[0, 0] == derivatives[0, 1] == derivatives[0, 3]


def test_the_distribution_of_a_prediction():
    y = [[1.0, math.log(2.0)], [0.0, 0.0]]
    levels = [0.01, 0.5, 0.9]
    normal = [[NormalDist(m, math.exp(s)).inv_cdf(p) for p in levels] for m, s in y]
    np.testing.assert_allclose(lossfw.loss("crps_normal").quantiles(y, levels), normal, rtol=1e-12)
    logistic = [[m + math.exp(s) * math.log(p / (1 - p)) for p in levels] for m, s in y]
    np.testing.assert_allclose(lossfw.loss("crps_logistic").quantiles(y, levels), logistic)
    squares = [[m, 2 * s] for m, s in y]
    likelihood = lossfw.loss("heteroscedastic_gaussian_nll")
    np.testing.assert_allclose(likelihood.quantiles(squares, levels), normal, rtol=1e-12)
    ensemble = lossfw.loss("crps_ensemble")
    assert ensemble.quantiles([[3.0, 1.0, 2.0, 4.0]], [0.25, 0.26, 0.99]).tolist() == [[1, 2, 4]]
    assert ensemble.probabilities([[3.0, 1.0, 2.0, 4.0]], 3.0).tolist() == [0.75]


@pytest.mark.parametrize("levels", [[0.5, 0.5], [0.9, 0.1], [], [0.0, 0.5], [5, 95]])
def test_levels_increase_between_0_and_1(levels):
    with pytest.raises(ParameterError, match="levels"):
        lossfw.loss("multi_quantile", levels=levels)


def test_there_is_a_column_for_each_level():
    loss = lossfw.loss("multi_quantile", levels=[0.1, 0.9])
    with pytest.raises(ShapeError, match="3 columns; expected 2"):
        loss(np.zeros((4, 3)), np.zeros(4))
    halves = [lossfw.loss("quantile", q=q) for q in loss.levels]
    y, t = RNG.normal(size=(50, 2)), RNG.normal(size=50)
    mean = (halves[0](y[:, 0], t) + halves[1](y[:, 1], t)) / 2
    assert loss(y, t) == pytest.approx(mean)
    interval = lossfw.loss("interval_score", alpha=0.2)
    assert interval(y, t) == pytest.approx(mean * 2 * 2 / 0.2)
