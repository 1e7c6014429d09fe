"""The text of a table: its lines, plain or gzipped."""

from __future__ import annotations

import csv
import gzip
import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import IO, AnyStr, BinaryIO, cast

from lossfw.errors import DataError

# Text files of today; a byte-order mark at the start is skipped.
ENCODING = "utf-8-sig"
GZIP_MAGIC = b"\x1f\x8b"

# The endings of tables, and the character between their cells.
DELIMITERS = {".csv": ",", ".tsv": "\t"}
# Others in use, where the first line of a table has none of those above.
OTHERS = (";", "\t")
_PACKED = ".gz"

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


def is_gzipped(path: Path) -> bool:
    """Tell whether a file is gzipped, by its first bytes."""
    with path.open("rb") as stream:
        return stream.read(len(GZIP_MAGIC)) == GZIP_MAGIC


def open_bytes(path: Path) -> BinaryIO:
    """Open the text of a file, gzipped or not."""
    if is_gzipped(path):
        return cast(BinaryIO, gzip.open(path, "rb"))
    return path.open("rb")


@contextmanager
def translate_read_errors(path: Path) -> Iterator[None]:
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
def _cells_pattern(delimiter: str) -> re.Pattern[str]:
    """Return the pattern of the cells of a line before a comment; the last may be open."""
    bare = rf"[^{delimiter}#\r\n]*+"
    cell = rf'(?:"(?:[^"]++|"")*+(?:"{bare}|\Z)|(?!"){bare})'
    return re.compile(rf"{cell}(?:{delimiter}{cell})*+")


def _strip_comment(line: str, delimiter: str, *, is_continuation: bool) -> str:
    r"""Return a line without its comment; one where `is_continuation` begins within a quoted cell.

    Examples
    --------
    >>> _strip_comment('1,"#2" # three\n', ",", is_continuation=False)
    '1,"#2" \n'
    """
    quote = '"' if is_continuation else ""
    found = _cells_pattern(delimiter).match(f"{quote}{line}")
    end = found.end() - len(quote) if found else 0
    return f"{line[:end]}\n" if line[end : end + 1] == "#" else line


def read_line(stream: IO[AnyStr], path: Path) -> AnyStr:
    """Return the next line; one that never ends would take all memory."""
    line = stream.readline(LONGEST_LINE_BYTES)
    if len(line) == LONGEST_LINE_BYTES:
        raise DataError(
            f"{path} has a line of more than {LONGEST_LINE_BYTES >> 20} MB, expected one row per "
            "line: end the lines with LF or CR LF."
        )
    return line


def iter_rows(path: Path, delimiter: str, skip: int = 0) -> Iterator[tuple[int, list[str]]]:
    """Yield number of the last line and cells of each row after some lines.

    Empty lines and comments are left out.
    """
    opened = gzip.open if is_gzipped(path) else open
    with translate_read_errors(path), opened(path, "rt", encoding=ENCODING, newline="") as stream:
        goes_on = ended = False

        def lines() -> Iterator[str]:
            nonlocal goes_on, ended
            while line := read_line(stream, path):
                if "#" in line:
                    line = _strip_comment(line, delimiter, is_continuation=goes_on)
                goes_on = True  # until the row is whole
                yield line
            ended = True

        reader, before = csv.reader(lines(), delimiter=delimiter), 0
        try:
            for cells in reader:
                if ended:  # and a cell is open
                    raise _unclosed_quote_error(path, before + 1)
                goes_on, before = False, reader.line_num
                if before > skip and (len(cells) > 1 or (cells and not cells[0].isspace())):
                    yield before, cells
        except csv.Error:
            if reader.line_num == before + 1:
                raise
            # A cell of many lines has more characters than `csv` takes.
            raise _unclosed_quote_error(path, before + 1) from None


def _unclosed_quote_error(path: Path, line: int) -> DataError:
    return DataError(
        f"{path}: a quotation mark is not closed in the row that begins in line {line}. "
        "Close it, or double a quotation mark inside a quoted cell."
    )
