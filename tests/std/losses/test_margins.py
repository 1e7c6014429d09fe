"""Losses of the margin: tails, kinks in float32."""

from fractions import Fraction

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


def test_near_a_kink_float32_keeps_its_digits():
    """The float32 below 0.1 is 5.96e-9 below it."""
    below = np.nextafter(np.float32(0.1), np.float32(0))[None]
    wanted = float(Fraction(0.1) - Fraction(float(below[0])))
    loss = lossfw.loss("hinge", margin=0.1)
    assert loss(below, [1]) == pytest.approx(wanted, rel=1e-7)
    assert loss.gradient(below, [1])[0] == -1.0
