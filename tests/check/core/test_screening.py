"""Floats choose the points of a region that are judged, and never decide."""

import numpy as np

import lossfw
from lossfw import REAL, Claims, Columns, GroupLoss
from lossfw.check import check
from lossfw.check.core.draw_regions import draw_regions
from lossfw.check.core.screening import screen_points
from lossfw.check.core.search import Search
from lossfw.check.core.subject import subject_of_component
from support.honest import Bell, Logistic


class Far(Bell):
    """1 % too large in one decade."""

    def value(self, xp, r):
        here = (r > 1e4) & (r < 1e5)
        return Bell.value(self, xp, r) * xp.where(here, 1.01 + 0 * r, 1 + 0 * r)


def points(loss, order=0, **options):
    return screen_points(subject_of_component(loss), Search(**options), order)


def test_results_that_agree_are_not_judged_again():
    assert points(Bell()) == []


def test_results_that_differ_are_judged_in_their_region():
    (some,) = points(Far())
    assert ((some.y > 1e4) & (some.y < 1e5)).all()


def test_where_floats_know_nothing_a_few_points_of_each_region_are_judged():
    (some,) = points(Logistic())
    # The formula overflows there.
    assert (some.y * some.t < -700).any()


def test_a_wrong_number_is_grave_beyond_a_thousand():
    (wrong,) = (one for one in check(Far(), only=["value"]).refuted if one.check == "value")
    assert wrong.grade == "wrong"
    assert np.abs(wrong.inputs["y"] - wrong.inputs["t"]) > 1e3


class Exchanged(GroupLoss):
    """Its derivatives by named numbers are exchanged."""

    prediction, target = Columns.of(east=REAL, north=REAL), REAL

    def value(self, xp, y, t):
        return xp.sum(y.east * y.east + 2 * y.north * y.north + 0 * t, axis=-1)

    def derivative(self, xp, y, t):
        return 4 * y.north, 2 * y.east

    def claims(self):
        return Claims()


def test_wrong_derivatives_of_groups_of_points_are_found():
    grades = {one.check: one.grade for one in check(Exchanged(), only=["gradient"]).refuted}
    assert grades["gradient"] == "wrong"


def test_masked_targets_are_not_judged():
    masked = lossfw.loss({"name": "masked", "of": "cross_entropy", "ignore": 1})
    for some in draw_regions(subject_of_component(masked), np.random.default_rng(0)):
        index = some.points.t if some.points.t.ndim == 1 else np.zeros(1)
        assert not (index == 1).any()
    assert check(masked, only=["value", "gradient", "hessian"]).ok
