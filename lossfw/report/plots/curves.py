"""Pictures of losses and activations, with their derivatives."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from lossfw.errors import ArgumentError
from lossfw.nn.sample_curve import SampledCurve
from lossfw.numerics.arrays import NDArray
from lossfw.report.plots.style import FILE, drawing, figure_bytes
from lossfw.runs.files import write_file

FORMATS = (".svg", ".png")

_TITLES = ("value", "first derivative", "second derivative")

# Inches of the whole picture.
_WIDTH, _HEIGHT = 7.0, 7.5

# A change by more than this part of the picture, from one point to the next, is a jump.
_LEAP = 0.1

# The picture ends at this many times the 0.9 quantile of a curve's absolute values.
_TOP = 3.0


def check_picture_name(out: Path) -> None:
    """Raise `ArgumentError` unless a picture of this name can be made."""
    if out.suffix.lower() not in FORMATS:
        given = f"ends in {out.suffix!r}" if out.suffix else "has no ending"
        raise ArgumentError(f"{out} {given}: a picture ends in .svg or .png.")


def plot(curves: Sequence[SampledCurve], out: Path) -> Path:
    """Draw curves of one kind into one picture, and write it."""
    check_picture_name(out)
    labels = {one.line.label: one.name for one in curves}
    if len(labels) > 1:
        (a, name), (b, other) = list(labels.items())[:2]
        raise ArgumentError(
            f"{name} is drawn along the {a}, but {other} along the {b}: make a picture of each."
        )
    return write_file(out.parent, out.name, picture(curves, out.suffix.lower()[1:]))


def picture(curves: Sequence[SampledCurve], form: str) -> bytes:
    """Return the picture as the content of a file; see `plot`."""
    count = max(len(one.parts) for one in curves)
    with drawing(_WIDTH, _HEIGHT * count / len(_TITLES)) as figure:
        panels = figure.subplots(count, 1, sharex=True, squeeze=False)[:, 0]
        for order, axes in enumerate(panels):
            by = ", by the first number" if order and curves[0].line.rows else ""
            axes.set_title(f"{_TITLES[order]}{by}")
            for index, one in enumerate(curves):
                if order < len(one.parts):
                    # A second curve of the same course shows between the dashes of the first.
                    label = one.name if order == 0 else None
                    draw_derivative(
                        axes, one, order, FILE.surface, {**FILE.line_style(index), "label": label}
                    )
            axes.set_ylim(
                *height_range([one.parts[order] for one in curves if order < len(one.parts)])
            )
        panels[0].legend(loc="best")
        panels[-1].set_xlabel(curves[0].line.label)
        panels[-1].set_xlim(min(one.x[0] for one in curves), max(one.x[-1] for one in curves))
        return figure_bytes(figure, form)


def draw_derivative(
    axes: Any, curve: SampledCurve, order: int, surface: str, style: dict[str, Any]
) -> None:
    """Draw one curve with gaps at jumps, and a ring at each kink."""
    axes.plot(curve.x, heights_with_gaps(curve, order), **{"linewidth": 1.8, **style})
    ring = {"color": style["color"], "markersize": 5, "markerfacecolor": surface}
    # Jumps of this derivative or of the next one are marked.
    kinks = (curve.breaks, curve.breaks + curve.second_breaks, curve.second_breaks)[order]
    for at in kinks:
        here = int(np.searchsorted(curve.x, at))
        # A jump has two ends, next to the break; else the curve goes through it.
        for place in (here - 1, here + 1) if at in _jumps(curve, order) else (here,):
            axes.plot(curve.x[place], curve.parts[order][place], "o", **ring)


def _jumps(curve: SampledCurve, order: int) -> tuple[float, ...]:
    """Return the jumps of this derivative; at a kink of the value every derivative jumps."""
    return ((), curve.breaks, curve.breaks + curve.second_breaks)[order]


def heights_with_gaps(curve: SampledCurve, order: int) -> NDArray:
    """Return heights with gaps at jumps, so that no line crosses a jump."""
    y = curve.parts[order].copy()
    y[np.isin(curve.x, _jumps(curve, order))] = np.nan
    # Also at jumps that are not claimed, as that of a step function.
    low, high = height_range([y])
    with np.errstate(invalid="ignore"):
        leap = np.abs(np.diff(y)) > _LEAP * (high - low)
        inside = (y > low) & (y < high)
    y[1:][leap & inside[1:] & inside[:-1]] = np.nan
    return y


def height_range(parts: Sequence[NDArray]) -> tuple[float, float]:
    """Return the range of heights to show; values near infinity are cut off."""
    heights = np.concatenate([part[np.isfinite(part)] for part in parts])
    if not heights.size:
        return -1.0, 1.0
    usual = max(float(np.quantile(np.abs(heights), 0.9)), 1e-3)
    low, high = max(float(heights.min()), -_TOP * usual), min(float(heights.max()), _TOP * usual)
    margin = 0.06 * (high - low) or 0.5
    return low - margin, high + margin
