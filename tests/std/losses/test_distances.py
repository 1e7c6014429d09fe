"""Losses of the residual: known numbers, extreme parameters, kinks in float32."""

from fractions import Fraction

import numpy as np
import pytest

import lossfw

SCALED = dict.fromkeys(("cauchy", "tukey", "welsch", "charbonnier", "geman_mcclure"), "c")
SCALED |= {"fair": "c", "huber": "delta", "pseudo_huber": "delta"}


def at(name, r, **parameters):
    return lossfw.loss(name, **parameters)(r, 0.0)


class TestKnownNumbers:
    @pytest.mark.parametrize(
        ("name", "parameters", "r", "value"),
        [
            # Pythagorean triangles: the roots are whole.
            ("charbonnier", {"c": 3.0}, 4.0, 2),
            ("charbonnier", {"c": 5.0}, 12.0, 8),
            ("pseudo_huber", {"delta": 3.0}, 4.0, 6),
            # Rational arithmetic.
            ("huber", {"delta": 0.5}, 3.0, Fraction(1, 2) * (3 - Fraction(1, 4))),
            ("geman_mcclure", {"c": 2.0}, 1.0, Fraction(1, 5)),
            ("tukey", {"c": 2.0}, 1.0, Fraction(4, 6) * (1 - Fraction(27, 64))),
            ("tukey", {"c": 2.0}, 9.0, Fraction(4, 6)),
            ("epsilon_insensitive", {"epsilon": 0.25, "squared": True}, 1.0, Fraction(9, 16)),
            ("quantile", {"q": 0.75}, -2.0, Fraction(3, 2)),
            ("expectile", {"q": 0.25}, 2.0, 3),
            # 60 digits of mpmath, as LogExpFunctions.jl's issue 31 asks for.
            ("log_cosh", {}, 1e-9, 4.999999999999999999166667e-19),
            ("log_cosh", {}, 1.0, 0.433780830483027187),
            ("fair", {}, 1.0, 0.306852819440054691),
            ("fair", {"c": 2.0}, 1.0, 0.378139567567342473),
            ("cauchy", {}, 1.0, 0.346573590279972655),
            ("welsch", {"c": 1.0}, 1.0, 0.316060279414278839),
            ("gaussian_nll", {}, 0.0, 0.918938533204672742),
        ],
    )
    def test_value(self, name, parameters, r, value):
        assert at(name, r, **parameters) == pytest.approx(float(value), rel=4e-16, abs=0)


class TestOfParameters:
    @pytest.mark.parametrize("scale", [1e-300, 1e-30, 1e30, 1e300])
    @pytest.mark.parametrize("name", sorted(SCALED))
    def test_no_scale_ends_in_a_traceback(self, name, scale):
        loss = lossfw.loss(name, **{SCALED[name]: scale})
        x = np.array([0.0, 1.0, -scale, scale / 3, 1e7 * scale])
        t = np.zeros_like(x)
        assert (loss(x, t, reduction="none") >= 0).all()
        assert not np.isnan([loss.gradient(x, t), loss.hessian(x, t)]).any()
        assert loss.claims().nonnegative


class TestArrays:
    def test_near_a_kink_float32_keeps_its_digits(self):
        """0.1 is not a float32: the nearest is 1.49e-9 above it."""
        nearest = np.array([0.1], np.float32)
        loss = lossfw.loss("epsilon_insensitive", epsilon=0.1)
        wanted = float(Fraction(float(nearest[0])) - Fraction(0.1))
        assert loss(nearest, 0 * nearest) == pytest.approx(wanted, rel=1e-7)
        assert lossfw.loss("huber", delta=0.1).hessian(nearest, 0 * nearest)[0] == 0.0
        assert lossfw.loss("tukey", c=0.1).gradient(nearest, 0 * nearest)[0] == 0.0
