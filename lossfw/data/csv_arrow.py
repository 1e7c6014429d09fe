"""The reader of large tables of text: pyarrow, as long as it reads what Python's `csv` would."""

from __future__ import annotations

import codecs
import io
from collections.abc import Collection, Iterator
from typing import Any, BinaryIO

from lossfw.data.arrow_arrays import arrow_of, nulls_of, pyarrow, values_of
from lossfw.data.chosen_rows import ChosenRows
from lossfw.data.csv_cells import CellRows, Cells, DoubtError, NumberCells, Texts, texts_of
from lossfw.data.csv_text import line_of, open_bytes, readable

# Bytes that pyarrow reads at a time.
BLOCK_BYTES = 2**19
# pyarrow takes hexadecimal numbers and nan(1).
_DOUBTFUL = (b"x", b"X", b"(")
# The words of `csv_text.MISSING` other than NaN.
_ABSENT = r"(?i)^(|n/?a|null|none)$"


class _PlainText(io.RawIOBase):
    """The bytes of a file without comments, in UTF-8, whose lines end with LF or CR LF."""

    def __init__(self, stream: BinaryIO, width: int) -> None:
        self._stream = stream
        # A line of spaces alone is a cell to pyarrow.
        self._doubtful = (b"#", b" ", b"\t") if width == 1 else (b"#",)
        self._decoder = codecs.getincrementaldecoder("utf-8")()

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        content = self._stream.read(size - 1)
        if content.endswith(b"\r"):
            content += self._stream.read(1)
        if any(mark in content for mark in self._doubtful):
            raise DoubtError
        if b"\r" in content and b"\r" in content.replace(b"\r\n", b""):
            raise DoubtError
        # pyarrow does not look at columns that are not read.
        self._decoder.decode(content, final=not content)
        return content


def arrow_cells(
    table: Any,
    columns: Collection[int],
    chosen: ChosenRows | None,
    texts: Collection[int],
    floats: Collection[int],
) -> Iterator[CellRows]:
    """Yield rows of a `CsvTable`, see `python_cells`; `DoubtError` where `csv` may read others.

    Some columns are known to hold `texts`, others to hold `floats`.
    """
    pa, reader = pyarrow(), pyarrow("pyarrow.csv")
    names = [str(n) for n in range(table.width)]
    with readable(table.path), open_bytes(table.path) as stream:
        for _ in range(table.header_lines):
            if b"\r" in line_of(stream, table.path).removesuffix(b"\r\n"):
                raise DoubtError
        first = 0
        try:
            batches = reader.open_csv(
                _PlainText(stream, table.width),
                reader.ReadOptions(use_threads=False, block_size=BLOCK_BYTES, column_names=names),
                reader.ParseOptions(delimiter=table.delimiter, newlines_in_values=True),
                reader.ConvertOptions(
                    column_types=dict.fromkeys(names, pa.string()),
                    include_columns=[str(n) for n in columns],
                ),
            )
            for whole in batches:
                batch = whole
                if chosen is not None:
                    batch = whole.take(arrow_of(chosen.within(first, first + len(whole))))
                first += len(whole)
                cells = {
                    n: _texts_of(batch[str(n)])
                    if n in texts
                    else _numbers_of(batch[str(n)], whole=n not in floats)
                    for n in columns
                }
                yield CellRows(len(whole), len(batch), cells)
        except pa.ArrowInvalid:
            raise DoubtError from None


def _texts_of(column: Any) -> Texts:
    encoded = column.dictionary_encode()
    texts = texts_of(encoded.dictionary.to_pylist())
    return Texts(texts.labels, texts.codes[values_of(encoded.indices)])


def _numbers_of(column: Any, *, whole: bool) -> Cells:
    """Return a column of integers, or of floats; one that Python has to look at as texts."""
    pa, compute = pyarrow(), pyarrow("pyarrow.compute")
    content = (column.buffers()[2] or pa.py_buffer(b"")).to_pybytes()
    if any(mark in content for mark in _DOUBTFUL):
        return _texts_of(column)
    bare = compute.ascii_trim_whitespace(column) if b" " in content else column
    kind = pa.int64() if whole else pa.float64()
    try:
        numbers = bare.cast(kind)
    except pa.ArrowInvalid:
        absent = compute.match_substring_regex(bare, _ABSENT)
        try:
            numbers = compute.if_else(absent, pa.nulls(len(bare), bare.type), bare).cast(kind)
        except pa.ArrowInvalid:
            return _texts_of(column)
    return NumberCells(values_of(numbers), nulls_of(numbers))
