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
