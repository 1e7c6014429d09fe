"""Arrays in files: ``.npy``, ``.npz``, ``.csv``, ``.tsv`` or Parquet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
from pydantic import model_validator

from lossfw import DataError
from lossfw.data import (
    ChosenRows,
    ColumnError,
    DataColumn,
    Dataset,
    File,
    FilteredRows,
    Group,
    Missing,
    MissingRules,
    NamedColumns,
    RowFilter,
    Selection,
    Source,
    Table,
    check_npz_name,
    column_error,
    digest_files,
    file_kind,
    npz_names,
    open_columns,
    read_array,
    read_npz,
)
from lossfw_std.sources.columns import (
    IF_MISSING,
    Key,
    LoadedArrays,
    array_groups,
    column_group,
    column_numbers,
    columns_left,
    compared_columns,
    labels_of_all,
    read_columns,
)

Keys = Key | tuple[Key, ...]

_ROLES = ("inputs", "targets", "sample_weight")
# The kinds of files that are tables.
_TABLES = ("csv", "parquet", "frame")
# In `categories`: every column that holds texts.
_FOUND = "found"


class Arrays(Source):
    r"""Arrays in NumPy files, or columns of tables.

    Use it for data in array files or in a table.

    Either one `file` holds everything, or `inputs`, `targets` and `sample_weight` are separate
    files. Nothing is unpickled. A ``.npy`` file, and a large ``.csv`` or Parquet file, stays on
    disk: its rows are read as they are evaluated. Parquet, and a ``.csv`` of more than 16 MB, need
    the extra ``tables`` (the library pyarrow).

    Parameters
    ----------
    file : file, optional
        A ``.npz`` with the arrays ``targets`` and, optional, ``inputs`` and ``sample_weight``; or a
        table: a ``.csv`` or ``.tsv``, plain or gzipped, whose first line may name its columns, or a
        Parquet file.
    inputs, targets, sample_weight : file, optional
        A ``.npy``, ``.npz``, ``.csv``, ``.tsv`` or Parquet file with one of the arrays.
    inputs_key, targets_key : str or int, a list of them, or for targets a mapping, optional
        In a ``.npz`` file, the name of the array, if it differs from that of the parameter. In a
        table, the column, by its name or counted from 0, or a list of columns. In a `file` that is
        a table, the targets are the column ``targets`` unless `targets_key` names another, weights
        the column ``sample_weight`` if there is one, and the inputs are all remaining columns. For
        a target of named columns, `targets_key` is a mapping, ``{time: months, event: died}``. A
        column of a Parquet file may hold lists of numbers, all of one length. With ``inputs_key:
        []``, and by default for saved predictions, no inputs are read.
    sample_weight_key : str or int, optional
        The array or the column of the weights.
    exclude : list of str or int
        Columns of a table that are not inputs.
    categories : list of str or int, or "found"
        Input columns of a table that hold categories, as strings or numbers: a network gets one-hot
        inputs. ``found`` means all columns of strings.
    missing : {"error", "drop", "keep"} or a mapping
        What happens to a row of a table with a missing value: an empty cell, NA or NaN in a column
        that is used. ``drop`` drops it, and the report says how many rows; all arrays must then
        come from one `file`. ``keep`` makes a missing input NaN, for models that accept missing
        values. ``{inputs: keep, targets: drop}`` treats inputs differently from targets and
        weights.

    Notes
    -----
    Rows run along the first axis of every array. A loss of rows takes integers of shape (N,) as
    class indices; a column has integers if each number is written as one (``3``, not ``3.0``).
    Targets may be strings: lossfw numbers their labels in ascending order, unless the configuration
    lists ``classes``. Columns that are not used may hold anything. Slices may name any column, or
    any array of a ``.npz`` file; a column that is not an input, target or weight may hold strings
    and missing values.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> table = pathlib.Path(tempfile.mkdtemp()) / "table.csv"
    >>> _ = table.write_text("width,colour,targets\n1.5,red,2\n2.5,blue,4\n")
    >>> data = Arrays(file=table, exclude=["colour"]).load()
    >>> data.targets
    array([2, 4])
    >>> Arrays(file=table, inputs_key="width", targets_key="colour").load().classes
    ('blue', 'red')
    """

    file: File | None = None
    inputs: File | None = None
    targets: File | None = None
    sample_weight: File | None = None
    inputs_key: Keys | None = None
    targets_key: Keys | NamedColumns | None = None
    sample_weight_key: Key | None = None
    exclude: tuple[Key, ...] = ()
    categories: tuple[Key, ...] | Literal["found"] = ()
    missing: Missing = "error"

    @model_validator(mode="after")
    def _require_one_way(self) -> Self:
        apart = [role for role in _ROLES if getattr(self, role) is not None]
        if self.file is not None and apart:
            raise ValueError(
                f"give 'file' or {apart[0]!r}, not both; "
                f"'{apart[0]}_key' names an array or a column of 'file'"
            )
        if self.file is None and self.targets is None:
            raise ValueError("'file', or at least 'targets', to say where the rows are")
        for role in _ROLES:
            if self._key(role) not in (None, ()) and not (self.file or getattr(self, role)):
                raise ValueError(f"{role!r} or 'file' next to '{role}_key'")
        if self.exclude and self.inputs_key is not None:
            raise ValueError("either 'inputs_key' or 'exclude', not both")
        if MissingRules.parse(self.missing).may_drop_rows and self.file is None:
            raise ValueError(
                "one 'file' for all arrays with 'missing: drop', so that the same row is dropped "
                "from each"
            )
        return self

    def load(self) -> Dataset:
        """Read the files, large ones only when their rows are used.

        Raises
        ------
        DataError
            If a file cannot be used or lacks an array, or a number is NaN or infinite.
        """
        return self.load_with(())

    def load_with(self, columns: Sequence[str]) -> Dataset:
        """Read the files, and these columns of them; see `Source.load_with`."""
        return self._to_dataset(self._read(columns))

    def load_selected(self, rows: RowFilter, columns: Sequence[str]) -> Selection:
        """Read the rows that fulfil a filter; see `Source.load_selected`."""
        choice = FilteredRows.select(rows, self._read_filter_columns(rows.columns))
        read = self._read(columns, choice.chosen)
        labels = self._labels_of_all() if read.classes else ()
        return choice.to_selection(self._to_dataset(read), read.places, labels)

    def _paths(self) -> list[Path]:
        """Return the files, none of which is a folder."""
        files = (self.file, self.inputs, self.targets, self.sample_weight)
        paths = [path for path in files if path is not None]
        for path in paths:
            if path.is_dir():
                raise DataError(
                    f"{path} is a folder, but arrays reads files: the source parquet reads a "
                    "folder of .parquet files."
                )
        return paths

    def _read(self, columns: Sequence[str], rows: ChosenRows | None = None) -> LoadedArrays:
        self._paths()
        if self.file is None:
            return self._read_separate_files(columns, rows)
        return self._read_one_file(self.file, columns, rows)

    def _to_dataset(self, loaded: LoadedArrays) -> Dataset:
        paths = self._paths()
        if isinstance(self.targets_key, NamedColumns):
            loaded = loaded._replace(target_names=tuple(self.targets_key))
        loaded = loaded._replace(missing=MissingRules.parse(self.missing).inputs == "keep")
        name = f"{self.name} ({', '.join(path.name for path in paths)})"
        return loaded.dataset(name, digest_files(*paths))

    def _read_filter_columns(self, names: Sequence[str]) -> Mapping[str, DataColumn]:
        """Return columns of all rows, for a filter."""
        found: dict[str, DataColumn] = {}
        known: list[str] = []
        for path in self._paths():
            kind = file_kind(path, "data")
            if kind in _TABLES:
                table = open_columns(path, "data", kind)
                there = names if self.file is not None else table.names
                found |= compared_columns(table, [n for n in names if n in {*there} - {*found}])
            elif kind == "npz":
                there = npz_names(path, "data")
                found |= _npz_columns(path, [n for n in names if n in {*there} - {*found}])
            else:
                there = ()
            known += there
        for name in names:
            if name not in found:
                owner = f"the source {self.name}" if self.file is None else str(self.file)
                raise column_error(owner, name, known)
        return found

    def _labels_of_all(self) -> tuple[str, ...]:
        """Return the labels of the targets of all rows."""
        path = self.targets if self.file is None else self.file
        assert path is not None  # the targets are texts
        table = open_columns(path, "targets", file_kind(path, "targets"))
        if self.file is None:
            return labels_of_all(table, self._columns_of_role(table, "targets"))
        return labels_of_all(table, self._array_columns(table)["targets"])

    def without_inputs(self) -> Source:
        """Return a source that reads no inputs, unless it names them; see `Source`."""
        if self.inputs is not None or self.inputs_key is not None:
            return self
        return self.model_copy(update={"inputs_key": (), "exclude": (), "categories": ()})

    def without_input_column(self, column: str) -> Source:
        """Return a source without a column of its table among the inputs; see `Source`."""
        path = self.file or self.inputs
        if path is None or self.inputs_key is not None:
            return self
        kind = file_kind(path, "inputs")
        if kind not in _TABLES:
            return self
        names = open_columns(path, "inputs", kind).names
        key = int(column) if not names and column.isdecimal() else column
        if key in self.exclude or (names and key not in names):
            return self
        return self.replace(exclude=(*self.exclude, key))

    def _key(self, role: str) -> Keys | NamedColumns | None:
        key: Keys | NamedColumns | None = getattr(self, f"{role}_key")
        return key

    def _read_separate_files(self, columns: Sequence[str], rows: ChosenRows | None) -> LoadedArrays:
        merged, known = LoadedArrays({}), list[str]()
        for role in _ROLES:
            path = getattr(self, role)
            if path is None or self._key(role) == ():
                continue
            kind = file_kind(path, role)
            if kind in _TABLES:
                table = open_columns(path, role, kind)
                names: Sequence[str] = table.names
            else:
                names = npz_names(path, role) if kind == "npz" else []
                key = self._key(role)
                if names and isinstance(key, NamedColumns):
                    array: Any = _stack_columns(path, key)
                else:
                    array = read_array(path, role, self._single_key(role))
            known += names
            there = [name for name in columns if name in names and name not in merged.columns]
            if kind in _TABLES:
                read = self._read_table(
                    table, {role: self._columns_of_role(table, role)}, there, rows
                )
            else:
                read = LoadedArrays({role: array}, columns=_npz_columns(path, there)).select_rows(
                    rows
                )
            merged = merged.merge(read)
        for name in columns:
            if name not in merged.columns:
                raise column_error(f"the source {self.name}", name, known)
        return merged._replace(columns={name: merged.columns[name] for name in columns})

    def _columns_of_role(self, table: Table, role: str) -> Group:
        """Return the columns of a table that holds one array: by default all."""
        key = self._key(role)
        if key is not None:
            return column_group(table, key)
        if role == "inputs":
            return columns_left(table, [], self.exclude)
        return 0 if table.width == 1 else list(range(table.width))

    def _single_key(self, role: str) -> Key | None:
        """Return the key of an array, which is one name."""
        key = self._key(role)
        if isinstance(key, tuple | NamedColumns):
            raise DataError(
                f"{role}_key lists columns, but only a table (.csv, .tsv or .parquet) has columns."
            )
        if (self.exclude or self.categories) and role == "inputs":
            key_of_list = "exclude" if self.exclude else "categories"
            raise DataError(
                f"{key_of_list} lists columns, but only a table (.csv, .tsv or .parquet) has "
                "columns."
            )
        return key

    def _read_one_file(
        self, file: Path, columns: Sequence[str], rows: ChosenRows | None
    ) -> LoadedArrays:
        kind = file_kind(file, "data")
        if kind == "npz":
            return self._from_npz(file, columns).select_rows(rows)
        if kind in _TABLES:
            table = open_columns(file, "data", kind)
            return self._read_table(table, self._array_columns(table), columns, rows)
        raise DataError(
            f"{file} is a .npy file, which holds one array: give it as `targets`, and another file "
            "as `inputs`."
        )

    def _from_npz(self, file: Path, columns: Sequence[str]) -> LoadedArrays:
        names, members_of, key = npz_names(file, "data"), {}, self.targets_key
        arrays = {"targets": _stack_columns(file, key)} if isinstance(key, NamedColumns) else {}
        for role in _ROLES:
            if self._key(role) == () or role in arrays:
                continue
            key = self._single_key(role)
            if key is not None or role in names or role == "targets":
                members_of[role] = role if key is None else str(key)
        for name in members_of.values():
            check_npz_name(names, name, file)
        # What nobody asks for stays packed.
        members = read_npz(file, "data", set(members_of.values()))
        arrays |= {role: members[name] for role, name in members_of.items()}
        for name in columns:
            if name not in names:
                raise column_error(str(file), name, names)
        return LoadedArrays(arrays, columns=_npz_columns(file, columns))

    def _remedy(self) -> str:
        """Return what a user can do about a missing value."""
        if self.inputs_key == ():
            return "Leave this row out of the file, and out of the predictions."
        if self.file is not None:
            return IF_MISSING
        return (
            "lossfw does not drop rows if each array has its own file: put all columns into one "
            "file or data frame, and write missing: drop. missing: keep keeps such rows, for "
            "models that take missing values."
        )

    def _array_columns(self, table: Table) -> dict[str, Group]:
        """Return the columns of each array in one table."""
        key = self.targets_key
        if key is None and "targets" in table.names:
            key = "targets"
        return array_groups(
            table,
            _targets_of(table) if key is None else column_group(table, key),
            weight=self.sample_weight_key,
            inputs=self.inputs_key,
            exclude=self.exclude,
        )

    def _read_table(
        self,
        table: Table,
        groups: dict[str, Group],
        columns: Sequence[str],
        rows: ChosenRows | None,
    ) -> LoadedArrays:
        """Read the arrays of a table, and columns that tell rows apart."""
        inputs, found = column_numbers(groups.get("inputs", [])), self.categories == _FOUND
        held = inputs if found else [table.column(key) for key in self.categories if inputs]
        return read_columns(
            table,
            groups,
            columns,
            held,
            remedy=self._remedy(),
            categories_may_be_numbers=found,
            missing=self.missing,
            optional=frozenset() if self.inputs_key is not None else frozenset(inputs),
            rows=rows,
        )


def _npz_columns(file: Path, names: Sequence[str]) -> dict[str, DataColumn]:
    """Return arrays of a ``.npz`` as columns that tell rows apart."""
    columns: dict[str, DataColumn] = {}
    for name, array in (read_npz(file, "a column", names, strings=True) if names else {}).items():
        try:
            columns[name] = DataColumn.of(array)
        except DataError as error:
            raise ColumnError(name, f"{file}, array {name!r}: {error}") from None
    return columns


def _targets_of(table: Table) -> int:
    """Return the column ``targets``; say how to name another one where there is none."""
    try:
        return table.column("targets")
    except DataError as error:
        # Nobody wrote the name: only a guess that has it in it leads to the targets.
        message, _, guess = str(error).partition(" Did you mean")
        guess = f" Did you mean{guess}" if "target" in guess.lower() else ""
        raise DataError(f"{message}{guess} Name the target column with targets_key.") from None


def _stack_columns(file: Path, key: NamedColumns) -> Any:
    """Return arrays of a ``.npz``, one number for each row, as the columns of one array."""
    names = npz_names(file, "targets")
    for name in map(str, key.values()):
        check_npz_name(names, name, file)
    members = read_npz(file, "targets", list(map(str, key.values())))
    for name, array in members.items():
        if array.ndim != 1:
            raise DataError(
                f"{file}, array {name!r} has shape {array.shape}; expected one number per row."
            )
    if len({len(array) for array in members.values()}) > 1:
        sizes = ", ".join(f"{name} has {len(array)}" for name, array in members.items())
        raise DataError(f"{file} has columns of different lengths: {sizes}.")
    return np.stack([members[str(name)] for name in key.values()], axis=-1)
