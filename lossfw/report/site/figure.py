"""The figure of a loss or an activation: value, derivatives, and a slider per parameter.

Without scripts it is a picture at the defaults. If the body can be traced, a script redraws it when
a parameter changes; functions and sliders are next to the picture.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from html import escape
from typing import Any

from lossfw.components.component import yaml_value
from lossfw.losses.loss import Loss
from lossfw.losses.wrappers.base import Wrapper
from lossfw.nn.activation import Activation
from lossfw.nn.sample_curve import SampledCurve, curve, line_of
from lossfw.report.formulas.javascript import javascript_function
from lossfw.report.site.content import PageSubject
from lossfw.report.site.curve_svg import TITLES, panel, short_label
from lossfw.report.site.figure_data import FigureData, ScriptedBody, figure_data, script_component
from lossfw.report.site.markup import inline_html
from lossfw.report.text.show_component import format_value


def figure_html(subject: PageSubject) -> str:
    """Return the figure as HTML; empty for a component without a curve."""
    drawn = subject.curve
    if drawn is None:
        return ""
    beside = _wrapped_parts(subject.sample, drawn)
    names = " and ".join(part.name for part, _ in beside)
    also = f", and its part {names}" if names else ""
    panels = "".join(
        panel(
            [drawn, *(curve for _, curve in beside)],
            order,
            f"{subject.name}: {TITLES[order]} by {drawn.line.label}{also}",
        )
        for order in range(len(drawn.parts))
    )
    by = ", by the first number" if drawn.line.rows else ""
    along = f'along the <span id="line">{escape(drawn.line.label)}</span>'
    title = inline_html(subject.description["title"])
    caption = (
        f"{title}: value, derivative and second derivative{by}, {along}. Dashed: "
        "what is claimed to bound them; rings: claimed breaks; thin: the curve at the defaults, or "
        f"the one that is kept{f'; dotted: its part {names}' if names else ''}."
    )
    assert isinstance(subject.sample, Loss | Activation)
    data = figure_data(subject.sample)
    parts = [part for part, _ in beside]
    script = (
        "" if data is None else f"<script>{_script_data(data, parts, len(drawn.parts))}</script>\n"
    )
    return (
        f'<figure class="curves" id="curves">\n<div class="panels">{panels}</div>\n'
        f'<p class="readout" id="readout" aria-live="polite"></p>\n'
        f"<figcaption>{caption}</figcaption>\n{script}</figure>"
    )


def _wrapped_parts(component: object, drawn: SampledCurve) -> list[tuple[Loss, SampledCurve]]:
    """Return the losses that a wrapper holds with their curves, where they have the same line."""
    if not isinstance(component, Wrapper):
        return []
    given = component.parameters.values()
    losses = [one for value in given for one in (value if isinstance(value, tuple) else (value,))]
    ends = (float(drawn.x[0]), float(drawn.x[-1]))
    return [
        (one, curve(one, span=ends))
        for one in losses
        if isinstance(one, Loss) and line_of(one).label == drawn.line.label
    ]


def _script_data(data: FigureData, parts: Sequence[Loss], orders: int) -> str:
    """Return the data as one object of JavaScript."""
    names = tuple(one.name for one in data.parameters)
    bodies = ",\n".join(_body_data(body, names, orders) for body in data.bodies)
    beside = ",\n".join(
        _part_data(one, orders) for one in map(script_component, parts) if one is not None
    )
    facts = {
        "parameters": [asdict(one) for one in data.parameters],
        "switches": [
            {"name": name, "options": [{"words": format_value(yaml_value(one))} for one in options]}
            for name, options in data.switches
        ],
        "settings": data.settings,
        "claims": data.claims,
    }
    return (
        f"window.lossfwFigure = {{...{_to_json(facts)}, bodies: [\n{bodies}\n], "
        f"parts: [\n{beside}\n]}};"
    )


def _part_data(part: ScriptedBody, orders: int) -> str:
    """Return a part, which has no sliders: its parameters stay as they are."""
    values = {name: value for one in part.traced for name, value in one.parameters.items()}
    body = _body_data(part, tuple(values), orders)
    return f"{{...{body}, values: {_to_json(list(values.values()))}}}"


def _body_data(body: ScriptedBody, names: tuple[str, ...], orders: int) -> str:
    functions = ",\n".join(
        # A parameter that has a slider for one body may have a fixed value in another.
        javascript_function(one.graph, f"f{order}", (*one.arguments, *names))
        for order, one in enumerate(body.traced[:orders])
    )
    facts = {
        "label": body.line.label,
        "short": short_label(body.line.label),
        "letter": body.letter,
        "low": body.line.low,
        "high": body.line.high,
        "follows": body.scales_with_parameters,
        "places": body.places,
    }
    return f"{{...{_to_json(facts)}, functions: [\n{functions}\n]}}"


def _to_json(facts: Any) -> str:
    # A closing tag in a text would end the script.
    return json.dumps(facts, allow_nan=False).replace("<", "\\u003c")
