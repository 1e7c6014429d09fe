"""Tweedie's deviance of powers between 1 and 2 in float64, against 60 digits."""

import mpmath
import numpy as np
import pytest

import lossfw

POWERS = [1.0078125, 1.2, 1.37, 1.73, 1.9921875]


def deviance(y, t, power):
    with mpmath.workdps(60):
        y, t, power = map(mpmath.mpf, (float(y), float(t), power))
        a, b = 1 - power, 2 - power
        return 2 * (t**b / (a * b) - t * y**a / a + y**b / b)


def ratios(rng):
    """Return logarithms of t / y: close to 0, around the border of both forms, and far."""
    close = 10.0 ** rng.uniform(-15, 0, 200) * rng.choice([-1, 1], 200)
    return np.concatenate([close, rng.uniform(-4, 4, 600), rng.normal(scale=40, size=200)])


@pytest.mark.parametrize("power", POWERS)
def test_the_last_digits_are_right_near_the_target_and_far_from_it(power):
    rng = np.random.default_rng(7)
    e = ratios(rng)
    y = np.exp(rng.normal(scale=8.0, size=len(e)))
    t = y * np.exp(e)
    found = lossfw.loss("tweedie_deviance", power=power)(y, t, reduction="none")
    for value, y_i, t_i in zip(found, y, t, strict=True):
        wanted = deviance(y_i, t_i, power)
        assert abs(value - wanted) <= 4 * np.spacing(float(wanted))


@pytest.mark.parametrize("power", POWERS)
def test_means_and_targets_of_any_size_have_their_deviance(power):
    y = np.array([1e-300, 1e-45, 1e120, 1e300, 1.0, 1e30, 5e-324, 1e300])
    t = np.array([1e-299, 1e-44, 1e121, 1e299, 1e-300, 1e-250, 1.0, 0.0])
    found = lossfw.loss("tweedie_deviance", power=power)(y, t, reduction="none")
    wanted = [float(deviance(*pair, power)) for pair in zip(y, t, strict=True)]
    np.testing.assert_allclose(found, wanted, rtol=4 * np.finfo(float).eps)


@pytest.mark.parametrize("power", POWERS)
def test_it_is_zero_at_the_target_and_finite_at_a_target_of_zero(power):
    loss, y = lossfw.loss("tweedie_deviance", power=power), np.array([0.3, 2.0, 1e90])
    assert np.array_equal(loss(y, y, reduction="none"), [0.0, 0.0, 0.0])
    bound = 2 * y ** (2 - power) / (2 - power)
    np.testing.assert_allclose(loss(y, 0 * y, reduction="none"), bound, rtol=1e-15)
    assert np.isnan(loss([np.nan, 1.0], [1.0, np.nan], reduction="none")).all()
