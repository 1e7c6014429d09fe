"""The rows of a table in a ``.csv`` file, read some megabytes of text at a time."""

from __future__ import annotations

import hashlib
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np

from lossfw.data.csv_lines import is_packed, open_bytes, pieces_of, readable, split_lines
from lossfw.data.csv_numbers import read_columns, read_numbers, read_texts, without_missing
from lossfw.data.labels import check_labels
from lossfw.data.lazy_arrays import Group, PieceColumn, Pieces, listed
from lossfw.data.stamps import FileStamp
from lossfw.data.table import columns_in
from lossfw.errors import DataError
from lossfw.numerics.arrays import NDArray

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


class ParsedLines(NamedTuple):
    """The cells of some lines.

    Attributes
    ----------
    lines : list of str
        Those that count.
    table : ndarray, shape (N, width)
        The numbers; NaN in columns that are not wanted.
    texts : mapping of int to ndarray of str
        The columns of labels.
    dropped : int
        How many lines do not count.
    """

    lines: list[str]
    table: NDArray
    texts: Mapping[int, NDArray]
    dropped: int


@dataclass(frozen=True)
class CsvFormat:
    """The way in which a file is parsed.

    Attributes
    ----------
    path : Path
        The file.
    width : int
        The number of columns.
    skip : int
        Lines before the first row.
    delimiter : str
        The character between cells.
    texts : frozenset of int
        Columns of labels.
    drop : bool
        Whether a row with a missing value is left out.
    kept : frozenset of int
        Columns in which a value may be missing.
    """

    path: Path
    width: int
    skip: int
    delimiter: str = ","
    texts: frozenset[int] = frozenset()
    drop: bool = False
    kept: frozenset[int] = frozenset()

    def parse(self, content: bytes, wanted: frozenset[int]) -> ParsedLines | None:
        """Return the cells of a piece, None if it is no table of numbers in `wanted` columns."""
        lines = split_lines(content)
        if lines is None:
            return None
        parsed = self._parse(lines, wanted)
        numbers, texts = wanted - self.texts - self.kept, self.texts - self.kept
        if self.drop and (parsed is None or _gaps(parsed, numbers, texts)):
            kept = without_missing(lines, numbers, texts, self.width, self.delimiter)
            again = None if kept is None else self._parse(kept, wanted)
            if kept is None or again is None:
                return None
            rows = sum(1 for line in lines if line.strip() and not line.lstrip().startswith("#"))
            return again._replace(dropped=rows - len(kept))
        return parsed

    def _parse(self, lines: list[str], wanted: frozenset[int]) -> ParsedLines | None:
        table = read_columns(lines, wanted - self.texts, self.width, self.delimiter)
        if table is None:
            return None
        texts = {}
        for number in self.texts:
            column = read_texts(lines, number, self.delimiter)
            if column is None or len(column) != len(table):
                return None
            texts[number] = column
        return ParsedLines(lines, table, texts, 0)


def _gaps(parsed: ParsedLines, numbers: frozenset[int], texts: frozenset[int]) -> bool:
    """Tell whether a value is missing: NaN, or a label that is empty."""
    missing = np.isnan(parsed.table[:, sorted(numbers)]).any() if parsed.table.size else False
    return bool(missing or any((parsed.texts[column] == "").any() for column in texts))


class CsvRows(NamedTuple):
    """All rows of a table, see `rows_of_table`."""

    columns: list[PieceColumn]
    labels: Mapping[int, tuple[str, ...]]
    dropped: int
    size: int


