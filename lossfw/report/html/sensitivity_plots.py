"""Plots of a study in a page: a metric, the loss and activations, each with its slope."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from lossfw.nn.sample_curve import SampledCurve
from lossfw.nn.sensitivity.study import StudyCurve
from lossfw.numerics.arrays import NDArray
from lossfw.report.html.inline_svg import WIDTH, inline
from lossfw.report.plots.loss_curves import draw_part, limits
from lossfw.report.plots.sensitivity_curves import draw_loss, draw_staircase, name_axes
from lossfw.report.plots.style import INK, PAGE, drawing

_HEIGHT, _HEIGHT_OF_ACTIVATION = 4.3, 3.4

# Upper end of the axis of a slope that is 0 everywhere.
_ALL_ZERO = 1.0


class Picture(NamedTuple):
    """A picture in a page.

    Attributes
    ----------
    svg : Markup
        The element.
    caption : str
        A description of it in sentences.
    """

    svg: Any
    caption: str


class StudyLines(NamedTuple):
    """The lines of a picture.

    Attributes
    ----------
    along : str
        The label of the axis.
    ways : ndarray
        The grid of the study.
    curves : mapping of str to StudyCurve
        By name.
    first : int
        The number of the first line, which says its colour.
    """

    along: str
    ways: NDArray
    curves: Mapping[str, StudyCurve]
    first: int = 0

    def looks(self) -> Iterator[tuple[StudyCurve, dict[str, Any]]]:
        """Yield each curve with the look of its line."""
        for index, curve in enumerate(self.curves.values(), start=self.first):
            yield curve, _look(index, alone=len(self.curves) == 1)


def of_stairs(name: str, metric: str, lines: StudyLines) -> Picture:
    """Draw a metric as a staircase, and its slope."""
    with drawing(WIDTH, _HEIGHT, PAGE) as figure:
        panels = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1.2))
        # The ticks of each line have a row of their own.
        levels = -0.35 - 0.3 * np.arange(len(lines.curves))
        for (curve, look), level in zip(lines.looks(), levels, strict=True):
            draw_staircase(panels, curve, metric, lines.ways, look, level)
        panels[1].set_ylim(levels[-1] - 0.3, _ALL_ZERO)
        panels[1].set_yticks([0])
        _name(panels, metric, lines)
        places = ", ".join(f"{n}: {one.stairs[metric].places}" for n, one in lines.curves.items())
        caption = (
            f"{metric} is a staircase; between its jumps the slope is 0. Ticks mark "
            f"the places where it jumps ({places})."
        )
        return Picture(inline(figure, name, f"{metric} and its slope", caption), caption)


def of_loss(name: str, loss: str, lines: StudyLines) -> Picture:
    """Draw the loss and its slope."""
    with drawing(WIDTH, _HEIGHT, PAGE) as figure:
        panels = figure.subplots(2, 1, sharex=True, height_ratios=(3, 2))
        for curve, look in lines.looks():
            draw_loss(panels, curve, lines.ways, look)
        _name(panels, loss, lines)
        slopes = "; ".join(
            f"{n}: slope from {one.slope.min():.3g} to {one.slope.max():.3g}, 0 at "
            f"{np.count_nonzero(one.slope == 0)} of {len(lines.ways)} points"
            for n, one in lines.curves.items()
        )
        caption = f"{loss} answers to small changes where its slope is not 0. {slopes}."
        return Picture(inline(figure, name, f"{loss} and its slope", caption), caption)


def of_activation(name: str, drawn: SampledCurve, index: int) -> Picture:
    """Draw an activation and its slope."""
    with drawing(WIDTH, _HEIGHT_OF_ACTIVATION, PAGE) as figure:
        panels = figure.subplots(2, 1, sharex=True)
        for order, axes in enumerate(panels):
            draw_part(axes, drawn, order, PAGE.surface, _look(index, alone=True))
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
    """Return the look of a line; a line that is alone needs no dashes."""
    return {**PAGE.look(index, dashed=not alone), "linewidth": 1.7}


def _name(panels: Any, title: str, lines: StudyLines) -> None:
    name_axes(panels, title, lines.along, lines.ways)
    for axes in panels:
        axes.axvline(0, color=INK, linewidth=0.6, alpha=0.5)
