"""Parquet data sets: the files of a folder or a pattern, here or at an address of fsspec."""

from __future__ import annotations

import glob
import hashlib
import importlib
from collections.abc import Hashable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple, cast

import numpy as np

from lossfw.components.naming import did_you_mean, shortlist
from lossfw.data.csv_numbers import is_number
from lossfw.data.labels import check_labels
from lossfw.data.lazy_arrays import Group, PieceColumn, Pieces, RowArray, listed
from lossfw.data.parquet import PIECE_BYTES, readable
from lossfw.data.parquet_columns import (
    array_of,
    codes_of,
    holds_texts,
    kept_numbers,
    labels_in,
    pyarrow,
)
from lossfw.data.table import TableRows
from lossfw.errors import DataError, MissingExtraError
from lossfw.numerics.arrays import NDArray

# Bytes at the end of a file that count in the digest: the statistics of its pages.
_FOOTER_BYTES = 64 * 2**10
_REMEDY = "Leave such rows out of the files."


class DatasetFile(NamedTuple):
    """One file of a data set.

    Attributes
    ----------
    name : str
        Its path, or its address.
    size : int
        Bytes.
    groups : tuple of int
        Rows of each row group.
    row_bytes : int
        Bytes of a row in memory, estimated.
    partition : mapping of str to str
        Keys and values of its folders, ``year=2026`` each.
    digest : str
        SHA-256 of its end.
    """

    name: str
    size: int
    groups: tuple[int, ...]
    row_bytes: int
    partition: dict[str, str]
    digest: str


class DatasetStamp(NamedTuple):
    """The files of a data set and their sizes, when it was opened."""

    path: Path
    files: tuple[tuple[str, int], ...]

    def check(self) -> None:
        """Raise `DataError` if a file has another size now."""
        for name, size in self.files:
            check_size(name, size)

    def again(self) -> DatasetStamp:
        """Return the stamp on another machine; see `FileStamp.again`."""
        self.check()
        return self


def check_size(name: str, size: int) -> None:
    """Raise `DataError` if a file of a data set has another size than when it was opened."""
    now = _size(name)
    if now != size:
        raise DataError(
            f"{name} has {now} bytes and had {size} when the data set was opened: write new data "
            "to a new place, and run again."
        )


class ParquetDataset:
    """The files of a data set, of which only the ends have been read.

    Parameters
    ----------
    location : str
        A folder, a file, a pattern such as ``rows/*.parquet``, or an address of fsspec such as
        ``s3://bucket/rows``. The rows are in the order of the names of the files.

    Attributes
    ----------
    names : tuple of str
        The columns of the files, and then the keys of their folders.
    """

    def __init__(self, location: str) -> None:
        self.location = location
        found = _list(location)
        if not found:
            raise DataError(f"{location}: there is no .parquet file (a data set was wanted).")
        heads = [_head(name, location) for name in found]
        first = heads[0][1]
        for file, names in heads:
            if names != first:
                raise DataError(
                    f"{file.name} has the columns {', '.join(names)}; the first file, {found[0]}, "
                    f"has {', '.join(first)}: every file of a data set needs the same."
                )
        self.files = tuple(file for file, _ in heads)
        self._stored = len(first) - len(self.files[0].partition)
        self.names = first

    @property
    def digest(self) -> str:
        """The digest of the names, the sizes and the ends of all files."""
        ends = [f"{PurePosixPath(file.name).name} {file.size} {file.digest}" for file in self.files]
        return hashlib.sha256("\n".join(ends).encode()).hexdigest()

    def column(self, name: str) -> int:
        """Return the number of a column."""
        if name in self.names:
            return self.names.index(name)
        guess = did_you_mean(name, self.names)
        known = shortlist(self.names, near=name)
        raise DataError(f"{self.location} has no column {name!r}; it has {known}. {guess}".strip())

    def texts(self) -> frozenset[int]:
        """Return the columns that hold texts: in the files, or in the names of folders."""
        with _opened(self.files[0].name) as parquet:
            types = [holds_texts(field.type) for field in parquet.schema_arrow]
        in_files = {number for number, is_text in enumerate(types) if is_text}
        in_folders = {
            number
            for number, name in enumerate(self.names[self._stored :], start=self._stored)
            if not all(is_number(file.partition[name]) for file in self.files)
        }
        return frozenset(in_files | in_folders)

    def read(self, *groups: Group) -> list[RowArray]:
        """Return an array for each group of columns, whose rows stay in the files."""
        return self.read_rows(groups, frozenset()).arrays

    def read_rows(
        self, groups: Sequence[Group], kept: frozenset[int], labels: frozenset[int] = frozenset()
    ) -> TableRows:
        """Return an array for each group, and the labels of columns that tell rows apart.

        Parameters
        ----------
        groups : sequence of int, or of sequence of int
            The columns of each array.
        kept : frozenset of int
            Columns that may hold texts, which are read once to find them, and in which a
            value may be missing.
        labels : frozenset of int
            Columns that may hold texts, which are the labels of classes.
        """
        pieces = _DatasetPieces(self, groups, kept, labels)
        if not len(pieces):
            raise DataError(f"{self.location} has no rows.")
        example: Any = pieces.rows(0)
        columns = [
            PieceColumn(pieces, n, example[n].shape[1:], example[n].dtype, f"{self.digest} {group}")
            for n, group in enumerate(groups)
        ]
        found = {number: tuple(known) for number, known in pieces.labels.items()}
        return TableRows(cast("list[RowArray]", columns), found)

    def is_stored(self, number: int) -> bool:
        """Tell whether a column stands in the files, and not in the names of their folders."""
        return number < self._stored


