"""Likelihoods with several predicted parameters: quantiles of times, and digits."""

import decimal

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


@pytest.mark.parametrize(("log_shape", "t"), [(0.01, "1e-8"), (-0.01, "1e27"), (1e-7, "1e30")])
def test_weibulls_likelihood_keeps_its_digits_next_to_a_shape_of_one(log_shape, t):
    with decimal.localcontext(prec=60):
        time, k = decimal.Decimal(float(t)), decimal.Decimal(log_shape)
        w = time ** k.exp()
        expected = w - w.ln() - k + time.ln()
    found = lossfw.loss("weibull_nll")([[0.0, log_shape]], [float(t)])
    assert found == pytest.approx(float(expected), rel=2e-15)
