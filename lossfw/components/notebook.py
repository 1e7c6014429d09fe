"""HTML for notebooks: tables, and line plots without a plotting library."""

from __future__ import annotations

import html
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

# A picture in units of its own: the width of a cell of a notebook decides its size.
_WIDTH, _HEIGHT, _MARGIN = 360, 150, 26
# Colours that can be told apart on light and dark ground, from the palette of Okabe and Ito.
_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7")
_DIGITS = 6


def format_number(value: Any) -> str:
    """Return a number with a few digits, anything else as text.

    Examples
    --------
    >>> format_number(0.123456789), format_number(3), format_number(None)
    ('0.123457', '3', '')
    """
    if value is None:
        return ""
    return f"{value:.{_DIGITS}g}" if isinstance(value, float) else str(value)


def format_interval(value: Any, interval: Any) -> str:
    """Return a number with the ends of its interval, if any.

    Examples
    --------
    >>> format_interval(0.5, [0.25, 0.75]), format_interval(0.5, None)
    ('0.5 [0.25, 0.75]', '0.5')
    """
    if not interval or isinstance(interval[0], list | tuple):
        return format_number(value)
    return f"{format_number(value)} [{format_number(interval[0])}, {format_number(interval[1])}]"


def html_table(rows: Iterable[Sequence[str]], headers: Sequence[str] = ()) -> str:
    """Return a table; all text is escaped."""
    head = "".join(f"<th>{html.escape(title)}</th>" for title in headers)
    lines = [f"<tr>{head}</tr>"] if headers else []
    for row in rows:
        first, *rest = (html.escape(cell) for cell in row)
        cells = "".join(f"<td>{cell}</td>" for cell in rest)
        lines.append(f'<tr><th style="text-align:left">{first}</th>{cells}</tr>')
    return f"<table>{''.join(lines)}</table>"


def align_columns(lines: Sequence[Sequence[str]]) -> str:
    """Return a table as plain text with aligned columns, for `print`.

    Examples
    --------
    >>> print(align_columns([("loss", "value"), ("huber", "0.5")]))
    loss   value
    huber  0.5
    """
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def html_heading(text: str) -> str:
    """Return a line in bold; the text is escaped."""
    return f"<p><b>{html.escape(text)}</b></p>"


def svg_lines(x: Sequence[float], curves: Mapping[str, Sequence[float]], label: str) -> str:
    """Return curves over a common axis as ``svg``; numbers that are not finite leave gaps."""
    values = [y for curve in curves.values() for y in curve if math.isfinite(y)]
    if not values or x[0] == x[-1]:
        return ""
    low, high = min(values), max(values)
    high = high if high > low else low + 1.0

    def place(at: float, y: float) -> str:
        across = _MARGIN + (_WIDTH - 2 * _MARGIN) * (at - x[0]) / (x[-1] - x[0])
        down = _HEIGHT - _MARGIN - (_HEIGHT - 2 * _MARGIN) * (y - low) / (high - low)
        return f"{across:.1f},{down:.1f}"

    drawn, keys = [], []
    for index, (name, curve) in enumerate(curves.items()):
        colour = _COLOURS[index % len(_COLOURS)]
        for piece in _finite_runs(x, curve):
            points = " ".join(place(at, y) for at, y in piece)
            drawn.append(
                f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="1.8"/>'
            )
        keys.append(f'<tspan fill="{colour}" dx="8">{html.escape(name)}</tspan>')
    ends = "".join(
        _svg_text(across, down, text, anchor)
        for across, down, text, anchor in (
            (2, _HEIGHT - _MARGIN, format_number(float(low)), "start"),
            (2, _MARGIN, format_number(float(high)), "start"),
            (_MARGIN, _HEIGHT - 6, format_number(float(x[0])), "start"),
            (_WIDTH - _MARGIN, _HEIGHT - 6, format_number(float(x[-1])), "end"),
            (_WIDTH / 2, _HEIGHT - 6, label, "middle"),
        )
    )
    legend = f'<text x="{_MARGIN}" y="12" font-size="10">{"".join(keys)}</text>'
    return (
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" width="{_WIDTH}" role="img" '
        f'xmlns="http://www.w3.org/2000/svg">{"".join(drawn)}{ends}{legend}</svg>'
    )


def _finite_runs(x: Sequence[float], curve: Sequence[float]) -> list[list[tuple[float, float]]]:
    """Return the runs of consecutive finite points."""
    pieces: list[list[tuple[float, float]]] = [[]]
    for at, y in zip(x, curve, strict=True):
        if math.isfinite(y):
            pieces[-1].append((at, y))
        elif pieces[-1]:
            pieces.append([])
    return [piece for piece in pieces if piece]


def _svg_text(x: float, y: float, text: str, anchor: str) -> str:
    return (
        f'<text x="{x}" y="{y}" font-size="9" fill="gray" text-anchor="{anchor}">'
        f"{html.escape(text)}</text>"
    )
