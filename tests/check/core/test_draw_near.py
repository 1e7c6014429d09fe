"""Points at which differences cancel: losses that are wrong only there are refuted."""

import numpy as np
import pytest

from lossfw import REAL, UNIT, PointwiseLoss, Vector
from lossfw.check.api import suite_of_component
from lossfw.check.core.members import perturb_by_ulps
from lossfw.check.core.search import Search
from lossfw.check.refutation import Refutation
from lossfw.check.runner import attempt
from lossfw.numerics import computed_in_float64

THREE = Vector.of(REAL, size=3)


class AtTarget(PointwiseLoss):
    """The absolute error, and 1 at the target."""

    prediction = target = UNIT

    def formula(self, xp, y, t):
        return xp.abs(y - t)

    def value(self, xp, y, t):
        return xp.abs(y - t) + xp.where((y == t) & (y > 0) & (y < 1), 1.0, 0.0)


class Cosine(PointwiseLoss):
    """1 - cos by dot products, which cancels for nearly parallel vectors."""

    prediction = target = THREE

    def formula(self, xp, y, t):
        dot = xp.sum(y * t, axis=-1)
        return 1 - dot / xp.sqrt(xp.sum(y * y, axis=-1) * xp.sum(t * t, axis=-1))

    @computed_in_float64
    def value(self, xp, y, t):
        return self.formula(xp, y, t)


class Variance(PointwiseLoss):
    """A variance by squares, which cancels where the numbers are alike."""

    prediction = Vector.of(REAL, size=4)

    def formula(self, xp, y, t):
        mean = xp.sum(y, axis=-1, keepdims=True) / 4
        return xp.sum((y - mean) ** 2, axis=-1) / 4

    @computed_in_float64
    def value(self, xp, y, t):
        return xp.sum(y**2, axis=-1) / 4 - (xp.sum(y, axis=-1) / 4) ** 2


LOSSES = [AtTarget, Cosine, Variance]


def outcome(loss, seed):
    return attempt(suite_of_component(loss(), False), "value", Search(seed, examples=30))


@pytest.mark.turns(2)
@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: loss.__name__)
def test_a_loss_that_is_wrong_where_differences_cancel_is_refuted(loss):
    for seed in range(2):
        assert isinstance(outcome(loss, seed), Refutation), seed


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_units_are_few_and_some_are_none(dtype):
    x = np.full(400, 3.7, dtype)
    units = (perturb_by_ulps(x, np.random.default_rng(0)) - x) / np.spacing(x)
    assert set(units.tolist()) == set(range(-8, 9))
    assert (units == 0).mean() > 0.2
