"""The text of a table: its lines, plain or gzipped, in pieces of some megabytes."""

from __future__ import annotations

import csv
import gzip
import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from lossfw.errors import DataError

# Text files of today; a byte-order mark at the start is skipped.
ENCODING = "utf-8-sig"
GZIP_MAGIC = b"\x1f\x8b"

# The endings of tables, and the character between their cells.
DELIMITERS = {".csv": ",", ".tsv": "\t"}
# Others in use, where the first line of a table has none of those above.
OTHERS = (";", "\t")
_PACKED = ".gz"

# Bytes of text in a piece. Its numbers take up to four times as much in float64, two
# pieces are kept, and NumPy needs as much again while it reads.
PIECE_BYTES = 4 * 2**20


def delimiter_of(path: Path) -> str | None:
    r"""Return the character between the cells of a table; None if the name is that of no table.

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
            f"{path} is no .csv text in UTF-8 ({error}): save it in UTF-8, with commas between the "
            "cells."
        ) from None


def pieces_of(path: Path, skip: int) -> Iterator[tuple[int, bytes]]:
    """Yield pieces of whole lines of about `PIECE_BYTES`, after some lines: first byte and text."""
    with readable(path), open_bytes(path) as file:
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


def split_lines(content: bytes) -> list[str] | None:
    """Return the lines of a piece, or None if it is no text in UTF-8."""
    try:
        # A byte-order mark can stand at the start of the first piece only.
        text = content.decode(ENCODING)
    except UnicodeDecodeError:
        return None
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text.split("\n")


def rows_of(path: Path, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Yield number and cells of each line; empty lines and comments are left out."""
    opened = gzip.open if is_packed(path) else open
    with readable(path), opened(path, "rt", encoding=ENCODING, newline="") as stream:
        reader = csv.reader(stream, delimiter=delimiter)
        for cells in reader:
            if cells and not cells[0].lstrip().startswith("#"):
                yield reader.line_num, cells
