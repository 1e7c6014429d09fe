"""Plots of a study: a metric as a staircase, the loss as a curve, each over its slope."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from lossfw.nn.sensitivity.study import StudyCurve
from lossfw.numerics.arrays import NDArray
from lossfw.report.html.inline_svg import DASHES, INK, SERIES, SURFACE, drawing, inline
from lossfw.report.plots.loss_curves import draw_part, limits
from lossfw.report.plots.sample_curve import SampledCurve
from lossfw.report.plots.sensitivity_curves import steps

_HEIGHT, _HEIGHT_OF_ACTIVATION = 4.3, 3.4

# A slope that is 0 everywhere is shown as a line in the middle of so much.
_ALL_ZERO = 1.0


class Picture(NamedTuple):
    """A picture as it stands in a page.

    Attributes
    ----------
    svg : Markup
        The element.
    caption : str
        What to see in it.
    """

    svg: Any
    caption: str


def of_stairs(
    name: str,
    metric: str,
    along: str,
    lines: Mapping[str, StudyCurve],
    ways: NDArray,
    first: int = 0,
) -> Picture:
    """Draw a metric as a staircase, and its slope, which is 0 between the jumps.

    Parameters
    ----------
    name, metric : str
        Of the picture, and of what is drawn.
    along : str
        What the axis says.
    lines : mapping of str to StudyCurve
        By name.
    ways : ndarray
        Where they were asked.
    first : int
        The number of the first line among all that have colours.
    """
    with drawing(_HEIGHT) as figure:
        above, below = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1.2))
        for index, one in enumerate(lines.values()):
            look = _look(first + index, alone=len(lines) == 1)
            x, y = steps(ways, np.array(one.metrics[metric]), one.stairs[metric])
            above.plot(x, y, **look)
            below.plot(ways, np.zeros_like(ways), **look)
            # At a jump there is no slope: a tick says where, those of each line in a row.
            at = sorted({jump.at for jump in one.stairs[metric].jumps})
            level = np.full(len(at), -0.35 - 0.3 * index)
            below.plot(at, level, "|", color=look["color"], markersize=7, markeredgewidth=1.1)
        below.set_ylim(-0.35 - 0.3 * len(lines), _ALL_ZERO)
        below.set_yticks([0])
        _name(above, below, metric, along, ways)
        places = ", ".join(f"{n}: {one.stairs[metric].places}" for n, one in lines.items())
        caption = (
            f"{metric} is a staircase, and its slope is 0 wherever there is one. Ticks mark "
            f"the places where it jumps ({places})."
        )
        return Picture(inline(figure, name, f"{metric} and its slope", caption), caption)


def of_loss(
    name: str,
    loss: str,
    along: str,
    lines: Mapping[str, StudyCurve],
    ways: NDArray,
    first: int = 0,
) -> Picture:
    """Draw the loss and its slope; see `of_stairs`."""
    with drawing(_HEIGHT) as figure:
        above, below = figure.subplots(2, 1, sharex=True, height_ratios=(3, 2))
        for index, one in enumerate(lines.values()):
            look = _look(first + index, alone=len(lines) == 1)
            # A loss without slope is a staircase too.
            shape = "default" if one.slope.any() else "steps-mid"
            above.plot(ways, one.loss, drawstyle=shape, **look)
            below.plot(ways, one.slope, **look)
        _name(above, below, loss, along, ways)
        told = "; ".join(
            f"{n}: slope from {one.slope.min():.3g} to {one.slope.max():.3g}, 0 at "
            f"{np.count_nonzero(one.slope == 0)} of {len(ways)} points"
            for n, one in lines.items()
        )
        caption = f"{loss} answers to small changes where its slope is not 0. {told}."
        return Picture(inline(figure, name, f"{loss} and its slope", caption), caption)


def of_activation(name: str, drawn: SampledCurve, index: int) -> Picture:
    """Draw an activation and its slope."""
    with drawing(_HEIGHT_OF_ACTIVATION) as figure:
        panels = figure.subplots(2, 1, sharex=True)
        for order, axes in enumerate(panels):
            draw_part(axes, drawn, order, SURFACE, _look(index, alone=True))
            axes.set_ylim(*limits([drawn.parts[order]]))
        panels[0].set_title(drawn.name)
        panels[1].set_title(f"slope of {drawn.name}")
        panels[1].set_xlabel(drawn.line.label)
        panels[1].set_xlim(drawn.x[0], drawn.x[-1])
        slope = drawn.parts[1]
        known = slope[np.isfinite(slope)]
        still = np.count_nonzero(known == 0) / known.size
        caption = (
            f"{drawn.name}: from {drawn.parts[0].min():.3g} to {drawn.parts[0].max():.3g} on this "
            f"piece; its slope is at most {known.max():.3g}, and exactly 0 at {still:.0%} of "
            "the points drawn."
        )
        return Picture(inline(figure, name, f"{drawn.name} and its slope", caption), caption)


def _look(index: int, *, alone: bool) -> dict[str, Any]:
    """Return colour and dashes of a line; one that is alone needs no dashes."""
    at = index % len(SERIES)
    return {
        "color": SERIES[at],
        "linestyle": DASHES[0 if alone else at],
        "linewidth": 1.7,
    }


def _name(above: Any, below: Any, title: str, along: str, ways: NDArray) -> None:
    above.set_title(title)
    below.set_title(f"slope of {title}")
    below.set_xlabel(along)
    below.set_xlim(ways[0], ways[-1])
    for axes in (above, below):
        axes.axvline(0, color=INK, linewidth=0.6, alpha=0.5)
