"""Tables in one or many Parquet files, local or at an address, read by the optional pyarrow."""

from __future__ import annotations

import glob
import hashlib
import importlib
from collections.abc import Hashable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple, cast

import numpy as np

from lossfw.data.arrow_arrays import import_pyarrow
from lossfw.data.csv_text import is_number
from lossfw.data.files import need_file
from lossfw.data.labels import check_labels
from lossfw.data.lazy_arrays import ChunkedTable, Group, PieceColumn, RowArray, materialize
from lossfw.data.parquet_columns import (
    TextError,
    codes_of,
    holds_strings,
    present_mask,
    text_labels,
    to_array,
    to_floats,
)
from lossfw.data.stamps import FileStamp
from lossfw.data.table import Table, TableOptions, TableRows, columns_in, group_arrays
from lossfw.errors import DataError, MissingExtraError
from lossfw.numerics.arrays import NDArray

# Bytes of a piece in memory; two pieces are kept.
PIECE_BYTES = 8 * 2**20
# A smaller file is read as a whole; a data set never is.
_WHOLE_BYTES = 64 * 2**20
# Bytes of a column that the library reads at a time.
_BUFFER_BYTES = 2**20
# Rows by which the bytes of a row are estimated.
_FIRST_ROWS = 256
# A file that states more rows for each of its bytes is damaged: a row group of a million equal
# rows takes about a hundred bytes.
_MOST_ROWS_OF_A_BYTE = 100_000
# Characters of a text that is a label: as many as Python's `csv` takes for a cell.
_LONGEST_TEXT = 2**17
# Bytes at the end of a file that count in the digest: the statistics of its pages.
_FOOTER_BYTES = 64 * 2**10


class ParquetFile(NamedTuple):
    """A file: path or address, bytes, rows of each row group, keys of its folders, its end."""

    name: str
    size: int
    groups: tuple[int, ...]
    folders: dict[str, str]
    digest: str

    def check(self) -> None:
        """Raise `DataError` if the file has another size than when it was opened."""
        now = _size(self.name)
        if now != self.size:
            raise DataError(
                f"{self.name} has {now} bytes and had {self.size} when the data set was opened: "
                "write new data to a new place, and run again."
            )


class DatasetStamp(NamedTuple):
    """The files of a data set when it was opened; a `FileStamp` of many files."""

    path: Path
    files: tuple[ParquetFile, ...]

    def check(self) -> None:
        """Raise `DataError` if a file has another size now."""
        for file in self.files:
            file.check()

    def for_this_machine(self) -> DatasetStamp:
        """Return the stamp on another machine; see `FileStamp.for_this_machine`."""
        self.check()
        return self


@dataclass(frozen=True)
class ParquetTable(Table):
    """Parquet files with the same columns, rows in the order of the names of the files.

    Columns are numbers, lists of numbers of one length, and texts; after those in the files come
    the keys of their folders, ``year=2026``. A single file is not a data set: `stamp` is its own.
    """

    files: tuple[ParquetFile, ...]
    stored: int
    stamp: FileStamp | DatasetStamp

    @property
    def digest(self) -> str:
        """The digest of names, sizes and ends of the files of a data set; else empty."""
        if isinstance(self.stamp, FileStamp):
            return ""
        ends = [f"{PurePosixPath(f.name).name} {f.size} {f.digest}" for f in self.files]
        return hashlib.sha256("\n".join(ends).encode()).hexdigest()

    def texts(self) -> frozenset[int]:
        """Return the columns that hold texts: in the files, or in the names of folders."""
        with _open_file(self.files[0].name) as file:
            found = {n for n, column in enumerate(file.schema_arrow) if holds_strings(column.type)}
        keys = range(self.stored, self.width)
        return frozenset(
            found | {n for n in keys if not all(map(is_number, self.folder_values(n)))}
        )

    def folder_values(self, column: int) -> list[str]:
        """Return the value of a column that the folder of each file states."""
        return [file.folders[self.names[column]] for file in self.files]

    def read_rows(self, groups: Sequence[Group], options: TableOptions) -> TableRows:
        """See `Table.read_rows`; a column of lists of one length gives (N, C)."""
        pieces = _ParquetPieces(self, groups, options)
        if len(pieces) == 0:
            why = ", since in each of them a value is missing" if pieces.dropped else ""
            raise DataError(f"{self.path} has no rows{why}.")
        example, digest = pieces.rows(pieces.piece_of(0)), self.digest
        if digest and options.rows is not None:
            digest = f"{digest} {options.rows.digest}"
        columns = [
            PieceColumn(
                pieces,
                n,
                example[n].shape[1:],
                example[n].dtype,
                digest and f"{digest} {group}",
            )
            for n, group in enumerate(groups)
        ]
        arrays = cast("list[RowArray]", columns)
        if not digest and sum(c.size * c.dtype.itemsize for c in columns) <= _WHOLE_BYTES:
            arrays = materialize(*columns)
        labels = {number: tuple(known) for number, known in pieces.labels.items()}
        return TableRows(arrays, labels, pieces.dropped, pieces.count, pieces.places)


