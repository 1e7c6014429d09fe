"""Losses over classes besides cross-entropy: Brier, focal, robust ones, hinges."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import lossfw
from lossfw import ParameterError, ShapeError
from support.rows import DTYPES, distributions, worst

INF = math.inf
scores = hnp.arrays(np.float64, st.tuples(st.integers(1, 6), st.integers(2, 5)),
                    elements=st.floats(-20, 20))  # fmt: skip
seeds = st.integers(0, 2**32 - 1)


def near(x, rel=1e-12):
    return pytest.approx(x, rel=rel, abs=1e-14)


class TestAccuracy:
    @pytest.mark.parametrize("form", ["crammer_singer", "weston_watkins"])
    @pytest.mark.parametrize("dtype", DTYPES)
    def test_hinges_at_their_kinks(self, form, dtype):
        # 1 + z_j - z_k, rounded twice, is 0 for many neighbours of the kink.
        rng = np.random.default_rng(4)
        z = rng.normal(size=(60, 3)).astype(dtype)
        z[:, 0] = z[:, 1] + dtype(1)
        z[::3, 0] = np.nextafter(z[::3, 0], dtype(INF))
        z[1::3, 0] = np.nextafter(z[1::3, 0], dtype(-INF))
        loss = lossfw.loss("multiclass_hinge", form=form)
        assert worst(loss, z, np.zeros(60, int)) <= 2
        gap = [
            1 + max(Fraction(float(b)), Fraction(float(c))) - Fraction(float(a)) for a, b, c in z
        ]
        violated = loss.gradient(z, np.zeros(60, int), reduction="none")[:, 0] < 0
        assert violated.tolist() == [g > 0 for g in gap]


class TestBrier:
    @given(seeds)
    def test_the_risk_is_the_squared_distance_to_the_truth(self, seed):
        y, q = np.random.default_rng(seed).dirichlet(np.ones(4), 2)
        risk = sum(q[k] * lossfw.loss("brier")(y, k) for k in range(4))
        least = sum(q[k] * lossfw.loss("brier")(q, k) for k in range(4))
        assert risk - least == near(((y - q) ** 2).sum())

    def test_for_two_classes_it_is_twice_the_squared_error(self):
        # Brier 1950, in the words of the usual two-class score.
        y = np.linspace(0, 1, 11)
        both = lossfw.loss("brier")(np.stack([y, 1 - y], -1), np.zeros(11, int), reduction="none")
        assert both == near(2 * lossfw.loss("squared_error")(y, np.ones(11), reduction="none"))

    def test_constants_are_reached_between_corners(self):
        claims = lossfw.loss("brier").claims()
        sure, wrong = [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]
        assert lossfw.loss("brier")(sure, wrong) == claims.bounded == 2
        assert np.linalg.norm(lossfw.loss("brier").gradient(sure, wrong)) == near(claims.lipschitz)


class TestRobust:
    @given(seeds)
    def test_towards_q_of_0_it_is_cross_entropy(self, seed):
        y, t = np.random.default_rng(seed).dirichlet(np.ones(3), 2)
        limit = lossfw.loss("cross_entropy", guard="none")(y, t)
        assert lossfw.loss("generalised_cross_entropy", q=1e-9)(y, t) == pytest.approx(
            limit, rel=1e-6
        )

    @given(seeds, st.integers(0, 2))
    def test_for_q_of_1_it_is_half_the_sum_of_absolute_errors(self, seed, k):
        y = np.random.default_rng(seed).dirichlet(np.ones(3))
        absolute = lossfw.loss("absolute_error", per="row")(y, np.eye(3)[k])
        assert lossfw.loss("generalised_cross_entropy", q=1.0)(y, k) == near(absolute / 2)

    @given(st.floats(1e-6, 1), st.floats(0, 1))
    def test_a_wrong_label_costs_at_most_1_over_q(self, q, y):
        loss = lossfw.loss("generalised_cross_entropy", q=q)
        assert 0 <= loss([y, 1 - y], 0) <= loss([0.0, 1.0], 0) == near(1 / q)

    @given(st.floats(0.05, 0.95), st.floats(0.3, 0.9))
    def test_its_minimiser_is_a_power_of_the_truth(self, eta, q):
        # Why it is not proper; q below 1.
        truth = np.array([eta, 1 - eta])
        best = truth ** (1 / (1 - q)) / (truth ** (1 / (1 - q))).sum()
        slopes = lossfw.loss("generalised_cross_entropy", q=q).gradient(best, truth)
        assert slopes[0] == pytest.approx(slopes[1], rel=1e-9)

    @pytest.mark.parametrize("q", [0.01, 0.3, 0.7])
    def test_slopes_at_the_ends(self, q):
        loss = lossfw.loss("generalised_cross_entropy", q=q)
        for target in (0, [1.0, 0.0]):
            assert loss.gradient([0.0, 1.0], target).tolist() == [-INF, 0]
            assert loss.hessian([0.0, 1.0], target).tolist() == [INF, 0]
            assert loss.gradient([1.0, 0.0], target).tolist() == [-1, 0]

    def test_slopes_of_the_straight_line(self):
        whole = lossfw.loss("generalised_cross_entropy", q=1.0)
        assert whole.gradient([0.0, 1.0], 0).tolist() == [-1, 0]
        assert whole.hessian([0.0, 1.0], 0).tolist() == [0, 0]

    @given(seeds, st.floats(-1, 100))
    def test_poly_adds_epsilon_times_what_is_missing(self, seed, epsilon):
        rng = np.random.default_rng(seed)
        y, t = rng.dirichlet(np.ones(3)), rng.dirichlet(np.ones(3))
        plain = lossfw.loss("cross_entropy", guard="none")(y, t)
        wanted = plain + epsilon * (t * (1 - y)).sum()
        assert lossfw.loss("poly_cross_entropy", epsilon=epsilon)(y, t) == near(wanted, rel=1e-10)

    @given(st.floats(0, 1))
    def test_poly_is_never_negative_even_at_the_end_of_its_parameter(self, y):
        loss = lossfw.loss("poly_cross_entropy", epsilon=-1.0)
        assert loss([y, 1 - y], 0) >= 0
        assert (loss([y, 1 - y], 0) == 0) == (y == 1)

    def test_poly_near_certainty_is_the_second_power_of_the_distance(self):
        # -log(1 - q) - q = q^2/2 + q^3/3 + ...
        loss = lossfw.loss("poly_cross_entropy", epsilon=-1.0)
        q = 2.0**-30
        assert loss([1 - q, q], 0) == near(q * q / 2 + q**3 / 3)


class TestFocal:
    @given(seeds, st.booleans())
    def test_gamma_of_0_is_cross_entropy(self, seed, logits):
        rng = np.random.default_rng(seed)
        y = rng.normal(size=(3, 4)) if logits else rng.dirichlet(np.ones(4), 3)
        t = rng.dirichlet(np.ones(4), 3)
        focal = lossfw.loss("categorical_focal", gamma=0.0, from_logits=logits)
        plain = lossfw.loss("cross_entropy", guard="none", from_logits=logits)
        assert focal(y, t) == near(plain(y, t))
        assert focal.gradient(y, t) == near(plain.gradient(y, t))
        assert focal.hessian(y, t) == near(plain.hessian(y, t))

    @given(seeds, st.floats(0, 5), st.sampled_from([None, 0.25, (0.5, 1.0, 2.0)]))
    def test_logits_are_the_logits_of_the_softmax(self, seed, gamma, alpha):
        z = np.random.default_rng(seed).normal(size=(4, 3))
        y, index = lossfw.activation("softmax")(z), [0, 1, 2, 0]
        loss = lossfw.loss("categorical_focal", gamma=gamma, alpha=alpha)
        assert loss(y, index) == near(loss.replace(from_logits=True)(z, index))

    @given(seeds, st.floats(0, 5))
    def test_slopes_at_logits_follow_by_the_chain_rule(self, seed, gamma):
        rng = np.random.default_rng(seed)
        z, t = rng.normal(size=(4, 3)), rng.dirichlet(np.ones(3), 4)
        y = lossfw.activation("softmax")(z)
        loss = lossfw.loss("categorical_focal", gamma=gamma)
        slope = loss.gradient(y, t, reduction="none")
        chained = y * (slope - (slope * y).sum(-1, keepdims=True))
        found = loss.replace(from_logits=True).gradient(z, t, reduction="none")
        assert found == near(chained, rel=1e-9)

    @given(st.floats(0.01, 0.99), st.floats(0, 5))
    def test_two_classes_are_the_binary_focal_loss(self, p, gamma):
        binary = lossfw.loss("focal", gamma=gamma)(p, 1.0)
        assert lossfw.loss("categorical_focal", gamma=gamma)([p, 1 - p], 0) == near(binary)

    def test_the_formula_of_the_paper(self):
        # Lin et al. 2017, eq. 4, at p = 0.9 and gamma = 2: a hundredth of -log(0.9).
        assert lossfw.loss("categorical_focal")([0.9, 0.1], 0) == near(-math.log(0.9) / 100)

    def test_alpha_weighs_classes_by_number_or_by_class(self):
        y, index = distributions(6, 6, 3, np.float64), np.arange(6) % 3
        plain = lossfw.loss("categorical_focal")(y, index, reduction="none")
        once = lossfw.loss("categorical_focal", alpha=0.25)(y, index, reduction="none")
        each = lossfw.loss("categorical_focal", alpha=[1, 2, 0])(y, index, reduction="none")
        assert once == near(plain / 4)
        assert each == near(plain * np.array([1, 2, 0])[index])

    def test_it_is_not_proper(self):
        # The minimiser is less sure than the truth.
        loss, truth = lossfw.loss("categorical_focal"), np.array([0.9, 0.1])
        assert loss([0.8, 0.2], truth) < loss(truth, truth)
        assert not loss.claims().proper
        assert lossfw.loss("categorical_focal", gamma=0.0).claims().strictly_proper
        assert not lossfw.loss("categorical_focal", gamma=0.0, alpha=(1.0, 2.0)).claims().proper

    def test_it_is_not_convex_in_logits(self):
        loss = lossfw.loss("categorical_focal", from_logits=True)
        assert loss.hessian([-3.0, 3.0], 0)[0] < 0
        assert not loss.claims().convex

    def test_errors(self):
        with pytest.raises(ShapeError, match=r"2 factors in alpha for 3 classes"):
            lossfw.loss("categorical_focal", alpha=(1.0, 2.0))([0.2, 0.3, 0.5], 0)
        for wrong in ({"gamma": -1.0}, {"alpha": -1.0}, {"alpha": (1.0, -1.0)}, {"alpha": ()}):
            with pytest.raises(ParameterError, match=next(iter(wrong))):
                lossfw.loss("categorical_focal", **wrong)


class TestHinges:
    @given(scores)
    def test_the_worst_class_is_at_most_all_of_them(self, z):
        index = np.arange(len(z)) % z.shape[-1]
        worst, every = (lossfw.loss("multiclass_hinge", form=form)(z, index, reduction="none")
                        for form in ("crammer_singer", "weston_watkins"))  # fmt: skip
        assert (worst <= every).all()
        assert (every <= (z.shape[-1] - 1) * worst * (1 + 1e-15)).all()

    @given(hnp.arrays(np.float64, (4, 2), elements=st.floats(-20, 20)))
    def test_two_classes_are_the_hinge_of_the_difference(self, z):
        margin = lossfw.loss("hinge")(z[:, 0] - z[:, 1], np.ones(4), reduction="none")
        for form in ("crammer_singer", "weston_watkins"):
            found = lossfw.loss("multiclass_hinge", form=form)(
                z, np.zeros(4, int), reduction="none"
            )
            assert found == pytest.approx(margin, abs=1e-14)

    @pytest.mark.parametrize("form", ["crammer_singer", "weston_watkins"])
    def test_slopes_of_an_index_and_of_its_row_are_the_same_at_ties_too(self, form):
        loss = lossfw.loss("multiclass_hinge", form=form)
        z = np.random.default_rng(7).integers(-2, 3, (200, 4)) * 0.5
        index = np.arange(200) % 4
        by_index = loss.gradient(z, index, reduction="none")
        assert np.array_equal(by_index, loss.gradient(z, np.eye(4)[index], reduction="none"))
        assert by_index.sum(-1).tolist() == [0] * 200
        assert not loss.hessian(z, index).any()

    def test_ties_share_no_subgradient_twice(self):
        slope = lossfw.loss("multiclass_hinge").gradient([0.0, 1.0, 1.0], 0)
        assert slope.tolist() == [-1, 1, 0]

    @pytest.mark.parametrize(
        ("row", "worst", "every"),
        [
            ([INF, 0, 0], 0, 0),
            ([0, INF, 0], INF, INF),
            ([-INF, 0, 0], INF, INF),
            ([0, -INF, -INF], 0, 0),
            ([INF, INF, 0], 1, 1),
            ([-INF, -INF, -INF], 1, 2),
        ],
    )
    def test_infinite_scores(self, row, worst, every):
        for form, value in (("crammer_singer", worst), ("weston_watkins", every)):
            loss = lossfw.loss("multiclass_hinge", form=form)
            assert loss(row, 0) == loss(row, [1.0, 0.0, 0.0]) == value
            assert np.isfinite(loss.gradient(row, 0)).all()

    def test_neither_is_calibrated_where_no_class_has_half(self):
        # Tewari and Bartlett 2007: a prediction that ties two classes is best.
        q, right, tied = np.array([0.4, 0.3, 0.3]), [1.0, 0.0, 0.0], [0.0, 0.0, 0.0]
        loss = lossfw.loss("multiclass_hinge")
        assert loss(tied, q) <= loss(right, q)
        q = np.array([0.4, 0.35, 0.25])
        every = lossfw.loss("multiclass_hinge", form="weston_watkins")
        assert every([0.5, 0.5, -0.5], q) <= every([1.0, 0.0, -1.0], q)
        for form in ("crammer_singer", "weston_watkins"):
            assert not lossfw.loss("multiclass_hinge", form=form).claims().calibrated

    def test_the_steepest_slope(self):
        loss = lossfw.loss("multiclass_hinge")
        assert np.linalg.norm(loss.gradient([0.0, 0.0, 0.0], 0)) == near(loss.claims().lipschitz)
        assert lossfw.loss("multiclass_hinge", form="weston_watkins").claims().lipschitz is None

    def test_errors(self):
        with pytest.raises(ShapeError, match="one class"):
            lossfw.loss("multiclass_hinge")([[1.0]], [0])
        with pytest.raises(ParameterError, match="form"):
            lossfw.loss("multiclass_hinge", form="lee")
