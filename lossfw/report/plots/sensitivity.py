"""The picture of a sensitivity study: a stepwise metric, a smooth loss, and derivatives."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from itertools import pairwise
from typing import Any

from lossfw.report.plots.style import FILE, PAGE, Theme, content_of, drawing

# Inches of the picture.
_WIDTH, _HEIGHT = 9.0, 6.0


def study_picture(found: Mapping[str, Any]) -> bytes:
    """Return the content of an SVG file: left the first metric that jumps, right the loss."""
    with drawing(_WIDTH, _HEIGHT) as figure:
        make = partial(figure.subplots, 2, sharex=True, squeeze=False)
        draw_study(found, make, FILE)[0, -1].legend(loc="best")
        return content_of(figure, "svg")


def draw_study(found: Mapping[str, Any], make: Callable[[int], Any], theme: Theme) -> Any:
    """Draw two rows of panels, values and derivatives, which `make` returns by columns."""
    ways, curves, loss = found["ways"], found["curves"], found["loss"]["name"]
    metric = next(iter(next(iter(curves.values()))["stairs"]), None)
    titles = [metric, loss] if metric else [loss]
    panels = make(len(titles))
    for index, (name, curve) in enumerate(curves.items()):
        look = {**theme.look(index, dashed=theme is PAGE), "linewidth": 1.6, "label": name}
        if metric:
            jumps = curve["stairs"][metric]["jumps"]
            panels[0, 0].plot(*_corners(ways, curve["metrics"][metric], jumps), **look)
            panels[1, 0].plot(ways, [0.0] * len(ways), **look)
            at = sorted({jump["at"] for jump in jumps})
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


def _corners(
    ways: list[float], values: list[float], jumps: list[dict[str, float]]
) -> tuple[list[float], list[float]]:
    """Return the corners of a staircase: between two points its jumps share the whole change."""
    x, y = [ways[0]], [values[0]]
    for (left, right), (old, new) in zip(pairwise(ways), pairwise(values), strict=True):
        inside = [jump for jump in jumps if left < jump["at"] <= right]
        net, level = sum(jump["after"] - jump["before"] for jump in inside), old
        for jump in inside:
            before, share = level, (jump["after"] - jump["before"]) / net if net else 0.0
            level += share * (new - old)
            x, y = [*x, jump["last"], jump["at"]], [*y, before, level]
    return [*x, ways[-1]], [*y, values[-1]]
