"""One array from a file: ``.npy``, ``.npz``, ``.csv`` or Parquet."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from lossfw.data.csv_text import delimiter_of
from lossfw.data.files import need_file
from lossfw.data.lazy_arrays import RowArray
from lossfw.data.memory_file import FrameTable, MemoryFile
from lossfw.data.npy import NPY_MAGIC, NPZ_MAGIC, check_npz_name, npz_names, read_npy, read_npz
from lossfw.errors import DataError

if TYPE_CHECKING:
    from lossfw.data.parquet import ParquetTable
    from lossfw.data.table import Table

# The first bytes of a Parquet file.
PARQUET_MAGIC = b"PAR1"


def file_kind(path: Path, role: str) -> str:
    """Return the format of a file: ``"npy"``, ``"npz"``, ``"parquet"`` or ``"csv"``.

    A data frame in memory is ``"frame"``.

    Raises
    ------
    DataError
        If it has another format, or its content contradicts its name.
    """
    if isinstance(path, MemoryFile):
        return path.kind
    need_file(path, role)
    with path.open("rb") as stream:
        start = stream.read(len(NPY_MAGIC))
    for kind, magic in (("npy", NPY_MAGIC), ("npz", NPZ_MAGIC)):
        if start.startswith(magic):
            return kind
        if path.suffix == f".{kind}":
            raise DataError(
                f"{path} is not a .{kind}: it begins with {start!r} and not with {magic!r}. Write "
                f"it with numpy.{'save' if kind == 'npy' else 'savez'}."
            )
    if start.startswith(PARQUET_MAGIC):
        return "parquet"
    if path.suffix == ".parquet":
        raise DataError(f"{path} is not a .parquet: it begins with {start!r}. Write it again.")
    if delimiter_of(path) is not None:
        return "csv"
    raise DataError(
        f"cannot read {path} as {role}: expected a file .npy, .npz, .csv, .tsv (also .gz) or "
        ".parquet."
    )


def open_columns(path: Path, role: str, kind: str) -> Table:
    """Return the table in a file of kind ``"csv"``, ``"parquet"`` or ``"frame"``.

    Only its head is read.
    """
    if isinstance(path, MemoryFile) and isinstance(path.held, FrameTable):
        return path.held
    # Imported on use: most data are arrays.
    if kind == "csv":
        from lossfw.data.csv_table import open_table

        return open_table(path, role)
    from lossfw.data.parquet import open_parquet

    return open_parquet(path, role)


def open_dataset(location: str) -> ParquetTable:
    """Return the data set of Parquet files at a location; only their footers are read.

    Parameters
    ----------
    location : str
        A folder, a pattern such as ``rows/*.parquet``, or an address of fsspec.
    """
    # Imported on use, as the readers of tables.
    from lossfw.data import parquet

    return parquet.open_dataset(location)


def read_array(path: Path, role: str, key: str | int | None = None) -> RowArray:
    """Return one array of a file.

    Parameters
    ----------
    path : Path
        A ``.npy`` (memory-mapped), a ``.npz``, a ``.csv`` or a Parquet file.
    role : str
        The use of the array, for messages: ``"predictions"``.
    key : str or int, optional
        In a ``.npz`` the name of the array; by default the array that is named like
        the role, or the only one. In a ``.csv`` or a Parquet file a column, by name
        or counted from 0, of shape (N,); by default all columns, (N,) or (N, C).

    Returns
    -------
    ndarray or Column
        A column of a large table stays in its file.

    Raises
    ------
    DataError
        If the file cannot be used, or does not hold the array.
    """
    kind = file_kind(path, role)
    if kind == "npy":
        if key is not None:
            raise DataError(
                f"{path} is a .npy file, which holds one array without a name: drop {key!r}."
            )
        return path.array() if isinstance(path, MemoryFile) else read_npy(path, role)
    if kind == "npz":
        names = npz_names(path, role)
        name = role if key is None else str(key)
        if key is None and len(names) == 1:
            name = names[0]
        check_npz_name(names, name, path)
        return read_npz(path, role, {name})[name]
    table = open_columns(path, role, kind)
    if key is None and table.width > 1:
        return table.read(range(table.width))[0]
    return table.read(0 if key is None else table.column(key))[0]
