"""A confusion matrix as the cells of a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

# From this share of its row on, a cell is so dark that its number is light.
_STRONG = 0.55

# How deep the colour of a mistake is: at least, and how much more for the most frequent.
_FAINT, _DEEP = 0.12, 0.68

# So many mistakes of one kind at least has the deepest colour.
_SOME = 3.0


def matrix_of(matrix: Sequence[Sequence[float]] | None) -> dict[str, Any] | None:
    """Return the cells of a confusion matrix with what each looks like, None for none.

    Parameters
    ----------
    matrix : sequence of sequence of float, or None
        Targets in rows, predictions in columns.
    """
    if matrix is None:
        return None
    mistakes = sorted(
        (
            (count, target, taken)
            for target, row in enumerate(matrix)
            for taken, count in enumerate(row)
            if target != taken and count > 0
        ),
        key=lambda mistake: -mistake[0],
    )
    # A single mistake is no deep colour, also where there is no worse one.
    wrong = max(_SOME, *(count for count, *_ in mistakes), 0.0)
    rows = [_row(index, row, wrong) for index, row in enumerate(matrix)]
    right = sum(row[index] for index, row in enumerate(matrix))
    return {
        "rows": rows,
        "classes": len(rows),
        "right": right,
        "whole": sum(map(sum, matrix)),
        "mistakes": [(f"{count:g}", *classes) for count, *classes in mistakes[:5]],
    }


def _row(index: int, row: Sequence[float], wrong: float) -> list[dict[str, Any]]:
    # Mistakes are few: beside the right ones they would not be seen on one scale.
    total = sum(row) or 1.0
    return [
        {
            "text": f"{count:.4g}",
            "share": count / total if column == index else _FAINT + _DEEP * count / wrong,
            "kind": "none" if count == 0 else "hit" if column == index else "miss",
            "strong": column == index and count / total > _STRONG,
        }
        for column, count in enumerate(row)
    ]
