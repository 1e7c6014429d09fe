"""Open files, and compute digests of files and arrays."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from lossfw.data.lazy_arrays import RowArray, digest_of, read_rows
from lossfw.errors import DataError
from lossfw.numerics.arrays import NDArray

# Bytes of a file in memory while its digest is computed.
_CHUNK_BYTES = 1 << 20


def need_file(path: Path, role: str) -> int:
    """Check that a file with some content, its `role`, can be read, and return its bytes."""
    try:
        if not path.exists():
            raise DataError(
                f"{path}: there is no such file ({role} were wanted). A relative path starts at "
                "the file that writes it; the folder in LOSSFW_DATA is looked in next."
            )
        if not path.is_file():
            kind = "a folder" if path.is_dir() else "no regular file"
            raise DataError(f"{path} is {kind}; a file of {role} was wanted.")
        with path.open("rb"):
            size = path.stat().st_size
    except OSError as error:
        raise DataError(f"{path} cannot be read ({role} were wanted): {error.strerror}.") from None
    if size == 0:
        raise DataError(f"{path} is an empty file; {role} were wanted.")
    return size


def read_bytes(path: Path, role: str) -> bytes:
    """Return the content of a file; see `need_file` for the errors."""
    need_file(path, role)
    try:
        return path.read_bytes()
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}.") from None


def digest_files(*paths: Path) -> str:
    """Return the SHA-256 of the files' contents, in hexadecimal.

    Names do not count, the order does. The digest of several files is the digest
    of their digests.
    """
    digests = []
    for path in paths:
        # Arrays in memory that stand for a file know theirs.
        if known := getattr(path, "digest", ""):
            digests.append(known)
            continue
        need_file(path, "data")
        with path.open("rb") as stream:
            content = hashlib.sha256()
            while chunk := stream.read(_CHUNK_BYTES):
                content.update(chunk)
        digests.append(content.hexdigest())
    return join_digests(*digests)


def digest_arrays(*arrays: RowArray | None) -> str:
    """Return the SHA-256 of arrays with their dtypes and shapes, in hexadecimal.

    Rows that stay in a file are read in parts; a column of a large table has the
    digest of the text of its file.

    Examples
    --------
    >>> ones = np.ones(3)
    >>> digest_arrays(ones) == digest_arrays(ones.copy())
    True
    >>> digest_arrays(ones) == digest_arrays(ones.reshape(3, 1))
    False
    """
    content = hashlib.sha256()
    for array in arrays:
        if array is None:
            content.update(b"none;")
            continue
        # One byte order, so that the digest is the same on any machine.
        little = array.dtype.newbyteorder("<")
        content.update(f"{little.str}{array.shape};".encode())
        if own := digest_of(array):
            content.update(own.encode())
            continue
        for part in _parts(array):
            content.update(np.ascontiguousarray(part, little).tobytes())
    return content.hexdigest()


def _parts(array: RowArray) -> Iterator[NDArray]:
    """Yield an array in parts of a megabyte, or of one row."""
    if not array.ndim:
        yield np.asarray(array)
        return
    row_bytes = math.prod(array.shape[1:]) * array.dtype.itemsize
    size = max(1, _CHUNK_BYTES // max(1, row_bytes))
    for start in range(0, len(array), size):
        yield read_rows(array, start, min(start + size, len(array)))


def join_digests(*digests: str) -> str:
    """Return one digest for several; a single digest is returned as it is."""
    if len(digests) == 1:
        return digests[0]
    return hashlib.sha256(" ".join(digests).encode()).hexdigest()
