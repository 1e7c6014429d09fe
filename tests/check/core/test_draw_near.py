"""Points at which differences cancel: losses that are wrong only there are refuted."""

import numpy as np
import pytest

from lossfw import (
    NONNEGATIVE,
    POSITIVE,
    REAL,
    SIMPLEX,
    UNIT,
    CategoricalLoss,
    Columns,
    GroupLoss,
    PointwiseLoss,
    Vector,
)
from lossfw.check.api import suite_of_component
from lossfw.check.core import draw
from lossfw.check.core.draw_near import rotate_rows
from lossfw.check.core.members import perturb_by_ulps
from lossfw.check.core.search import Search
from lossfw.check.core.subject import subject_of_component
from lossfw.check.refutation import Refutation
from lossfw.check.runner import attempt
from lossfw.numerics import computed_in_float64

THREE = Vector.of(REAL, size=3)


def are_near(xp, y, t):
    """Tell which numbers are a few units in the last place apart."""
    gap = xp.abs(y - t)
    return (gap > 0) & (gap < 1e-14 * xp.abs(t))


class NearTarget(PointwiseLoss):
    """The absolute error, doubled next to the target."""

    prediction = target = REAL

    def formula(self, xp, y, t):
        return xp.abs(y - t)

    @computed_in_float64
    def value(self, xp, y, t):
        return xp.where(are_near(xp, y, t), 2.0, 1.0) * xp.abs(y - t)


class AtTarget(NearTarget):
    """The absolute error, and 1 at the target."""

    prediction = target = UNIT

    def value(self, xp, y, t):
        return xp.abs(y - t) + xp.where((y == t) & (y > 0) & (y < 1), 1.0, 0.0)


class Deviance(PointwiseLoss):
    """The deviance of Poisson counts as it is printed, which cancels near its zero."""

    prediction, target = POSITIVE, POSITIVE

    def formula(self, xp, y, t):
        return t * xp.log(t / y) - (t - y)

    @computed_in_float64
    def value(self, xp, y, t):
        return t * xp.log(t / y) - (t - y)


class Cosine(PointwiseLoss):
    """1 - cos by dot products, which cancels for nearly parallel vectors."""

    prediction = target = THREE

    def formula(self, xp, y, t):
        dot = xp.sum(y * t, axis=-1)
        return 1 - dot / xp.sqrt(xp.sum(y * y, axis=-1) * xp.sum(t * t, axis=-1))

    @computed_in_float64
    def value(self, xp, y, t):
        return self.formula(xp, y, t)


class CosineOfColumns(PointwiseLoss):
    """The same of two columns of the prediction."""

    prediction = Columns.of(first=THREE, second=THREE)

    def formula(self, xp, y, t):
        return Cosine().formula(xp, y.first, y.second)

    @computed_in_float64
    def value(self, xp, y, t):
        return self.formula(xp, y, t)


class CosineOfRows(CategoricalLoss):
    """The same of rows."""

    prediction = target = REAL
    least_classes = 2
    formula = Cosine.formula
    value = Cosine.value


class EqualVectors(PointwiseLoss):
    """The squared distance of two columns, and 1 where they are equal."""

    prediction = Columns.of(first=THREE, second=THREE)

    def formula(self, xp, y, t):
        return xp.sum((y.first - y.second) ** 2, axis=-1)

    def value(self, xp, y, t):
        distance = xp.sum((y.first - y.second) ** 2, axis=-1)
        is_other = (distance == 0) & (xp.sum(xp.abs(y.first), axis=-1) > 0)
        return distance + xp.where(is_other, 1.0, 0.0)


class EqualRows(CategoricalLoss):
    """The squared distance of distributions, and 1 where they are equal and not certain."""

    prediction = target = SIMPLEX

    def formula(self, xp, y, t):
        return xp.sum((y - t) ** 2, axis=-1)

    def value(self, xp, y, t):
        is_equal = xp.all(y == t, axis=-1) & (xp.max(y, axis=-1) < 1)
        return xp.sum((y - t) ** 2, axis=-1) + xp.where(is_equal, 1.0, 0.0)


class Variance(PointwiseLoss):
    """A variance by squares, which cancels where the numbers are alike."""

    prediction = Vector.of(REAL, size=4)

    def formula(self, xp, y, t):
        mean = xp.sum(y, axis=-1, keepdims=True) / 4
        return xp.sum((y - mean) ** 2, axis=-1) / 4

    @computed_in_float64
    def value(self, xp, y, t):
        return xp.sum(y**2, axis=-1) / 4 - (xp.sum(y, axis=-1) / 4) ** 2


class Alike(GroupLoss):
    """The squared spread of the scores of a group, doubled where they are alike."""

    prediction, target = REAL, NONNEGATIVE

    def formula(self, xp, y, t):
        return (xp.max(y, axis=-1) - xp.min(y, axis=-1)) ** 2

    def value(self, xp, y, t):
        spread = xp.max(y, axis=-1) - xp.min(y, axis=-1)
        is_alike = (spread > 0) & (spread < 1e-4 * xp.max(xp.abs(y), axis=-1))
        return xp.where(is_alike, 2.0, 1.0) * spread**2


class Balanced(PointwiseLoss):
    """The size of a sum, doubled where it is small next to its terms."""

    prediction = THREE

    def formula(self, xp, y, t):
        return xp.abs(xp.sum(y, axis=-1))

    def value(self, xp, y, t):
        total, size = xp.abs(xp.sum(y, axis=-1)), xp.sum(xp.abs(y), axis=-1)
        return xp.where((total > 0) & (total < 1e-2 * size), 2.0, 1.0) * total


LOSSES = [
    NearTarget,
    AtTarget,
    Deviance,
    Cosine,
    CosineOfColumns,
    CosineOfRows,
    EqualVectors,
    EqualRows,
    Variance,
    Alike,
    Balanced,
]


def outcome(loss, seed):
    return attempt(suite_of_component(loss(), False), "value", Search(seed, examples=30))


@pytest.mark.turns(2)
@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: loss.__name__)
def test_a_loss_that_is_wrong_where_differences_cancel_is_refuted(loss):
    for seed in range(2):
        assert isinstance(outcome(loss, seed), Refutation), seed


def test_angles_are_of_all_sizes():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(400, 3)) * 10.0 ** rng.uniform(-9, 9, (400, 1))
    near = rotate_rows(x, rng)
    aside = np.linalg.norm(np.cross(x, near), axis=-1) / (x * x).sum(-1)
    assert 1e-10 < aside.min() < 1e-8
    assert 1e-2 < aside.max() < 0.2


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_units_are_few_and_some_are_none(dtype):
    x = np.full(400, 3.7, dtype)
    units = (perturb_by_ulps(x, np.random.default_rng(0)) - x) / np.spacing(x)
    assert set(units.tolist()) == set(range(-8, 9))
    assert (units == 0).mean() > 0.2


def test_as_many_points_are_drawn_as_without(monkeypatch):
    subject = subject_of_component(Cosine())
    moved = draw.draw(subject, "float64", np.random.default_rng(0), 200)
    monkeypatch.setattr(draw, "move_to_cancellations", lambda subject, points, rng: points)
    plain = draw.draw(subject, "float64", np.random.default_rng(0), 200)
    assert abs(sum(map(len, moved)) - sum(map(len, plain))) <= 10
