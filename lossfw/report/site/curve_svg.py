"""Pictures of curves as SVG for pages: small ones for lists, and the panels of a figure.

A script draws the panels again when a parameter moves; it reads the frame from the picture.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape

import numpy as np

from lossfw.nn.sample_curve import SampledCurve
from lossfw.numerics.arrays import NDArray
from lossfw.report.plots.curves import height_range, heights_with_gaps

# Width and height of a panel, and the space left, right, above and below its frame.
PANEL = (236, 180)
_MARGINS = (38, 7, 22, 36)

# The size of a thumbnail, which has no axes.
_THUMBNAIL = (150, 84)
_THUMBNAIL_MARGINS = (4, 4, 4, 4)

# More points than pixels of a panel add nothing.
_POINTS = 240

# An axis has about so many numbers.
_TICKS_ACROSS, _TICKS_UP = 5, 4

TITLES = ("value", "derivative", "second derivative")


class Frame:
    """The part of a picture that holds a curve."""

    def __init__(
        self,
        size: tuple[int, int],
        margins: tuple[int, int, int, int],
        across: tuple[float, float],
        up: tuple[float, float],
    ) -> None:
        left, right, above, below = margins
        self.left, self.right = left, size[0] - right
        self.top, self.bottom = above, size[1] - below
        self.across, self.up = across, up

    def x(self, value: float) -> float:
        """Return the horizontal position of a number."""
        low, high = self.across
        return self.left + (self.right - self.left) * (value - low) / (high - low)

    def y(self, value: float) -> float:
        """Return the vertical position of a number."""
        low, high = self.up
        return self.bottom - (self.bottom - self.top) * (value - low) / (high - low)

    def path(self, x: NDArray, y: NDArray) -> str:
        """Return a path through points, with a gap at each NaN."""
        parts, pen = [], "M"
        for across, up in zip(x, y, strict=True):
            if not np.isfinite(up):
                pen = "M"
                continue
            # Far beyond the frame a curve is cut off by it.
            height = float(np.clip(self.y(float(up)), -2000, 2000))
            parts.append(f"{pen}{self.x(float(across)):.1f} {height:.1f}")
            pen = "L"
        return "".join(parts)


def thumbnail(curve: SampledCurve) -> str:
    """Return a small picture of the value, hidden from screen readers."""
    x, y = _thin_points(curve, 0)
    frame = Frame(_THUMBNAIL, _THUMBNAIL_MARGINS, (x[0], x[-1]), height_range([curve.parts[0]]))
    width, height = _THUMBNAIL
    zero = frame.y(0.0)
    axis = f'<path class="axis" d="M{frame.left} {zero:.1f}H{frame.right}"/>'
    inside = frame.top <= zero <= frame.bottom
    return (
        f'<svg class="thumbnail" viewBox="0 0 {width} {height}" aria-hidden="true">'
        f'{axis if inside else ""}<path class="curve c0" d="{frame.path(x, y)}"/></svg>'
    )


def panel(curves: Sequence[SampledCurve], order: int, label: str) -> str:
    """Return the panel of one derivative, with axes."""
    drawn = [one for one in curves if order < len(one.parts)]
    across = (float(drawn[0].x[0]), float(drawn[0].x[-1]))
    frame = Frame(PANEL, _MARGINS, across, height_range([one.parts[order] for one in drawn]))
    paths = "".join(
        f'<path class="{"part" if index else f"curve c{order}"}" '
        f'd="{frame.path(*_thin_points(one, order))}"/>'
        for index, one in enumerate(drawn)
    )
    name = f"frame-{order}"
    width, height = PANEL
    return (
        f'<svg viewBox="0 0 {width} {height}" role="img" data-order="{order}" '
        f'data-frame="{frame.left} {frame.top} {frame.right} {frame.bottom}">'
        f"<title>{escape(label)}</title>"
        f'<text class="title" x="{frame.left}" y="14">{TITLES[order]}</text>'
        f"{_grid(frame)}"
        f"{_clip_path(name, frame)}"
        f'<g clip-path="url(#{name})">{paths}</g>'
        f'<text class="label" x="{(frame.left + frame.right) / 2}" y="{height - 5}" '
        'text-anchor="middle">'
        f"{escape(short_label(drawn[0].line.label))}</text></svg>"
    )


def short_label(label: str) -> str:
    """Return the first words of a label, to fit below a panel. The caption has the whole label.

    Examples
    --------
    >>> short_label("residual r = y - t"), short_label("probability of the target's class, of two")
    ('residual r = y - t', "probability of the target's class")
    """
    return label.partition(",")[0]


def axis_letter(label: str) -> str:
    """Return the letter of a line from its label, otherwise x."""
    found = re.search(r"(?<!')\b[rmxyz]\b", label)
    return found[0] if found else "x"


def _grid(frame: Frame) -> str:
    lines = []
    for value in ticks(*frame.across, _TICKS_ACROSS):
        x = f"{frame.x(value):.1f}"
        lines.append(f'<path class="grid" d="M{x} {frame.top}V{frame.bottom}"/>')
        lines.append(
            f'<text x="{x}" y="{frame.bottom + 14}" text-anchor="middle">'
            f"{_number_text(value)}</text>"
        )
    for value in ticks(*frame.up, _TICKS_UP):
        y = frame.y(value)
        lines.append(f'<path class="grid" d="M{frame.left} {y:.1f}H{frame.right}"/>')
        lines.append(
            f'<text x="{frame.left - 5}" y="{y + 4:.1f}" text-anchor="end">'
            f"{_number_text(value)}</text>"
        )
    return "".join(lines)


def ticks(low: float, high: float, count: int) -> list[float]:
    """Return about so many round numbers in a range.

    Examples
    --------
    >>> ticks(-3.0, 3.0, 5)
    [-2.0, 0.0, 2.0]
    """
    step = 10.0 ** np.floor(np.log10((high - low) / count))
    step *= next(m for m in (1, 2, 5, 10) if (high - low) / (step * m) <= count)
    first, last = int(np.ceil(low / step - 1e-9)), int(np.floor(high / step + 1e-9))
    return [float(f"{k * step:.12g}") for k in range(first, last + 1)]


def _number_text(value: float) -> str:
    return f"{value:g}".replace("-", "\N{MINUS SIGN}")


def _thin_points(curve: SampledCurve, order: int) -> tuple[NDArray, NDArray]:
    """Return some of the points of a curve, those at its gaps and ends among them."""
    y = heights_with_gaps(curve, order)
    every = max(1, len(y) // _POINTS)
    gap = np.isnan(y)
    keep = gap | np.roll(gap, 1) | np.roll(gap, -1) | (np.arange(len(y)) % every == 0)
    keep[[0, -1]] = True
    return curve.x[keep], y[keep]


def _clip_path(name: str, frame: Frame) -> str:
    return (
        f'<clipPath id="{name}"><rect x="{frame.left}" y="{frame.top}" '
        f'width="{frame.right - frame.left}" height="{frame.bottom - frame.top}"/></clipPath>'
    )
