"""Losses of the margin: known numbers, constants, tails, kinks in float32."""

from fractions import Fraction

import numpy as np
import pytest

import lossfw


def at(name, m, **parameters):
    return lossfw.loss(name, **parameters)(m, 1)


def near(value, rel=1e-12):
    return pytest.approx(value, rel=rel, abs=1e-300)


class TestKnownNumbers:
    @pytest.mark.parametrize(
        ("name", "parameters", "m", "value"),
        [
            ("hinge", {}, 0.25, Fraction(3, 4)),
            ("squared_hinge", {"margin": 2.0}, 0.5, Fraction(9, 4)),
            ("smoothed_hinge", {}, 0.5, Fraction(1, 8)),  # Rennie and Srebro, 2005
            ("smoothed_hinge", {}, -1.0, Fraction(3, 2)),
            ("modified_huber", {}, -2.0, 8),
            ("dwd", {"q": 2.0}, 2.0, Fraction(4, 27) / 4),
            ("savage", {}, 0.0, Fraction(1, 4)),
            ("zero_one", {}, 0.0, 1),
            # 60 digits of mpmath.
            ("logistic", {}, 1.0, 0.313261687518222835),
            ("logistic", {}, 40.0, 4.248354255291588995e-18),
            ("exponential", {}, 1.0, 0.367879441171442322),
            ("savage", {}, 1.0, 0.0142093366186110386),
        ],
    )
    def test_value(self, name, parameters, m, value):
        assert at(name, m, **parameters) == pytest.approx(float(value), rel=5e-16, abs=0)

    def test_constants(self):
        logistic = lossfw.loss("logistic").claims()
        assert (logistic.lipschitz, logistic.gradient_lipschitz) == (1, 0.25)
        assert lossfw.loss("savage").claims().lipschitz == near(16 / 27)
        assert lossfw.loss("dwd", q=2.0).claims().gradient_lipschitz == near(9 / 2)

    def test_tails_of_the_logistic_loss_are_exact(self):
        """In float32 peers give 0, inf and NaN here."""
        loss = lossfw.loss("logistic")
        m = np.array([20.0, -100.0, np.inf, -np.inf], np.float32)
        one = np.ones_like(m)
        values = loss(m, one, reduction="none")
        assert values.tolist() == [np.float32(2.0611536e-09), 100.0, 0.0, np.inf]
        gradient = loss.gradient(m, one, reduction="none")
        assert gradient[0] == pytest.approx(-2.0611536e-09, rel=1e-7)
        assert gradient[1:].tolist() == [-1.0, 0.0, -1.0]


class TestOfParameters:
    def test_near_a_kink_float32_keeps_its_digits(self):
        """The float32 below 0.1 is 5.96e-9 below it."""
        below = np.nextafter(np.float32(0.1), np.float32(0))[None]
        wanted = float(Fraction(0.1) - Fraction(float(below[0])))
        loss = lossfw.loss("hinge", margin=0.1)
        assert loss(below, [1]) == pytest.approx(wanted, rel=1e-7)
        assert loss.gradient(below, [1])[0] == -1.0
