"""Which errors the judge lets pass."""

import numpy as np
import pytest

import lossfw
from lossfw.check.core.judge import judge
from lossfw.check.core.points import Points
from lossfw.check.core.subject import of_component


@pytest.mark.parametrize(
    ("y", "t"),
    [([0, 0, 0, 1e-30, -37, -37], -1), ([0, 88, 0, -2, 0, 0], 1e25)],
)
def test_a_term_beyond_float32_has_a_rounding(y, t):
    # Which component is the nearer one is decided by the difference of squares that float32 does
    # not have, and that float64 rounds.
    loss = of_component(lossfw.loss("normal_mixture_nll"))
    points = Points(np.array([y], "float32"), np.array([t], "float32"))
    gradient = np.asarray(loss.gradient(points.y, points.t))
    assert not judge(loss, points, gradient, 1).is_wrong.any()
    assert judge(loss, points, np.full_like(gradient, np.nan), 1).is_wrong.all()


# Scores of three classes, each a margin of 1 above the next: two hinges bend there, that of the
# middle class on its left and on its right.
SCORES = [[2.0, 1.0, 0.0]]


@pytest.mark.parametrize(
    ("t", "least", "most"),
    [
        ([0.3, 0.4, 0.3], [1.4, 1.4, 1.2], [2.0, 2.8, 2.0]),
        # The curvatures of the middle class from both sides agree here.
        ([0.25, 0.25, 0.5], [1.5, 1.5, 2.0], [2.0, 2.5, 2.5]),
    ],
)
def test_curvatures_at_a_tie_are_those_next_to_it_and_all_between(t, least, most):
    loss = of_component(lossfw.loss("multiclass_hinge", form="weston_watkins", power=2))
    points = Points(np.array(SCORES), np.array([t]))
    for right in (least, most, np.add(least, most) / 2):
        assert not judge(loss, points, np.array([right]), 2).is_wrong.any()
    for wrong in (np.multiply(least, 0.99), np.multiply(most, 1.01)):
        assert judge(loss, points, np.array([wrong]), 2).is_wrong.all()
