"""Binary cross-entropy and focal loss: known values, guards, edges."""

import math

import numpy as np
import pytest

import lossfw

inf = math.inf

BARE = lossfw.loss("binary_cross_entropy", guard="none")


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

    def test_without_a_guard_the_gradient_at_an_end_is_finite_for_the_truth(self):
        y, t = [0, 1, 0, 1, 0.0], [0, 1, 1, 0, 0.5]
        assert BARE(y, t, reduction="none").tolist() == [0, 0, inf, inf, inf]
        assert BARE.gradient(y, t, reduction="none").tolist() == [1, -1, -inf, inf, -inf]
        assert BARE.hessian(y, t, reduction="none").tolist() == [1, 1, inf, inf, inf]

    @pytest.mark.parametrize("gamma", [0.0, 0.5, 1.0, 2.0])
    def test_focal_at_the_ends(self, gamma):
        loss = lossfw.loss("focal", gamma=gamma)
        assert loss([1, 0, 0, 1], [1, 0, 1, 0], reduction="none").tolist() == [0, 0, inf, inf]
        derivative = -1.0 if gamma == 0 else 0.0
        assert loss.gradient([1, 0], [1, 0], reduction="none").tolist() == [derivative, -derivative]
        # From (1 - s)^(gamma - 1) gamma (gamma + 1) near s = 1.
        second_derivative = {0.0: 1.0, 0.5: inf, 1.0: 2.0, 2.0: 0.0}[gamma]
        assert loss.hessian([1, 0], [1, 0], reduction="none").tolist() == [
            second_derivative,
            second_derivative,
        ]
        by_logits = lossfw.loss("focal", gamma=gamma, from_logits=True)
        z, t = [inf, -inf, -inf, inf], [1, 0, 1, 0]
        assert by_logits(z, t, reduction="none").tolist() == [0, 0, inf, inf]
        assert by_logits.gradient(z, t, reduction="none") == pytest.approx([0, 0, -1, 1])
        assert by_logits.hessian(z, t, reduction="none") == pytest.approx([0, 0, 0, 0])