def rows_of_table(layout: CsvFormat, groups: Sequence[Group]) -> CsvRows | None:
    """Return groups of columns of a table, or None if it is not a table of numbers.

    The file is read once, to check every line, to find where pieces begin, to see which
    groups are integers throughout, and to find the labels.
    """
    stamp, wanted = FileStamp.of(layout.path), columns_in(groups)
    whole = {n: not layout.texts & set(listed(g)) for n, g in enumerate(groups)}
    labels: dict[int, set[str]] = {number: set() for number in layout.texts}
    parts, dropped = [], 0
    # Reading the numbers again for a digest would take as long as the evaluation.
    digest = hashlib.sha256()
    for start, content in pieces_of(layout.path, layout.skip):
        digest.update(content)
        parsed = layout.parse(content, wanted)
        if parsed is None:
            return None
        rows = len(parsed.table) if parsed.table.size else 0
        dropped += parsed.dropped
        parts.append(CsvChunk(start, start + len(content), rows))
        for number, texts in parsed.texts.items():
            labels[number].update(texts.tolist())
            check_labels(layout.path, number, len(labels[number]), number in layout.kept)
        for number in [n for n, still in whole.items() if still and rows]:
            whole[number] = _integers(parsed.lines, groups[number], layout) is not None
    found = {number: tuple(sorted(known)) for number, known in labels.items()}
    pieces = _TablePieces(stamp, layout, parts, groups, whole, found)
    told = f"{digest.hexdigest()}{' dropped' if layout.drop else ''}"
    columns = [
        PieceColumn(
            pieces,
            number,
            () if isinstance(group, int) else (len(group),),
            np.dtype(np.int64 if whole[number] or layout.texts & set(listed(group)) else float),
            f"{told} columns {listed(group)}",
        )
        for number, group in enumerate(groups)
    ]
    return CsvRows(columns, found, dropped, parts[-1].stop if parts else 0)


def _integers(lines: list[str], group: Group, layout: CsvFormat) -> NDArray | None:
    return read_numbers(lines, np.int64, listed(group), delimiter=layout.delimiter)


class _TablePieces(Pieces):
    """Pieces of a file; their keys are the numbers of the groups."""

    def __init__(
        self,
        stamp: FileStamp,
        layout: CsvFormat,
        parts: Sequence[CsvChunk],
        groups: Sequence[Group],
        whole: dict[int, bool],
        labels: Mapping[int, tuple[str, ...]],
    ) -> None:
        self._layout, self._groups, self._whole = layout, groups, whole
        self._labels = {number: np.array(known) for number, known in labels.items()}
        self._parts = [part for part in parts if part.rows]
        # A gzipped file is read from its beginning: it stays open for the next piece.
        self._packed = is_packed(layout.path)
        self._stream: BinaryIO | None = None
        super().__init__(np.cumsum([0, *(part.rows for part in self._parts)]), stamp)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_stream": None}

    def load(self, piece: int) -> dict[Hashable, NDArray]:
        part = self._parts[piece]
        parsed = self._layout.parse(self._text(part), columns_in(self._groups))
        if parsed is None or len(parsed.table) != part.rows:
            raise self._changed()
        return {
            number: self._group(parsed, number, group) for number, group in enumerate(self._groups)
        }

    def _text(self, part: CsvChunk) -> bytes:
        with readable(self._layout.path):
            stream = self._stream or open_bytes(self._layout.path)
            stream.seek(part.start)
            content = stream.read(part.stop - part.start)
        self._stream = stream if self._packed else None
        if not self._packed:
            stream.close()
        return content

    def _group(self, parsed: ParsedLines, number: int, group: Group) -> NDArray:
        if isinstance(group, int) and group in parsed.texts:
            return np.searchsorted(self._labels[group], parsed.texts[group]).astype(np.int64)
        array: NDArray | None = np.ascontiguousarray(parsed.table[:, listed(group)])
        assert array is not None
        if self._whole[number]:
            exact = np.abs(array).max(initial=0) < _EXACT
            array = (
                array.astype(np.int64) if exact else _integers(parsed.lines, group, self._layout)
            )
        if array is None:
            raise self._changed()
        return array[:, 0] if isinstance(group, int) else array

    def _changed(self) -> DataError:
        return DataError(f"{self._layout.path} has changed while it was read: run again.")
