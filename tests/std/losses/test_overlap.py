"""Overlap of sets: what the weights mean, how the three are related, digits near 0."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import lossfw
from support.rows import DTYPES, tiny

NAMES = ["tversky", "dice", "jaccard"]

masks = hnp.arrays(np.float64, 6, elements=st.sampled_from([0.0, 1.0]))
shares = hnp.arrays(np.float64, 6, elements=st.floats(0, 1))
# Of the smallest floats the products are no floats.
weights = st.just(0.0) | st.floats(1e-9, 10)


def at(name, y, t, **parameters):
    return lossfw.loss(name, **parameters)(y, t)


def exactly(y, t, alpha, beta, smooth=0):
    """Tversky's loss in rational numbers."""
    pairs = [(Fraction(float(a)), int(b)) for a, b in zip(y, t, strict=True)]
    hits = sum(a * b for a, b in pairs)
    wrong = sum(a * (1 - b) * Fraction(alpha) + (1 - a) * b * Fraction(beta) for a, b in pairs)
    whole = hits + wrong + Fraction(smooth)
    return wrong / whole if whole else Fraction(0)


class TestAccuracy:
    def test_a_small_gradient_keeps_its_digits_in_single_precision(self):
        y, t = np.array([[4.7e-21, 1.9e-20]], np.float32), np.array([[1.0, 0.0]])
        found = lossfw.loss("tversky", beta=7.5).gradient(y, t, reduction="none")[0, 1]
        hits, others = (Fraction(float(x)) for x in y[0])
        whole = hits + others / 2 + (1 - hits) * Fraction(7.5)
        truth = Fraction(1, 2) * hits / whole**2
        assert abs(Fraction(float(found)) / truth - 1) < 1e-6

    @given(shares, masks, weights, weights, st.sampled_from([0.0, 1e-3, 1.0, 1e20]))
    def test_values_agree_with_rational_numbers(self, y, t, alpha, beta, smooth):
        found = at("tversky", y, t, alpha=alpha, beta=beta, smooth=smooth)
        truth = exactly(y, t, alpha, beta, smooth)
        assert abs(Fraction(found) - truth) <= 8 * Fraction(float(np.spacing(float(truth))))

    @pytest.mark.parametrize("dtype", DTYPES)
    def test_near_0_nothing_cancels(self, dtype):
        missing = dtype(2.0**-20)
        y, t = [[1 - missing, 0]], [[1, 0]]
        found = at("jaccard", np.array(y, dtype), np.array(t, dtype))
        assert found == float(missing)

    @pytest.mark.parametrize("dtype", DTYPES)
    def test_the_smallest_prediction_where_nothing_is_there_is_wholly_wrong(self, dtype):
        for alpha in (0.3, 0.5, 1.0):
            y = np.array([[tiny(dtype), 0]], dtype)
            assert at("tversky", y, np.zeros_like(y), alpha=alpha) == 1


