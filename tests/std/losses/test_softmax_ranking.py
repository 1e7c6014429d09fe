"""ListNet where scores and relevances are nearly the same: its gradient keeps its digits."""

import numpy as np
import pytest

import lossfw


@pytest.mark.parametrize("x", [1e-12, 0.001, 0.3, 0.7, 3.0])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("absent", [0, 2])
def test_the_gradient_of_two_rows_is_half_a_hyperbolic_tangent(x, dtype, absent):
    # softmax((0, x))_2 - 1/2 = tanh(x / 2) / 2.
    y = np.array([0.0, x, *[5.0] * absent], dtype)
    t = np.array([0.0, 0.0, *[-np.inf] * absent], dtype)
    loss = lossfw.loss("listnet")
    expected = np.tanh(y[1].astype("float64") / 2) / 2 * np.array([-1, 1, *[0] * absent])
    tolerance = 4 * np.finfo(dtype).eps
    for find in (loss.gradient, lambda *x, **how: loss.value_and_gradient(*x, **how)[1]):
        found = find(y, t, group=["a"] * len(y), reduction="sum")
        np.testing.assert_allclose(found, expected, rtol=tolerance)


def test_a_row_that_leads_has_the_derivatives_of_the_others():
    y, t = np.array([-29.0, 12.0]), np.array([-29.0, 11.75])
    found = lossfw.loss("listnet").gradient(y, t, group=["a", "a"], reduction="sum")
    # 1 / (1 + e^41) - 1 / (1 + e^40.75), of which the 1 is below rounding.
    expected = np.exp(-40.75) * np.expm1(-0.25)
    np.testing.assert_allclose(found, [expected, -expected], rtol=1e-14)
