"""Kullback-Leibler and Jensen-Shannon: digits near equality, zeros, guards, relations."""

import math

import mpmath as mp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import lossfw

GUARDS = ["normalised", "additive", "floor", "none"]
INF = math.inf

seeds = st.integers(0, 2**32 - 1)


def kl(**parameters):
    return lossfw.loss("kl_divergence", **parameters)


def js(**parameters):
    return lossfw.loss("js_divergence", **parameters)


def pair(seed, rows=4, columns=3):
    rng = np.random.default_rng(seed)
    return rng.dirichlet(np.ones(columns), rows), rng.dirichlet(np.ones(columns), rows)


def entropy(t):
    return -np.sum(np.where(t > 0, t * np.log(np.where(t > 0, t, 1)), 0), axis=-1)


class TestAccuracy:
    def test_near_equality_half_of_the_digits_are_not_lost(self):
        # t log(t / y) is 5e-10 for one class and -5e-10 for the other, their sum 4e-19.
        step = 2.0**-31
        y, t = [0.5 + step, 0.5 - step], [0.5, 0.5]
        with mp.workdps(50):
            exact = {
                "kl": -mp.log(1 - 4 * mp.mpf(step) ** 2) / 2,
                "reverse": (mp.mpf(0.5) + step) * mp.log(1 + 2 * mp.mpf(step))
                + (mp.mpf(0.5) - step) * mp.log(1 - 2 * mp.mpf(step)),
            }
        assert kl(guard="none")(y, t) == pytest.approx(float(exact["kl"]), rel=1e-15)
        backwards = kl(guard="none", reverse=True)(y, t)
        assert backwards == pytest.approx(float(exact["reverse"]), rel=1e-15)
        # A quarter of the squared distance over the sum, to first order.
        assert js(guard="none")(y, t) == pytest.approx(step**2 / 2, rel=1e-8)


class TestRelations:
    @given(seeds)
    def test_kl_is_cross_entropy_less_the_entropy(self, seed):
        y, t = pair(seed)
        cross = lossfw.loss("cross_entropy", guard="none")(y, t, reduction="none")
        found = kl(guard="none")(y, t, reduction="none")
        assert found == pytest.approx(cross - entropy(t), abs=1e-14)

    @pytest.mark.parametrize("guard", GUARDS)
    @given(seed=seeds, delta=st.floats(1e-9, 0.5))
    def test_for_a_class_kl_is_cross_entropy(self, guard, seed, delta):
        y, index = pair(seed)[0], [0, 1, 2, 0]
        cross = lossfw.loss("cross_entropy", guard=guard, delta=delta)(y, index, reduction="none")
        # The additive guard's cross-entropy is -log1p(delta) at certainty.
        shift = math.log1p(delta) if guard == "additive" else 0.0
        found = kl(guard=guard, delta=delta)(y, index, reduction="none")
        assert found == pytest.approx(cross + shift, rel=1e-12, abs=1e-14)

    @pytest.mark.parametrize("guard", GUARDS)
    @given(seed=seeds)
    def test_reverse_exchanges_the_distributions(self, guard, seed):
        y, t = pair(seed)
        loss = kl(guard=guard, delta=1e-2)
        there, back = loss(y, t, reduction="none"), loss(t, y, reduction="none")
        assert loss.replace(reverse=True)(y, t, reduction="none") == pytest.approx(back, abs=1e-15)
        assert not np.allclose(there, back)

    @given(seeds)
    def test_js_is_half_of_both_divergences_to_the_midpoint(self, seed):
        y, t = pair(seed)
        middle = (y + t) / 2
        both = [kl(guard="none")(middle, x, reduction="none") for x in (y, t)]
        found = js(guard="none")(y, t, reduction="none")
        assert found == pytest.approx(sum(both) / 2, abs=1e-14)

    @pytest.mark.parametrize("guard", GUARDS)
    @given(seed=seeds)
    def test_js_is_symmetric_so_reverse_changes_nothing(self, guard, seed):
        y, t = pair(seed)
        loss = js(guard=guard, delta=1e-2)
        assert np.array_equal(loss(y, t, reduction="none"), loss(t, y, reduction="none"))
        assert loss.replace(reverse=True)(y, t) == loss(y, t)

    @given(seeds)
    def test_the_root_of_js_is_a_metric(self, seed):
        # Endres and Schindelin 2003: the triangle inequality.
        a, b, c = np.random.default_rng(seed).dirichlet(np.ones(3), 3)
        root = {x: math.sqrt(js(guard="none")(*pair)) for x, pair in
                {"ab": (a, b), "bc": (b, c), "ac": (a, c)}.items()}  # fmt: skip
        assert root["ac"] <= root["ab"] + root["bc"] + 1e-12

    @given(seeds)
    def test_pinsker(self, seed):
        y, t = pair(seed)
        distance = np.abs(y - t).sum(-1)
        assert (kl(guard="none")(y, t, reduction="none") >= distance**2 / 2 - 1e-14).all()

    @pytest.mark.parametrize("delta", [1e-7, 0.3])
    def test_the_factor_of_the_normalised_guard_cancels(self, delta):
        y, t = pair(0)
        for make in (kl, js):
            normalised, additive = (make(guard=g, delta=delta)(y, t) for g in GUARDS[:2])
            assert normalised == additive

    def test_a_closed_form(self):
        # (log(0.5 / 0.9) + log(0.5 / 0.1)) / 2 = log(5 / 3)
        assert kl(guard="none")([0.9, 0.1], [0.5, 0.5]) == pytest.approx(math.log(5 / 3))


