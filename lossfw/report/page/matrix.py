"""A confusion matrix as the cells of a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

# From this share of its row on, a cell is so dark that its number is light.
_STRONG = 0.55


def matrix_of(matrix: Sequence[Sequence[float]] | None) -> dict[str, Any] | None:
    """Return the cells of a confusion matrix with what each looks like, None for none.

    Parameters
    ----------
    matrix : sequence of sequence of float, or None
        Targets in rows, predictions in columns.
    """
    if matrix is None:
        return None
    rows = [_row(index, row) for index, row in enumerate(matrix)]
    mistakes = sorted(
        (
            (count, target, taken)
            for target, row in enumerate(matrix)
            for taken, count in enumerate(row)
            if target != taken and count > 0
        ),
        key=lambda mistake: -mistake[0],
    )
    right = sum(row[index] for index, row in enumerate(matrix))
    return {
        "rows": rows,
        "classes": len(rows),
        "right": right,
        "whole": sum(map(sum, matrix)),
        "mistakes": [(f"{count:g}", *classes) for count, *classes in mistakes[:5]],
    }


def _row(index: int, row: Sequence[float]) -> list[dict[str, Any]]:
    # Mistakes are few: beside the right ones they would not be seen on one scale.
    total = sum(row) or 1.0
    wrong = max((count for column, count in enumerate(row) if column != index), default=0.0) or 1.0
    return [
        {
            "text": f"{count:.4g}",
            "share": count / total if column == index else 0.15 + 0.6 * count / max(wrong, 3.0),
            "kind": "none" if count == 0 else "hit" if column == index else "miss",
            "strong": column == index and count / total > _STRONG,
        }
        for column, count in enumerate(row)
    ]
