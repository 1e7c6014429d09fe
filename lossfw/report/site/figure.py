"""The figure of a loss or an activation: value, slope and curvature, with a slider for each number.

Without scripts it is a picture at the defaults. A script draws it again where the body could be
traced; what it needs stands beside the picture as JSON.
"""

from __future__ import annotations

import json
from html import escape
from typing import Any

from lossfw.errors import LossfwError
from lossfw.losses.loss import Loss
from lossfw.nn.activation import Activation
from lossfw.report.plots.sample_curve import SampledCurve, curve
from lossfw.report.site.content import PageSubject
from lossfw.report.site.curve_svg import TITLES, panel


def sampled(component: object) -> SampledCurve | None:
    """Return the curve of a component; None where it cannot be drawn along a line."""
    if not isinstance(component, Loss | Activation):
        return None
    try:
        return curve(component)
    except LossfwError:
        return None


def figure(subject: PageSubject) -> str:
    """Return the figure as HTML, or an empty text for what has no curve."""
    drawn = sampled(subject.sample)
    if drawn is None:
        return ""
    panels = "".join(
        panel([drawn], order, f"{subject.name}: {TITLES[order]} by {drawn.line.label}")
        for order in range(len(drawn.parts))
    )
    data = _data(subject, drawn)
    return (
        f'<figure class="curves" id="curves">\n<div class="panels">{panels}</div>\n'
        f'<p class="readout" id="readout" aria-live="polite"></p>\n'
        f"<figcaption>{escape(_caption(subject, drawn))}</figcaption>\n"
        f'<script type="application/json" id="curves-data">{data}</script>\n</figure>'
    )


def _caption(subject: PageSubject, drawn: SampledCurve) -> str:
    by = ", by the first column" if drawn.line.rows else ""
    return f"{subject.description['title']}: value, slope and curvature{by}, at {subject.sample!r}."


def _data(subject: PageSubject, drawn: SampledCurve) -> str:
    facts: dict[str, Any] = {"name": subject.name, "label": drawn.line.label}
    # A closing tag in a text would end the script.
    return json.dumps(facts, sort_keys=True).replace("<", "\\u003c")
