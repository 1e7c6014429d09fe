"""Drawn points lie all over the domain: its edges, kinks, and pairs that are nearly equal."""

from typing import ClassVar

import numpy as np
import pytest

import lossfw
from lossfw import REAL, UNIT, PointwiseLoss, Vector
from lossfw.check.api import suite_of_component
from lossfw.check.core.draw import draw, draw_densely
from lossfw.check.core.draw_regions import draw_regions
from lossfw.check.core.group_rows import as_rows
from lossfw.check.core.members import perturb_by_ulps
from lossfw.check.core.points import is_inside
from lossfw.check.core.search import Search
from lossfw.check.core.subject import subject_of_component
from lossfw.check.instances import variants
from lossfw.check.refutation import Refutation
from lossfw.check.runner import attempt
from lossfw.components.ranges import EVERY_SIZE, PROMISED
from lossfw.numerics import computed_in_float64
from support.honest import HONEST, Flags

DTYPES = ["float32", "float64"]


def drawn(loss, dtype, count=2000):
    sets = draw_densely(subject_of_component(loss), dtype, np.random.default_rng(0), count)
    return [(points.y, points.t) for points in sets]


def all_losses():
    registry = lossfw.registry()
    return [
        loss
        for entry in registry.entries("loss")
        for loss in variants(registry.class_of(entry), others=False)
    ]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("loss", all_losses(), ids=repr)
def test_every_point_is_finite_and_legal(loss, dtype):
    total = 0
    for y, t in drawn(loss, dtype, 400):
        assert y.dtype == dtype
        assert np.isfinite(y).all()
        assert np.isfinite(t).all()
        rows = as_rows(loss).lines(y, t)[0] if loss.takes_groups else y
        assert loss.prediction_space.outside_or_none(rows) is None
        total += len(y)
    assert total >= 200


@pytest.mark.parametrize("loss", [*all_losses(), *(form() for form in HONEST)], ids=repr)
def test_points_of_every_region_are_legal(loss):
    subject = subject_of_component(loss)
    for some in draw_regions(subject, np.random.default_rng(0)):
        assert len(some.points) == len(some.regions)
        assert is_inside(subject, some.points).all()
        assert np.isfinite(some.points.y).all()


def test_regions_of_probabilities_are_decades_of_the_distance_from_both_ends():
    subject = subject_of_component(lossfw.loss("binary_cross_entropy"))
    (some,) = draw_regions(subject, np.random.default_rng(0))
    for x in (some.points.y, 1 - some.points.y):
        assert set(range(-6, 0)) <= {*np.floor(np.log10(x[(x > 0) & (x < 1)])).astype(int)}
    assert {0.0, 1.0} <= set(some.points.t.tolist())


def test_flags_are_drawn_in_each_pair():
    (some,) = draw_regions(subject_of_component(Flags()), np.random.default_rng(0))
    assert {(a, b) for _, a, b in some.points.t.tolist()} == {(0, 0), (0, 1), (1, 0), (1, 1)}


@pytest.mark.parametrize("dtype", DTYPES)
def test_residuals_reach_from_end_to_end_of_the_promise(dtype):
    y, t = (np.concatenate(x) for x in zip(*drawn(lossfw.loss("huber"), dtype), strict=True))
    r = np.abs(y.astype(np.float64) - t)
    least, most = PROMISED.limits(dtype)
    assert (r[r > 0] < 100 * least).any()
    assert (r > most / 100).any()
    size = np.abs(y[y != 0])
    assert least <= size.min()
    assert size.max() <= most
    assert ((y != 0) & (t != 0) & (r < 1e-3 * np.abs(t))).any()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("steps", [-1000, -2, -1, 0, 1, 2, 1000])
def test_a_kink_and_its_neighbours_are_among_them(dtype, steps):
    kink = np.asarray(0.3, dtype)
    wanted = kink + steps * np.spacing(kink)
    loss = lossfw.loss("huber", delta=0.3)
    assert any((np.abs(y - t) == wanted).any() for y, t in drawn(loss, dtype, 400))


def test_a_loss_that_promises_more_has_points_there():
    class Wide(lossfw.DistanceLoss):
        """It promises all numbers."""

        prediction_range: ClassVar[lossfw.PromisedRange] = EVERY_SIZE

        def value(self, xp, r):
            return xp.abs(r)

    (points,) = draw(subject_of_component(Wide()), "float64", np.random.default_rng(0), 400)
    size = np.abs(points.y[points.y != 0])
    assert size.min() < 1e-200
    assert 1e200 < size.max() < np.inf
    assert (np.abs(points.t) <= 1e30).all()


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
