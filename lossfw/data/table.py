"""Table: a file of named columns of numbers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path

from lossfw.components.naming import did_you_mean
from lossfw.data.lazy_arrays import Group, RowArray
from lossfw.errors import DataError


@dataclass(frozen=True)
class Table(ABC):
    """A file of columns, of which only the head has been read.

    Attributes
    ----------
    path : Path
        The file.
    names : tuple of str
        Names of the columns, empty if the file does not name them.
    width : int
        Number of columns.
    """

    path: Path
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
            known += f", by name: {', '.join(self.names)}"
        guess = did_you_mean(key, self.names) if isinstance(key, str) else ""
        raise DataError(f"{self.path} has no column {key!r}; it has {known}. {guess}".strip())

    def _check_single(self, name: str) -> None:
        places = [number for number, other in enumerate(self.names) if other == name]
        if len(places) > 1:
            raise DataError(
                f"{self.path} has {len(places)} columns named {name!r}: columns "
                f"{', '.join(map(str, places))}, counted from 0. Give the number of one of them."
            )

    @abstractmethod
    def read(self, *groups: Group) -> list[RowArray]:
        """Return an array for each group of columns: (N,) for a number, (N, C) for a list.

        The columns of a large file stay in it, and their rows are read on use.

        Raises
        ------
        DataError
            If a column holds anything but numbers, or the file has no rows.
        """
