"""Variants: a component at its defaults, in each of its forms, and at other parameters."""

from typing import Annotated

import numpy as np
import pytest
from pydantic import Field, PositiveFloat

import lossfw
from lossfw.check.accuracy.measure import accuracy_jobs, measure
from lossfw.check.core.draw import draw_densely
from lossfw.check.core.subject import subject_of_component
from lossfw.check.instances import variants


def test_each_form_and_each_parameter_is_varied():
    found = variants(type(lossfw.loss("cross_entropy")))
    assert found[0] == lossfw.loss("cross_entropy")
    assert lossfw.loss("cross_entropy", from_logits=True) in found
    assert {one.guard for one in found} == {"normalised", "additive", "floor", "none"}
    on_raw_outputs = [one for one in found if one.from_logits]
    assert {one.delta for one in on_raw_outputs} == {1e-7}
    assert len({one.label_smoothing for one in on_raw_outputs}) == 3


@pytest.mark.parametrize("length", [2, 3])
def test_points_have_the_columns_that_a_parameter_fixes(length):
    loss = lossfw.loss("categorical_focal", alpha=(0.5, 2.0, 1.0)[:length])
    (points, *_) = draw_densely(subject_of_component(loss), "float32", np.random.default_rng(0), 40)
    assert points.y.shape[-1] == length
    assert all(worst.ulps < 16 for worst in measure(loss, "float32", points=40).results)


def test_a_parameter_without_a_default_is_given_a_value():
    class Shifted(lossfw.DistanceLoss):
        """Needs to be told."""

        shift: float

        def value(self, xp, r):
            return xp.abs(r - self.shift)

    found = variants(Shifted)
    assert len(found) == 3
    assert len({one.shift for one in found}) == 3


class Turning(lossfw.DistanceLoss):
    """Turns where its numbers say."""

    bounded: Annotated[float, Field(ge=-4)] = 1.0
    compared: PositiveFloat = 1.0
    hidden: float = 3.0
    looped: Annotated[int, Field(ge=0, le=10**9)] = 1

    def value(self, xp, r):
        r = xp.abs(r) if self.bounded < -3 else r
        rest = 1 - self.hidden
        for _ in range(self.looped):
            r = r * 0.5 if self.looped < 20 or self.looped > 40 else 0.1 * r
        r = 2 * r if rest == 0 else r
        return r * r if self.compared > 200.0 else r


def test_a_parameter_is_drawn_on_both_sides_of_each_branch():
    found = variants(Turning)
    assert any(one.bounded < -3 for one in found)
    assert any(one.compared > 200 for one in found)
    # It is not compared itself.
    assert 1.0 in {one.hidden for one in found}
    # A loop has a branch for each number.
    assert {one.looped for one in found} == {1, 2, 0, 20, 10, 30, 40}


def test_what_cannot_be_made_is_left_out():
    assert variants(lossfw.registry().component_class("loss", "sum")) == []


def test_other_parameters_have_a_quarter_of_the_points():
    def efforts(losses):
        jobs = accuracy_jobs(losses, points=100)
        return [(job.arguments["points"], job.arguments["dtype"]) for job in jobs]

    both = [(100, "float32"), (100, "float64")]
    quarter = [(25, dtype) for _, dtype in both]
    assert efforts(variants(type(lossfw.loss("huber")))) == both + 2 * quarter
    assert efforts([lossfw.loss("huber", delta=0.3)]) == both
