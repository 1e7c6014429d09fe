"""Losses of the residual: how they are related, what they elicit, what others say they are."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import lossfw

residuals = st.floats(-1e6, 1e6).map(lambda r: r + 0.0)
scales = st.floats(1e-3, 1e3)

ROBUST = ("huber", "log_cosh", "pseudo_huber", "cauchy", "fair", "tukey", "welsch")
SCALED = dict.fromkeys(("cauchy", "tukey", "welsch", "charbonnier", "geman_mcclure"), "c")
SCALED |= {"fair": "c", "huber": "delta", "pseudo_huber": "delta"}


def at(name, r, **parameters):
    return lossfw.loss(name, **parameters)(r, 0.0)


def near(value, rel=1e-12):
    # Below it a square of a denormal residual has no digits of its own.
    return pytest.approx(value, rel=rel, abs=1e-300)


class TestRelations:
    @given(residuals)
    def test_half_of_the_absolute_error_is_the_median_s_quantile_loss(self, r):
        assert at("absolute_error", r) == abs(r)
        assert 2 * at("quantile", r) == near(abs(r))

    @given(residuals)
    def test_half_of_the_squared_error_is_the_mean_s_expectile_loss(self, r):
        assert 2 * at("expectile", r) == near(at("squared_error", r))

    @given(residuals, st.floats(0.01, 0.99))
    def test_a_large_q_makes_low_predictions_dear(self, r, q):
        low, high = -abs(r), abs(r)
        for name, cost in (("quantile", abs(r)), ("expectile", r * r)):
            assert at(name, low, q=q) == near(q * cost)
            assert at(name, high, q=q) == near((1 - q) * cost)
            # The mirror image has the other probability.
            assert at(name, high, q=q) == near(at(name, low, q=1 - q))

    @given(residuals)
    def test_without_epsilon_nothing_is_insensitive(self, r):
        assert at("epsilon_insensitive", r, epsilon=0) == at("absolute_error", r)
        assert at("epsilon_insensitive", r, epsilon=0, squared=True) == at("squared_error", r)

    @given(residuals, scales)
    def test_the_square_is_that_of_the_epsilon_insensitive_loss(self, r, epsilon):
        plain = at("epsilon_insensitive", r, epsilon=epsilon)
        assert at("epsilon_insensitive", r, epsilon=epsilon, squared=True) == plain * plain
        assert plain == near(max(0.0, abs(r) - epsilon))

    @given(residuals, scales)
    def test_pseudo_huber_is_delta_times_charbonnier(self, r, delta):
        assert at("pseudo_huber", r, delta=delta) == near(delta * at("charbonnier", r, c=delta))

    @given(residuals, scales)
    def test_huber_is_never_below_pseudo_huber_nor_far_above(self, r, delta):
        huber, pseudo = at("huber", r, delta=delta), at("pseudo_huber", r, delta=delta)
        slack = 1e-12 * huber
        assert pseudo <= huber + slack
        assert huber <= pseudo + delta * delta / 2 + slack

    @given(residuals, scales)
    def test_huber_is_the_squared_and_the_absolute_error_pieced_together(self, r, delta):
        inner, outer = at("squared_error", r, factor=0.5), delta * (abs(r) - delta / 2)
        assert at("huber", r, delta=delta) == near(inner if abs(r) <= delta else outer)

    @given(st.floats(-300, 300).filter(lambda r: abs(r) > 1e-3))
    def test_log_cosh_is_the_logistic_loss_folded(self, r):
        folded = at_margin("logistic", 2 * r) + r - math.log(2)
        assert at("log_cosh", r) == pytest.approx(folded, rel=1e-9, abs=1e-13)

    @given(residuals, scales)
    def test_charbonnier_comes_near_the_absolute_error(self, r, c):
        assert abs(r) - c <= at("charbonnier", r, c=c) * (1 + 1e-12) <= abs(r) * (1 + 1e-11)

    @given(residuals, scales, st.booleans())
    def test_gaussian_nll_is_a_squared_error_and_a_constant(self, r, variance, full):
        constant = math.log(variance) / 2 + full * math.log(2 * math.pi) / 2
        square = at("squared_error", r, factor=1 / (2 * variance))
        loss = at("gaussian_nll", r, variance=variance, full=full)
        assert loss == pytest.approx(square + constant, rel=1e-12, abs=1e-12)

    @given(st.sampled_from(sorted(SCALED)), st.floats(-50, 50), scales)
    def test_a_scale_scales(self, name, x, scale):
        """With s times the scale and s times the residual, the loss is as before, up to a power."""
        power = {"charbonnier": 1, "geman_mcclure": 0}.get(name, 2)
        unit, scaled = (
            at(name, x, **{SCALED[name]: 1}),
            at(name, scale * x, **{SCALED[name]: scale}),
        )
        assert scaled == pytest.approx(scale**power * unit, rel=1e-9, abs=1e-290)

    @given(st.sampled_from(ROBUST), st.floats(1e-150, 1e-9))
    def test_robust_losses_begin_as_half_the_square(self, name, r):
        assert at(name, r) == pytest.approx(r * r / 2, rel=1e-8)
        assert lossfw.loss(name).gradient(r, 0.0) == pytest.approx(r, rel=1e-8)
        assert lossfw.loss(name).hessian(r, 0.0) == pytest.approx(1, rel=1e-8)


def at_margin(name, m, **parameters):
    return lossfw.loss(name, **parameters)(m, 1)


class TestElicitation:
    """At the statistic no prediction is better, on samples with the statistic written by NumPy."""

    sample = np.array([-3.0, -1.0, 0.5, 2.0, 11.0])

    @pytest.mark.parametrize(
        ("name", "parameters", "statistic"),
        [
            ("absolute_error", {}, np.median(sample)),
            ("quantile", {"q": 0.3}, np.quantile(sample, 0.3, method="inverted_cdf")),
            ("quantile", {"q": 0.9}, np.quantile(sample, 0.9, method="inverted_cdf")),
            ("expectile", {}, np.mean(sample)),
            ("gaussian_nll", {"variance": 3.0}, np.mean(sample)),
            ("epsilon_insensitive", {"epsilon": 0, "squared": True}, np.mean(sample)),
        ],
    )
    def test_the_statistic_costs_the_least(self, name, parameters, statistic):
        loss = lossfw.loss(name, **parameters)
        least = loss(np.full(5, statistic), self.sample)
        for other in np.linspace(-5, 12, 341):
            assert least <= loss(np.full(5, other), self.sample) + 1e-12

    def test_what_is_elicited_is_said(self):
        said = {
            ("absolute_error",): "median",
            ("quantile",): "median",
            ("quantile", ("q", 0.3)): "quantile(0.3)",
            ("expectile",): "mean",
            ("expectile", ("q", 0.3)): "expectile(0.3)",
            ("gaussian_nll",): "mean",
            ("epsilon_insensitive",): None,
            ("huber",): None,
        }
        for (name, *parameters), elicits in said.items():
            assert lossfw.loss(name, **dict(parameters)).claims().elicits == elicits

    def test_at_an_expectile_both_sides_weigh_the_same(self):
        """Newey and Powell, 1987: q E(t - e)+ = (1 - q) E(e - t)+; here e = 4, by hand."""
        t = np.array([0.0, 2.0, 12.0])
        assert lossfw.loss("expectile", q=3 / 7).gradient(np.full(3, 4.0), t).sum() == near(0.0)


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

    def test_scipy_s_huber_and_pseudo_huber(self):
        special = pytest.importorskip("scipy.special")
        r = np.linspace(-20, 20, 101)
        for delta in (0.01, 1.0, 7.5):
            huber = lossfw.loss("huber", delta=delta)(r, 0 * r, reduction="none")
            assert np.allclose(huber, special.huber(delta, r), rtol=1e-14, atol=0)
            pseudo = lossfw.loss("pseudo_huber", delta=delta)(r, 0 * r, reduction="none")
            # SciPy's cancels near 0.
            assert np.allclose(pseudo, special.pseudo_huber(delta, r), rtol=1e-12, atol=1e-14)

    def test_scikit_learn_s_pinball_loss(self):
        metrics = pytest.importorskip("sklearn.metrics")
        rng = np.random.default_rng(0)
        y, t = rng.normal(size=(2, 50))
        for q in (0.1, 0.5, 0.8):
            wanted = metrics.mean_pinball_loss(t, y, alpha=q)
            assert lossfw.loss("pinball", q=q)(y, t) == near(wanted)
        assert lossfw.loss("mae")(y, t) == near(metrics.mean_absolute_error(t, y))


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
        """0.1 is no float32: the nearest is 1.49e-9 above it."""
        nearest = np.array([0.1], np.float32)
        loss = lossfw.loss("epsilon_insensitive", epsilon=0.1)
        wanted = float(Fraction(float(nearest[0])) - Fraction(0.1))
        assert loss(nearest, 0 * nearest) == pytest.approx(wanted, rel=1e-7)
        assert lossfw.loss("huber", delta=0.1).hessian(nearest, 0 * nearest)[0] == 0.0
        assert lossfw.loss("tukey", c=0.1).gradient(nearest, 0 * nearest)[0] == 0.0