def open_parquet(path: Path, role: str) -> ParquetTable:
    """Read the head of a Parquet file."""
    need_file(path, role)
    stamp = FileStamp.of(path)
    file, names = _read_head(str(path), str(path))
    return ParquetTable(path, names, len(names), (file,), len(names), stamp)


def open_dataset(location: str) -> ParquetTable:
    """Read the footers of the files in a folder, pattern (``*.parquet``) or address."""
    heads = [_read_head(name, location) for name in _list_files(location)]
    if not heads:
        raise DataError(f"{location}: there is no .parquet file, expected a data set.")
    files, names = tuple(file for file, _ in heads), heads[0][1]
    for file, other in heads:
        if other != names:
            raise DataError(
                f"{file.name} has the columns {', '.join(other)}; the first file, {files[0].name}, "
                f"has {', '.join(names)}: every file of a data set needs the same."
            )
    stored, stamp = len(names) - len(files[0].folders), DatasetStamp(Path(location), files)
    return ParquetTable(location, names, len(names), files, stored, stamp)


class _PiecePlace(NamedTuple):
    """A piece: its file, its row group, its number in the group, its first row, and its rows."""

    file: int
    group: int
    number: int
    first: int
    rows: int


class _ParquetPieces(ChunkedTable):
    """Pieces of files, each within one row group; `labels` are the texts of each column of such."""

    def __init__(self, table: ParquetTable, groups: Sequence[Group], options: TableOptions) -> None:
        self._table, self._groups, self._options = table, groups, options
        self._wanted = sorted(columns_in(groups))
        # One reader serves consecutive pieces; `_next` is the piece that it gives next.
        self._reader: Iterator[Any] = iter(())
        self._next = -1
        self._step = max(1, PIECE_BYTES // self._row_bytes())
        self._texts = options.labels & (table.texts() if options.labels else frozenset())
        self._pieces, self.count = [], 0
        for number, file in enumerate(table.files):
            for group, rows in enumerate(file.groups):
                for i in range(-(-rows // self._step)):
                    size = min(self._step, rows - i * self._step)
                    self._pieces.append(_PiecePlace(number, group, i, self.count, size))
                    self.count += size
        chosen = kept = [self._count_read(place) for place in self._pieces]
        self.labels = self._find_labels()
        # As in a `TableRows`.
        self.places: NDArray | None = None
        if options.columns_dropping_rows(self._wanted) and chosen:
            batches = zip(self._pieces, self._read_from(0, self._wanted), strict=True)
            there = [
                self._present_mask(self._read_rows_of(batch, place)) for place, batch in batches
            ]
            kept = [int(mask.sum()) for mask in there]
            if options.rows is not None:
                self.places = np.flatnonzero(np.concatenate(there))
        self.dropped = sum(chosen) - sum(kept)
        super().__init__(np.cumsum([0, *kept]), cast("FileStamp", table.stamp))

    def _row_bytes(self) -> int:
        """Estimate the bytes of a row by the first ones; a damaged head would end the process."""
        filled = (file.name for file in self._table.files if sum(file.groups))
        with _open_file(next(filled, self._table.files[0].name)) as file:
            first = next(
                file.iter_batches(_FIRST_ROWS, columns=self._stored_names(self._wanted)), None
            )
        return 1 if not first else max(1, first.nbytes // len(first))

    def _chosen_rows(self, place: _PiecePlace) -> NDArray:
        """Return the rows of a piece that are read, counted from its first."""
        if self._options.rows is None:
            return np.arange(place.rows)
        return self._options.rows.within(place.first, place.first + place.rows)

    def _count_read(self, place: _PiecePlace) -> int:
        """Return how many rows of a piece are read."""
        return place.rows if self._options.rows is None else len(self._chosen_rows(place))

    def _read_rows_of(self, batch: Any, place: _PiecePlace) -> Any:
        """Return the rows of a batch that are read."""
        return (
            batch
            if self._options.rows is None
            else batch.take(import_pyarrow().array(self._chosen_rows(place)))
        )

    def _stored_names(self, numbers: Sequence[int]) -> list[str]:
        return [self._table.names[n] for n in numbers if n < self._table.stored]

    def _find_labels(self) -> dict[int, list[str]]:
        """Read the columns that may hold labels and hold texts; return their labels, ascending."""
        options, names, texts = self._options, self._table.names, self._texts
        kept = options.kept
        found: dict[int, set[str]] = {}
        for n in sorted(self._options.labels & set(self._wanted)):
            if n >= self._table.stored and n in texts | kept:
                there = {place.file for place in self._pieces if self._count_read(place)}
                found[n] = {self._table.files[file].folders[names[n]] for file in there}
            elif n in texts:
                found[n] = set()
        inside = [n for n in found if n < self._table.stored]
        batches = self._read_from(0, inside) if inside and self._pieces else ()
        for place, whole in zip(self._pieces, batches, strict=False):
            batch = self._read_rows_of(whole, place)
            for n in inside:
                found[n] |= text_labels(batch.column(names[n]), keep_missing=n in kept)
                check_labels(self._table.path, names[n], len(found[n]), options.most_labels(n))
                if max(map(len, found[n]), default=0) > _LONGEST_TEXT:
                    raise DataError(
                        f"{self._table.path}, column {names[n]!r} has a string of more than "
                        f"{_LONGEST_TEXT} characters; expected labels or categories."
                    )
        return {number: sorted(known) for number, known in found.items()}

    def _present_mask(self, batch: Any) -> NDArray:
        return present_mask(
            batch.select(self._stored_names([*self._options.columns_dropping_rows(self._wanted)]))
        )

    @property
    def read_starts(self) -> NDArray:
        """See `ChunkedTable.read_starts`: the first rows of row groups."""
        return self.starts[:-1][[place.number == 0 for place in self._pieces]]

    def __getstate__(self) -> dict[str, Any]:
        return {**super().__getstate__(), "_reader": iter(()), "_next": -1}

    def check_unchanged(self, piece: int) -> None:
        if isinstance(self.stamp, FileStamp):
            self.stamp.check()
        else:
            self._table.files[self._pieces[piece].file].check()

    def load(self, piece: int) -> dict[Hashable, NDArray]:
        if piece != self._next:
            self._reader = self._read_from(piece, self._wanted)
        batch, self._next = next(self._reader, None), piece + 1
        place = self._pieces[piece]
        file, numbers = self._table.files[place.file], place.first + self._chosen_rows(place)
        if batch is None or len(batch) != place.rows:
            raise DataError(
                f"{file.name} holds fewer rows than it states: it has changed while it was read, "
                "or is damaged. Run again, or fetch it again."
            )
        batch = self._read_rows_of(batch, place)
        if self._options.columns_dropping_rows(self._wanted):
            there = self._present_mask(batch)
            batch, numbers = batch.filter(import_pyarrow().array(there)), numbers[there]
        arrays = {n: self._array(file, batch, n, numbers) for n in self._wanted}
        return dict(enumerate(group_arrays(self._groups, arrays)))

    def _read_from(self, piece: int, columns: Sequence[int]) -> Iterator[Any]:
        """Yield the batches of the library from this piece on."""
        first, group, skipped = self._pieces[piece][:3]
        # As codes, in which a file holds them: each text is made once for a row group.
        texts = self._stored_names(sorted(self._texts.intersection(columns)))
        for file in self._table.files[first:]:
            with _open_file(file.name, texts) as opened:
                for number in range(group, len(file.groups)):
                    batches = opened.iter_batches(
                        self._step, row_groups=[number], columns=self._stored_names(columns)
                    )
                    yield from islice(batches, skipped, None)
                    skipped = 0
            group = 0

    def _array(self, file: ParquetFile, batch: Any, number: int, rows: NDArray) -> NDArray:
        table, options, name = self._table, self._options, self._table.names[number]
        where, labels = f"{file.name}, column {name!r}", self.labels.get(number)
        if number >= table.stored:
            key = file.folders[name] if len(batch) or labels is None else labels[0]
            return np.full(
                len(batch), _folder_number(key, where) if labels is None else labels.index(key)
            )
        column, kept = batch.column(name), number in options.kept
        if labels is not None:
            return codes_of(column, labels, where, rows, None if kept else options.remedy)
        if kept and number in options.labels:
            return to_floats(column, where)
        try:
            needed = options.remedy if options.columns_refusing_missing([number]) else None
            return to_array(column, where, rows, needed, keep_missing=kept)
        except TextError as error:
            hint = table.hint_for_text(number, options, table.texts())
            raise DataError(f"{error} {hint}") from None


def _folder_number(text: str, location: str) -> int | float:
    """Return the number that the name of a folder says."""
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    raise DataError(f"{location} is {text!r}; expected a number.")


@contextmanager
def translate_read_errors(name: object) -> Iterator[None]:
    """Turn an error of pyarrow about a file into one that names the file."""
    try:
        yield
    except Exception as error:
        # A damaged page can have any size, and text that is not UTF-8.
        damaged = (import_pyarrow("pyarrow.lib").ArrowException, OSError, UnicodeError, MemoryError)
        if not isinstance(error, damaged):
            raise
        message = " ".join(str(error).split())
        raise DataError(
            f"{name} is not a readable Parquet file, it may be damaged or cut short "
            f"({message:.200}): write or fetch it again."
        ) from None


def _filesystem(location: str) -> tuple[Any, str]:
    """Return the file system of fsspec of an address, and the path in it."""
    try:
        found: tuple[Any, str] = importlib.import_module("fsspec").core.url_to_fs(location)
    except ImportError as error:
        raise MissingExtraError(
            f"the address {location} needs a library that is not installed ({error}): "
            "pip install fsspec, and that of the store, such as s3fs for s3://"
        ) from None
    except ValueError as error:
        raise DataError(f"{location}: {error}.") from None
    return found


def _is_address(location: str) -> bool:
    return "://" in location


def _open(name: str) -> Any:
    if not _is_address(name):
        return Path(name).open("rb")
    system, path = _filesystem(name)
    return system.open(path, "rb")


def _size(name: str) -> int:
    with translate_read_errors(name):
        if _is_address(name):
            system, path = _filesystem(name)
            return int(system.size(path))
        if not Path(name).exists():
            raise DataError(f"{name} is missing: it was there when the run began.")
        return Path(name).stat().st_size


@contextmanager
def _open_file(name: str, texts: Sequence[str] = ()) -> Iterator[Any]:
    """Open a file for the library, which reads one on this machine by itself."""
    reader = import_pyarrow("pyarrow.parquet").ParquetFile
    with translate_read_errors(name):
        source = _open(name) if _is_address(name) else name
        options = {"buffer_size": _BUFFER_BYTES, "pre_buffer": False}
        with reader(source, read_dictionary=list(texts), **options) as file:
            yield file


def _list_files(location: str) -> list[str]:
    """Return the files of a data set, in the order of their names."""
    found: Iterable[str]
    pattern = any(mark in location for mark in "*?[")
    if _is_address(location):
        system, path = _filesystem(location)
        with translate_read_errors(location):
            inside = system.glob(path) if pattern else system.find(path)
        found = map(system.unstrip_protocol, inside)
    elif pattern or Path(location).is_file():
        found = glob.iglob(location, recursive=True)  # noqa: PTH207  # of absolute patterns too
    else:
        found = map(str, Path(location).rglob("*.parquet"))
    paths = {name: PurePosixPath(name) for name in found}
    data = (n for n, p in paths.items() if p.suffix == ".parquet" and p.name[0] not in "._")
    return sorted(data)


def _read_head(name: str, location: str) -> tuple[ParquetFile, tuple[str, ...]]:
    """Return a file and its columns, the keys of its folders last."""
    size = _size(name)
    with translate_read_errors(name), _open(name) as stream:
        stream.seek(max(0, size - _FOOTER_BYTES))
        digest = hashlib.sha256(stream.read()).hexdigest()
    with _open_file(name) as file:
        names = list(file.schema_arrow.names)
        rows = [file.metadata.row_group(i).num_rows for i in range(file.num_row_groups)]
    if not names:
        raise DataError(f"{name} has no columns.")
    if sum(rows) > _MOST_ROWS_OF_A_BYTE * size:
        raise DataError(
            f"{name} states {sum(rows)} rows, which its {size} bytes cannot hold: it is damaged, "
            "so write or fetch it again."
        )
    doubled = next((one for one in names if names.count(one) > 1), None)
    if doubled is not None:
        raise DataError(
            f"{name} has two columns named {doubled!r}; columns of a Parquet file are read by "
            "their names, so write it again with different ones."
        )
    known = PurePosixPath(location).parts
    parts = [part for part in PurePosixPath(name).parts[:-1] if part.count("=") == 1]
    folders = dict(part.split("=") for part in parts if part not in known)
    if both := set(names) & set(folders):
        raise DataError(f"{name} has the column {min(both)!r}, which its folders name too.")
    return ParquetFile(name, size, tuple(rows), folders, digest), (*names, *folders)
