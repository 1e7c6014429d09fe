"""Tables of numbers in Parquet files, read by the optional library pyarrow."""

from __future__ import annotations

import importlib
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np

from lossfw.data.files import need_file
from lossfw.data.lazy_arrays import Column, Group, Pieces, RowArray, listed
from lossfw.data.stamps import FileStamp
from lossfw.data.table import Table
from lossfw.errors import DataError, MissingExtraError
from lossfw.numerics.arrays import NDArray

# Bytes of a piece in memory; two pieces are kept.
_PIECE_BYTES = 8 * 2**20
# A smaller table is read as a whole.
_WHOLE_BYTES = 64 * 2**20
# Bytes of a column that the library reads at a time.
_BUFFER_BYTES = 2**20


def pyarrow(module: str = "pyarrow") -> Any:
    """Return a module of pyarrow, imported on use.

    Raises
    ------
    MissingExtraError
        If it is not installed.
    """
    try:
        return importlib.import_module(module)
    except ImportError:
        raise MissingExtraError(
            "a Parquet file needs the library pyarrow, which is not installed: "
            "pip install lossfw[parquet]"
        ) from None


@dataclass(frozen=True)
class ParquetTable(Table):
    """A Parquet file of numbers, and of lists of numbers of one length."""

    def read(self, *groups: Group) -> list[RowArray]:
        """See `Table.read`; a column of lists of one length gives (N, C)."""
        pieces = _ParquetPieces(self, groups)
        if len(pieces) == 0:
            raise DataError(f"{self.path} has no rows.")
        example = pieces.rows(0)
        columns = [
            Column(pieces, number, example[number].shape[1:], example[number].dtype)
            for number in range(len(groups))
        ]
        if sum(column.size * column.dtype.itemsize for column in columns) > _WHOLE_BYTES:
            return cast("list[RowArray]", columns)
        return [np.asarray(column) for column in columns]


def open_parquet(path: Path, role: str) -> ParquetTable:
    """Read the head of a Parquet file.

    Raises
    ------
    DataError
        If it cannot be read.
    MissingExtraError
        If pyarrow is not installed.
    """
    need_file(path, role)
    with _opened(path) as file:
        names = tuple(file.schema_arrow.names)
    _check_names(path, names)
    return ParquetTable(path, names, len(names))


def _check_names(path: Path, names: Sequence[str]) -> None:
    if not names:
        raise DataError(f"{path} has no columns.")
    doubled = next((name for name in names if names.count(name) > 1), None)
    if doubled is not None:
        raise DataError(
            f"{path} has two columns named {doubled!r}; columns of a Parquet file are read by "
            "their names, so write it again with different ones."
        )


def _opened(path: Path) -> Any:
    parquet, errors = pyarrow("pyarrow.parquet"), pyarrow("pyarrow.lib")
    try:
        return parquet.ParquetFile(path, buffer_size=_BUFFER_BYTES, pre_buffer=False)
    except (errors.ArrowException, OSError) as error:
        message = " ".join(str(error).split())
        raise DataError(f"{path} is no readable Parquet file ({message:.200}).") from None


class _ParquetPieces(Pieces):
    """Pieces of a file; each lies within one row group of the file."""

    def __init__(self, table: ParquetTable, groups: Sequence[Group]) -> None:
        self._table, self._groups, stamp = table, groups, FileStamp.of(table.path)
        self._wanted = sorted({number for group in groups for number in listed(group)})
        # One reader serves consecutive pieces; `_next` is the piece that it gives next.
        self._reader: Iterator[Any] = iter(())
        self._next = -1
        with _opened(table.path) as file:
            lengths = [file.metadata.row_group(i).num_rows for i in range(file.num_row_groups)]
            self._rows = max(1, _PIECE_BYTES // _row_bytes(file, self._wanted))
        # Of each piece: its row group, and its number among the pieces of that group.
        self._places = [
            (group, i) for group, n in enumerate(lengths) for i in range(-(-n // self._rows))
        ]
        rows = [min(self._rows, lengths[group] - i * self._rows) for group, i in self._places]
        super().__init__(np.cumsum([0, *rows]), stamp)

    def load(self, piece: int) -> dict[Hashable, NDArray]:
        if piece != self._next:
            self._reader = self._read_from(piece)
        batch, self._next = next(self._reader), piece + 1
        if len(batch) != self.starts[piece + 1] - self.starts[piece]:
            raise DataError(f"{self._table.path} has changed while it was read: run again.")
        start = int(self.starts[piece])
        arrays = {n: self._array(batch, n, start) for n in self._wanted}
        return {
            number: arrays[group]
            if isinstance(group, int)
            else np.column_stack([arrays[column] for column in group])
            for number, group in enumerate(self._groups)
        }

    def _read_from(self, piece: int) -> Iterator[Any]:
        """Yield the batches of the library from this piece on."""
        first, skipped = self._places[piece]
        names = [self._table.names[number] for number in self._wanted]
        with _opened(self._table.path) as file:
            for group in range(first, self._places[-1][0] + 1):
                batches = file.iter_batches(self._rows, row_groups=[group], columns=names)
                for i, batch in enumerate(batches):
                    if group > first or i >= skipped:
                        yield batch

    def _array(self, batch: Any, number: int, start: int) -> NDArray:
        name = self._table.names[number]
        where = f"{self._table.path}, column {name!r}"
        column = batch.column(name)
        if column.null_count:
            row = start + column.is_null().to_pylist().index(True)
            raise DataError(f"{where}, row {row} is null; a number was wanted.")
        types = pyarrow("pyarrow.types")
        lengths: tuple[int, ...] = ()
        while types.is_list(column.type) or types.is_fixed_size_list(column.type):
            flat = column.flatten()
            lengths = (*lengths, _length(column, flat, types, where, start))
            column = flat
        if types.is_boolean(column.type):
            column = column.cast("uint8")
        if not (types.is_integer(column.type) or types.is_floating(column.type)):
            raise DataError(f"{where} holds {column.type}; numbers were wanted.")
        if column.null_count:
            raise DataError(f"{where} has a null within a list; numbers were wanted.")
        values: NDArray = column.to_numpy(zero_copy_only=False)
        return values.reshape(len(batch), *lengths)


def _length(column: Any, flat: Any, types: Any, where: str, start: int) -> int:
    """Return the common length of the lists of a column."""
    if types.is_fixed_size_list(column.type):
        return int(column.type.list_size)
    lengths = np.diff(column.offsets.to_numpy())
    length = int(lengths[0]) if len(lengths) else 0
    if (lengths != length).any():
        row = int(np.flatnonzero(lengths != length)[0])
        raise DataError(
            f"{where}: its lists are not of one length: {length} numbers in row {start}, "
            f"{int(lengths[row])} in row {start + row}."
        )
    return length


def _row_bytes(file: Any, columns: Sequence[int]) -> int:
    """Estimate the bytes of a row in memory."""
    rows, whole = max(1, int(file.metadata.num_rows)), 0
    names = {file.schema_arrow.names[number] for number in columns}
    for group in range(file.num_row_groups):
        stored = file.metadata.row_group(group)
        for number in range(stored.num_columns):
            column = stored.column(number)
            if column.path_in_schema.partition(".")[0] in names:
                # Dictionary-encoded numbers take their whole width in memory.
                whole += max(int(column.total_uncompressed_size), 8 * int(column.num_values))
    return max(1, whole // rows)
