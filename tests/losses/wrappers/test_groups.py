"""Wrappers of losses of groups: factors and sums pass through, others refuse them in words."""

import numpy as np
import pytest

import lossfw
from lossfw import GroupLoss, ParameterError


class Spread(GroupLoss):
    neutral = (0.0, 0.0)

    def value(self, xp, y, t):
        return xp.max(y - t, axis=-1) - xp.min(y - t, axis=-1)


class Level(GroupLoss):
    def value(self, xp, y, t):
        return xp.mean(y - t, axis=-1) ** 2


Y, T, IDS = np.array([1.0, 4.0, 2.0, 7.0]), np.zeros(4), [0, 0, 1, 1]


def test_factors_and_sums_take_groups():
    both = 2 * Spread() + Level()
    losses = both(Y, T, group=IDS, reduction="none")
    np.testing.assert_array_equal(losses, [2 * 3 + 2.5**2, 2 * 5 + 4.5**2])
    np.testing.assert_array_equal(
        both.gradient(Y, T, group=IDS, reduction="sum"), [0.5, 4.5, 2.5, 6.5]
    )
    assert both.partial(Y, T, group=IDS).mean() == both(Y, T, group=IDS)
    assert (2 * Spread()).neutral == (0.0, 0.0)
    assert both.neutral is None
    assert both.needs_group


@pytest.mark.parametrize(
    ("wrapper", "parameters"),
    [
        ("masked", {"ignore": 0}),
        ("class_weighted", {"weights": [1, 2]}),
        ("label_smoothed", {"smoothing": 0.1}),
        ("focal_modulated", {}),
    ],
)
def test_wrappers_of_single_rows_refuse_groups(wrapper, parameters):
    with pytest.raises(ParameterError, match="one loss for a group of rows"):
        lossfw.loss(wrapper, of=Spread(), **parameters)


def test_a_loss_of_groups_and_one_of_rows_cannot_be_added():
    with pytest.raises(ParameterError, match="spread and huber cannot be added"):
        Spread() + lossfw.loss("huber")
