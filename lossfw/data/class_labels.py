"""Match the labels of data with those of a model by value, whatever their types.

A model has labels in the order of its outputs. Targets of data are numbers, or strings of a table:
the number 1, the strings ``1`` and ``1.0`` and the Boolean true are one label.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from lossfw.components.naming import shortlist
from lossfw.data.csv_text import is_number
from lossfw.data.labels import Label
from lossfw.errors import DataError

_BOOLEANS = {"true": 1, "false": 0}


def comparable_values(labels: Sequence[Label]) -> list[Hashable]:
    """Return the values by which labels are compared: numbers if all are numbers, else strings.

    Labels that would become one value, such as ``01`` and ``1``, are compared as strings.

    Examples
    --------
    >>> comparable_values(["1", "2.5", "ant"]), comparable_values(["1", "True"])
    ([1, 2.5, 'ant'], ['1', 'True'])
    >>> comparable_values(["01", "1"])
    ['01', '1']
    """
    texts = [str(label) for label in labels]
    values = [_comparable_value(text) for text in texts]
    return values if len(set(values)) == len(set(texts)) else list(texts)


def _comparable_value(text: str) -> Hashable:
    if text.strip().lower() in _BOOLEANS:
        return _BOOLEANS[text.strip().lower()]
    if not is_number(text):
        return text
    try:
        # Exact, also where a float is not.
        return int(text)
    except ValueError:
        number = float(text)
        return text if number != number else number


def are_indices(labels: Sequence[str]) -> bool:
    """Tell whether the labels are 0, 1, 2, ... in this order, the numbers of the outputs.

    Examples
    --------
    >>> are_indices(["0", "1"]), are_indices(["False", "True"]), are_indices(["1", "0"])
    (True, True, False)
    """
    return comparable_values(labels) == list(range(len(labels)))


def as_numbers(labels: Sequence[str]) -> list[Label] | None:
    """Return labels as distinct numbers; None if they are not."""
    numbers = [x for x in comparable_values(labels) if isinstance(x, int | float)]
    return [*numbers] if len(numbers) == len(labels) else None


def respell_labels(
    model_labels: Sequence[str], data_labels: Sequence[str], name: str
) -> tuple[str, ...]:
    """Return the labels of a model in the spelling of the data, in the order of the model.

    Parameters
    ----------
    model_labels : sequence of str
        The labels of the model.
    data_labels : sequence of str
        The labels of the data `name`; some may be missing.

    Raises
    ------
    DataError
        If the data have a label that the model does not have.
    """
    # Both sides are compared in the same way.
    compare = (
        comparable_values
        if _stay_distinct(model_labels) and _stay_distinct(data_labels)
        else _as_strings
    )
    written = dict(zip(compare(data_labels), data_labels, strict=True))
    known = compare(model_labels)
    for value, label in written.items():
        if value not in known:
            raise DataError(
                f"data {name!r} have the label {label!r}, but the training had "
                f"{shortlist(model_labels)}: leave out the rows of other labels, train again, or "
                "write a number for each label in data.map_targets."
            )
    return tuple(
        written.get(value, label) for value, label in zip(known, model_labels, strict=True)
    )


def _as_strings(labels: Sequence[Label]) -> list[Hashable]:
    return [str(label) for label in labels]


def _stay_distinct(labels: Sequence[str]) -> bool:
    return len({_comparable_value(label) for label in labels}) == len(set(labels))
