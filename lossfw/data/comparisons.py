"""A comparison of a column of the data with values, for a filter of rows."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from lossfw.data.columns import ColumnError, DataColumn
from lossfw.data.csv_text import is_number, is_whole
from lossfw.numerics.arrays import NDArray

# How a column is compared.
_OPERATORS: Mapping[str, Callable[[Any, Any], Any]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "in": operator.eq,
}
_TRUTH = {"true": 1.0, "false": 0.0}
# A value with one of these characters, or a space, stands in quotes.
_QUOTED = frozenset(" ()[],<>=!\"'")


@dataclass(frozen=True)
class ColumnComparison:
    """A comparison of a column with a value, or with several.

    A missing value is unequal to every value, and does not satisfy any other comparison.

    Examples
    --------
    >>> age = DataColumn.of(np.array([17.0, 18.0, np.nan]))
    >>> one = ColumnComparison("age", ">=", ("18",))
    >>> one.predicate(age)(age.values).tolist()
    [False, True, False]
    """

    # The name of the column.
    column: str
    # One of ``== != < <= > >= in``.
    operator: str
    # As they are written: one, or for ``in`` at least one.
    values: tuple[str, ...]

    def predicate(self, column: DataColumn) -> Callable[[NDArray], NDArray]:
        """Return a function that tests values: True where one satisfies the comparison."""
        if column.holds_strings:
            table = np.array([self._is_fulfilled_by(label) for label in column.labels_or_none])
            return table.__getitem__
        compare, dtype = _OPERATORS[self.operator], column.values.dtype
        # A value is rounded like the numbers that it is compared with.
        kind = dtype.type if dtype.kind == "f" else np.float64
        wanted = [kind(self._parse_number(value)) for value in self.values]
        return lambda rows: np.logical_or.reduce([compare(rows, value) for value in wanted])

    def unknown_values(self, column: DataColumn) -> Iterator[str]:
        """Yield the values that do not occur in a column of strings."""
        if column.holds_strings and not self._is_ordering:
            yield from (value for value in self.values if value not in column.labels_or_none)

    @property
    def _is_ordering(self) -> bool:
        return self.operator[0] in "<>"

    def _is_fulfilled_by(self, label: str | None) -> bool:
        """Tell whether a text fulfils the comparison."""
        if label is None:
            return self.operator == "!="
        compare = _OPERATORS[self.operator]
        if self._is_ordering and is_number(label) and is_number(self.values[0]):
            return bool(compare(_exact_number(label), _exact_number(self.values[0])))
        return any(compare(label, value) for value in self.values)

    def _parse_number(self, value: str) -> float:
        if value.lower() in _TRUTH:
            return _TRUTH[value.lower()]
        if not is_number(value):
            raise ColumnError(
                self.column, f"column.{self.column} holds numbers, but {value!r} is not a number."
            )
        return float(value)

    def __str__(self) -> str:
        values = [_quote_if_needed(value) for value in self.values]
        told = f"[{', '.join(values)}]" if self.operator == "in" else values[0]
        return f"column.{_quote_if_needed(self.column)} {self.operator} {told}"


def _exact_number(number: str) -> int | float:
    """Return a number that is written as a whole one without rounding it."""
    return int(number) if is_whole(number) else float(number)


def _quote_if_needed(text: str) -> str:
    """Return a value or a name as it stands in an expression."""
    if text and text not in ("and", "or", "not", "in") and not _QUOTED.intersection(text):
        return text
    return f'"{text}"' if "'" in text else f"'{text}'"
