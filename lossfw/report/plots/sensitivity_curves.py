"""The picture of a study: a metric as a staircase, the loss as a curve, their slopes below.

matplotlib is imported on use. The same study gives the same file, byte for byte,
with the same version of it.
"""

from __future__ import annotations

import io
from typing import Any

import numpy as np

from lossfw.errors import MissingExtraError
from lossfw.nn.sensitivity.breakpoints import Staircase
from lossfw.nn.sensitivity.study import Sensitivity, StudyCurve
from lossfw.numerics.arrays import NDArray
from lossfw.report.plots.style import SETTINGS

# The palette of Okabe and Ito, which the colour-blind can tell apart.
_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#000000")

# Inches of the whole picture.
_WIDTH, _HEIGHT = 9.0, 6.0


def need_matplotlib() -> None:
    """Raise `MissingExtraError` unless pictures can be drawn."""
    try:
        import matplotlib  # noqa: F401  # whether it is there
    except ImportError as error:
        raise MissingExtraError(
            f"a picture needs matplotlib ({error}): install it with pip install 'lossfw[report]', "
            "or take the numbers from --json"
        ) from None


def picture(result: Sensitivity) -> bytes:
    """Return the picture of a study as the content of an SVG file.

    On the left the first metric that is a staircase and its slope, on the right
    the loss and its slope; one line for each direction, and for each variant.

    Raises
    ------
    MissingExtraError
        If matplotlib is not installed.
    """
    need_matplotlib()
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    lines = {curve.name: curve for curve in result.curves}
    if len(result.zeros) > 1 and result.variants:
        # Of one parameter it is told which activation stands in the hidden layers.
        own = next(iter(result.zeros))
        lines = {own: result.curves[0], **result.variants}
    stairs = next(iter(result.curves[0].stairs), None)
    with rc_context(SETTINGS):
        figure = Figure(figsize=(_WIDTH, _HEIGHT), layout="constrained")
        panels = figure.subplots(2, 2 if stairs else 1, sharex=True, squeeze=False)
        for index, (name, curve) in enumerate(lines.items()):
            style = {"color": _COLOURS[index % len(_COLOURS)], "linewidth": 1.6, "label": name}
            if stairs:
                _draw_stairs(panels[:, 0], curve, stairs, result.study.ways, style)
            # A loss without slope is a staircase too.
            shape = "steps-mid" if not curve.slope.any() else "default"
            panels[0, -1].plot(result.study.ways, curve.loss, drawstyle=shape, **style)
            panels[1, -1].plot(result.study.ways, curve.slope, **style)
        _name(panels, stairs, result)
        content = io.BytesIO()
        # Neither the date nor the version, which would change without the picture.
        figure.savefig(content, format="svg", metadata={"Date": None, "Creator": None})
    return content.getvalue()


def _draw_stairs(
    panels: Any, curve: StudyCurve, name: str, ways: NDArray, style: dict[str, Any]
) -> None:
    """Draw a staircase with its jumps where they are, and its slope, which is 0 between them."""
    x, y = steps(ways, np.array(curve.metrics[name]), curve.stairs[name])
    panels[0].plot(x, y, **style)
    panels[1].plot(ways, np.zeros_like(ways), **style)
    jumps = sorted({jump.at for jump in curve.stairs[name].jumps})
    # At a jump there is no slope: a tick below the line says where.
    panels[1].plot(jumps, np.zeros(len(jumps)), "|", color=style["color"], markersize=9)


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


def _name(panels: Any, stairs: str | None, result: Sensitivity) -> None:
    study = result.study
    titles = [stairs] if stairs else []
    for column, title in enumerate([*titles, study.loss.name]):
        panels[0, column].set_title(title, loc="left", fontsize=10)
        panels[1, column].set_title(f"slope of {title}", loc="left", fontsize=10)
        along = f"change of {study.parameter}" if study.parameter else "way along the direction"
        panels[1, column].set_xlabel(along)
        panels[1, column].set_xlim(study.ways[0], study.ways[-1])
    panels[0, -1].legend(loc="best")
