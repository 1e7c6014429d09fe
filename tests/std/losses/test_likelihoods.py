"""Likelihoods with several predicted parameters: quantiles of times, and digits."""

import decimal
import math

import numpy as np
import pytest

import lossfw

ROWS = {
    "censored_weibull_nll": [[0.5, -0.3], [2.0, 1.0]],
    "aft_nll": [[0.5, -0.3], [2.0, 1.0]],
}


@pytest.mark.parametrize("name", ROWS)
def test_probabilities_are_the_inverse_of_quantiles(name):
    loss, y = lossfw.loss(name), np.asarray(ROWS[name])
    for level in (1e-6, 0.3, 0.5, 0.99):
        x = loss.quantiles(y, [level])[:, 0]
        np.testing.assert_allclose(loss.probabilities(y, x), level, rtol=1e-12)


def test_shares_of_equal_components_of_a_mixture_keep_their_digits():
    # The component at 40 has no share in the density, so each of the others has a half of it.
    rows = [[[0.0, -10.0, 0.0], [-0.5, 40.0, -0.5], [0.0, 0.0, 0.0]]]
    by_logit = lossfw.loss("normal_mixture_nll").gradient(rows, [-0.5])[0, 0]
    share = math.exp(-10) / (2 + math.exp(-10))
    np.testing.assert_allclose(by_logit, [-share / 2, share, -share / 2], rtol=1e-14)


@pytest.mark.parametrize(("log_shape", "t"), [(0.01, "1e-8"), (-0.01, "1e27"), (1e-7, "1e30")])
def test_weibulls_likelihood_keeps_its_digits_next_to_a_shape_of_one(log_shape, t):
    with decimal.localcontext(prec=60):
        time, k = decimal.Decimal(float(t)), decimal.Decimal(log_shape)
        w = time ** k.exp()
        expected = w - w.ln() - k + time.ln()
    found = lossfw.loss("weibull_nll")([[0.0, log_shape]], [float(t)])
    assert found == pytest.approx(float(expected), rel=2e-15)


@pytest.mark.parametrize(("log_shape", "t"), [(-0.01, 1e-17), (0.01, 1e-17), (1e-6, 1e-28)])
def test_the_gamma_likelihood_keeps_its_digits_next_to_a_shape_of_one(log_shape, t):
    k = math.exp(log_shape)
    # The terms by log t of the definition, (1 - k) log t, with 1 - k from expm1.
    expected = math.lgamma(k) - k * log_shape - math.expm1(log_shape) * math.log(t) + k * t
    found = lossfw.loss("gamma_nll")([[0.0, log_shape]], [t])
    assert found == pytest.approx(expected, abs=1e-15, rel=1e-15)
