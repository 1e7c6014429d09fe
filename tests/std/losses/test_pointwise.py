"""Relative errors, and the likelihood with a predicted variance."""

import math

import numpy as np
import pytest

import lossfw
from lossfw import DomainError, ShapeError

inf, nan = math.inf, math.nan

PERCENT = lossfw.loss("absolute_percentage_error")
VARIANCE = lossfw.loss("heteroscedastic_gaussian_nll")


class TestAbsolutePercentageError:
    def test_a_target_of_zero_needs_a_floor(self):
        with pytest.raises(DomainError, match=r"target\[1\] = 0 lies outside .*floor"):
            PERCENT([1.0, 1.0], [2.0, 0.0])
        assert lossfw.loss("absolute_percentage_error", floor=0.5)([1.0], [0.0]) == 2


class TestHeteroscedastic:
    @pytest.mark.parametrize("columns", [1, 3])
    def test_other_numbers_of_columns_are_refused(self, columns):
        with pytest.raises(ShapeError, match="expected 2: mean, log_variance"):
            VARIANCE(np.zeros((4, columns)), np.zeros(4))

    @pytest.mark.parametrize("shape", [(4, 2), (4, 1), (3,), ()])
    def test_a_target_is_one_number_per_row(self, shape):
        with pytest.raises(ShapeError, match=r"prediction has shape \(4, 2\) and target"):
            VARIANCE(np.zeros((4, 2)), np.zeros(shape))


def test_a_distance_of_a_hinge_embedding_is_not_negative():
    loss = lossfw.loss("hinge_embedding")
    with pytest.raises(DomainError, match="NONNEGATIVE"):
        loss([-0.5], [1])
    # At the kink, far from it, and beside NaN.
    derivatives = loss.gradient([1.0, 1.0, nan], [-1, 1, 1], reduction="none")
    assert np.array_equal(derivatives, [0.0, 1.0, nan], equal_nan=True)
