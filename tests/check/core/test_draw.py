"""Drawn points: the edges of predictions meet the bounds of targets."""

import numpy as np
import pytest

import lossfw
from lossfw.check.core.draw import draw
from lossfw.check.core.subject import of_component

LOGITS = {"name": "binary_cross_entropy", "from_logits": True}


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    ("spec", "bounds"),
    [({"name": "poisson_deviance", "link": "log"}, [0.0]), (LOGITS, [0.0, 1.0])],
)
def test_each_edge_of_a_prediction_meets_each_bound_of_a_target(spec, bounds, seed):
    subject = of_component(lossfw.loss(spec))
    (points,) = draw(subject, "float64", np.random.default_rng(seed), 50)
    for bound in bounds:
        met = set(points.y[points.t == bound].tolist())
        assert {0.0, 5e-324, -746.0, -1e3, -1e4, 710.0, 1e300, np.inf, -np.inf} <= met
