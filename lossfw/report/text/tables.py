"""Tables as text, and numbers, fractions and intervals with significant digits."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence

from lossfw.components.naming import in_one_line, printable, shortlist
from lossfw.components.notebook import align_columns
from lossfw.runs.files import write_stdout

# Significant digits of a number whose uncertainty is not known.
_DIGITS = 4

# Digits of half the width of an interval; the number itself ends at the same place.
# Differences of runs on the same rows are finer than each run's own interval.
_DIGITS_OF_SPREAD = 3
_DIGITS_OF_DIFFERENCE = 2

# Past so many decimal places a number is written with an exponent.
_MOST_PLACES = 7


def number_text(value: float, digits: int = _DIGITS) -> str:
    """Return a number with a few significant digits.

    Examples
    --------
    >>> number_text(0.9631490787), number_text(1234567.0), number_text(-2e-9), number_text(12)
    ('0.9631', '1.235e+06', '-2e-09', '12')
    """
    return str(value) if isinstance(value, int) else f"{value:.{digits}g}"


def percent_text(value: float) -> str:
    """Return a fraction in percent; a fraction near 0 or 1 is never rounded to 0 or 1.

    Examples
    --------
    >>> (percent_text(0.1029), percent_text(1.0), percent_text(0.0),
    ...     percent_text(0.99999), percent_text(1e-9))
    ('10.3 %', '100 %', '0 %', '> 99.9 %', '< 0.1 %')
    """
    if value in (0, 1) or not 0 < value < 1:
        return f"{100 * value:.4g} %"
    return {"0.0": "< 0.1 %", "100.0": "> 99.9 %"}.get(text := f"{100 * value:.1f}", f"{text} %")


def decimal_places(interval: Sequence[float] | None, digits: int = _DIGITS_OF_SPREAD) -> int | None:
    """Return the number of decimal places that an interval justifies, or None.

    Examples
    --------
    >>> decimal_places([0.947, 0.979]), decimal_places([900.0, 1100.0])
    (4, 0)
    >>> decimal_places([0.5, 0.5]), decimal_places(None)
    (None, None)
    """
    if interval is None:
        return None
    half = (interval[1] - interval[0]) / 2
    if not (math.isfinite(half) and half > 0):
        return None
    places = max(0, digits - 1 - math.floor(math.log10(half)))
    return places if places <= _MOST_PLACES else None


def rounded_text(value: float, interval: Sequence[float] | None, *, sign: bool = False) -> str:
    """Return a number with the digits that its interval justifies.

    Examples
    --------
    >>> rounded_text(0.9631490787, [0.947, 0.979]), rounded_text(0.01234, [0.001, 0.02], sign=True)
    ('0.9631', '+0.0123')
    >>> (rounded_text(-0.0001, [-0.1, 0.1], sign=True),
    ...     rounded_text(-0.04, [-16.0, -0.04], sign=True))
    ('0.00', '-0.04')
    """
    places = decimal_places(interval, _DIGITS_OF_DIFFERENCE if sign else _DIGITS_OF_SPREAD)
    if places is None or not math.isfinite(value):
        text = number_text(float(value)) if sign else number_text(value)
    else:
        text = f"{value:.{places}f}"
    if float(text) == 0 and value and interval and (interval[0] > 0 or interval[1] < 0):
        # The interval excludes 0, so the sign has to be seen.
        text = number_text(float(value), 1)
    if float(text) == 0:
        return text.removeprefix("-")
    return f"+{text}" if sign and value > 0 else text


def interval_text(interval: Sequence[float] | None, *, sign: bool = False) -> str:
    """Return an interval as text; empty without one.

    Examples
    --------
    >>> (interval_text([0.947123, 0.97898]),
    ...     interval_text([-0.5, 0.25], sign=True), interval_text(None))
    ('0.9471 to 0.9790', '-0.50 to +0.25', '')
    """
    return "" if interval is None else " to ".join(_ends(interval, sign))


def text_with_interval(
    value: float | None, interval: Sequence[float] | None, *, sign: bool = False
) -> str:
    """Return a number with its interval in brackets; ``-`` for None.

    Examples
    --------
    >>> (text_with_interval(0.96314, [0.947, 0.979]),
    ...     text_with_interval(0.25, None), text_with_interval(None, None))
    ('0.9631 [0.9470, 0.9790]', '0.25', '-')
    """
    if value is None:
        return "-"
    text = rounded_text(value, interval, sign=sign)
    return text if interval is None else f"{text} [{', '.join(_ends(interval, sign))}]"


def _ends(interval: Sequence[float], sign: bool) -> list[str]:
    return [rounded_text(end, interval, sign=sign) for end in interval]


def show_table(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Write a table to standard output."""
    if sys.stdout.isatty():
        _show_rich(headers, rows)
    else:
        write_stdout(plain_table(headers, rows))


def plain_table(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table as lines of aligned columns.

    Examples
    --------
    >>> print(plain_table(("kind", "name"), [("loss", "huber"), ("activation", "relu")]))
    kind        name
    loss        huber
    activation  relu
    """
    # A cell has one line, so that programs can read the table line by line.
    lines = [[" ".join(cell.split()) if "\n" in cell else cell for cell in row] for row in rows]
    return align_columns([list(headers), *lines] if any(headers) else lines)


def markdown_table(
    headers: Sequence[str], rows: Sequence[Sequence[str]], *, left: int | None = None
) -> str:
    """Return a table as Markdown lines; its text must be escaped.

    The first `left` columns are left-aligned, by default all, and the others right-aligned.

    Examples
    --------
    >>> print(markdown_table(("name", "loss"), [("huber", "0.5")], left=1))
    | name | loss |
    | --- | ---: |
    | huber | 0.5 |
    """
    count = len(headers) if left is None else left
    marks = ["---" if place < count else "---:" for place in range(len(headers))]
    return "\n".join(f"| {' | '.join(line)} |" for line in (headers, marks, *rows))


def _show_rich(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    # Imported on use: it takes a twentieth of a second.
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, show_header=any(headers), header_style="bold", pad_edge=False)
    for index, header in enumerate(headers):
        table.add_column(printable(header), style="bold" if index == 0 else "", overflow="fold")
    for row in rows:
        # As text: brackets in a cell are not markup.
        table.add_row(*(Text(printable(cell)) for cell in row))
    Console().print(table)


def input_line(text: str) -> list[tuple[str, str]]:
    """Return the line with the inputs in words, if any."""
    return [("inputs", text)] if text else []


def class_lines(labels: Sequence[str]) -> list[tuple[str, str]]:
    """Return the line with the labels of the classes, if any."""
    named = [f"{number} {in_one_line(label)}" for number, label in enumerate(labels)]
    return [("classes", shortlist(named))] if named else []
