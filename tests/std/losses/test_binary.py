"""Binary cross-entropy and focal loss: relations, guards, edges, claims."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import lossfw

inf, nan = math.inf, math.nan

GUARDS = ("normalised", "additive", "floor", "none")
BCE = lossfw.loss("binary_cross_entropy")
BARE = lossfw.loss("binary_cross_entropy", guard="none")
LOGITS = lossfw.loss("binary_cross_entropy", from_logits=True)

probabilities = st.floats(0, 1)
# Such that 1 - p is a float too.
coarse = st.integers(0, 2**30).map(lambda n: n / 2**30)
logits = st.floats(-1e3, 1e3)
hard = st.sampled_from([0.0, 1.0])


class TestKnownValues:
    # The truth column of what other libraries print, from 60-digit arithmetic.
    @pytest.mark.parametrize(
        ("dtype", "z", "t", "wanted"),
        [
            (np.float32, -10.0, 0, 4.540e-05),
            (np.float32, -14.0, 0, 8.315e-07),
            (np.float32, -15.0, 0, 3.059e-07),
            (np.float32, -20.0, 0, 2.061e-09),
            (np.float32, 20.0, 1, 2.0611536e-09),
            (np.float64, -20.0, 0, 2.06115362e-09),
            (np.float64, -40.0, 0, 4.248e-18),
            (np.float16, -8.0, 0, 3.354e-04),
            (np.float64, -100.0, 1, 100.0),
        ],
    )
    def test_both_tails_from_logits(self, dtype, z, t, wanted):
        found = LOGITS(np.array([z], dtype), [t], reduction="none")
        assert found.dtype == dtype
        assert float(found[0]) == pytest.approx(wanted, rel=5e-4)
        if wanted < 1:
            slope = LOGITS.gradient(np.array([z], dtype), [t], reduction="none")
            assert abs(float(slope[0])) == pytest.approx(wanted, rel=5e-4)

    def test_infinite_logits(self):
        z, t = [inf, -inf, inf, -inf, inf], [1, 0, 0, 1, 0.5]
        assert LOGITS(z, t, reduction="none").tolist() == [0, 0, inf, inf, inf]
        assert LOGITS.gradient(z, t, reduction="none").tolist() == [0, 0, 1, -1, 0.5]
        assert LOGITS.hessian(z, t, reduction="none").tolist() == [0] * 5

    def test_derivatives_at_a_logit_of_zero(self):
        assert LOGITS.gradient([0.0], [1.0])[0] == -0.5
        assert LOGITS.hessian([0.0], [1.0])[0] == 0.25

    def test_the_smallest_probability_has_its_logarithm(self):
        assert BARE(np.array([1e-45], np.float32), [1]) == pytest.approx(103.2789, rel=1e-6)
        assert BARE([5e-324], [1]) == pytest.approx(744.4400719213812, rel=1e-15)

    def test_focal_of_the_paper(self):
        # Lin and others, section 3.2: with gamma = 2, 100 times less than the
        # cross-entropy at 0.9, and 1000 times less at about 0.968.
        focal = lossfw.loss("focal")
        assert BARE([0.9], [1]) / focal([0.9], [1]) == pytest.approx(100, rel=1e-12)
        assert BARE([0.968], [1]) / focal([0.968], [1]) == pytest.approx(1000, rel=0.03)


class TestRelations:
    @pytest.mark.parametrize("guard", GUARDS)
    @pytest.mark.parametrize("delta", [1e-7, 0.1, 0.6])
    @given(p=coarse, t=coarse)
    def test_both_classes_are_treated_alike(self, guard, delta, p, t):
        loss = lossfw.loss("binary_cross_entropy", guard=guard, delta=delta)
        mirrored = loss([1 - p], [1 - t])
        assert loss([p], [t]) == mirrored
        slopes = loss.gradient([p], [t]), -loss.gradient([1 - p], [1 - t])
        assert slopes[0] == pytest.approx(slopes[1], rel=1e-13)

    @given(logits, probabilities)
    def test_logits_are_mirrored_too(self, z, t):
        assert LOGITS([z], [t]) == pytest.approx(LOGITS([-z], [1 - t]), rel=1e-14, abs=1e-13)
        assert LOGITS.hessian([z], [t]) == LOGITS.hessian([-z], [1 - t])

    @given(logits, probabilities)
    def test_it_is_the_cross_entropy_of_two_classes(self, z, t):
        two = lossfw.loss("cross_entropy", from_logits=True)([[0.0, z]], [[1 - t, t]])
        assert LOGITS([z], [t]) == pytest.approx(two, rel=1e-13)

    @given(probabilities, probabilities, st.sampled_from(GUARDS))
    def test_it_is_the_guarded_cross_entropy_of_two_classes(self, p, t, guard):
        loss, two = (lossfw.loss(n, guard=guard) for n in ("binary_cross_entropy", "cross_entropy"))
        wanted = two([[1 - p, p]], [[1 - t, t]])
        # 1 - p is rounded in the row, and known to be 1 - p here.
        assert loss([p], [t]) == pytest.approx(wanted, rel=1e-9, abs=1e-15)

    @given(logits, hard)
    def test_it_is_the_logistic_loss_of_the_margin(self, z, t):
        assert LOGITS([z], [t]) == pytest.approx(
            lossfw.loss("logistic")([z], [2 * t - 1]), rel=1e-14
        )

    @given(st.floats(-30, 30), probabilities)
    def test_logits_give_the_loss_of_their_sigmoid(self, z, t):
        p = lossfw.activation("sigmoid")([z])
        assert BARE.on_logits() == lossfw.loss(
            "binary_cross_entropy", guard="none", from_logits=True
        )
        assert BARE(p, [t]) == pytest.approx(BARE.on_logits()([z], [t]), rel=1e-2, abs=1e-15)

    @pytest.mark.parametrize("from_logits", [False, True])
    @given(y=probabilities, t=probabilities)
    def test_focal_without_a_weight_is_the_cross_entropy(self, from_logits, y, t):
        y = 40 * y - 20 if from_logits else y
        wanted = lossfw.loss("binary_cross_entropy", guard="none", from_logits=from_logits)
        focal = lossfw.loss("focal", gamma=0.0, from_logits=from_logits)
        half = lossfw.loss("focal", gamma=0.0, alpha=0.5, from_logits=from_logits)
        for call in ("__call__", "gradient", "hessian"):
            known = getattr(wanted, call)([y], [t])
            # The gradient of a soft target cancels.
            assert getattr(focal, call)([y], [t]) == pytest.approx(known, rel=1e-13, abs=1e-13)
            assert getattr(half, call)([y], [t]) == pytest.approx(known / 2, rel=1e-13, abs=1e-13)

    @given(probabilities, st.floats(0, 5), st.floats(0, 1))
    def test_a_soft_target_has_the_sum_of_both_classes(self, y, gamma, alpha):
        t = 0.25
        loss = lossfw.loss("focal", gamma=gamma, alpha=alpha)
        parts = t * loss([y], [1]) + (1 - t) * loss([y], [0])
        known = parts if not math.isnan(parts) else inf
        assert loss([y], [t]) == pytest.approx(known, rel=1e-14)

    @given(probabilities, st.floats(0, 1))
    def test_alpha_weighs_the_targets_of_one(self, y, alpha):
        plain, weighted = lossfw.loss("focal"), lossfw.loss("focal", alpha=alpha)
        for t, share in ((1, alpha), (0, 1 - alpha)):
            wanted = share * plain([y], [t]) if share else 0
            assert weighted([y], [t]) == pytest.approx(wanted, rel=1e-14)

    @given(st.floats(0.01, 0.99), hard)
    def test_more_gamma_means_less_loss(self, y, t):
        losses = [lossfw.loss("focal", gamma=g)([y], [t]) for g in (0.0, 0.5, 1.0, 2.0, 5.0)]
        assert losses == sorted(losses, reverse=True)

    def test_focal_is_fused_with_a_sigmoid(self):
        loss = lossfw.loss("focal", gamma=3.0, alpha=0.25)
        assert loss.link_activation() == "sigmoid"
        assert loss.on_logits() == lossfw.loss("focal", gamma=3.0, alpha=0.25, from_logits=True)


class TestEdges:
    def test_the_guards_at_zero_and_one(self):
        d = 1e-7
        # The losses for a target of 1, at 0 and at 1; those for 0 are the same.
        wanted = {
            "normalised": (math.log1p(1 / d), 0.0),
            "additive": (-math.log(d), -math.log1p(d)),
            "floor": (-math.log(d), 0.0),
            "none": (inf, 0.0),
        }
        for guard, ends in wanted.items():
            loss = lossfw.loss("binary_cross_entropy", guard=guard, delta=d)
            for y, t in (([0, 1], [1, 1]), ([1, 0], [0, 0])):
                found = loss(y, t, reduction="none")
                assert found == pytest.approx(ends, rel=1e-15)
                assert not (np.signbit(found) & (found == 0)).any()

    def test_the_floor_has_no_slope_below_delta(self):
        loss = lossfw.loss("binary_cross_entropy", guard="floor", delta=0.25)
        y, t = [0.125, 0.125, 0.875, 0.25], [1, 0, 1, 1]
        assert loss.gradient(y, t, reduction="none") == pytest.approx([0, 8 / 7, -8 / 7, -4])
        assert loss.hessian(y, t, reduction="none")[0] == 0

    def test_the_floor_is_compared_without_rounding(self):
        # The float 0.1 is above 1/10, so that 1 - y is below the float 0.9; rounded it is that.
        loss = lossfw.loss("binary_cross_entropy", guard="floor", delta=0.9)
        assert loss.gradient([0.1], [0.1])[0] == loss.hessian([0.1], [0.1])[0] == 0

    def test_without_a_guard_the_gradient_at_an_end_is_finite_for_the_truth(self):
        y, t = [0, 1, 0, 1, 0.0, 5e-324], [0, 1, 1, 0, 0.5, 5e-324]
        assert BARE(y, t, reduction="none")[:5].tolist() == [0, 0, inf, inf, inf]
        assert BARE.gradient(y, t, reduction="none").tolist() == [1, -1, -inf, inf, -inf, 0]
        assert BARE.hessian(y, t, reduction="none")[:5].tolist() == [1, 1, inf, inf, inf]

    @pytest.mark.parametrize("gamma", [0.0, 0.5, 1.0, 2.0])
    def test_focal_at_the_ends(self, gamma):
        loss = lossfw.loss("focal", gamma=gamma)
        assert loss([1, 0, 0, 1], [1, 0, 1, 0], reduction="none").tolist() == [0, 0, inf, inf]
        slope = -1.0 if gamma == 0 else 0.0
        assert loss.gradient([1, 0], [1, 0], reduction="none").tolist() == [slope, -slope]
        # From (1 - s)^(gamma - 1) gamma (gamma + 1) near s = 1.
        bend = {0.0: 1.0, 0.5: inf, 1.0: 2.0, 2.0: 0.0}[gamma]
        assert loss.hessian([1, 0], [1, 0], reduction="none").tolist() == [bend, bend]
        by_logits = lossfw.loss("focal", gamma=gamma, from_logits=True)
        z, t = [inf, -inf, -inf, inf], [1, 0, 1, 0]
        assert by_logits(z, t, reduction="none").tolist() == [0, 0, inf, inf]
        assert by_logits.gradient(z, t, reduction="none") == pytest.approx([0, 0, -1, 1])
        assert by_logits.hessian(z, t, reduction="none") == pytest.approx([0, 0, 0, 0])


class TestClaims:
    @pytest.mark.parametrize("guard", ["normalised", "additive", "none"])
    @pytest.mark.parametrize("delta", [1e-3, 0.5])
    def test_constants_are_reached_at_the_ends(self, guard, delta):
        loss = lossfw.loss("binary_cross_entropy", guard=guard, delta=delta)
        claims = loss.claims()
        y, t = (x.ravel() for x in np.meshgrid(np.linspace(0, 1, 101), np.linspace(0, 1, 11)))
        bend = loss.hessian(y, t, reduction="none")
        assert bend.min() == pytest.approx(claims.strongly_convex)
        if guard != "none":
            slope = np.abs(loss.gradient(y, t, reduction="none"))
            assert slope.max() == pytest.approx(claims.lipschitz)
            assert bend.max() == pytest.approx(claims.gradient_lipschitz)
            values = loss(y, t, reduction="none")
            assert values.max() == pytest.approx(claims.bounded)
            assert values.min() == pytest.approx(claims.lower_bound or 0)

    def test_from_logits_the_constants_are_one_and_a_quarter(self):
        claims = LOGITS.claims()
        assert (claims.lipschitz, claims.gradient_lipschitz) == (1, 0.25)
        assert LOGITS.gradient([-50.0], [1.0])[0] == -1
        assert LOGITS.hessian([0.0], [1.0])[0] == 0.25

    def test_the_floor_loses_convexity_at_its_kink(self):
        loss = lossfw.loss("binary_cross_entropy", guard="floor", delta=0.25)
        assert not loss.claims().convex
        low, middle, high = loss([0.0, 0.25, 0.5], [1, 1, 1], reduction="none")
        assert middle > (low + high) / 2

    @pytest.mark.parametrize("q", [0.02, 0.3, 0.5, 0.9])
    def test_the_true_probability_is_best_without_a_guard_alone(self, q):
        p = np.linspace(0.001, 0.999, 999)
        for guard in GUARDS:
            loss = lossfw.loss("binary_cross_entropy", guard=guard, delta=0.1)
            ones, zeros = (loss(p, np.full(999, t), reduction="none") for t in (1.0, 0.0))
            best = p[np.argmin(q * ones + (1 - q) * zeros)]
            proper = abs(best - q) < 1e-9
            assert proper or not loss.claims().strictly_proper
            assert (best > 0.5) == (q > 0.5)
        assert BARE.claims().strictly_proper

    @pytest.mark.parametrize("q", [0.1, 0.3, 0.8])
    def test_focal_is_calibrated_and_not_proper(self, q):
        p = np.linspace(0.001, 0.999, 999)
        loss = lossfw.loss("focal")
        ones, zeros = (loss(p, np.full(999, t), reduction="none") for t in (1.0, 0.0))
        best = p[np.argmin(q * ones + (1 - q) * zeros)]
        assert loss.claims().calibrated
        assert not loss.claims().proper
        assert abs(best - 0.5) < abs(q - 0.5) - 0.01
        assert (best > 0.5) == (q > 0.5)

    def test_weights_of_the_classes_end_calibration(self):
        p = np.linspace(0.001, 0.999, 999)
        loss = lossfw.loss("focal", alpha=0.9)
        ones, zeros = (loss(p, np.full(999, t), reduction="none") for t in (1.0, 0.0))
        assert p[np.argmin(0.4 * ones + 0.6 * zeros)] > 0.5
        assert not loss.claims().calibrated

    @pytest.mark.parametrize("gamma", [0.0, 0.3, 1.0, 2.0, 5.0])
    def test_focal_is_convex_in_the_probability_and_not_in_the_logit(self, gamma):
        loss = lossfw.loss("focal", gamma=gamma, alpha=0.25)
        y = np.linspace(0.001, 0.999, 501)
        for t in (0.0, 0.5, 1.0):
            bend = loss.hessian(y, np.full(501, t), reduction="none")
            assert (bend > 0).all()
            least = loss.claims().strongly_convex
            assert least is None or bend.min() >= least * (1 - 1e-12)
        z = np.linspace(-30, 30, 501)
        bend = loss.on_logits().hessian(z, np.ones(501), reduction="none")
        assert (bend.min() < 0) == (gamma > 0) == (not loss.on_logits().claims().convex)

    @pytest.mark.parametrize(
        ("gamma", "slope", "bend"),
        # By mpmath's findroot for the second and third derivative, with 30 digits.
        [
            (0.3, 1.0014417712628280855, 0.29562276358279714179),
            (2.0, 1.1289832185683981976, 0.49619134616812505974),
        ],
    )
    def test_constants_of_focal_from_logits(self, gamma, slope, bend):
        claims = lossfw.loss("focal", gamma=gamma, from_logits=True).claims()
        assert claims.lipschitz == pytest.approx(slope, rel=1e-15)
        assert claims.gradient_lipschitz == pytest.approx(bend, rel=1e-15)
        weighted = lossfw.loss("focal", gamma=gamma, alpha=0.25, from_logits=True).claims()
        assert weighted.lipschitz == pytest.approx(0.75 * slope, rel=1e-15)

    def test_focal_without_a_weight_has_the_constants_of_the_cross_entropy(self):
        for from_logits in (False, True):
            wanted = lossfw.loss("binary_cross_entropy", guard="none", from_logits=from_logits)
            found = lossfw.loss("focal", gamma=0.0, from_logits=from_logits).claims()
            for name in ("lipschitz", "gradient_lipschitz", "strongly_convex"):
                known = getattr(wanted.claims(), name)
                assert getattr(found, name) == (known and pytest.approx(known, rel=1e-15))
            assert found.convex
            assert found.strictly_proper == wanted.claims().strictly_proper
