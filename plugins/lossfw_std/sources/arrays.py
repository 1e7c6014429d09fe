"""Arrays in files: ``.npy``, ``.npz``, ``.csv`` or Parquet."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Self

from pydantic import model_validator

from lossfw import DataError
from lossfw.data import (
    Dataset,
    File,
    Group,
    Source,
    digest_files,
    file_kind,
    npz_member,
    open_columns,
    read_array,
    read_npz,
)

Key = str | int

_ROLES = ("inputs", "targets", "sample_weight")


class Arrays(Source):
    r"""Arrays in files of NumPy or in tables of comma-separated numbers.

    Use it when data lie in files of arrays or in a table.

    Either one `file` holds everything, or `inputs`, `targets` and
    `sample_weight` are files of their own. Nothing is ever unpickled. A
    ``.npy`` of any size, and a large ``.csv`` or Parquet file, stays on the
    disk: its rows are read as they are evaluated. Parquet needs the library
    pyarrow: ``pip install lossfw[parquet]``.

    Parameters
    ----------
    file : file, optional
        A ``.npz`` with the arrays ``targets`` and, optional, ``inputs`` and
        ``sample_weight``; or a table: a ``.csv``, whose first line may name its
        columns, or a Parquet file.
    inputs, targets, sample_weight : file, optional
        A ``.npy``, ``.npz``, ``.csv`` or Parquet file with one of the arrays.
    inputs_key, targets_key, sample_weight_key : str or int, optional
        Of a ``.npz``, the name of the array, where it is not that of the role.
        Of a table, the column, by its name or counted from 0. In a `file` that
        is a table, the targets are the column ``targets`` unless `targets_key`
        names another, weights the column ``sample_weight`` if there is one, and
        the inputs are all columns that are left. A column of a Parquet file may
        hold lists of numbers, all of one length.

    Notes
    -----
    Rows run along the first axis of every array. Integers of shape (N,) are
    class indices to a loss of rows; the numbers of a column are integers if
    each is written as one (``3``, not ``3.0``).

    Examples
    --------
    >>> import pathlib, tempfile
    >>> table = pathlib.Path(tempfile.mkdtemp()) / "table.csv"
    >>> _ = table.write_text("width,targets\n1.5,2\n2.5,4\n")
    >>> Arrays(file=table).load().targets
    array([2, 4])
    """

    file: File | None = None
    inputs: File | None = None
    targets: File | None = None
    sample_weight: File | None = None
    inputs_key: Key | None = None
    targets_key: Key | None = None
    sample_weight_key: Key | None = None

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        apart = [role for role in _ROLES if getattr(self, role) is not None]
        if self.file is not None and apart:
            raise ValueError(f"either 'file' or files of their own, not 'file' and {apart[0]!r}")
        if self.file is None and self.targets is None:
            raise ValueError("'file', or at least 'targets', which says where the rows are")
        for role in _ROLES:
            if self._key(role) is not None and not (self.file or getattr(self, role)):
                raise ValueError(f"{role!r} or 'file' beside '{role}_key'")
        return self

    def load(self) -> Dataset:
        """Read the files, large ones only when their rows are used.

        Raises
        ------
        DataError
            If a file cannot be used or lacks an array, or a number is NaN or
            infinite.
        """
        arrays = self._apart() if self.file is None else self._together(self.file)
        paths = [path for path in self._paths() if path is not None]
        name = f"{self.name} ({', '.join(path.name for path in paths)})"
        return Dataset(name, digest=digest_files(*paths), **arrays)

    def _paths(self) -> tuple[Path | None, ...]:
        return (self.file, self.inputs, self.targets, self.sample_weight)

    def _key(self, role: str) -> Key | None:
        key: Key | None = getattr(self, f"{role}_key")
        return key

    def _apart(self) -> dict[str, Any]:
        arrays = {}
        for role in _ROLES:
            path = getattr(self, role)
            if path is not None:
                arrays[role] = read_array(path, role, self._key(role))
        return arrays

    def _together(self, file: Path) -> dict[str, Any]:
        kind = file_kind(file, "data")
        if kind == "npz":
            return self._from_npz(file)
        if kind in ("csv", "parquet"):
            return self._from_table(open_columns(file, "data", kind))
        raise DataError(
            f"{file} is a .npy, which holds one array: give it as `targets`, and another file as "
            "`inputs`."
        )

    def _from_npz(self, file: Path) -> dict[str, Any]:
        members = read_npz(file, "data")
        arrays = {}
        for role in _ROLES:
            key = self._key(role)
            if key is not None or role in members or role == "targets":
                arrays[role] = npz_member(members, str(role if key is None else key), file)
        return arrays

    def _from_table(self, table: Any) -> dict[str, Any]:
        columns: dict[str, Group] = {}
        for role in ("targets", "sample_weight"):
            key = self._key(role)
            if key is not None or role == "targets" or role in table.names:
                columns[role] = table.column(role if key is None else key)
        if self.inputs_key is not None:
            columns["inputs"] = [table.column(self.inputs_key)]
        elif left := [column for column in range(table.width) if column not in columns.values()]:
            columns["inputs"] = left
        return dict(zip(columns, table.read(*columns.values()), strict=True))
