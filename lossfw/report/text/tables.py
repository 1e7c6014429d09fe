"""Tables as text: by rich on a terminal, as aligned columns or Markdown elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from lossfw.components.naming import printable, shortlist
from lossfw.runs.files import say


def show_table(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Write a table to standard output."""
    if sys.stdout.isatty():
        _show_rich(headers, rows)
    else:
        say(plain_table(headers, rows))


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
    if any(headers):
        lines.insert(0, list(headers))
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def markdown_table(
    headers: Sequence[str], rows: Sequence[Sequence[str]], *, left: int | None = None
) -> str:
    """Return a table as lines of Markdown; its text is escaped already.

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


def class_lines(labels: Sequence[str]) -> list[tuple[str, str]]:
    """Return the line with the labels of the classes, where they have any."""
    named = [f"{number} {label}" for number, label in enumerate(labels)]
    return [("classes", shortlist(named))] if named else []
