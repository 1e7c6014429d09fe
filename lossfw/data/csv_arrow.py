"""The reader of large tables of text: pyarrow, as long as it reads what Python's `csv` would."""

from __future__ import annotations

import codecs
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any, BinaryIO

from lossfw.data.arrow_arrays import arrow_values, import_pyarrow, null_mask, to_arrow
from lossfw.data.chosen_rows import ChosenRows
from lossfw.data.csv_cells import (
    CellRows,
    Cells,
    NumberCells,
    RereadError,
    TextCells,
    to_text_cells,
)
from lossfw.data.csv_text import is_gzipped, open_bytes, read_line, translate_read_errors

# Bytes that pyarrow reads at a time.
BLOCK_BYTES = 2**19
# pyarrow takes hexadecimal numbers and nan(1).
_DOUBTFUL = (b"x", b"X", b"(")
# The words of `csv_text.MISSING` other than NaN.
_ABSENT = r"(?i)^(|n/?a|null|none)$"


class _PlainText:
    """The check of a text: no comments, UTF-8, and lines that end with LF or CR LF.

    It reads the file a second time. pyarrow would also read a stream of Python's own, but in a
    thread that may still need Python when the interpreter ends, and then aborts the process.
    """

    def __init__(self, stream: BinaryIO, width: int) -> None:
        self._stream = stream
        # A line of spaces alone is a cell to pyarrow.
        self._doubtful = (b"#", b" ", b"\t") if width == 1 else (b"#",)
        self._decoder = codecs.getincrementaldecoder("utf-8")()

    def check_block(self) -> bool:
        """Look at the next bytes, as many as pyarrow reads; tell whether there were any."""
        content = self._stream.read(BLOCK_BYTES)
        if content.endswith(b"\r"):
            content += self._stream.read(1)
        if any(mark in content for mark in self._doubtful):
            raise RereadError
        if b"\r" in content and b"\r" in content.replace(b"\r\n", b""):
            raise RereadError
        # pyarrow does not look at columns that are not read.
        self._decoder.decode(content, final=not content)
        return bool(content)


def arrow_cells(
    table: Any,
    columns: Collection[int],
    chosen: ChosenRows | None,
    texts: Collection[int],
    floats: Collection[int],
) -> Iterator[CellRows]:
    """Yield rows of a `CsvTable`, see `python_cells`; `RereadError` where `csv` may read others.

    Some columns are known to hold `texts`, others to hold `floats`.
    """
    pa, reader = import_pyarrow(), import_pyarrow("pyarrow.csv")
    names = [str(n) for n in range(table.width)]
    with translate_read_errors(table.path), open_bytes(table.path) as stream:
        for _ in range(table.header_lines):
            if b"\r" in read_line(stream, table.path).removesuffix(b"\r\n"):
                raise RereadError
        plain, first = _PlainText(stream, table.width), 0
        try:
            batches = reader.open_csv(
                _open_native(table.path, stream.tell()),
                reader.ReadOptions(use_threads=False, block_size=BLOCK_BYTES, column_names=names),
                reader.ParseOptions(delimiter=table.delimiter, newlines_in_values=True),
                reader.ConvertOptions(
                    column_types=dict.fromkeys(names, pa.string()),
                    include_columns=[str(n) for n in columns],
                ),
            )
            for whole in batches:
                plain.check_block()
                batch = whole
                if chosen is not None:
                    batch = whole.take(to_arrow(chosen.within(first, first + len(whole))))
                first += len(whole)
                cells = {
                    n: _to_text_cells(batch[str(n)])
                    if n in texts
                    else _to_number_cells(batch[str(n)], whole=n not in floats)
                    for n in columns
                }
                yield CellRows(len(whole), len(batch), cells)
        except (pa.ArrowInvalid, OSError):  # of a damaged gzip file too
            raise RereadError from None
        while plain.check_block():
            pass


def _open_native(path: Path, start: int) -> Any:
    """Open the text of a file, gzipped or not, from some byte of it on, in Arrow's own code."""
    pa = import_pyarrow()
    file = pa.OSFile(str(path))
    text = pa.CompressedInputStream(file, "gzip") if is_gzipped(path) else file
    text.read(start)
    return text


def _to_text_cells(column: Any) -> TextCells:
    encoded = column.dictionary_encode()
    texts = to_text_cells(encoded.dictionary.to_pylist())
    return TextCells(texts.labels, texts.codes[arrow_values(encoded.indices)])


def _to_number_cells(column: Any, *, whole: bool) -> Cells:
    """Return a column of integers, or of floats; one that Python has to look at as texts."""
    pa, compute = import_pyarrow(), import_pyarrow("pyarrow.compute")
    content = (column.buffers()[2] or pa.py_buffer(b"")).to_pybytes()
    if any(mark in content for mark in _DOUBTFUL):
        return _to_text_cells(column)
    bare = compute.ascii_trim_whitespace(column) if b" " in content else column
    kind = pa.int64() if whole else pa.float64()
    try:
        numbers = bare.cast(kind)
    except pa.ArrowInvalid:
        absent = compute.match_substring_regex(bare, _ABSENT)
        try:
            numbers = compute.if_else(absent, pa.nulls(len(bare), bare.type), bare).cast(kind)
        except pa.ArrowInvalid:
            return _to_text_cells(column)
    return NumberCells(arrow_values(numbers), null_mask(numbers))
