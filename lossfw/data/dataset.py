"""Dataset: inputs, targets and sample weights of numbered rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np

from lossfw.data.columns import FIRST_ROUNDED, ColumnError, DataColumn, rounded_positions
from lossfw.data.groups import RowGroups
from lossfw.data.labels import MAX_CATEGORIES
from lossfw.data.lazy_arrays import (
    RowArray,
    check_unchanged,
    is_file_backed,
    materialize,
    read_rows,
    take_rows,
)
from lossfw.data.validation import check_finite
from lossfw.errors import DataError
from lossfw.numerics.arrays import NDArray, first_rounded_integer

# Kinds of NumPy dtypes that rows may have: floats, signed and unsigned integers.
_NUMBER_KINDS = "fiu"
_IF_INPUT = (
    "Fix the data, or leave the row out; with missing: keep a NaN is kept, for models that take "
    "missing values."
)
_IF_COLUMNS = (
    "Fix the data, or leave the row out. If the targets have columns and one of them may be "
    "infinite, name them: targets_key: {lower: COLUMN, upper: COLUMN}."
)


class Batch(NamedTuple):
    """Some consecutive rows of a data set.

    Attributes
    ----------
    start : int
        Global number of the first row.
    inputs, targets, sample_weight : ndarray
        The rows; `inputs` and `sample_weight` are None where the data set has none.
    columns : ndarray of float64, shape (n, S), or None
        The values of the data set's `columns`, side by side.
    """

    start: int
    inputs: NDArray | None
    targets: NDArray
    sample_weight: NDArray | None
    columns: NDArray | None = None


@dataclass(frozen=True, eq=False)
class Dataset:
    """Rows to evaluate on, checked on construction.

    Rows are numbered from 0. Arrays are never written to. The rows of a memory-mapped
    array (`numpy.memmap`), and of a column of a file that is read in pieces
    (`lossfw.data.lazy_arrays.Column`), are read and checked batch by batch.

    Parameters
    ----------
    name : str
        The name of the data in messages and reports.
    targets : ndarray, shape (N, ...)
        Integers of shape (N,) are class indices.
    inputs : ndarray, shape (N, ...), optional
        The inputs of a network.
    sample_weight : ndarray, shape (N,) or that of the unreduced loss, optional
        Finite numbers at or above 0.
    digest : str
        Equal content has an equal digest. Empty if it was not computed.
    rows : ndarray of int, optional
        For data made by `take`: the number of each row in the whole data set.
    classes : tuple of str
        Where the targets are class indices, the label of each class; empty where the
        classes have no labels.
    input_names : tuple of str
        The names of the columns of the inputs, where they have any, with those of `categories` in
        their places.
    notes : tuple of str
        For reports: what was left out when the rows were read.
    columns : mapping of str to DataColumn or array, shape (N,)
        Further columns, by which rows are sliced: numbers, NaN for a missing one, or strings.
    categories : mapping of str to DataColumn or array, shape (N,)
        Columns of strings that are also inputs; a network has one input per string.
    target_names : tuple of str
        The names of the target columns, if they have any. The loss then decides about infinite
        numbers: the upper end of a time may be infinite.
    groups : RowGroups or array, shape (N,), optional
        Which rows belong together, for a loss or a metric of groups: one number or string per row.
        Rows of a group are adjacent.
    codes : mapping of int to tuple of str
        For an input column of categories, by its number: the labels of its codes 0, 1, ... The
        inputs hold the codes as numbers, for models that accept categories.
    missing : bool
        Whether a NaN in the inputs is a missing value, for models that accept them; otherwise it is
        an error.
    inputs_text : str
        How many inputs are numbers, and which are categories, for reports.
    rows_digest : str
        For filtered rows: equal for the same rows of the same data, however the filter is written.

    Raises
    ------
    DataError
        If there are no rows, lengths differ, a dtype is not numeric, or a number is NaN or
        infinite; the message names the first such index.

    Examples
    --------
    >>> data = Dataset("two rows", targets=np.array([0, 1]), inputs=np.eye(2))
    >>> len(data), [batch.start for batch in data.batches(1)]
    (2, [0, 1])
    """

    name: str
    targets: RowArray
    inputs: RowArray | None = None
    sample_weight: RowArray | None = None
    digest: str = ""
    rows: NDArray | None = None
    classes: tuple[str, ...] = ()
    input_names: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    columns: Mapping[str, DataColumn] = field(default_factory=dict)
    categories: Mapping[str, DataColumn] = field(default_factory=dict)
    target_names: tuple[str, ...] = ()
    groups: RowGroups | None = None
    codes: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    missing: bool = False
    inputs_text: str = ""
    rows_digest: str = ""

    def __post_init__(self) -> None:
        for role, given in list(self._row_arrays()):
            array = _as_array(given, f"data {self.name!r}: {role}")
            object.__setattr__(self, role, array)
        for role, array in self._row_arrays():
            self._check_array(role, array)
        self._check_codes()
        for role, array in self._row_arrays():
            if not is_file_backed(array):
                self._check_numbers(role, np.asarray(array), 0)
        for role in ("columns", "categories"):
            columns = getattr(self, role).items()
            object.__setattr__(self, role, {n: self._to_column(n, x) for n, x in columns})
        if self.groups is not None and not isinstance(self.groups, RowGroups):
            ids = self._to_column("group", self.groups)
            object.__setattr__(
                self, "groups", RowGroups.from_column("group", ids, self.name, self.rows)
            )

    @property
    def group_numbers(self) -> NDArray | None:
        """The number of each row's group; None if the data have no groups."""
        return None if self.groups is None else self.groups.numbers(0, len(self))

    def __len__(self) -> int:
        return int(self.targets.shape[0])

    def row_number(self, row: int) -> int:
        """Return the number that a row has in the whole data set, see `rows`."""
        return row if self.rows is None else int(self.rows[row])

    def __repr__(self) -> str:
        parts = [f"{role} {array.dtype}{array.shape[1:]}" for role, array in self._row_arrays()]
        return f"Dataset({self.name!r}, {len(self)} rows of {', '.join(parts)})"

    def take(self, rows: Sequence[int] | NDArray) -> Dataset:
        """Return the rows with these numbers, in this order; a number may be repeated.

        The new data set numbers its rows from 0 again and keeps the digest.

        Raises
        ------
        DataError
            If there is no row of a number.
        """
        index = np.asarray(rows, dtype=np.intp).reshape(-1)
        outside = (index < 0) | (index >= len(self))
        if outside.any():
            raise DataError(
                f"data {self.name!r} has rows 0 to {len(self) - 1}, there is no row "
                f"{int(index[outside][0])}."
            )
        origin = index if self.rows is None else self.rows[index]
        groups = None if self.groups is None else self.groups.take(index)
        arrays = self.map_arrays(lambda array: take_rows(array, index))
        return replace(self, rows=origin, groups=groups, **arrays)

    def map_arrays(self, function: Callable[[RowArray], RowArray]) -> dict[str, Any]:
        """Return the fields that hold arrays of rows, with a function applied to each array."""
        arrays: dict[str, Any] = {role: function(array) for role, array in self._row_arrays()}
        for role in ("columns", "categories"):
            columns = getattr(self, role).items()
            arrays[role] = {n: replace(x, values=function(x.values)) for n, x in columns}
        return arrays

    def in_memory(self, *, inputs: bool = True) -> Dataset:
        """Return the same rows in memory, for repeated use; inputs stay in a file unless `inputs`.

        Memory-mapped arrays stay mapped: access to them is fast.
        """
        roles = {role: array for role, array in self._row_arrays() if inputs or role != "inputs"}
        values = [column.values for column in self.columns.values()]
        read = materialize(*roles.values(), *values)
        arrays: dict[str, Any] = dict(zip(roles, read, strict=False))
        kept = all(array is old for array, old in zip(read, roles.values(), strict=False))
        columns = {
            name: replace(column, values=values)
            for (name, column), values in zip(self.columns.items(), read[len(roles) :], strict=True)
        }
        return self if kept and not columns else replace(self, columns=columns, **arrays)

    def batches(self, size: int, first: int = 0, stop: int | None = None) -> Iterator[Batch]:
        """Yield consecutive batches of `size` rows; the last may be smaller.

        Parameters
        ----------
        size : int
            At least 1. Rows that stay in a file are read `size` at a time.
        first, stop : int
            The first row, and the row after the last; all rows by default.
        """
        end = len(self) if stop is None else stop
        for start in range(first, end, size):
            parts = {}
            for role, array in self._row_arrays():
                parts[role] = read_rows(array, start, min(start + size, end))
                if is_file_backed(array):
                    self._check_numbers(role, parts[role], start)
            columns = self._columns_between(start, min(start + size, end))
            weight = parts.get("sample_weight")
            yield Batch(start, parts.get("inputs"), parts["targets"], weight, columns)

    def check_unchanged(self) -> None:
        """Raise `DataError` if a file of rows has changed since it was opened."""
        for _, array in self._row_arrays():
            check_unchanged(array)
        for column in self.columns.values():
            check_unchanged(column.values)

    def _columns_between(self, start: int, stop: int) -> NDArray | None:
        """Return the values of the columns in some rows, side by side."""
        if not self.columns:
            return None
        read = [
            self._as_floats(name, read_rows(column.values, start, stop), start)
            for name, column in self.columns.items()
        ]
        return np.column_stack(read)

    def _as_floats(self, name: str, values: NDArray, start: int) -> NDArray:
        """Return the values of a column in float64, which has to have them exactly."""
        if (rounded := rounded_positions(values)).size:
            row = int(rounded[0])
            raise DataError(
                f"data {self.name!r}: column {name!r}[{start + row}] is {values[row]}: "
                f"integers of {FIRST_ROUNDED} and above cannot identify rows. Save them as text."
            )
        return values.astype(np.float64)

    def _to_column(self, name: str, values: Any) -> DataColumn:
        try:
            column = DataColumn.of(values)
        except DataError as error:
            raise DataError(f"data {self.name!r}, column {name!r}: {error}") from None
        if len(column.values) != len(self):
            raise ColumnError(
                name,
                f"data {self.name!r}: column {name!r} has {len(column.values)} rows and targets "
                f"{len(self)}; every row needs both.{_group_sizes_hint(column, len(self))}",
            )
        return column

    def _row_arrays(self) -> Iterator[tuple[str, RowArray]]:
        for role in ("inputs", "targets", "sample_weight"):
            array = getattr(self, role)
            if array is not None:
                yield role, array

    def _check_array(self, role: str, array: RowArray) -> None:
        """Check dtype and shape, without reading a row."""
        if array.dtype.kind not in _NUMBER_KINDS:
            labels = role == "targets" and array.dtype.kind in "UT"
            hint = " Number the labels, and give them as `classes`." if labels else ""
            raise DataError(
                f"data {self.name!r}: {role} have dtype {array.dtype}; expected numbers, "
                f"floating-point or whole.{hint}"
            )
        if array.ndim == 0:
            raise DataError(
                f"data {self.name!r}: {role} is a single number; expected one entry for each "
                "row, so write a list, even of one."
            )
        if array.shape[0] == 0:
            raise DataError(f"data {self.name!r} has no rows: {role} has shape {array.shape}.")
        if self.targets.ndim and array.shape[0] != len(self):
            rows = "1 row" if array.shape[0] == 1 else f"{array.shape[0]} rows"
            raise DataError(
                f"data {self.name!r}: {role} have {rows} and targets {len(self)}; every row needs "
                "both."
            )

    def _check_codes(self) -> None:
        """Check the columns of `codes`, without reading a row."""
        width = 0 if self.inputs is None or self.inputs.ndim != 2 else self.inputs.shape[1]
        for column, labels in self.codes.items():
            if not 0 <= column < width:
                raise DataError(
                    f"data {self.name!r}: codes has labels of column {column}, but the inputs have "
                    f"{width} columns."
                )
            if len(labels) > MAX_CATEGORIES:
                raise DataError(
                    f"data {self.name!r}: column {column} has {len(labels)} categories; expected "
                    f"at most {MAX_CATEGORIES}."
                )

    def _check_numbers(self, role: str, array: NDArray, start: int) -> None:
        where = f"data {self.name!r}: {role}"
        named = self.target_names if role == "targets" else ()
        remedy = {"remedy": _IF_COLUMNS} if role == "targets" and array.ndim == 2 else {}
        missing = self.missing and role == "inputs"
        if (first := first_rounded_integer(array)) is not None:
            place = ", ".join(map(str, (self.row_number(start + first[0]), *first[1:])))
            number = int(array[first])
            raise DataError(
                f"{where}[{place}] is {number}, which is {int(float(number))} in float64: subtract "
                "a common number from the column, or leave the column out if it is a key."
            )
        if role == "inputs" and not missing:
            remedy = {"remedy": _IF_INPUT}
        check_finite(
            array, where, start=start, rows=self.rows, names=named, missing=missing, **remedy
        )
        for column, labels in self.codes.items() if role == "inputs" else ():
            codes = array[:, column]
            known = (codes >= 0) & (codes < len(labels)) & (codes == np.floor(codes))
            if (wrong := ~(known | np.isnan(codes))).any():
                row = int(np.argmax(wrong))
                raise DataError(
                    f"{where}[{self.row_number(start + row)}, {column}] is {codes[row]}; expected "
                    f"a code from 0 to {len(labels) - 1}, as there are {len(labels)} categories."
                )
        if role == "sample_weight" and array.size and array.min() < 0:
            index = tuple(int(i) for i in np.argwhere(array < 0)[0])
            raise DataError(
                f"{where}[{start + index[0]}] is {array[index]}; expected a weight of at least 0. "
                "Weight 0 leaves a row out."
            )


def _group_sizes_hint(column: DataColumn, rows: int) -> str:
    """Return a hint where a column has the sizes of groups in place of a name for each row."""
    if column.holds_strings or np.sum(column.values) != rows:
        return ""
    return (
        " These are sizes of groups: np.repeat(np.arange(len(sizes)), sizes) has a number for "
        "each row."
    )


def _as_array(value: Any, location: str) -> RowArray:
    """Return what an author gave as an array: a list, or an object of another library."""
    try:
        array: RowArray = value if is_file_backed(value) else np.asarray(value)
    except ValueError as error:
        raise DataError(f"{location} cannot be made an array: {error}.") from None
    return array
