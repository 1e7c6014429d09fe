"""The text of a table: its lines, plain or gzipped."""

from __future__ import annotations

import csv
import gzip
import os
import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import IO, AnyStr, BinaryIO, cast

import numpy as np

from lossfw.errors import DataError

# Text files of today; a byte-order mark at the start is skipped.
ENCODING = "utf-8-sig"
GZIP_MAGIC = b"\x1f\x8b"

# The endings of tables, and the character between their cells.
DELIMITERS = {".csv": ",", ".tsv": "\t"}
# Others in use, where the first line of a table has none of those above.
OTHERS = (";", "\t")
_PACKED = ".gz"

# Bytes of text in a chunk. Its numbers take up to four times as much in float64, two
# chunks are kept, and NumPy needs as much again while it reads.
CHUNK_BYTES = 4 * 2**20
# A longer row has a quotation mark that nothing closes.
_LONGEST_ROW_BYTES = 64 * 2**20
# A longer line is not one of a table: its cells would take some hundred megabytes.
LONGEST_LINE_BYTES = 16 * 2**20
# How the common programs write a missing value.
MISSING = frozenset({"", "na", "n/a", "nan", "-nan", "+nan", "null", "none"})


def is_missing(cell: str) -> bool:
    """Tell whether a cell is empty, or says that its value is missing.

    Examples
    --------
    >>> is_missing(" "), is_missing("NA"), is_missing("0")
    (True, True, False)
    """
    return cell.strip().lower() in MISSING


def is_number(cell: str) -> bool:
    """Tell whether a cell is a number."""
    try:
        float(cell)
    except ValueError:
        return False
    return "_" not in cell  # Python's own way to write 1_000


def is_whole(cell: str) -> bool:
    """Tell whether a cell is a number that is written as a whole one."""
    return is_number(cell) and cell.strip().lstrip("+-").isdigit()


def delimiter_of(path: Path) -> str | None:
    r"""Return the delimiter of a table; None if the file name is not that of a table.

    Examples
    --------
    >>> delimiter_of(Path("a.csv")), delimiter_of(Path("a.tsv.gz")), delimiter_of(Path("a.txt"))
    (',', '\t', None)
    """
    name = path.name.removesuffix(_PACKED)
    return DELIMITERS.get(Path(name).suffix.lower())


def is_packed(path: Path) -> bool:
    """Tell whether a file is gzipped, by its first bytes."""
    with path.open("rb") as stream:
        return stream.read(len(GZIP_MAGIC)) == GZIP_MAGIC


def open_bytes(path: Path) -> BinaryIO:
    """Open the text of a file, gzipped or not."""
    if is_packed(path):
        return cast(BinaryIO, gzip.open(path, "rb"))
    return path.open("rb")


@contextmanager
def readable(path: Path) -> Iterator[None]:
    """Turn an error of the file inside the ``with`` block into a `DataError`."""
    try:
        yield
    except (zlib.error, EOFError, gzip.BadGzipFile) as error:
        raise DataError(f"{path} is a damaged gzip file ({error}). Fetch it again.") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(
            f"{path} is not a CSV file in UTF-8 ({error}): save it in UTF-8, with commas between "
            "the cells."
        ) from None


@cache
def row_pattern(delimiter: str) -> re.Pattern[str]:
    """Return the pattern of a row: its cells, which may go over several lines in quotes, its end.

    A comment lies between both.
    """
    cell = rf'(?:"(?:[^"]++|"")*+"[^{delimiter}#\r\n]*+|(?!")[^{delimiter}#\r\n]*+)'
    return re.compile(rf"({cell}(?:{delimiter}{cell})*+)(?:#[^\r\n]*+)?+(\r\n|\r|\n)")


@cache
def _rows_pattern(delimiter: str) -> re.Pattern[bytes]:
    return re.compile(f"(?:{row_pattern(delimiter).pattern})*+".encode())


def end_of_rows(content: bytes, delimiter: str) -> int:
    r"""Return where the whole rows of some lines end: at a cell in quotes that is not closed.

    Examples
    --------
    >>> end_of_rows(b'"a\nb",1\n2,"c\n', ","), end_of_rows(b'5" pipe,1\n', ",")
    (8, 10)
    """
    if b'"' not in content or _are_whole_cells(content, delimiter):
        return len(content)
    found = _rows_pattern(delimiter).match(content)
    return 0 if found is None else found.end()


def _are_whole_cells(content: bytes, delimiter: str) -> bool:
    """Tell whether every mark opens or closes a cell, so that whole lines are whole rows."""
    text = np.frombuffer(b"\n" + content + b"\n", np.uint8)
    edge = np.zeros(256, bool)
    edge[[*f"\r\n{delimiter}".encode()]] = True
    marks = np.flatnonzero(text == ord('"'))
    opening, closing = marks[::2] - 1, marks[1::2] + 1
    if len(opening) != len(closing):
        return False
    return bool(edge[text[opening]].all() and edge[text[closing]].all())


def _line_of(stream: IO[AnyStr], path: Path) -> AnyStr:
    """Return the next line; one that never ends would take all memory."""
    line = stream.readline(LONGEST_LINE_BYTES)
    if len(line) == LONGEST_LINE_BYTES:
        raise DataError(
            f"{path} has a line of more than {LONGEST_LINE_BYTES >> 20} MB, expected one row per "
            "line: end the lines with LF or CR LF."
        )
    return line


def chunks_of(path: Path, skip: int, delimiter: str) -> Iterator[bytes]:
    """Yield chunks of whole rows of about `CHUNK_BYTES`, after some lines."""
    with readable(path), open_bytes(path) as file:
        for _ in range(skip):
            # A line ends with LF, CR LF, or CR alone.
            line = _line_of(file, path)
            end = line.find(b"\r")
            if end >= 0 and line[end:] != b"\r\n":
                file.seek(end + 1 - len(line), os.SEEK_CUR)
        rest, number = b"", skip + 1
        while more := file.read(CHUNK_BYTES):
            content = rest + more + _line_of(file, path)
            end = end_of_rows(content, delimiter)
            rest = content[end:]
            if len(rest) > _LONGEST_ROW_BYTES:
                break
            if end:
                yield content[:end]
                number += content.count(b"\n", 0, end) or content.count(b"\r", 0, end)
        if rest and not end_of_rows(rest + b"\n", delimiter):
            raise DataError(
                f"{path}: a quotation mark is not closed in the row that begins in line {number}. "
                "Close it, or double a quotation mark inside a quoted cell."
            )
        if rest:
            yield rest


def rows_of(path: Path, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Yield number and cells of each line; empty lines and comments are left out."""
    opened = gzip.open if is_packed(path) else open
    with readable(path), opened(path, "rt", encoding=ENCODING, newline="") as stream:
        lines = iter(lambda: _line_of(stream, path), "")
        reader = csv.reader(lines, delimiter=delimiter)
        for cells in reader:
            if is_row(cells) and not cells[0].lstrip().startswith("#"):
                yield reader.line_num, cells


def is_row(cells: list[str]) -> bool:
    """Tell whether a line holds cells: it is neither empty nor spaces alone."""
    return len(cells) > 1 or bool(cells and not cells[0].isspace())
