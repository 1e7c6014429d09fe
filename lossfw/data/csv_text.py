"""The text of a table: its lines, plain or gzipped, and their cells as numbers or texts."""

from __future__ import annotations

import csv
import gzip
import os
import warnings
import zlib
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, Literal, cast

import numpy as np

from lossfw.errors import DataError
from lossfw.numerics.arrays import NDArray

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
# How the common programs write a missing value.
MISSING = frozenset({"", "na", "n/a", "nan", "null", "none"})


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
            f"{path} is not a .csv text in UTF-8 ({error}): save it in UTF-8, with commas between "
            "the cells."
        ) from None


def chunks_of(path: Path, skip: int) -> Iterator[tuple[int, bytes]]:
    """Yield chunks of whole lines of about `CHUNK_BYTES`, after some lines: first byte and text."""
    with readable(path), open_bytes(path) as file:
        for _ in range(skip):
            # A line ends with LF, CR LF, or CR alone.
            line = file.readline()
            end = line.find(b"\r")
            if end >= 0 and line[end:] != b"\r\n":
                file.seek(end + 1 - len(line), os.SEEK_CUR)
        start = file.tell()
        while content := file.read(CHUNK_BYTES):
            content += file.readline()
            yield start, content
            start += len(content)


def split_lines(content: bytes) -> list[str] | None:
    """Return the lines of a chunk, or None if it is not text in UTF-8."""
    try:
        # A byte-order mark can only be at the start of the first chunk.
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


def read_numbers(
    lines: list[str], dtype: Any, columns: Sequence[int] | None, delimiter: str
) -> NDArray | None:
    """Return columns of numbers (N, C), or None if the text is not a table of this dtype.

    Only ``3`` is read as an integer, ``3.0`` is not. If all columns are read, every line must
    have as many.

    Examples
    --------
    >>> read_numbers(["1,2", "", "3,4  # a comment"], float, None, ",").tolist()
    [[1.0, 2.0], [3.0, 4.0]]
    >>> read_numbers(["1,2", "3,4.0"], int, None, ",") is None
    True
    """
    return _load(lines, dtype, delimiter, columns)


def read_cells(
    lines: list[str],
    numbers: Collection[int],
    texts: Collection[int],
    width: int,
    delimiter: str,
    gaps: Collection[int] = (),
) -> tuple[NDArray, dict[int, NDArray]] | None:
    """Return all columns in float64, NaN in those that are not `numbers`, and columns of texts.

    Spaces around texts are dropped. None if a cell of `numbers` is not a number, a cell of `gaps`
    is neither a number nor missing, which is NaN, or a line does not have `width` cells.

    Examples
    --------
    >>> table, texts = read_cells(["1,cat,2", "3, dog,4"], [0], [1], 3, ",")
    >>> table[:, 0].tolist(), texts[1].tolist()
    ([1.0, 3.0], ['cat', 'dog'])
    """
    if len(set(numbers)) == width:
        table = _load(lines, np.float64, delimiter, None)
        return None if table is None or (table.size and table.shape[1] != width) else (table, {})
    # A character of a text that nobody reads is enough.
    kinds = dict.fromkeys(numbers, "f8") | dict.fromkeys((*texts, *gaps), "O")
    fields = [(str(number), kinds.get(number, "U1")) for number in range(width)]
    rows = _load(lines, np.dtype(fields), delimiter, None, least=1)
    if rows is None:
        return None
    table = np.full((len(rows), width), np.nan)
    for number in numbers:
        table[:, number] = rows[str(number)]
    for number in gaps:
        cells = np.strings.strip(rows[str(number)].astype(str))
        if np.strings.find(cells, "_").max(initial=-1) >= 0:
            return None  # NumPy reads 1_000 as Python does
        missing = np.isin(np.strings.lower(cells), sorted(MISSING))
        try:
            table[:, number] = np.where(missing, "nan", cells).astype(float)
        except ValueError:
            return None
    return table, {number: _stripped(rows[str(number)]) for number in texts}


def _stripped(cells: NDArray) -> NDArray:
    """Return texts without the spaces around them; many rows have few different ones."""
    bare = {text: text.strip() for text in set(cells)}
    texts = np.empty(len(cells), object)
    texts[:] = [bare[text] for text in cells]
    return texts


def places_of(texts: Iterable[str], labels: Sequence[str]) -> NDArray:
    """Return the place of each text in some labels.

    A table of them takes a tenth of the time of a sort, where a million rows have few labels.

    Examples
    --------
    >>> places_of(["dog", "cat", "dog"], ["cat", "dog"]).tolist()
    [1, 0, 1]
    """
    places = {label: place for place, label in enumerate(labels)}
    return np.fromiter((places[text] for text in texts), np.int64)


def without_missing(
    lines: list[str],
    numbers: Collection[int],
    texts: Collection[int],
    width: int,
    delimiter: str,
) -> list[str] | None:
    """Return the lines in which no number and no text of these columns is missing.

    Empty lines and comments are left out too. None if a line does not have `width` cells. A text
    is missing where its cell is empty: ``none`` may be a label.
    """
    complete = []
    for line in lines:
        cells = next(csv.reader([line], delimiter=delimiter), [])
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        if len(cells) != width:
            return None
        if not (
            any(is_missing(cells[number]) for number in numbers)
            or any(not cells[number].strip() for number in texts)
        ):
            complete.append(line)
    return complete


def _load(
    lines: list[str],
    dtype: Any,
    delimiter: str,
    columns: Sequence[int] | None,
    least: Literal[1, 2] = 2,
) -> NDArray | None:
    try:
        with warnings.catch_warnings():
            # NumPy warns when it reads 3.0 as an integer: here that is an error.
            warnings.simplefilter("error", DeprecationWarning)
            warnings.simplefilter("ignore", UserWarning)  # of a file without rows
            return np.loadtxt(
                lines, dtype, delimiter=delimiter, quotechar='"', usecols=columns, ndmin=least
            )
    except (ValueError, OverflowError, DeprecationWarning):
        return None
