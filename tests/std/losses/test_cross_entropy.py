"""Cross-entropy: far and infinite logits, indices, guards, constants."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import lossfw
from support.formulas import paper_value
from support.rows import DTYPES, logits

GUARDS = ("normalised", "additive", "floor", "none")
INF = math.inf


def loss(**parameters):
    return lossfw.loss("cross_entropy", **parameters)


class TestAccuracy:
    def test_far_logits_keep_their_digits(self):
        # The rounding of 300.1 + 400.3 alone is 250 units in the last place of the loss.
        form = loss(from_logits=True)
        found = form([[300.1, -400.3]], [0])
        wanted = paper_value(form, [300.1, -400.3], [1.0, 0.0])
        assert found == pytest.approx(float(wanted), rel=1e-15)
        slope = form.gradient([[300.1, -400.3]], [0])
        assert slope[0] == pytest.approx([-found, found], rel=1e-15)


class TestForms:
    @pytest.mark.parametrize("smoothing", [0.0, 0.1])
    @pytest.mark.parametrize("dtype", DTYPES)
    @pytest.mark.parametrize("columns", [3, 100])
    def test_value_and_gradient_are_those_of_two_calls(self, smoothing, dtype, columns):
        z = logits(6, 50, columns, dtype)
        index = np.arange(50) % columns
        for target in (index, np.eye(columns)[index]):
            for form in (loss(from_logits=True, label_smoothing=smoothing),
                         loss(label_smoothing=smoothing)):  # fmt: skip
                y = z if form.from_logits else lossfw.activation("softmax")(z)
                value, slope = form.value_and_gradient(y, target)
                # The sum over a one-hot row may be added in another order.
                assert value == pytest.approx(
                    form(y, target), rel=1e-6 if dtype == np.float32 else 1e-14
                )
                assert np.array_equal(slope, form.gradient(y, target))

    @pytest.mark.parametrize("kind", [np.uint8, np.int8, np.uint64, np.int32])
    def test_indices_of_any_integer_dtype(self, kind):
        z = logits(7, 5000, 10, np.float64)
        index = (np.arange(5000) % 10).astype(kind)
        form = loss(from_logits=True)
        assert form(z, index) == form(z, index.astype(int))
        assert np.array_equal(form.gradient(z, index), form.gradient(z, index.astype(int)))


class TestLogits:
    @pytest.mark.parametrize(
        ("row", "value", "slope"),
        [
            ([INF, 0, 0], 0.0, [0, 0, 0]),
            ([0, INF, 0], INF, [-1, 1, 0]),
            ([0, -INF, 0], math.log(2), [-0.5, 0, 0.5]),
            ([-INF, 0, 0], INF, [-1, 0.5, 0.5]),
            ([0, -INF, -INF], 0.0, [0, 0, 0]),
            # Equal infinities are equal logits.
            ([INF, INF, 0], math.log(2), [-0.5, 0.5, 0]),
            ([-INF, -INF, -INF], math.log(3), [-2 / 3, 1 / 3, 1 / 3]),
        ],
    )
    @pytest.mark.parametrize("target", [0, [1.0, 0.0, 0.0]])
    def test_infinite_logits_have_their_limits(self, row, value, slope, target):
        form = loss(from_logits=True)
        assert form(row, target) == pytest.approx(value)
        assert form.gradient(row, target) == pytest.approx(np.array(slope, float), abs=1e-15)
        assert np.isfinite(form.hessian(row, target)).all()

    def test_an_excluded_class_does_no_harm(self):
        # 0 times infinity is 0.
        assert loss(from_logits=True)([[0.0, -INF, 1.0]], [[0.5, 0.0, 0.5]]) == pytest.approx(
            loss(from_logits=True)([[0.0, 1.0]], [[0.5, 0.5]])
        )

    def test_huge_logits_overflow_nowhere(self):
        z = [[1e300, -1e300, 0.0]]
        form = loss(from_logits=True)
        assert form(z, [0]) == 0
        assert form(z, [2]) == 1e300
        assert form.gradient(z, [2]).tolist() == [[1, 0, -1]]

    def test_curvature_keeps_its_digits_where_one_class_is_sure(self):
        # p (1 - p) with p rounded to 1 is 0.
        bend = loss(from_logits=True).hessian([[40.0, 0.0]], [0])
        assert bend[0] == pytest.approx([4.248354255291589e-18] * 2, rel=1e-14)

    def test_one_class_is_always_right(self):
        for target in ([0, 0], [[1.0], [1.0]]):
            assert loss(from_logits=True)([[3.0], [-5.0]], target) == 0
            assert not loss(from_logits=True).gradient([[3.0], [-5.0]], target).any()


class TestGuards:
    @given(st.floats(1e-12, 0.99))
    def test_what_they_cost_at_the_ends(self, delta):
        at = {guard: [loss(guard=guard, delta=delta)([p, 1 - p], 0) for p in (0.0, 1.0)]
              for guard in GUARDS}  # fmt: skip
        assert at["normalised"] == [pytest.approx(math.log1p(1 / delta)), 0.0]
        assert at["additive"] == [
            pytest.approx(-math.log(delta)),
            pytest.approx(-math.log1p(delta)),
        ]
        assert at["floor"] == [pytest.approx(-math.log(delta)), 0.0]
        assert at["none"] == [INF, 0.0]

    def test_the_floor_has_no_slope_below_delta_and_the_others_do(self):
        slopes = {g: loss(guard=g, delta=1e-3).gradient([1e-4, 1 - 1e-4], 0)[0] for g in GUARDS}
        assert slopes["floor"] == 0
        assert slopes["none"] == pytest.approx(-1e4)
        assert slopes["normalised"] == slopes["additive"] == pytest.approx(-1 / 1.1e-3)

    def test_a_soft_target_does_not_overflow_before_its_loss(self):
        # 1 / p is infinite, t / p is not.
        slope = loss(guard="none").gradient([1e-310, 1.0], [0.01, 0.99])
        assert slope[0] == pytest.approx(-1e308)

    def test_logits_need_no_guard(self):
        z = [[2.0, -1.0, 0.5]]
        values = {loss(guard=g, delta=0.3, from_logits=True)(z, [1]) for g in GUARDS}
        assert len(values) == 1

    def test_constants_at_logits(self):
        claims = loss(from_logits=True).claims()
        assert claims.lipschitz == math.sqrt(2)
        assert claims.gradient_lipschitz == 0.5
        # Both are reached: a sure mistake, and two even classes moved apart.
        slope = loss(from_logits=True).gradient([-800.0, 0.0], 0)
        assert np.linalg.norm(slope) == pytest.approx(claims.lipschitz)
        bend = loss(from_logits=True).hessian([0.0, 0.0], 0)
        assert bend.sum() == pytest.approx(claims.gradient_lipschitz)
        assert loss(from_logits=True, label_smoothing=0.1).claims().lipschitz is None

    @given(st.floats(1e-9, 0.9), st.sampled_from(GUARDS[:3]), st.floats(0, 1))
    def test_bounds_hold_and_are_reached(self, delta, guard, p):
        form = loss(guard=guard, delta=delta)
        assert form([p, 1 - p], 0) <= form.claims().bounded * (1 + 1e-15)
        assert form([0.0, 1.0], 0) == pytest.approx(form.claims().bounded)
