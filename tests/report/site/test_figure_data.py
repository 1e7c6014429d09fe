"""The functions of figures are those of the components, or there is no script."""

import numpy as np
import pytest
from pydantic import PositiveFloat

import lossfw
from lossfw.report.site.figure import figure_html
from lossfw.report.site.figure_data import (
    agrees_with_component,
    figure_data,
    script_component,
    slider_range,
)
from support.site_content import SCRIPTED, WITHOUT_SCRIPT, content


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(WITHOUT_SCRIPT))
def test_a_formula_that_has_no_script_has_a_picture(name):
    assert figure_data(content().find("loss", name).sample) is None
    assert "<svg" in figure_html(content().find("loss", name))


@pytest.mark.turns(4)
@pytest.mark.parametrize(("kind", "name"), SCRIPTED)
def test_every_built_in_has_a_script_that_is_right_at_the_ends_of_its_sliders(kind, name):
    data = figure_data(content().find(kind, name).sample)
    assert data is not None
    for one in data.parameters:
        assert one.default in one.steps
        assert len(one.claims) == len(one.steps) > 20
        for value in (one.steps[0], one.steps[-1]):
            other = data.bodies[0].component.replace(**{one.name: value})
            assert agrees_with_component(data.bodies[0], other, {one.name: value})


def test_switches_have_a_body_for_each_choice():
    data = figure_data(lossfw.loss("cross_entropy"))
    assert [name for name, _ in data.switches] == ["guard", "from_logits"]
    assert len(data.bodies) == len(set(data.settings)) == 8
    assert data.switches[0][1][0] == "normalised"
    assert {body.line.label for body in data.bodies} == {
        "probability of the target's class, of two",
        "score of the target's class, of two, minus the score of the other class",
    }


class Stepwise(lossfw.DistanceLoss):
    c: PositiveFloat = 1.0

    def value(self, xp, r):
        return self.c * r * r if self.c <= 2 else r * r * r * r


class Untraceable(lossfw.DistanceLoss):
    def value(self, xp, r):
        return np.asarray([abs(float(x)) for x in np.ravel(r)]).reshape(np.shape(r))


@pytest.mark.parametrize(
    ("name", "parameter", "low", "high"),
    [
        ("huber", "delta", 0.25, 4.0),
        ("quantile", "q", 0.02, 0.98),
        ("squared_error", "factor", 0.0, 4.0),
        ("dice", "smooth", 0.0, 3.0),
        ("cross_entropy", "delta", 1e-7, 0.3),
    ],
)
def test_ranges_follow_bounds_and_defaults(name, parameter, low, high):
    loss = lossfw.loss(name)
    found = slider_range(type(loss), parameter, getattr(loss, parameter))
    assert (found.low, found.high) == (low, high)


def test_numbers_of_claims_move_with_the_slider():
    (delta,) = figure_data(lossfw.loss("huber")).parameters
    assert delta.claims[0]["lipschitz"] == delta.steps[0] == 0.25
    assert delta.claims[-1]["second_breaks"] == [-4.0, 4.0]


def test_a_body_that_is_another_one_or_cannot_be_traced_stops_the_slider_or_the_script():
    (c,) = figure_data(Stepwise()).parameters
    assert 1.0 <= c.steps[-1] <= 2.0
    assert script_component(Untraceable()) is None
    assert figure_data(Untraceable()) is None
