"""The cells of a confusion matrix, with their colours."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lossfw.data.labels import label_of

# A table of more classes says nothing to a reader, and takes megabytes of a page.
MOST_CLASSES = 100

# A cell with more than this share of its row is so dark that its number is light.
_STRONG = 0.55

# Depth of the colour of a mistake: the least, and the addition for the most frequent one.
_FAINT, _DEEP = 0.12, 0.68

# The deepest colour stands for at least so many mistakes.
_SOME = 3.0


def matrix_of(
    matrix: Sequence[Sequence[float]] | None, labels: Sequence[str] = ()
) -> dict[str, Any] | None:
    """Return the cells of a confusion matrix with text and colour, None for no matrix.

    Parameters
    ----------
    matrix : sequence of sequence of float, or None
        Targets in rows, predictions in columns.
    labels : sequence of str
        The label of each class; empty where the classes have none.
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
    wrong = max(_SOME, *(count for count, *_ in mistakes), 0.0)
    shown = matrix if len(matrix) <= MOST_CLASSES else []
    rows = [_row(index, row, wrong) for index, row in enumerate(shown)]
    right = sum(row[index] for index, row in enumerate(matrix))
    return {
        "rows": rows,
        "classes": len(matrix),
        "labels": [label_of(labels, index) for index in range(len(shown))],
        "right": right,
        "whole": sum(map(sum, matrix)),
        "mistakes": [
            (f"{count:g}", label_of(labels, target), label_of(labels, taken))
            for count, target, taken in mistakes[:5]
        ],
    }


def _row(index: int, row: Sequence[float], wrong: float) -> list[dict[str, Any]]:
    # Mistakes are few: on one scale with the hits they could not be seen.
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
