"""Tables of numbers in Parquet files, read by the optional library pyarrow."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np

from lossfw.data.files import need_file
from lossfw.data.labels import check_labels
from lossfw.data.lazy_arrays import Group, PieceColumn, Pieces, RowArray, listed
from lossfw.data.parquet_columns import (
    TextError,
    array_of,
    codes_of,
    holds_texts,
    kept_numbers,
    labels_in,
    present,
    pyarrow,
)
from lossfw.data.stamps import FileStamp
from lossfw.data.table import Table, TableOptions, TableRows
from lossfw.errors import DataError
from lossfw.numerics.arrays import NDArray

# Bytes of a piece in memory; two pieces are kept.
PIECE_BYTES = 8 * 2**20
# A smaller table is read as a whole.
_WHOLE_BYTES = 64 * 2**20
# Bytes of a column that the library reads at a time.
_BUFFER_BYTES = 2**20
# Rows by which the bytes of a row are estimated.
_FIRST_ROWS = 256


@dataclass(frozen=True)
class ParquetTable(Table):
    """A Parquet file of numbers, and of lists of numbers of one length."""

    def read_rows(self, groups: Sequence[Group], options: TableOptions) -> TableRows:
        """See `Table.read_rows`; a column of lists of one length gives (N, C)."""
        pieces = _ParquetPieces(self, groups, options)
        if len(pieces) == 0:
            why = ", since in each of them a value is missing" if pieces.dropped else ""
            raise DataError(f"{self.path} has no rows{why}.")
        labels = {number: tuple(known) for number, known in pieces.labels.items()}
        example = pieces.rows(0)
        columns = [
            PieceColumn(pieces, number, example[number].shape[1:], example[number].dtype)
            for number in range(len(groups))
        ]
        if sum(column.size * column.dtype.itemsize for column in columns) > _WHOLE_BYTES:
            return TableRows(cast("list[RowArray]", columns), labels, pieces.dropped)
        return TableRows([np.asarray(column) for column in columns], labels, pieces.dropped)


def open_parquet(path: Path, role: str) -> ParquetTable:
    """Read the head of a Parquet file."""
    need_file(path, role)
    with readable(path), _opened(path) as file:
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
    parquet = pyarrow("pyarrow.parquet")
    with readable(path):
        return parquet.ParquetFile(path, buffer_size=_BUFFER_BYTES, pre_buffer=False)


@contextmanager
def readable(path: object) -> Iterator[None]:
    """Turn an error of the library about the file into one that names it."""
    try:
        yield
    except Exception as error:
        # A damaged page can have any size, and text that is no UTF-8.
        damaged = (pyarrow("pyarrow.lib").ArrowException, OSError, UnicodeError, MemoryError)
        if not isinstance(error, damaged):
            raise
        message = " ".join(str(error).split())
        raise DataError(
            f"{path} is no readable Parquet file, it may be damaged or cut short ({message:.200}): "
            "write or fetch it again."
        ) from None


class _ParquetPieces(Pieces):
    """Pieces of a file; each lies within one row group of the file.

    Attributes
    ----------
    labels : mapping of int to list of str
        By column, the labels of one that holds texts.
    dropped : int
        How many rows were left out, since a value is missing.
    """

    def __init__(self, table: ParquetTable, groups: Sequence[Group], options: TableOptions) -> None:
        self._table, self._groups, stamp = table, groups, FileStamp.of(table.path)
        self._options = options
        self._wanted = sorted({number for group in groups for number in listed(group)})
        # One reader serves consecutive pieces; `_next` is the piece that it gives next.
        self._reader: Iterator[Any] = iter(())
        self._next = -1
        with readable(table.path), _opened(table.path) as file:
            lengths = [file.metadata.row_group(i).num_rows for i in range(file.num_row_groups)]
            self._rows = max(1, PIECE_BYTES // _row_bytes(file, self._wanted))
        # Of each piece: its row group, and its number among the pieces of that group.
        self._places = [
            (group, i) for group, n in enumerate(lengths) for i in range(-(-n // self._rows))
        ]
        rows = [min(self._rows, lengths[group] - i * self._rows) for group, i in self._places]
        self._lengths, self.labels = rows, self._find_labels()
        kept = rows if options.missing != "drop" else self._count_present()
        self.dropped = sum(rows) - sum(kept)
        super().__init__(np.cumsum([0, *kept]), stamp)

    def _find_labels(self) -> dict[int, list[str]]:
        """Read the columns of labels that hold texts, and return their labels, ascending."""
        found: dict[int, set[str]] = {}
        with _opened(self._table.path) as file:
            for number in self._options.labels & set(self._wanted):
                if holds_texts(file.schema_arrow.types[number]):
                    found[number] = set()
        for batch in self._read_from(0) if found and self._places else ():
            for number, known in found.items():
                name, kept = self._table.names[number], number in self._options.kept
                known.update(labels_in(batch.column(name), kept=kept))
                check_labels(self._table.path, name, len(known), kept)
        return {number: sorted(known) for number, known in found.items()}

    def _count_present(self) -> list[int]:
        """Return how many rows of each piece have all values."""
        if not self._places:
            return []
        return [int(self._present(batch).sum()) for batch in self._read_from(0)]

    def _present(self, batch: Any) -> NDArray:
        kept = {self._table.names[number] for number in self._options.kept}
        return present(batch.select([n for n in batch.schema.names if n not in kept]))

    @property
    def entries(self) -> NDArray:
        """See `Pieces.entries`: the first rows of row groups."""
        return self.starts[:-1][[i == 0 for _, i in self._places]]

    def __getstate__(self) -> dict[str, Any]:
        return {**super().__getstate__(), "_reader": iter(()), "_next": -1}

    def load(self, piece: int) -> dict[Hashable, NDArray]:
        if piece != self._next:
            self._reader = self._read_from(piece)
        batch, self._next = next(self._reader, None), piece + 1
        if batch is None or len(batch) != self._lengths[piece]:
            raise DataError(f"{self._table.path} has changed while it was read: run again.")
        if self._options.missing == "drop":
            batch = batch.filter(pyarrow().array(self._present(batch)))
        start = int(self.starts[piece])
        arrays = {n: self._array(batch, n, start) for n in self._wanted}
        return {
            number: arrays[group]
            if isinstance(group, int)
            else np.column_stack([arrays[column] for column in group])
            for number, group in enumerate(self._groups)
        }

    def _array(self, batch: Any, number: int, start: int) -> NDArray:
        name = self._table.names[number]
        where = f"{self._table.path}, column {name!r}"
        if number in self.labels:
            needed = None if number in self._options.kept else self._options.remedy
            return codes_of(batch.column(name), self.labels[number], where, start, needed)
        if number in self._options.kept:
            return kept_numbers(batch.column(name), where)
        remedy = self._options.remedy if self._options.missing == "error" else None
        try:
            return array_of(batch.column(name), where, start, remedy)
        except TextError as error:
            if number not in self._options.optional:
                raise DataError(f"{error} {self._table.name_others(number)}") from None
            names, types = self._table.names, batch.schema
            texts = [
                n for n in sorted(self._options.optional) if holds_texts(types.field(names[n]).type)
            ]
            hint = self._table.leave_out(texts if number in texts else [number])
            raise DataError(f"{error} {hint}") from None

    def _read_from(self, piece: int) -> Iterator[Any]:
        """Yield the batches of the library from this piece on."""
        first, skipped = self._places[piece]
        names = [self._table.names[number] for number in self._wanted]
        with readable(self._table.path), _opened(self._table.path) as file:
            for group in range(first, self._places[-1][0] + 1):
                batches = file.iter_batches(self._rows, row_groups=[group], columns=names)
                for i, batch in enumerate(batches):
                    if group > first or i >= skipped:
                        yield batch


def _row_bytes(file: Any, columns: Sequence[int]) -> int:
    """Estimate the bytes of a row in memory, by the first rows.

    The sizes in the head of the file are not asked for: where a column's head is damaged,
    pyarrow ends the process.
    """
    names = [file.schema_arrow.names[number] for number in columns]
    first = next(iter(file.iter_batches(_FIRST_ROWS, columns=names)), None)
    return 1 if first is None or not len(first) else max(1, first.nbytes // len(first))
