"""Losses of the margin: how they are related, which are calibrated, what others say they are."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import lossfw

margins = st.floats(-1e6, 1e6).map(lambda m: m + 0.0)
small_margins = st.floats(-30, 30)
NAMES = (
    *("hinge", "squared_hinge", "smoothed_hinge", "logistic", "exponential", "savage", "ramp"),
    *("modified_huber", "perceptron", "dwd", "zero_one"),
)


def at(name, m, **parameters):
    return lossfw.loss(name, **parameters)(m, 1)


def near(value, rel=1e-12):
    return pytest.approx(value, rel=rel, abs=1e-300)


class TestRelations:
    @given(margins, st.floats(1e-3, 1e3))
    def test_the_squared_hinge_is_the_square_of_the_hinge(self, m, margin):
        assert at("squared_hinge", m, margin=margin) == at("hinge", m, margin=margin) ** 2

    @given(margins)
    def test_squared_hinge_is_the_squared_error_up_to_the_margin(self, m):
        wanted = lossfw.loss("squared_error")(m, 1.0) if m < 1 else 0
        assert at("squared_hinge", m) == near(wanted)

    @given(margins, st.floats(1e-3, 1e3))
    def test_smoothing_takes_at_most_half_of_gamma(self, m, gamma):
        hinge, smoothed = at("hinge", m), at("smoothed_hinge", m, gamma=gamma)
        slack = 1e-12 * (1 + hinge)
        assert hinge - gamma / 2 - slack <= smoothed <= hinge + slack

    @given(margins, st.floats(1e-3, 1e3))
    def test_smoothed_hinges_are_huber_losses_of_the_hinge(self, m, gamma):
        huber = lossfw.loss("huber", delta=gamma)(at("hinge", m), 0.0)
        assert gamma * at("smoothed_hinge", m, gamma=gamma) == near(huber, rel=1e-11)

    @given(margins)
    def test_modified_huber_is_twice_huber_of_the_hinge(self, m):
        huber = lossfw.loss("huber", delta=2.0)(at("hinge", m), 0.0)
        assert at("modified_huber", m) == near(2 * huber)
        if m >= -1:
            assert at("modified_huber", m) == at("squared_hinge", m)

    @given(margins)
    def test_the_ramp_is_a_difference_of_hinges(self, m):
        difference = at("hinge", m) - at("perceptron", m)
        assert at("ramp", m) == pytest.approx(difference, rel=1e-12, abs=1e-9)

    @given(margins)
    def test_losses_above_the_zero_one_loss(self, m):
        wrong = at("zero_one", m)
        for name in ("ramp", "hinge", "squared_hinge", "modified_huber"):
            assert wrong <= at(name, m)
        assert at("ramp", m) <= at("hinge", m)

    @given(small_margins)
    def test_logistic_is_log1p_of_exponential(self, m):
        assert at("logistic", m) == near(math.log1p(at("exponential", m)))

    @given(small_margins, st.sampled_from([-1, 1]))
    def test_logistic_is_binary_cross_entropy_from_logits(self, y, t):
        both = lossfw.loss("binary_cross_entropy", from_logits=True)
        assert lossfw.loss("logistic")(y, t) == near(both(y, float(t > 0)))

    @given(small_margins)
    def test_savage_is_half_the_brier_score(self, m):
        p = 1 / (1 + math.exp(-2 * m))
        brier = (p - 1) ** 2 + (1 - p) ** 2
        assert at("savage", m) == pytest.approx(brier / 2, rel=1e-9, abs=1e-15)

    @given(margins)
    def test_dwd_is_the_original_at_q_1(self, m):
        assert at("dwd", m) == near(1 - m if m <= 0.5 else 1 / (4 * m))

    @given(st.floats(-10, 10), st.floats(0.01, 1e4))
    def test_dwd_comes_down_to_the_hinge(self, m, q):
        hinge, loss = at("hinge", m), at("dwd", m, q=q)
        assert hinge <= loss + 1e-12
        # At m = 1 they differ most: by q^q / (q+1)^(q+1).
        assert loss - hinge <= 1 / (q + 1) + 1e-12

    @given(margins, st.floats(1e-9, 1e-3))
    def test_the_perceptron_is_a_hinge_without_margin(self, m, margin):
        difference = at("hinge", m, margin=margin) - at("perceptron", m)
        assert -1e-9 <= difference <= margin + 1e-9


class TestClaims:
    @pytest.mark.parametrize(
        ("name", "parameters"),
        [
            *[(name, {}) for name in NAMES],
            ("hinge", {"margin": 0.1}),
            ("smoothed_hinge", {"gamma": 30.0}),
            ("dwd", {"q": 0.01}),
        ],
    )
    def test_calibrated_is_claimed_where_it_is_true(self, name, parameters):
        """Of wrong sign or 0, no prediction may come near the smallest risk."""
        loss = lossfw.loss(name, **parameters)
        y = np.concatenate([-np.geomspace(1e-6, 50, 4000), [0.0], np.geomspace(1e-6, 50, 4000)])
        plus, minus = (loss(y, np.full_like(y, t), reduction="none") for t in (1, -1))
        gaps = []
        for p in (0.55, 0.7, 0.9, 0.99):
            risk = p * plus + (1 - p) * minus
            gaps.append(risk[y <= 0].min() - risk.min())
        assert (min(gaps) > 1e-5) == bool(loss.claims().calibrated)

    def test_zero_at_the_target_depends_on_the_margin(self):
        for name in ("hinge", "squared_hinge"):
            for margin in (0.5, 1.0, 1.5):
                loss = lossfw.loss(name, margin=margin)
                assert (loss(1.0, 1) == 0) == bool(loss.claims().zero_at_target)
        for name in NAMES:
            assert (at(name, 1.0) == 0) == bool(lossfw.loss(name).claims().zero_at_target)


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

    def test_scikit_learn_s_hinge_and_zero_one_loss(self):
        metrics = pytest.importorskip("sklearn.metrics")
        rng = np.random.default_rng(1)
        y, t = rng.normal(size=50), rng.choice([-1, 1], 50)
        assert lossfw.loss("hinge")(y, t) == near(metrics.hinge_loss(t, y))
        assert lossfw.loss("zero_one")(y, t) == near(metrics.zero_one_loss(t, np.sign(y)))

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
