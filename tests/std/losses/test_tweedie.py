"""Tweedie's deviance near the target, far from it, and as far as promised, against mpmath."""

import numpy as np
import pytest

import lossfw


def test_scikit_learn_has_the_same_deviance_of_targets_below_0():
    metrics = pytest.importorskip("sklearn.metrics")
    y, t = np.array([0.5, 2.0, 1.0, 3.0]), np.array([-1.5, 2.5, -0.25, 0.0])
    for power in (-3.0, -1.5, -0.3):
        loss = lossfw.loss("tweedie_deviance", power=power)
        wanted = metrics.mean_tweedie_deviance(t, y, power=power)
        assert loss(y, t) == pytest.approx(wanted, rel=1e-14)
        on_raw_outputs = lossfw.loss("tweedie_deviance", power=power, link="log")
        assert on_raw_outputs(np.log(y), t) == pytest.approx(wanted, rel=1e-14)