class TestMeaning:
    @given(shares, masks, weights, weights)
    def test_alpha_weighs_false_positives(self, y, t, alpha, more):
        alone = np.where(t == 1, 1.0, y)  # no false negative
        low, high = sorted([alpha, more])
        losses = [at("tversky", alone, t, alpha=a, beta=0.7) for a in (low, high)]
        assert losses[0] <= losses[1] * (1 + 1e-14)
        assert at("tversky", alone, t, alpha=0.0, beta=0.7) == 0

    @given(shares, masks, weights)
    def test_beta_of_0_ignores_false_negatives(self, y, t, alpha):
        alone = np.where(t == 0, 0.0, y)  # no false positive
        assert at("tversky", alone, t, alpha=alpha, beta=0.0) == 0

    @given(shares, masks, weights, weights)
    def test_beta_weighs_false_negatives(self, y, t, beta, more):
        alone = np.where(t == 0, 0.0, y)
        low, high = sorted([beta, more])
        losses = [at("tversky", alone, t, alpha=0.7, beta=b) for b in (low, high)]
        assert losses[0] <= losses[1] * (1 + 1e-14)

    def test_one_false_positive_and_one_false_negative(self):
        # One member found, one of each mistake: 1 - 1 / (1 + alpha + beta).
        y, t = [1, 1, 0], [1, 0, 1]
        assert at("tversky", y, t, alpha=0.25, beta=0.75) == 0.5
        assert at("tversky", y, t, alpha=1.0, beta=0.0) == 0.5
        assert at("tversky", [1, 1], [1, 0], alpha=1.0, beta=0.0) == 0.5
        assert at("tversky", [1, 0], [1, 1], alpha=1.0, beta=0.0) == 0

    @given(shares, masks, weights)
    def test_dice_and_jaccard_are_tversky(self, y, t, smooth):
        even = at("tversky", y, t, alpha=0.5, beta=0.5, smooth=smooth)
        whole = at("tversky", y, t, alpha=1.0, beta=1.0, smooth=smooth)
        assert at("dice", y, t, smooth=smooth) == even
        assert at("jaccard", y, t, smooth=smooth) == whole

    @given(shares, masks)
    def test_dice_and_jaccard_tell_of_each_other(self, y, t):
        dice, jaccard = at("dice", y, t), at("jaccard", y, t)
        assert jaccard == pytest.approx(2 * dice / (1 + dice), rel=1e-14)
        assert dice == pytest.approx(jaccard / (2 - jaccard), rel=1e-14)

    @given(masks, masks)
    def test_of_sets_jaccard_is_one_less_intersection_over_union(self, y, t):
        union = np.logical_or(y, t).sum()
        wanted = 1 - np.logical_and(y, t).sum() / union if union else 0
        assert at("jaccard", y, t) == pytest.approx(wanted, abs=1e-15)

    @given(masks, masks, masks)
    def test_of_sets_jaccard_is_a_metric(self, a, b, c):
        assert at("jaccard", a, c) <= at("jaccard", a, b) + at("jaccard", b, c) + 1e-15

    @given(shares, masks)
    def test_dice_is_one_less_twice_the_overlap_over_both_sizes(self, y, t):
        sizes = y.sum() + t.sum()
        wanted = 1 - 2 * (y * t).sum() / sizes if sizes > 1e-300 else at("dice", y, t)
        assert at("dice", y, t) == pytest.approx(wanted, abs=1e-14)


class TestEnds:
    @pytest.mark.parametrize("name", NAMES)
    def test_nothing_there_and_nothing_predicted(self, name):
        loss = lossfw.loss(name)
        assert loss([0.0, 0.0], [0.0, 0.0]) == 0
        assert not loss.gradient([0.0, 0.0], [0.0, 0.0]).any()
        assert not loss.hessian([0.0, 0.0], [0.0, 0.0]).any()
        assert loss([0.0, 0.0], [1.0, 0.0]) == 1

    @given(shares, masks)
    def test_slopes_pull_towards_the_target(self, y, t):
        slopes = lossfw.loss("jaccard", smooth=1.0).gradient(y, t)
        assert (slopes[t == 1] <= 0).all()
        assert (slopes[t == 0] >= 0).all()


class TestClaims:
    def test_convex_only_where_false_positives_do_not_count(self):
        assert lossfw.loss("tversky", alpha=0.0, beta=1.0).claims().convex
        assert not lossfw.loss("tversky", alpha=0.0, beta=1.5).claims().convex
        assert not lossfw.loss("dice").claims().convex
        # The chord from nothing to one false positive lies below the curve.
        ends = [at("jaccard", [1.0, p], [1, 0]) for p in (0.0, 0.5, 1.0)]
        assert ends[1] > (ends[0] + ends[2]) / 2

    def test_without_weights_nothing_can_be_learnt(self):
        loss = lossfw.loss("tversky", alpha=0.0, beta=0.0)
        assert loss.claims().gradient_zero_almost_everywhere
        assert not loss.gradient([0.3, 0.6], [1, 0]).any()
