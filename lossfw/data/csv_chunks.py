"""Tables in ``.csv`` files, read some megabytes of text at a time."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Hashable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np

from lossfw.data.csv_numbers import ENCODING, read_numbers
from lossfw.data.lazy_arrays import Column, Group, Pieces, listed
from lossfw.data.stamps import FileStamp
from lossfw.errors import DataError
from lossfw.numerics.arrays import NDArray

# Bytes of text in a piece. Its numbers take up to four times as much in float64, two
# pieces are kept, and NumPy needs as much again while it reads.
PIECE_BYTES = 4 * 2**20

# Every smaller integer is a float64.
_EXACT = 2**53


class CsvChunk(NamedTuple):
    """A piece of a file: whole lines.

    Attributes
    ----------
    start, stop : int
        Bytes in the file, the second excluded.
    rows : int
        Rows of numbers in it.
    """

    start: int
    stop: int
    rows: int


def columns_of(path: Path, width: int, skip: int, groups: Sequence[Group]) -> list[Column] | None:
    """Return groups of columns of a table, or None if it is no table of numbers.

    The file is read once, to check every line, to find where pieces begin, and to
    see which groups are integers throughout.

    Parameters
    ----------
    path : Path
        The file.
    width : int
        The number of columns.
    skip : int
        Lines before the first row of numbers.
    groups : sequence of int, or of sequence of int
        Columns of an array: (N,) for one number, (N, C) for several.
    """
    stamp = FileStamp.of(path)
    whole = dict.fromkeys(range(len(groups)), True)
    parts = []
    # Reading the numbers again for a digest would take as long as the evaluation.
    digest = hashlib.sha256()
    for start, content in _texts(path, skip):
        digest.update(content)
        lines = _lines(content)
        table = None if lines is None else read_numbers(lines, np.float64)
        if lines is None or table is None or (table.size and table.shape[1] != width):
            return None
        rows = len(table) if table.size else 0
        parts.append(CsvChunk(start, start + len(content), rows))
        for number in [n for n, still in whole.items() if still and rows]:
            whole[number] = read_numbers(lines, np.int64, listed(groups[number])) is not None
    pieces = _TablePieces(stamp, parts, groups, whole)
    return [
        Column(
            pieces,
            number,
            () if isinstance(group, int) else (len(group),),
            np.dtype(np.int64 if whole[number] else np.float64),
            f"{digest.hexdigest()} columns {listed(group)}",
        )
        for number, group in enumerate(groups)
    ]


class _TablePieces(Pieces):
    """Pieces of a file; their keys are the numbers of the groups."""

    def __init__(
        self,
        stamp: FileStamp,
        parts: Sequence[CsvChunk],
        groups: Sequence[Group],
        whole: dict[int, bool],
    ) -> None:
        self._path, self._groups, self._whole = stamp.path, groups, whole
        self._parts = [part for part in parts if part.rows]
        super().__init__(np.cumsum([0, *(part.rows for part in self._parts)]), stamp)

    def load(self, piece: int) -> dict[Hashable, NDArray]:
        part = self._parts[piece]
        with self._path.open("rb") as file:
            file.seek(part.start)
            lines = _lines(file.read(part.stop - part.start))
        table = None if lines is None else read_numbers(lines, np.float64)
        if lines is None or table is None or len(table) != part.rows:
            raise DataError(f"{self._path} has changed while it was read: run again.")
        return {
            number: self._group(table, lines, number, group)
            for number, group in enumerate(self._groups)
        }

    def _group(self, table: NDArray, lines: list[str], number: int, group: Group) -> NDArray:
        array: NDArray | None = np.ascontiguousarray(table[:, listed(group)])
        assert array is not None
        if self._whole[number]:
            exact = np.abs(array).max(initial=0) < _EXACT
            array = (
                array.astype(np.int64) if exact else read_numbers(lines, np.int64, listed(group))
            )
        if array is None:
            raise DataError(f"{self._path} has changed while it was read: run again.")
        return array[:, 0] if isinstance(group, int) else array


def _texts(path: Path, skip: int) -> Iterator[tuple[int, bytes]]:
    """Yield pieces of about `PIECE_BYTES` of whole lines: first byte and text."""
    with path.open("rb") as file:
        for _ in range(skip):
            _skip_line(file)
        start = file.tell()
        while content := file.read(PIECE_BYTES):
            content += file.readline()
            yield start, content
            start += len(content)


def _skip_line(file: BinaryIO) -> None:
    """Skip a line that ends with LF, CR LF, or CR alone."""
    line = file.readline()
    end = line.find(b"\r")
    if end >= 0 and line[end:] != b"\r\n":
        file.seek(end + 1 - len(line), os.SEEK_CUR)


def _lines(content: bytes) -> list[str] | None:
    try:
        # A byte-order mark can stand at the start of the first piece only.
        text = content.decode(ENCODING)
    except UnicodeDecodeError:
        return None
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text.split("\n")
