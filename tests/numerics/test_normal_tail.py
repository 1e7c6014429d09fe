"""The scaled tail of the normal distribution, against erfc of another library."""

import mpmath
import numpy as np
import pytest

from lossfw.numerics import scaled_normal_tail
from lossfw.numerics.dual.derivatives import derivatives
from lossfw.numerics.exact.truth import evaluate
from lossfw.numerics.exact.ulp import ulp_error


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_scaled_tail_of_the_normal_distribution(dtype):
    random = np.random.default_rng(0)
    x = np.concatenate([random.uniform(0, 5, 150), 10.0 ** random.uniform(-30, 15, 100)])
    x = np.append(x, [0.0, 1e-40, 1e30]).astype(dtype)
    found = scaled_normal_tail(np, x)
    assert found.dtype == dtype
    for number, result in zip(x[x < 30].tolist(), found[x < 30].tolist(), strict=True):
        with mpmath.workdps(60):
            z = mpmath.mpf(number)
            truth = mpmath.exp(z * z / 2) * mpmath.erfc(z / mpmath.sqrt(2)) / 2
            assert abs(result - truth) <= 4 * np.spacing(dtype(float(truth)))
    far = x[x > 1e10].astype(np.float64)
    assert found[x > 1e10] == pytest.approx(1 / (far * np.sqrt(2 * np.pi)), rel=1e-6)


def test_its_derivatives():
    x = np.array([0.0, 0.5, 2.0])
    value, derivative, second_derivative = derivatives(scaled_normal_tail, np, x)
    density = 1 / np.sqrt(2 * np.pi)
    assert derivative == pytest.approx(x * value - density, rel=1e-14)
    assert second_derivative == pytest.approx(value + x * derivative, rel=1e-13)
    truth = evaluate(scaled_normal_tail, x)
    assert ulp_error(value, truth).max() <= 4
