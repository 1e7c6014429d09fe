"""Which errors the judge lets pass."""

import numpy as np

import lossfw
from lossfw.check.core.judge import judge
from lossfw.check.core.points import Points
from lossfw.check.core.subject import of_component


def test_a_term_beyond_float32_leaves_the_rounding_of_arguments_to_excuse():
    # One unit of a scale decides which of both components is the nearer one, and the slope by the
    # location squares e^74 on its way.
    loss = of_component(lossfw.loss("normal_mixture_nll"))
    y = np.array([[0, 0, 0, 1e-30, -37, -37]], "float32")
    points = Points(y, np.array([-1], "float32"))
    gradient = np.asarray(loss.gradient(points.y, points.t))
    assert not judge(loss, points, gradient, 1).is_wrong.any()
    assert judge(loss, points, gradient * 1e6, 1).is_wrong.any()
