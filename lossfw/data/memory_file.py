"""Arrays and tables in memory, given in place of a file."""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import numpy as np

from lossfw.data.csv_cells import to_text_cells
from lossfw.data.csv_text import is_missing
from lossfw.data.files import digest_arrays
from lossfw.data.lazy_arrays import Group
from lossfw.data.table import Table, TableOptions, TableRows, columns_in, group_arrays
from lossfw.errors import DataError
from lossfw.numerics.arrays import NDArray

# Kinds of NumPy dtypes that an array of numbers has.
_NUMBERS = "fiub"


class MemoryFile(type(Path())):  # type: ignore[misc]  # the class of a path on this system
    """A stand-in for a file: readers take its arrays from memory.

    `held` is an array of numbers, a table, or arrays by name, as in a ``.npz`` file.

    Examples
    --------
    >>> MemoryFile.of("data.inputs", np.eye(2)).kind
    'npy'
    """

    held: NDArray | FrameTable | dict[str, NDArray]

    @classmethod
    def of(cls, name: str, value: Any) -> Self:
        """Return the stand-in for an array, a data frame, a series, or a mapping of arrays."""
        made = cls(name)
        if isinstance(value, Mapping):
            made.held = {str(key): np.asarray(value) for key, value in value.items()}
        elif (table := FrameTable.of(Path(name), value)) is not None:
            made.held = table
        else:
            made.held = _to_array(value, name)
        return made

    @property
    def kind(self) -> str:
        """The format of a file that would hold the same: ``"npy"``, ``"npz"`` or ``"frame"``."""
        if isinstance(self.held, FrameTable):
            return "frame"
        return "npz" if isinstance(self.held, dict) else "npy"

    @property
    def digest(self) -> str:
        """Equal content has an equal digest."""
        if isinstance(self.held, FrameTable):
            return self.held.digest
        arrays = self.held.values() if isinstance(self.held, dict) else [self.held]
        return digest_arrays(*arrays)

    def array(self) -> NDArray:
        """Return the one array that is held."""
        assert isinstance(self.held, np.ndarray)
        return self.held

    def arrays(self, names: Collection[str] | None = None, *, strings: bool) -> dict[str, NDArray]:
        """Return the arrays by name, including strings if `strings`."""
        assert isinstance(self.held, dict)
        found = {k: array for k, array in self.held.items() if names is None or k in names}
        for name, array in found.items():
            if array.dtype.kind not in _NUMBERS + "U" * strings:
                expected = "numbers or texts" if strings else "numbers"
                raise DataError(
                    f"{self}, array {name!r} has dtype {array.dtype}; expected {expected}."
                )
        return found

    def exists(self, *, follow_symlinks: bool = True) -> bool:
        """Return True; the disk is not read."""
        return True

    def is_dir(self) -> bool:
        """Return False; the disk is not read."""
        return False

    def content(self) -> tuple[str, bytes]:
        """Return the content of a file with the same numbers, and its suffix."""
        stream = io.BytesIO()
        if isinstance(self.held, FrameTable):
            text = io.StringIO()
            csv.writer(text, lineterminator="\n").writerows(self.held.cells())
            return ".csv", text.getvalue().encode()
        if isinstance(self.held, dict):
            np.savez(stream, **self.held)  # type: ignore[arg-type]  # the stubs take names for flags
            return ".npz", stream.getvalue()
        np.save(stream, self.held)
        return ".npy", stream.getvalue()


def _to_array(value: Any, name: str) -> NDArray:
    try:
        array = np.asarray(value)
    except (TypeError, ValueError, RuntimeError) as error:
        raise DataError(f"{name} cannot be made an array: {error}.") from None
    if array.dtype.kind not in _NUMBERS:
        raise DataError(
            f"{name} has dtype {array.dtype} and shape {array.shape}; expected numbers, or one "
            "string for each row."
        )
    return array.astype(np.uint8) if array.dtype.kind == "b" else array


