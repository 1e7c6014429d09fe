"""Losses of the margin: tails, kinks in float32."""

import numpy as np
import pytest

import lossfw


def test_tails_of_the_logistic_loss_are_exact():
    """In float32 peers give 0, inf and NaN here."""
    loss = lossfw.loss("logistic")
    m = np.array([20.0, -100.0, np.inf, -np.inf], np.float32)
    one = np.ones_like(m)
    values = loss(m, one, reduction="none")
    assert values.tolist() == [np.float32(2.0611536e-09), 100.0, 0.0, np.inf]
    gradient = loss.gradient(m, one, reduction="none")
    assert gradient[0] == pytest.approx(-2.0611536e-09, rel=1e-7)
    assert gradient[1:].tolist() == [-1.0, 0.0, -1.0]
