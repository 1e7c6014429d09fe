"""Tweedie's deviance of a target of 0 under the log link: 2 exp((2 - p) z) / (2 - p)."""

import mpmath
import numpy as np
import pytest

import lossfw


@pytest.mark.parametrize("power", [1.000001, 1.1, 1.5, 1.9, 1.99, 1.999999])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_mean_far_below_all_floats_has_its_deviance(power, dtype):
    loss = lossfw.loss("tweedie_deviance", power=power, link="log")
    z = np.asarray([-1.0, -100.0, -700.0, -745.0, -750.0, -2000.0, -1e4, -1e6], dtype)
    with mpmath.workdps(50):
        b = 2 - mpmath.mpf(power)
        slope = [2 * mpmath.exp(b * mpmath.mpf(float(x))) for x in z]
        value = [float(x / b) for x in slope]
    error = {"rtol": 4 * np.finfo(dtype).eps, "atol": np.finfo(dtype).smallest_subnormal}
    np.testing.assert_allclose(loss(z, 0 * z, reduction="none"), value, **error)
    np.testing.assert_allclose(
        loss.gradient(z, 0 * z, reduction="sum"), list(map(float, slope)), **error
    )
