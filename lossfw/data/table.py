"""Table: a file of named columns of numbers and labels."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from lossfw.components.naming import did_you_mean, shortlist
from lossfw.data.chosen_rows import ChosenRows
from lossfw.data.labels import MAX_CATEGORIES, MAX_LABELS, MAX_TEXTS
from lossfw.data.lazy_arrays import Group, RowArray, column_numbers
from lossfw.data.missing import IfMissing
from lossfw.errors import DataError
from lossfw.numerics.arrays import NDArray


class TableOptions(NamedTuple):
    """How the columns of a table are read.

    Attributes
    ----------
    missing : {"keep", "error", "drop"}
        How to treat a row with a missing value.
    labels : frozenset of int
        Columns that may hold strings, which are labels.
    optional : frozenset of int
        Columns that a configuration may leave out, for messages.
    kept : frozenset of int
        Columns in which a value may be missing, whatever `missing` says: they only slice rows, or
        are inputs of a model that accepts missing values.
    categories : frozenset of int
        Inputs that hold categories, as strings or numbers.
    remedy : str
        What to do about a missing value that is an error, for messages.
    strict : frozenset of int
        Columns in which a missing value is an error although `missing` is ``"drop"``.
    rows : ChosenRows, optional
        The rows to read. All rows by default.
    """

    missing: IfMissing = "keep"
    labels: frozenset[int] = frozenset()
    optional: frozenset[int] = frozenset()
    kept: frozenset[int] = frozenset()
    categories: frozenset[int] = frozenset()
    remedy: str = "Write missing: drop to drop such rows."
    strict: frozenset[int] = frozenset()
    rows: ChosenRows | None = None

    def columns_refusing_missing(self, columns: Collection[int]) -> frozenset[int]:
        """Return the columns in which a missing value is an error."""
        refused = {"error": frozenset(columns), "drop": self.strict, "keep": frozenset[int]()}
        return refused[self.missing].intersection(columns) - self.kept

    def columns_dropping_rows(self, columns: Collection[int]) -> frozenset[int]:
        """Return the columns in which a missing value drops its row."""
        return frozenset(columns if self.missing == "drop" else ()) - self.kept - self.strict

    @property
    def inputs_with_missing(self) -> frozenset[int]:
        """The inputs in which a value may be missing: NaN in a column of numbers."""
        return self.kept & self.categories | self.kept - self.labels

    def most_labels(self, column: int) -> int:
        """Return how many distinct strings a column may hold."""
        if column in self.categories:
            return MAX_CATEGORIES
        return MAX_TEXTS if column in self.kept else MAX_LABELS


class TableRows(NamedTuple):
    """The columns that were read from a table.

    Attributes
    ----------
    arrays : list of ndarray or Column
        One array per group of columns.
    labels : mapping of int to tuple of str
        For each column, the labels that its numbers stand for, ascending.
    dropped : int
        Number of chosen rows that were dropped because a value is missing.
    total : int
        Number of rows in the file, if rows were chosen.
    places : ndarray of int, optional
        The positions of the rows among the chosen ones, if some were dropped.
    """

    arrays: list[RowArray]
    labels: Mapping[int, tuple[str, ...]]
    dropped: int = 0
    total: int = 0
    places: NDArray | None = None


@dataclass(frozen=True)
class Table(ABC):
    """A file of columns, of which only the head has been read.

    Attributes
    ----------
    path : Path or str
        The file, or the location of a data set.
    names : tuple of str
        Names of the columns, empty if the file does not name them.
    width : int
        Number of columns.
    """

    path: Path | str
    names: tuple[str, ...]
    width: int

    def column(self, key: str | int) -> int:
        """Return the number of a column, given by its name or counted from 0.

        Raises
        ------
        DataError
            If there is no such column.
        """
        if isinstance(key, int) and 0 <= key < self.width:
            return key
        if isinstance(key, str) and key in self.names:
            self._check_single(key)
            return self.names.index(key)
        known = f"0 to {self.width - 1}"
        if self.names:
            known += f", by name: {shortlist(self.names, close_to=str(key))}"
        guess = did_you_mean(key, self.names) if isinstance(key, str) else ""
        raise DataError(f"{self.path} has no column {key!r}; it has {known}. {guess}".strip())

    def title(self, column: int) -> str:
        """Return the name of a column, or its number if it has no name."""
        return self.names[column] if self.names else str(column)

    def exclusion_hint(self, columns: Sequence[int]) -> str:
        """Return a hint on how to exclude columns of strings, or to make them inputs."""
        titles = ", ".join(map(self.title, columns))
        told = "A column that is not an input is" if len(columns) == 1 else "String columns are"
        also = f"categories: [{titles}] makes inputs of the strings"
        return f"{told} left out with exclude: [{titles}]; {also}."

    def other_column_hint(self, column: int) -> str:
        """Return a hint for a column of strings that was requested by name."""
        inputs = f"make inputs of its strings with categories: [{self.title(column)}]"
        return f"Inputs and weights are numbers: name other columns, or {inputs}."

    def hint_for_text(self, column: int, options: TableOptions, texts: Collection[int]) -> str:
        """Return a hint for a column of strings, one of `texts`, that is read as numbers."""
        if column not in options.optional:
            return self.other_column_hint(column)
        others = sorted((options.optional - options.categories).intersection(texts))
        return self.exclusion_hint(others if column in others else [column])

    def _check_single(self, name: str) -> None:
        places = [number for number, other in enumerate(self.names) if other == name]
        if len(places) > 1:
            raise DataError(
                f"{self.path} has {len(places)} columns named {name!r}: columns "
                f"{', '.join(map(str, places))}, counted from 0. Give the number of one of them."
            )

    def read(self, *groups: Group) -> list[RowArray]:
        """Return an array for each group of columns: (N,) for a number, (N, C) for a list.

        The columns of a large file stay in it, and their rows are read on use.

        Raises
        ------
        DataError
            If a column holds anything but numbers, or the file has no rows.
        """
        return self.read_rows(groups, TableOptions()).arrays

    @abstractmethod
    def read_rows(self, groups: Sequence[Group], options: TableOptions) -> TableRows:
        """Return an array for each group of columns, see `read`, and how the rows were treated."""


def group_arrays(groups: Sequence[Group], columns: Mapping[int, NDArray]) -> list[NDArray]:
    """Return an array per group of column numbers: (N,) for one number, (N, C) for a list."""
    return [
        columns[group]
        if isinstance(group, int)
        else np.column_stack([columns[number] for number in group])
        for group in groups
    ]


def columns_in(groups: Sequence[Group]) -> frozenset[int]:
    """Return the columns of some groups."""
    return frozenset(number for group in groups for number in column_numbers(group))
