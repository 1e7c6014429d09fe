"""Open files, and compute digests of files and arrays."""

from __future__ import annotations

import hashlib
import math
from pathlib import Path

import numpy as np

from lossfw.data.lazy_arrays import RowArray, chunks_of, digest_of
from lossfw.errors import DataError

# Bytes of a file in memory while its digest is computed.
_CHUNK_BYTES = 1 << 20


def need_file(path: Path, role: str) -> int:
    """Check that a file with some content, its `role`, can be read, and return its bytes."""
    try:
        if not path.exists():
            raise DataError(
                f"{path}: file not found; expected {role}. A relative path is looked up next to "
                "the configuration file, then in the folder LOSSFW_DATA."
            )
        if not path.is_file():
            kind = "a folder" if path.is_dir() else "not a regular file"
            raise DataError(f"{path} is {kind}; expected a file of {role}.")
        with path.open("rb"):
            size = path.stat().st_size
    except OSError as error:
        raise DataError(f"{path} cannot be read; expected {role}: {error.strerror}.") from None
    if size == 0:
        raise DataError(f"{path} is an empty file; expected {role}.")
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

    Rows that stay in a file are read in parts; a column of a Parquet data set has the
    digest of its files.

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
        row_bytes = math.prod(array.shape[1:]) * array.dtype.itemsize
        rows = max(1, _CHUNK_BYTES // max(1, row_bytes))
        for chunk in chunks_of(array, rows) if array.ndim else [array]:
            content.update(np.ascontiguousarray(chunk, little).tobytes())
    return content.hexdigest()


def join_digests(*digests: str) -> str:
    """Return one digest for several; a single digest is returned as it is."""
    if len(digests) == 1:
        return digests[0]
    return hashlib.sha256(" ".join(digests).encode()).hexdigest()
