"""Curves of a study: a metric as a staircase, the loss as a curve, their slopes below."""

from __future__ import annotations

from typing import Any

import numpy as np

from lossfw.nn.sensitivity.breakpoints import Staircase
from lossfw.nn.sensitivity.study import Sensitivity, StudyCurve
from lossfw.numerics.arrays import NDArray
from lossfw.report.plots.style import FILE, content_of, drawing

# Inches of the whole picture.
_WIDTH, _HEIGHT = 9.0, 6.0


def picture(result: Sensitivity) -> bytes:
    """Return the picture of a study as the content of an SVG file.

    On the left the first metric that is a staircase and its slope, on the right
    the loss and its slope; one line for each direction, and for each variant.

    Raises
    ------
    MissingExtraError
        If matplotlib is not installed.
    """
    study = result.study
    curves = {curve.name: curve for curve in result.curves}
    if len(result.zeros) > 1 and result.variants:
        # The variants of one parameter are named by the activation in the hidden layers.
        own = next(iter(result.zeros))
        curves = {own: result.curves[0], **result.variants}
    metric = next(iter(result.curves[0].stairs), None)
    along = f"change of {study.parameter}" if study.parameter else "way along the direction"
    with drawing(_WIDTH, _HEIGHT) as figure:
        panels = figure.subplots(2, 2 if metric else 1, sharex=True, squeeze=False)
        for index, (name, curve) in enumerate(curves.items()):
            look = {**FILE.look(index, dashed=False), "linewidth": 1.6, "label": name}
            if metric:
                draw_staircase(panels[:, 0], curve, metric, study.ways, look)
            draw_loss(panels[:, -1], curve, study.ways, look)
        if metric:
            name_axes(panels[:, 0], metric, along, study.ways)
        name_axes(panels[:, -1], study.loss.name, along, study.ways)
        panels[0, -1].legend(loc="best")
        return content_of(figure, "svg")


def draw_staircase(
    panels: Any,
    curve: StudyCurve,
    metric: str,
    ways: NDArray,
    look: dict[str, Any],
    level: float = 0.0,
) -> None:
    """Draw a metric with its jumps into the upper panel, and its slope into the lower one.

    Parameters
    ----------
    panels : sequence of matplotlib.axes.Axes
        The upper and the lower one.
    curve : StudyCurve
    metric : str
        Its name.
    ways : ndarray
        The grid of the study.
    look : dict
        Matplotlib's properties of the line, with its ``color``.
    level : float
        Height of the ticks in the lower panel: at a jump there is no slope, and a tick marks it.
    """
    above, below = panels
    above.plot(*steps(ways, np.array(curve.metrics[metric]), curve.stairs[metric]), **look)
    below.plot(ways, np.zeros_like(ways), **look)
    jumps = sorted({jump.at for jump in curve.stairs[metric].jumps})
    below.plot(jumps, np.full(len(jumps), level), "|", color=look["color"], markersize=9)


def draw_loss(panels: Any, curve: StudyCurve, ways: NDArray, look: dict[str, Any]) -> None:
    """Draw the loss into the upper panel, and its slope into the lower one."""
    above, below = panels
    # A loss without slope is a staircase too.
    above.plot(ways, curve.loss, drawstyle="default" if curve.slope.any() else "steps-mid", **look)
    below.plot(ways, curve.slope, **look)


def name_axes(panels: Any, title: str, along: str, ways: NDArray) -> None:
    """Write the titles of an upper and a lower panel, and the label that their axis has."""
    above, below = panels
    above.set_title(title)
    below.set_title(f"slope of {title}")
    below.set_xlabel(along)
    below.set_xlim(ways[0], ways[-1])


def steps(ways: NDArray, values: NDArray, stairs: Staircase) -> tuple[NDArray, NDArray]:
    """Return the corners of a staircase.

    Each row counts alike here, as in an unweighted mean; between two points of
    the grid the jumps share the change of the metric in the order of the way.
    """
    x, y = [float(ways[0])], [float(values[0])]
    for left, right, before, after in zip(ways, ways[1:], values, values[1:], strict=False):
        inside = [jump for jump in stairs.jumps if left < jump.at <= right]
        net = sum(jump.after - jump.before for jump in inside)
        level = float(before)
        for jump in inside:
            share = (jump.after - jump.before) / net if net else 0.0
            x += [jump.last, jump.at]
            y += [level, level := level + share * float(after - before)]
    return np.array([*x, float(ways[-1])]), np.array([*y, float(values[-1])])