class TestZeros:
    def test_without_a_guard_the_limits(self):
        plain = kl(guard="none")
        assert plain([0.0, 1.0], [0.0, 1.0]) == 0
        assert plain([0.5, 0.5], [0.0, 1.0]) == pytest.approx(math.log(2))
        assert plain([0.0, 1.0], [0.5, 0.5]) == INF
        assert plain.replace(reverse=True)([0.0, 1.0], [0.5, 0.5]) == pytest.approx(math.log(2))
        assert plain.replace(reverse=True)([0.5, 0.5], [0.0, 1.0]) == INF
        assert plain.gradient([0.0, 1.0], [0.0, 1.0]).tolist() == [0, -1]
        assert plain.gradient([0.0, 1.0], [0.5, 0.5])[0] == -INF

    def test_a_class_of_probability_0_in_both_is_no_matter_of_a_ratio(self):
        y, t = [0.3, 0.7, 0.0], [0.6, 0.4, 0.0]
        for make in (kl, js):
            for guard in GUARDS:
                loss = make(guard=guard)
                assert loss(y, t) == pytest.approx(loss(y[:2], t[:2]), rel=1e-15)

    @pytest.mark.parametrize("guard", GUARDS[:3])
    def test_a_guard_makes_it_finite_and_bounded(self, guard):
        for reverse in (False, True):
            loss = kl(guard=guard, delta=1e-5, reverse=reverse)
            found = loss([0.0, 1.0], [1.0, 0.0])
            assert found == pytest.approx(loss.claims().bounded)
            assert np.isfinite(loss.gradient([0.0, 1.0], [1.0, 0.0])).all()

    @pytest.mark.parametrize("guard", GUARDS)
    def test_disjoint_rows_are_log_2_apart(self, guard):
        assert js(guard=guard)([0.0, 1.0], [1.0, 0.0]) == pytest.approx(math.log(2), abs=1e-6)
        assert js(guard=guard).claims().bounded == math.log(2)

    def test_js_has_a_slope_where_nothing_is_right(self):
        # y log(2) / 2 for a class of target 0, whatever y.
        slope = js(guard="none").gradient([0.0, 1.0], [0.0, 1.0])
        assert slope == pytest.approx([math.log(2) / 2, 0])
        assert js(guard="none").gradient([0.0, 1.0], [1.0, 0.0])[0] == -INF
        assert np.isfinite(js().gradient([0.0, 1.0], [1.0, 0.0])).all()

    def test_the_smallest_numbers(self):
        small = 5e-324
        assert kl(guard="none")([small, 1.0], [1.0, 0.0]) == pytest.approx(1074 * math.log(2))
        assert js(guard="none")([small, 1.0], [0.0, 1.0]) >= 0


class TestClaims:
    def test_kl_is_not_claimed_to_be_nonnegative(self):
        # Rows of floats sum to 1 only up to rounding, and here the truth is below 0.
        y, t = [0.5 + 2**-40, 0.5], [0.5, 0.5]
        assert kl(guard="none")(y, t) < 0
        assert not kl().claims().nonnegative
        assert js(guard="none")(y, t) > 0
        assert js().claims().nonnegative

    def test_the_reverse_is_strongly_convex(self):
        # Reached between two even classes: (f(a) + f(b)) / 2 - f(m) = mu/2 |(a - b) / 2|^2.
        loss, step = kl(guard="none", reverse=True), 1e-4
        t = [0.5, 0.5]
        ends = [loss([0.5 + s, 0.5 - s], t) for s in (-step, step)]
        mu = (sum(ends) / 2 - loss(t, t)) / (step**2)
        assert mu == pytest.approx(loss.claims().strongly_convex, rel=1e-6)

    def test_what_depends_on_the_parameters(self):
        assert kl(guard="none").claims().strictly_proper
        assert not kl().claims().proper
        assert not kl(guard="none", reverse=True).claims().proper
        assert not kl(guard="floor").claims().convex
        assert kl(guard="floor", reverse=True).claims().convex
        assert kl(guard="none").claims().bounded is None

    @given(seeds, st.floats(0.01, 0.5))
    def test_a_guard_moves_the_minimiser_by_delta_at_most(self, seed, delta):
        # Where the slopes are equal: y + delta is proportional to t.
        t = np.random.default_rng(seed).dirichlet(np.full(3, 5.0))
        best = (1 + 3 * delta) * t - delta
        if (best > 0).all():
            slopes = kl(delta=delta).gradient(best, t)
            assert slopes == pytest.approx(np.full(3, slopes[0]), rel=1e-9)
            assert np.abs(best - t).max() <= 2 * delta
