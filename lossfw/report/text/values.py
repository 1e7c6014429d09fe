"""The numbers of a result as text: single ones, lists, matrices, curves, intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

# Longer lists and larger matrices are cut: the whole stands in the JSON.
_SHOWN_NUMBERS = 12
_SHOWN_LINES = 20
# Digits of the ends of an interval, and of numbers beside each other.
_END_DIGITS = 4
_CELL_DIGITS = 6


def measured(name: str, found: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the lines of a loss or a metric, each with its label.

    Parameters
    ----------
    name : str
        What it is called.
    found : mapping
        ``value``, and ``interval`` and ``curve`` where there is one.

    Examples
    --------
    >>> measured("accuracy", {"value": 0.95, "interval": [0.93, 0.97]})
    [('accuracy', '0.95 [0.93, 0.97]')]
    >>> measured("recall", {"value": [0.5, 1.0], "interval": [[0.25, 0.75], None]})
    [('recall', ''), ('  0', '0.5 [0.25, 0.75]'), ('  1', '1.0 [?]')]
    """
    value = found["value"]
    if not isinstance(value, list | tuple):
        return [(name, _with_interval(value, found)), *_curve(found.get("curve"))]
    if value and isinstance(value[0], list | tuple):
        return [(name, ""), *_matrix(value)]
    if found.get("interval") is None:
        return [(name, number(value))]
    lines = [
        (f"  {place}", _with_interval(one, {"interval": ends}))
        for place, (one, ends) in enumerate(zip(value, found["interval"], strict=True))
    ]
    return [(name, ""), *_cut(lines)]


def number(value: Any) -> str:
    """Return a number with all its digits: they are what is compared. A long list is cut.

    Examples
    --------
    >>> number(0.1 + 0.2), number([1.0, None])
    ('0.30000000000000004', '[1.0, none]')
    """
    if value is None:
        return "none"
    if not isinstance(value, list | tuple):
        return repr(value)
    shown = ", ".join(map(number, value[:_SHOWN_NUMBERS]))
    more = f", ... ({len(value)} in all)" if len(value) > _SHOWN_NUMBERS else ""
    return f"[{shown}{more}]"


def short_measured(found: Mapping[str, Any]) -> str:
    """Return a number with few digits, and its interval, for a cell of a table.

    Examples
    --------
    >>> short_measured({"value": 2 / 3, "interval": [0.5, 5 / 6]})
    '0.6667 [0.5, 0.8333]'
    >>> short_measured({"value": None})
    '-'
    """
    if found["value"] is None:
        return "-"
    return f"{found['value']:.{_END_DIGITS}g}{_ends(found)}"


def _with_interval(value: Any, found: Mapping[str, Any]) -> str:
    return f"{number(value)}{_ends(found)}"


def _ends(found: Mapping[str, Any]) -> str:
    if "interval" not in found:
        return ""
    if found["interval"] is None:
        return " [?]"
    low, high = found["interval"]
    return f" [{low:.{_END_DIGITS}g}, {high:.{_END_DIGITS}g}]"


def _matrix(rows: Sequence[Sequence[float]]) -> list[tuple[str, str]]:
    """Return a line for each row, its numbers under each other."""
    cells = [[f"{cell:.{_CELL_DIGITS}g}" for cell in row[:_SHOWN_NUMBERS]] for row in rows]
    width = max(len(cell) for row in cells for cell in row)
    more = " ..." if len(rows[0]) > _SHOWN_NUMBERS else ""
    lines = [
        (f"  {place}", " ".join(cell.rjust(width) for cell in row) + more)
        for place, row in enumerate(cells)
    ]
    return _cut(lines)


def _curve(curve: Mapping[str, Sequence[float]] | None) -> list[tuple[str, str]]:
    """Return a line for each point of a curve."""
    if not curve:
        return []
    lines = [
        ("", ", ".join(f"{name} {x:.{_END_DIGITS}g}" for name, x in zip(curve, point, strict=True)))
        for point in zip(*curve.values(), strict=True)
    ]
    return _cut(lines)


def _cut(lines: list[tuple[str, str]]) -> list[tuple[str, str]]:
    if len(lines) <= _SHOWN_LINES:
        return lines
    return [*lines[:_SHOWN_LINES], ("", f"... {len(lines)} in all")]
