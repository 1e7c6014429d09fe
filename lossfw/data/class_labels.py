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


def values_of(labels: Sequence[Label]) -> list[Hashable]:
    """Return the values by which labels are compared: numbers if all are numbers, else strings.

    Labels that would become one value, such as ``01`` and ``1``, are compared as strings.

    Examples
    --------
    >>> values_of(["1", "2.5", "ant"]), values_of(["1", "True"])
    ([1, 2.5, 'ant'], ['1', 'True'])
    >>> values_of(["01", "1"])
    ['01', '1']
    """
    texts = [str(label) for label in labels]
    values = [_value(text) for text in texts]
    return values if len(set(values)) == len(set(texts)) else list(texts)


def _value(text: str) -> Hashable:
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
    return values_of(labels) == list(range(len(labels)))


def as_numbers(labels: Sequence[str]) -> list[Label] | None:
    """Return labels as distinct numbers; None if they are not."""
    numbers = [x for x in values_of(labels) if isinstance(x, int | float)]
    return [*numbers] if len(numbers) == len(labels) else None


def spelled_like(own: Sequence[str], others: Sequence[str], name: str) -> tuple[str, ...]:
    """Return the labels of a model in the spelling of the data, in the order of the model.

    Parameters
    ----------
    own : sequence of str
        The labels of the model.
    others : sequence of str
        The labels of the data `name`; some may be missing.

    Raises
    ------
    DataError
        If the data have a label that the model does not have.
    """
    # Both sides are compared in the same way.
    compare = values_of if _keep_apart(own) and _keep_apart(others) else _texts
    written = dict(zip(compare(others), others, strict=True))
    known = compare(own)
    for value, label in written.items():
        if value not in known:
            raise DataError(
                f"data {name!r} have the label {label!r}, but the training had "
                f"{shortlist(own)}: leave out the rows of other labels, train again, or write a "
                "number for each label in data.map_targets."
            )
    return tuple(written.get(value, label) for value, label in zip(known, own, strict=True))


def _texts(labels: Sequence[Label]) -> list[Hashable]:
    return [str(label) for label in labels]


def _keep_apart(labels: Sequence[str]) -> bool:
    return len({_value(label) for label in labels}) == len(set(labels))
