"""Cross-entropy: far and infinite logits, indices, guards, constants."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import lossfw

GUARDS = ("normalised", "additive", "floor", "none")
INF = math.inf


def loss(**parameters):
    return lossfw.loss("cross_entropy", **parameters)


class TestLogits:
    @pytest.mark.parametrize(
        ("row", "value", "derivative"),
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
    def test_infinite_logits_have_their_limits(self, row, value, derivative, target):
        form = loss(from_logits=True)
        assert form(row, target) == pytest.approx(value)
        assert form.gradient(row, target) == pytest.approx(np.array(derivative, float), abs=1e-15)
        assert np.isfinite(form.hessian(row, target)).all()


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

    def test_the_floor_has_no_derivative_below_delta_and_the_others_do(self):
        derivatives = {
            g: loss(guard=g, delta=1e-3).gradient([1e-4, 1 - 1e-4], 0)[0] for g in GUARDS
        }
        assert derivatives["floor"] == 0
        assert derivatives["none"] == pytest.approx(-1e4)
        assert derivatives["normalised"] == derivatives["additive"] == pytest.approx(-1 / 1.1e-3)
