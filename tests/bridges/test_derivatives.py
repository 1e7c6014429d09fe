"""Derivatives of raw predictions, apart from any library."""

import numpy as np
import pytest

from lossfw.errors import DomainError
from lossfw.learning.derivatives import FIRST_ROWS, Derivatives, derivatives, has_zero_gradients

RNG = np.random.default_rng(8)
RAW = RNG.normal(size=50).astype(np.float32)
LABEL = (RNG.random(50) < 0.4).astype(np.float32)
WEIGHT = RNG.random(50)


@pytest.mark.parametrize("loss", ["squared_error", "binary_cross_entropy", "logistic"])
@pytest.mark.parametrize("weight", [None, WEIGHT])
def test_float32_is_kept_where_second_derivatives_are_taken_as_they_are(loss, weight):
    of = derivatives(loss)
    narrow = of(RAW, of.prepare_targets(LABEL, weight, narrow=True))
    wide = of(RAW, LABEL, weight)
    assert narrow[0].dtype == np.float32
    assert wide[0].dtype == wide[1].dtype == np.float64
    for found, expected in zip(narrow, wide, strict=True):
        # Four units in the last place of float32.
        np.testing.assert_allclose(found, expected, rtol=4 * 2.0**-23)


def test_differences_of_gradients_are_taken_in_float64():
    of = derivatives("absolute_error")
    assert of.rule == "bound"
    gradients, curvatures = of(RAW, of.prepare_targets(LABEL, narrow=True))
    assert gradients.dtype == curvatures.dtype == np.float64


def test_targets_made_once_give_what_they_give_in_each_call():
    for loss in ("huber", "hinge", "poisson_deviance", "squared_error"):
        of = derivatives(loss)
        for found, expected in zip(
            of(RAW, of.prepare_targets(LABEL, WEIGHT)), of(RAW, LABEL, WEIGHT), strict=True
        ):
            np.testing.assert_array_equal(found, expected)
    with pytest.raises(DomainError, match="target\\[0\\]"):
        derivatives("hinge").prepare_targets([2.0])


def test_a_constant_curvature_has_the_weights():
    for loss in ({"name": "squared_error", "factor": 0.5}, "gaussian_nll"):
        of: Derivatives = derivatives(loss)
        assert of.rule == "exact"
        known = of.prepare_targets(LABEL, WEIGHT, narrow=True)
        assert of(RAW, known)[1] is of(-RAW, known)[1]
        expected = of.loss.hessian(
            np.float64(RAW), np.float64(LABEL), sample_weight=WEIGHT, reduction="none"
        )
        np.testing.assert_array_equal(of(RAW, LABEL, WEIGHT)[1], expected)


def test_a_start_is_dead_only_if_no_row_asks_for_a_step():
    of, target = derivatives("tukey"), np.full(2 * FIRST_ROWS, 1000.0)
    assert has_zero_gradients(of, 0.0, target)
    target[-1] = 1.0
    assert not has_zero_gradients(of, 0.0, target)
    assert has_zero_gradients(of, 0.0, target, np.where(target == 1.0, 0.0, 1.0))
