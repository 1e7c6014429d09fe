"""Overlap of sets: known values, digits near 0, empty sets."""

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
# The products of the smallest floats are not floats.
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
    def test_one_false_positive_and_one_false_negative(self):
        # One member found, one of each mistake: 1 - 1 / (1 + alpha + beta).
        y, t = [1, 1, 0], [1, 0, 1]
        assert at("tversky", y, t, alpha=0.25, beta=0.75) == 0.5
        assert at("tversky", y, t, alpha=1.0, beta=0.0) == 0.5
        assert at("tversky", [1, 1], [1, 0], alpha=1.0, beta=0.0) == 0.5
        assert at("tversky", [1, 0], [1, 1], alpha=1.0, beta=0.0) == 0


class TestEnds:
    @pytest.mark.parametrize("name", NAMES)
    def test_nothing_there_and_nothing_predicted(self, name):
        loss = lossfw.loss(name)
        assert loss([0.0, 0.0], [0.0, 0.0]) == 0
        assert not loss.gradient([0.0, 0.0], [0.0, 0.0]).any()
        assert not loss.hessian([0.0, 0.0], [0.0, 0.0]).any()
        assert loss([0.0, 0.0], [1.0, 0.0]) == 1


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
