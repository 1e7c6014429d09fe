"""Tables on standard output: with rich on a terminal, plain elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from lossfw.output import say


def show_table(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Write a table to standard output.

    Parameters
    ----------
    headers : sequence of str
        One for each column; all of them empty for a table without headers.
    rows : sequence of sequence of str
        The cells, one for each header.
    """
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
    # A cell has one line, so that a program can read the table line by line.
    lines = [[_one_line(cell) for cell in row] for row in rows]
    if any(headers):
        lines.insert(0, list(headers))
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def _one_line(cell: str) -> str:
    return " ".join(cell.split()) if "\n" in cell else cell


def _show_rich(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    # rich takes a twentieth of a second to import: on use only.
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, show_header=any(headers), header_style="bold", pad_edge=False)
    for index, header in enumerate(headers):
        table.add_column(header, style="bold" if index == 0 else "", overflow="fold")
    for row in rows:
        # As text: brackets in a cell are no markup.
        table.add_row(*map(Text, row))
    Console().print(table)
