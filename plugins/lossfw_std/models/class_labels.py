"""Class labels in the files of libraries, as strings in the order of the outputs."""

from __future__ import annotations

from typing import Any

import numpy as np


def labels_of(classes: Any, units: int, column: int | None = None) -> tuple[str, ...]:
    """Return labels as strings, also numbers and Booleans; none if they do not fit.

    Parameters
    ----------
    classes : sequence or None
        The labels in the library's form.
    units : int
        Number of outputs per row: one per class, or one for two classes.
    column : int, optional
        The only column of the outputs to use; its label comes last, as class 1 of two.

    Examples
    --------
    >>> labels_of(np.array([1.5, 2.0]), 2), labels_of([False, True], 1, column=0)
    (('1.5', '2.0'), ('True', 'False'))
    """
    labels = () if classes is None else tuple(str(x) for x in np.asarray(classes).tolist())
    if column is not None and len(labels) == 2:
        return labels if column == 1 else labels[::-1]
    return labels if len(labels) in (units, 2 if units == 1 else units) else ()


def single_class_note(file: str, column: int, classes: Any) -> str:
    """Return the note on one column of several classes, whose targets cannot be numbered."""
    return (
        f"column {column} of {file} is the output of class {np.asarray(classes)[column]}: targets "
        "should be 1 for this class, and 0 for all others."
    )
