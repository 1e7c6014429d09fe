"""Figures of the documentation in a real browser: each is the component, and moves."""

import json

import numpy as np
import pytest

from lossfw.nn.sample_curve import curve
from lossfw.report.site.content import document_of
from support.site_content import SCRIPTED, content

# The largest difference of a script and the component, relative to 1 and to the value.
AGREEMENT = 1e-9


@pytest.mark.parametrize(("kind", "name"), SCRIPTED)
def test_the_script_of_a_figure_is_the_component(kind, name, visit, site):
    subject = content().find(kind, name)
    made = visit((site / f"{subject.document}.html").as_uri())
    facts = made.page.evaluate("({...lossfwFigure, bodies: lossfwFigure.bodies.length})")
    names = [one["name"] for one in facts["parameters"]]
    default = [one["default"] for one in facts["parameters"]]
    settings = [default]
    for place, one in enumerate(facts["parameters"]):
        for value in (one["steps"][0], one["steps"][-1]):
            settings.append([*default[:place], value, *default[place + 1 :]])
    for body, places in enumerate(facts["settings"]):
        chosen = _chosen(subject.sample, facts["switches"], places)
        for values in settings if body == 0 else [default]:
            component = subject.sample.replace(**chosen, **dict(zip(names, values, strict=True)))
            _compare(made.page, body, component, values)


def _chosen(sample, switches, places):
    """Return the values of switches at some places, which the page shows in words."""
    chosen = {}
    for one, place in zip(switches, places, strict=True):
        words = one["options"][place]["words"]
        try:
            chosen[one["name"]] = json.loads(words)
        except ValueError:
            chosen[one["name"]] = words
    return chosen


def _compare(page, body, component, values):
    low, high = page.evaluate(
        "b => [lossfwFigure.bodies[b].low, lossfwFigure.bodies[b].high]", body
    )
    drawn = curve(component, span=(low, high))
    # Off the ties and the breaks, where a derivative has two values.
    keep = np.arange(7, len(drawn.x) - 1, 13)
    for place in (*drawn.breaks, *drawn.second_breaks, 0.0, 1.0, -1.0):
        keep = keep[np.abs(drawn.x[keep] - place) > AGREEMENT]
    found = page.evaluate(COMPUTE, [body, drawn.x[keep].tolist(), values])
    for order, truth in enumerate(drawn.parts):
        ours, theirs = truth[keep], np.array(found[order], float)
        finite = np.isfinite(ours)
        off = np.abs(theirs[finite] - ours[finite])
        close = off <= AGREEMENT * np.maximum(1, np.abs(ours[finite]))
        assert close.all(), (component, order, drawn.x[keep][finite][~close][:3])


COMPUTE = """([body, xs, values]) => {
  const { functions, places } = lossfwFigure.bodies[body];
  return functions.map(f => xs.map(x => f(...places.map(([a, b]) => a + b * x), ...values)));
}"""


@pytest.mark.parametrize(
    ("name", "parameter"), [("huber", "delta"), ("tukey", "c"), ("quantile", "q")]
)
def test_a_slider_draws_anew_by_mouse_and_by_key(name, parameter, visit, site):
    page = visit((site / f"components/loss/{name}.html").as_uri()).page
    slider = page.locator(f"input[data-parameter={parameter}]")
    path = "document.querySelector('#curves svg .c0').getAttribute('d')"
    before, said = page.evaluate(path), page.inner_text("#readout")
    box = slider.bounding_box()
    page.mouse.click(box["x"] + 0.85 * box["width"], box["y"] + box["height"] / 2)
    moved = page.evaluate(path)
    assert moved != before
    assert page.inner_text("#readout") != said
    slider.press("ArrowLeft")
    assert page.evaluate(path) != moved
    page.get_by_role("button", name="Reset").click()
    assert page.evaluate(path) == before


def test_a_curve_is_kept_beside_the_moved_one(visit, site):
    page = visit((site / "components/loss/huber.html").as_uri()).page
    page.get_by_role("button", name="Keep this curve").press("Enter")
    page.locator("input[data-parameter=delta]").press("End")
    assert page.locator("#curves svg .kept").count() == 3
    assert "r = " in page.inner_text("#readout")
    page.locator("#cursor").press("ArrowRight")


@pytest.mark.parametrize(
    "name", ["class_weighted", "focal_modulated", "label_smoothed", "masked", "scaled", "sum"]
)
def test_a_wrapper_has_the_curve_of_its_part_beside_its_own(name, visit, site):
    made = visit((site / f"{document_of('loss', name)}.html").as_uri())
    panels = made.page.locator("#curves svg")
    for place in range(panels.count()):
        panel = panels.nth(place)
        assert panel.locator(".part").count() >= 1
        assert panel.locator(".part").first.get_attribute("d").startswith("M")
        assert "its part" in panel.locator("title").first.inner_html()
    assert "dotted: its part" in made.page.inner_text("#curves figcaption")
    assert made.said == []