@dataclass(frozen=True)
class FrameTable(Table):
    """The columns of a data frame, a series, or an array of strings."""

    # Numbers in float64 or int64, NaN where one is missing; or texts, empty where one is.
    # Whole numbers beyond int64 are in uint64.
    columns: tuple[NDArray, ...]

    @classmethod
    def of(cls, name: Path, value: Any) -> FrameTable | None:
        """Return the table of a frame, a series or a list of strings; None for anything else."""
        names = getattr(value, "columns", None)
        if names is not None and hasattr(value, "shape") and hasattr(value, "__getitem__"):
            titles = tuple(str(title) for title in names)
            columns = tuple(
                _to_column(value[title], f"{name}, column {title!r}") for title in names
            )
            return cls(name, titles, len(titles), columns)
        if hasattr(value, "__array__") or isinstance(value, list | tuple):
            try:
                array = np.asarray(value)
            except (TypeError, ValueError, RuntimeError):
                return None
            title = getattr(value, "name", None)
            if array.ndim == 1 and (array.dtype.kind in "OUTM" or title is not None):
                titles = () if title is None else (str(title),)
                return cls(name, titles, 1, (_to_column(value, str(name)),))
        return None

    @cached_property
    def digest(self) -> str:
        """Equal names and columns have an equal digest."""
        return digest_arrays(np.array(self.names, str), *self.columns)

    def cells(self) -> Iterator[list[str]]:
        """Yield the table as rows of cells, names first."""
        yield list(self.names) if self.names else ["targets"] * self.width
        texts = [_cells_of(column) for column in self.columns]
        yield from (list(row) for row in zip(*texts, strict=True))

    def read_rows(self, groups: Sequence[Group], options: TableOptions) -> TableRows:
        """See `Table.read_rows`."""
        wanted = columns_in(groups)
        count = len(self.columns[0]) if self.columns else 0
        index = np.arange(count) if options.rows is None else options.rows.within(0, count)
        rows = np.ones(len(index), bool)
        for number in sorted(wanted - options.labels):
            if self.columns[number].dtype.kind == "U":
                raise self._text_error(number, options)
        for number in sorted(options.columns_refusing_missing(wanted)):
            gaps = _missing_mask(self.columns[number][index])
            if gaps.any():
                row = int(index[np.argmax(gaps)])
                raise DataError(
                    f"{self.path}, row {row}, column {self.title(number)!r}: the value is "
                    f"missing. {options.remedy}"
                )
        for number in options.columns_dropping_rows(wanted):
            rows &= ~_missing_mask(self.columns[number][index])
        if not rows.any():
            raise DataError(f"{self.path} has no rows.")
        labels: dict[int, tuple[str, ...]] = {}
        read: dict[int, NDArray] = {}
        for number in sorted(wanted):
            column = self.columns[number][index[rows]]
            if column.dtype.kind == "U":
                texts = to_text_cells(column.tolist())
                labels[number] = tuple(sorted(texts.labels))
                column = texts.positions_in(labels[number])
            read[number] = column
        places, dropped = np.flatnonzero(rows), int((~rows).sum())
        return TableRows(group_arrays(groups, read), labels, dropped, count, places)

    def _text_error(self, number: int, options: TableOptions) -> DataError:
        """Return the error of a column of texts where numbers are wanted."""
        texts = [n for n, column in enumerate(self.columns) if column.dtype.kind == "U"]
        hint = self.hint_for_text(number, options, texts)
        first = next((text for text in self.columns[number].tolist() if text), "")
        return DataError(
            f"{self.path}, column {self.title(number)!r} holds strings, such as {first!r}; "
            f"expected numbers. {hint}"
        )


def _to_column(value: Any, location: str) -> NDArray:
    """Return a column as numbers or as texts."""
    categories: Any = getattr(value, "cat", None)
    if hasattr(categories, "codes"):  # a categorical column of pandas
        values, codes = _to_column(categories.categories, location), np.asarray(categories.codes)
        if (codes < 0).any():  # -1, the last one, is that of a missing value
            values = np.append(values, "" if values.dtype.kind == "U" else np.nan)
        filled: NDArray = values[codes]
        return filled
    array = np.asarray(value)
    if array.ndim != 1:
        raise DataError(
            f"{location} has shape {array.shape}; expected one number or string in each row."
        )
    if array.dtype.kind in "iub":
        beyond = array.dtype == np.uint64 and (array > np.iinfo(np.int64).max).any()
        return array if beyond else array.astype(np.int64)
    if array.dtype.kind == "f":
        return array.astype(np.float64)
    if array.dtype.kind in "UT":
        return np.strings.strip(array.astype(str))
    if array.dtype.kind in "mM":
        return np.where(np.isnat(array), "", array.astype(str))
    values = array.tolist()
    kinds = {*map(type, values)}
    if str in kinds and kinds <= {str, type(None)}:
        bare = {value: "" if _is_missing(value) else value.strip() for value in set(values)}
        if any(bare.values()):
            return np.array([bare[value] for value in values])
    missing = [_is_missing(value) for value in values]
    numbers = [v for v, gap in zip(values, missing, strict=True) if not gap]
    if all(isinstance(value, int | float | np.number) for value in numbers):
        found = [np.nan if gap else float(v) for v, gap in zip(values, missing, strict=True)]
        return np.array(found)
    texts = ["" if gap else str(v).strip() for v, gap in zip(values, missing, strict=True)]
    return np.array(texts, dtype=str)


def _is_missing(value: Any) -> bool:
    """Tell None, NaN and the missing value of pandas, which compares as neither."""
    if value is None or (isinstance(value, str) and is_missing(value)):
        return True
    try:
        return bool(value != value)
    except TypeError:
        return True


def _missing_mask(column: NDArray) -> NDArray:
    if column.dtype.kind == "f":
        return np.isnan(column)
    return column == "" if column.dtype.kind == "U" else np.zeros(len(column), bool)


def _cells_of(column: NDArray) -> list[str]:
    """Return the cells of a column; a number is written with all its digits."""
    if column.dtype.kind == "f":
        return ["" if value != value else repr(value) for value in column.tolist()]
    return [str(value) for value in column.tolist()]
