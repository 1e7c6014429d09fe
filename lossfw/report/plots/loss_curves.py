"""Pictures of losses and activations: value, derivative and second derivative.

matplotlib is imported on use. The same components give the same file, byte for
byte, with the same version of it.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from lossfw.errors import ArgumentError, MissingExtraError
from lossfw.numerics.arrays import NDArray
from lossfw.report.plots.sample_curve import SampledCurve
from lossfw.report.plots.style import SETTINGS
from lossfw.runs.files import write_file

FORMATS = (".svg", ".png")

# The palette of Okabe and Ito, which the colour-blind can tell apart, without its yellow.
_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#000000")
_STYLES = ("-", "--", "-.", ":")

_TITLES = ("value", "first derivative", "second derivative")

# Inches of the whole picture, and dots per inch of a PNG.
_WIDTH, _HEIGHT, _DPI = 7.0, 7.5, 144

# A change by more than this part of the picture, from one point to the next, is a jump.
_LEAP = 0.1

# The picture ends at this many times what nine tenths of a curve stay below.
_TOP = 3.0


def check_out(out: Path) -> None:
    """Raise `ArgumentError` unless a picture of this name can be made."""
    if out.suffix.lower() not in FORMATS:
        given = f"ends in {out.suffix!r}" if out.suffix else "has no ending"
        raise ArgumentError(f"{out} {given}: a picture ends in .svg or .png.")


def plot(curves: Sequence[SampledCurve], out: Path) -> Path:
    """Draw curves of one kind into one picture, and write it.

    Parameters
    ----------
    curves : sequence of SampledCurve
        At least one, all along the same line.
    out : Path
        A ``.svg`` or a ``.png``.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    ArgumentError
        If the curves run along different lines, or the file's ending is another.
    MissingExtraError
        If matplotlib is not installed.
    OutputError
        If the file cannot be written.
    """
    check_out(out)
    labels = {one.line.label: one.name for one in curves}
    if len(labels) > 1:
        (a, name), (b, other) = list(labels.items())[:2]
        raise ArgumentError(
            f"{name} is drawn along the {a}, and {other} along the {b}: make a picture of each."
        )
    return write_file(out.parent, out.name, picture(curves, out.suffix.lower()[1:]))


def picture(curves: Sequence[SampledCurve], form: str) -> bytes:
    """Return the picture as the content of a file; see `plot`."""
    try:
        from matplotlib import rc_context
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingExtraError(
            f"a picture needs matplotlib ({error}): install it with pip install 'lossfw[report]'"
        ) from None
    with rc_context(SETTINGS):
        count = max(len(one.parts) for one in curves)
        figure = Figure(figsize=(_WIDTH, _HEIGHT * count / len(_TITLES)), layout="constrained")
        panels = figure.subplots(count, 1, sharex=True, squeeze=False)[:, 0]
        for order, axes in enumerate(panels):
            by = ", by the first column" if order and curves[0].line.rows else ""
            axes.set_title(f"{_TITLES[order]}{by}", loc="left", fontsize=10)
            for index, one in enumerate(curves):
                if order < len(one.parts):
                    # A second curve of the same course shows between the dashes of the first.
                    look = {
                        "color": _COLOURS[index % len(_COLOURS)],
                        "linestyle": _STYLES[index % len(_STYLES)],
                        "label": one.name if order == 0 else None,
                    }
                    draw_part(axes, one, order, "white", look)
            axes.set_ylim(*limits([one.parts[order] for one in curves if order < len(one.parts)]))
        panels[0].legend(loc="best")
        panels[-1].set_xlabel(curves[0].line.label)
        panels[-1].set_xlim(min(one.x[0] for one in curves), max(one.x[-1] for one in curves))
        content = io.BytesIO()
        # Neither the date nor the version, which would change without the picture.
        metadata = {"Date": None, "Creator": None} if form == "svg" else {"Software": None}
        figure.savefig(content, format=form, dpi=_DPI, metadata=metadata)
    return content.getvalue()


def draw_part(axes: Any, one: SampledCurve, order: int, surface: str, look: dict[str, Any]) -> None:
    """Draw one curve, cut where it jumps, with a ring at each kink.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        Where.
    one : SampledCurve
        What.
    order : int
        0 for the value, 1 and 2 for the derivatives.
    surface : str
        The colour in the rings.
    look : dict
        Of the line, with its ``color``.
    """
    axes.plot(one.x, _cut(one, order), **{"linewidth": 1.8, **look})
    ring = {"color": look["color"], "markersize": 5, "markerfacecolor": surface}
    for at in _kinks(one, order):
        here = int(np.searchsorted(one.x, at))
        # A jump has two ends, beside the break; else the curve goes through it.
        for place in (here - 1, here + 1) if at in _jumps(one, order) else (here,):
            axes.plot(one.x[place], one.parts[order][place], "o", **ring)


def _kinks(one: SampledCurve, order: int) -> tuple[float, ...]:
    """Return what to mark: where this derivative, or the next one, jumps."""
    return (one.breaks, one.breaks + one.second_breaks, one.second_breaks)[order]


def _jumps(one: SampledCurve, order: int) -> tuple[float, ...]:
    """Return where this derivative jumps; at a kink of the value so does every one."""
    return ((), one.breaks, one.breaks + one.second_breaks)[order]


def _cut(one: SampledCurve, order: int) -> NDArray:
    """Return heights with gaps, so that no line leads across a jump."""
    y = one.parts[order].copy()
    y[np.isin(one.x, _jumps(one, order))] = np.nan
    # Also where nobody claimed it, as a step's value.
    low, high = limits([y])
    with np.errstate(invalid="ignore"):
        leap = np.abs(np.diff(y)) > _LEAP * (high - low)
        inside = (y > low) & (y < high)
    y[1:][leap & inside[1:] & inside[:-1]] = np.nan
    return y


def limits(parts: Sequence[NDArray]) -> tuple[float, float]:
    """Return the range of heights that is shown: what goes to infinity is cut off."""
    heights = np.concatenate([part[np.isfinite(part)] for part in parts])
    if not heights.size:
        return -1.0, 1.0
    usual = max(float(np.quantile(np.abs(heights), 0.9)), 1e-3)
    low, high = max(float(heights.min()), -_TOP * usual), min(float(heights.max()), _TOP * usual)
    margin = 0.06 * (high - low) or 0.5
    return low - margin, high + margin
