"""The picture and the page of a sensitivity study: a staircase, a loss, and their derivatives."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from lossfw.report.html.picture import WIDTH, to_picture
from lossfw.report.html.render import render
from lossfw.report.plots.style import FILE, PAGE, Theme, drawing, figure_bytes
from lossfw.report.text.sensitivity import StudyTable

# Inches of the picture, and the height of that of a page, whose panels are above each other.
_SIZE, _HIGH = (9.0, 6.0), 10.0


def study_picture(found: Mapping[str, Any]) -> bytes:
    """Return the content of an SVG file: left the first metric that jumps, right the loss."""
    with drawing(*_SIZE) as figure:
        make = partial(figure.subplots, 2, sharex=True, squeeze=False)
        _draw(found, make, FILE)[0, -1].legend(loc="best")
        return figure_bytes(figure, "svg")


def study_page(found: Mapping[str, Any], tables: Sequence[StudyTable]) -> str:
    """Return the page of a study."""
    with drawing(WIDTH, _HIGH, PAGE) as figure:
        _draw(found, lambda count: figure.subplots(2 * count, 1).reshape(count, 2).T, PAGE)
        caption = "Between its jumps, which ticks mark, the derivative of a staircase is 0."
        picture = to_picture(figure, "study", "Metric, loss, and their derivatives", caption)
    return render(
        "study.html",
        kind="lossfw sensitivity",
        title=f"Sensitivity: {found['along']}",
        lead=f"{found['count']:,} rows; {found['loss']['name']}",
        sections=[("study", "Along the way")],
        foot="All numbers are in sensitivity.json.",
        pictures=[picture],
        tables=tables,
        names=list(found["curves"]),
    )


def _draw(found: Mapping[str, Any], make: Callable[[int], Any], theme: Theme) -> Any:
    """Draw two rows of panels, values and derivatives, which `make` returns by columns."""
    ways, loss = found["ways"], found["loss"]["name"]
    metric = next(iter(next(iter(found["curves"].values()))["stairs"]), None)
    titles = [metric, loss] if metric else [loss]
    panels = make(len(titles))
    for index, (name, curve) in enumerate(found["curves"].items()):
        look = {**theme.line_style(index, dashed=theme is PAGE), "linewidth": 1.6, "label": name}
        if metric:
            panels[0, 0].plot(ways, curve["metrics"][metric], drawstyle="steps-mid", **look)
            panels[1, 0].plot(ways, [0.0] * len(ways), **look)
            at = sorted({jump["at"] for jump in curve["stairs"][metric]["jumps"]})
            panels[1, 0].plot(at, [0.0] * len(at), "|", color=look["color"], markersize=9)
        # A loss without derivative is a staircase, too.
        style = "default" if any(curve["derivative"]) else "steps-mid"
        panels[0, -1].plot(ways, curve["loss"], drawstyle=style, **look)
        panels[1, -1].plot(ways, curve["derivative"], **look)
    what = f"change of {found['along']}" if found["value"] is not None else "way along it"
    for (above, below), title in zip(panels.T, titles, strict=True):
        above.set_title(title)
        below.set(title=f"derivative of {title}", xlabel=what, xlim=(ways[0], ways[-1]))
    return panels