class _DatasetPieces(Pieces):
    """Pieces of a data set; each lies within one row group of one file.

    Attributes
    ----------
    labels : mapping of int to list of str
        By column, the texts of one that may hold texts.
    """

    def __init__(
        self,
        data: ParquetDataset,
        groups: Sequence[Group],
        kept: frozenset[int],
        labels: frozenset[int],
    ) -> None:
        self._data, self._groups, self._kept_columns = data, groups, kept
        self.labels: dict[int, list[str]] = {}
        self._wanted = sorted({number for group in groups for number in listed(group)})
        self._reader: Iterator[Any] = iter(())
        self._next = -1
        # Of each piece: its file, its row group, its number in the group, and its rows.
        self._places = [
            (number, group, i, min(step, rows - i * step))
            for number, file in enumerate(data.files)
            for step in [max(1, PIECE_BYTES // file.row_bytes)]
            for group, rows in enumerate(file.groups)
            for i in range(-(-rows // step))
        ]
        files = tuple((file.name, file.size) for file in data.files)
        stamp: Any = DatasetStamp(Path(data.location), files)
        super().__init__(np.cumsum([0, *(rows for *_, rows in self._places)]), stamp)
        self._find_labels(labels)

    def _find_labels(self, labels: frozenset[int]) -> None:
        """Read the columns of texts, and the names of folders, for their labels."""
        stored, found = [], {}
        texts = self._data.texts()
        for number in sorted(labels & texts | self._kept_columns):
            name = self._data.names[number]
            if not self._data.is_stored(number):
                found[number] = {file.partition[name] for file in self._data.files}
            elif number in texts:
                stored.append(name)
                found[number] = set()
        for file in self._data.files if stored else ():
            with _opened(file.name) as parquet:
                for batch in parquet.iter_batches(columns=stored):
                    for name in stored:
                        number = self._data.names.index(name)
                        kept = number in self._kept_columns
                        found[number] |= labels_in(batch.column(name), kept=kept)
                        check_labels(file.name, name, len(found[number]), kept=kept)
        self.labels = {number: sorted(known) for number, known in found.items()}

    @property
    def entries(self) -> NDArray:
        """See `Pieces.entries`: the first rows of row groups."""
        return self.starts[:-1][[i == 0 for _, _, i, _ in self._places]]

    def __getstate__(self) -> dict[str, Any]:
        return {**super().__getstate__(), "_reader": iter(()), "_next": -1}

    def check_unchanged(self, piece: int) -> None:
        file = self._data.files[self._places[piece][0]]
        check_size(file.name, file.size)

    def load(self, piece: int) -> dict[Hashable, NDArray]:
        number, group, skipped, rows = self._places[piece]
        if piece != self._next or skipped == 0:
            self._reader = self._read(self._data.files[number], group, skipped)
        batch, self._next = next(self._reader, None), piece + 1
        file = self._data.files[number]
        if batch is None or len(batch) != rows:
            raise DataError(f"{file.name} has changed while it was read: run again.")
        start = int(self.starts[piece])
        arrays = {n: self._array(file, batch, n, start) for n in self._wanted}
        return {
            place: arrays[columns]
            if isinstance(columns, int)
            else np.column_stack([arrays[column] for column in columns])
            for place, columns in enumerate(self._groups)
        }

    def _read(self, file: DatasetFile, group: int, skipped: int) -> Iterator[Any]:
        names = [self._data.names[n] for n in self._wanted if self._data.is_stored(n)]
        step = max(1, PIECE_BYTES // file.row_bytes)
        with _opened(file.name) as parquet:
            batches = parquet.iter_batches(step, row_groups=[group], columns=names)
            for i, batch in enumerate(batches):
                if i >= skipped:
                    yield batch

    def _array(self, file: DatasetFile, batch: Any, number: int, start: int) -> NDArray:
        name = self._data.names[number]
        where = f"{file.name}, column {name!r}"
        if self._data.is_stored(number):
            column = batch.column(name)
            if number in self.labels:
                needed = None if number in self._kept_columns else _REMEDY
                return codes_of(column, self.labels[number], where, start, needed)
            if number in self._kept_columns:
                return kept_numbers(column, where)
            return array_of(column, where, start)
        text = file.partition[name]
        if number in self.labels:
            return np.full(len(batch), self.labels[number].index(text))
        try:
            value: int | float = int(text)
        except ValueError:
            try:
                value = float(text)
            except ValueError:
                raise DataError(f"{where} is {text!r}; a number was wanted.") from None
        return np.full(len(batch), value)


def _filesystem(location: str) -> tuple[Any, str]:
    """Return the file system of fsspec of an address, and the path in it."""
    try:
        fsspec = importlib.import_module("fsspec")
        found: tuple[Any, str] = fsspec.core.url_to_fs(location)
    except ImportError as error:
        raise MissingExtraError(
            f"the address {location} needs a library that is not installed ({error}): "
            "pip install fsspec, and that of the store, such as s3fs for s3://"
        ) from None
    except ValueError as error:
        raise DataError(f"{location}: {error}.") from None
    return found


def is_address(location: str) -> bool:
    """Tell an address of fsspec from a path."""
    return "://" in location


def _list(location: str) -> list[str]:
    """Return the files of a data set, in the order of their names."""
    pattern = any(mark in location for mark in "*?[")
    if is_address(location):
        system, path = _filesystem(location)
        with readable(location):
            found = system.glob(path) if pattern else system.find(path)
        return sorted(system.unstrip_protocol(name) for name in found if _is_data(name))
    if pattern:
        # pathlib takes no absolute pattern.
        found = glob.glob(location, recursive=True)  # noqa: PTH207
        return sorted(name for name in found if _is_data(name))
    if Path(location).is_file():
        return [location] if _is_data(location) else []
    return sorted(map(str, (p for p in Path(location).rglob("*.parquet") if _is_data(str(p)))))


def _is_data(name: str) -> bool:
    path = PurePosixPath(name)
    return path.suffix == ".parquet" and not path.name.startswith((".", "_"))


def _size(name: str) -> int:
    with readable(name):
        if is_address(name):
            system, path = _filesystem(name)
            return int(system.size(path))
        if not Path(name).exists():
            raise DataError(f"{name} is missing: it was there when the data set was opened.")
        return Path(name).stat().st_size


@contextmanager
def _stream(name: str) -> Iterator[Any]:
    with readable(name):
        if is_address(name):
            system, path = _filesystem(name)
            with system.open(path, "rb") as stream:
                yield stream
        else:
            with Path(name).open("rb") as stream:
                yield stream


@contextmanager
def _opened(name: str) -> Iterator[Any]:
    with _stream(name) as stream:
        yield pyarrow("pyarrow.parquet").ParquetFile(stream)


def _head(name: str, location: str) -> tuple[DatasetFile, tuple[str, ...]]:
    """Return a file and its columns, those of its folders among them."""
    size = _size(name)
    with _stream(name) as stream:
        stream.seek(max(0, size - _FOOTER_BYTES))
        digest = hashlib.sha256(stream.read()).hexdigest()
    with _opened(name) as parquet:
        stored = parquet.metadata
        groups = [stored.row_group(number) for number in range(stored.num_row_groups)]
        whole = sum(group.total_byte_size for group in groups)
        names = tuple(parquet.schema_arrow.names)
        rows = tuple(int(group.num_rows) for group in groups)
    partition = _partition(name, location)
    if doubled := set(names) & set(partition):
        raise DataError(f"{name} has the column {min(doubled)!r}, which its folders name too.")
    # Encoded numbers take their whole width in memory.
    per_row = max(8 * len(names), whole // max(1, sum(rows)))
    return DatasetFile(name, size, rows, per_row, partition, digest), (*names, *partition)


def _partition(name: str, location: str) -> dict[str, str]:
    """Return keys and values of the folders of a file, as hive writes them."""
    folders = [part for part in PurePosixPath(name).parts[:-1] if part.count("=") == 1]
    known = PurePosixPath(location).parts
    return dict(part.split("=") for part in folders if part not in known)
