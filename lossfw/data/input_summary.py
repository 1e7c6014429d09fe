"""A summary of the inputs of data, and warnings about columns that are not categories."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from lossfw.components.naming import shortlist
from lossfw.data.columns import DataColumn
from lossfw.data.csv_text import is_missing, is_number
from lossfw.data.dataset import Dataset

# A date, as 2026-01-31, 31/01/2026 or 31.1.26, or a time of the day; both may be there.
_TIME = r"\d{1,2}:\d{2}(:\d{2}([.,]\d+)?)?\s*([AaPp][Mm])?"
_DATE = r"\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.](\d{4}|\d{2})"
_MOMENT = re.compile(rf"(({_DATE})([T ]+{_TIME})?|{_TIME})\s*(Z|UTC|GMT|[+-]\d{{2}}:?\d{{2}})?")
# A number with commas in it: of a fraction, or between thousands.
_COMMAS = re.compile(r"[-+]?[\d.]+(,\d+)+")
# Of fewer rows, labels that are all different say nothing.
_FEWEST_ROWS = 8


def describe_inputs(
    data: Dataset, categories: Mapping[str, Sequence[str]], *, flatten: bool, one_hot: bool
) -> str:
    """Return how many inputs are numbers, and which are categories with how many labels.

    Parameters
    ----------
    data : Dataset
        Rows whose categories are not inputs yet.
    categories : mapping of str to sequence of str
        The labels of each column of categories.
    flatten : bool
        Whether the inputs of a row become one row of numbers.
    one_hot : bool
        Whether each label becomes an input.

    Examples
    --------
    >>> import numpy as np
    >>> data = Dataset("two", targets=np.zeros(2), inputs=np.zeros((2, 3)))
    >>> describe_inputs(data, {"kind": ["cat", "dog"]}, flatten=False, one_hot=True)
    '3 numbers and 1 category (kind 2), as 5 inputs'
    """
    told, width = [], 0
    if data.inputs is not None:
        shape = data.inputs.shape[1:] or (1,)
        for size in shape if flatten or len(shape) == 1 else ():
            width = max(width, 1) * size
        count = str(width) if width else " x ".join(map(str, shape))
        told.append(f"{count} {'number' if count == '1' else 'numbers'}")
    if categories:
        named = shortlist([f"{name} {len(labels)}" for name, labels in categories.items()])
        word = "category" if len(categories) == 1 else "categories"
        told.append(f"{len(categories)} {word} ({named})")
    labels = sum(map(len, categories.values()))
    return " and ".join(told) + (f", as {width + labels} inputs" if categories and one_hot else "")


def category_warnings(categories: Mapping[str, DataColumn], leave_out: str) -> Iterator[str]:
    """Yield a warning for each category column that seems to be something else.

    `leave_out` says how to leave a column out of the inputs, with ``{}`` for its name.
    """
    for name, column in categories.items():
        out = leave_out.format(name)
        labels = [label for label in column.labels if not is_missing(label)]
        numbers = [label for label in labels if is_number(label) or _COMMAS.fullmatch(label)]
        commas = [label for label in numbers if "," in label]
        if commas and len(numbers) == len(labels):
            yield (
                f"{name} has numbers with a comma, such as {commas[0]}, so each of its "
                f"{len(labels)} strings becomes a category: write fractions with a point and "
                f"thousands without a comma, or {out}"
            )
        elif labels and all(map(_MOMENT.fullmatch, labels)):
            yield (
                f"{name} has dates or times, such as {labels[0]}, so each of its {len(labels)} "
                "strings becomes a category and later dates have none: convert them to numbers, "
                f"such as the month and the hour, or {out}"
            )
        elif (alone := _count_unique_labels(column)) is not None:
            if len(numbers) == len(labels):
                out = "take it out of categories if it is a number"
            yield (
                f"{name} has {len(labels)} labels in {len(column.values)} rows, {alone} of which "
                f"occur once. It looks like a key, which is useless for a model: {out}"
            )


def _count_unique_labels(column: DataColumn) -> int | None:
    """Return how many rows have a label that no other row has; None if they are not the most."""
    rows = len(column.values)
    # Most columns need no look at their rows.
    if rows < _FEWEST_ROWS or 2 * len(column.labels) <= rows:
        return None
    alone = int((column.counts == 1).sum())
    return alone if 2 * alone > rows else None
