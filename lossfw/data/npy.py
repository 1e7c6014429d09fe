"""NumPy's own files, ``.npy`` and ``.npz``, read without ever unpickling.

A header is only a promise: before anything is allocated, the size that it
promises is compared with the size of what follows it.
"""

from __future__ import annotations

import math
import warnings
import zipfile
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np

from lossfw.components.naming import did_you_mean
from lossfw.data.files import need_file
from lossfw.errors import DataError
from lossfw.numerics.arrays import NDArray

NPY_MAGIC = b"\x93NUMPY"
NPZ_MAGIC = b"PK\x03\x04"

# Floats, signed and unsigned integers, booleans of at most eight bytes.
_KINDS = "fiub"
_MAX_ITEM_BYTES = 8


class NpyHeader(NamedTuple):
    """What the header of a ``.npy`` says: shape, order and dtype of the array."""

    shape: tuple[int, ...]
    fortran_order: bool
    dtype: np.dtype[Any]

    @property
    def nbytes(self) -> int:
        """How many bytes the array has."""
        return math.prod(self.shape) * self.dtype.itemsize


def read_npy(path: Path, role: str) -> NDArray:
    """Return the array of a ``.npy``, memory-mapped: rows are read when they are used.

    Raises
    ------
    DataError
        If the file is none, holds no numbers, or is shorter or longer than its
        header promises.
    """
    size = need_file(path, role)
    with path.open("rb") as stream:
        header = read_header(stream, str(path))
        offset = stream.tell()
    _check_size(str(path), header, size - offset)
    if not header.nbytes:
        return np.empty(header.shape, header.dtype)
    order: Any = "F" if header.fortran_order else "C"
    return np.memmap(path, header.dtype, "r", offset, header.shape, order)


def read_npz(path: Path, role: str) -> dict[str, NDArray]:
    """Return the arrays of a ``.npz`` by name, in native byte order.

    Raises
    ------
    DataError
        If the file is none, is damaged, or one of its members holds anything
        but an array of numbers.
    """
    need_file(path, role)
    try:
        with zipfile.ZipFile(path) as archive:
            return {
                info.filename.removesuffix(".npy"): _read_member(archive, info, path)
                for info in archive.infolist()
            }
    except DataError:
        raise
    except MemoryError:
        raise DataError(
            f"{path} does not fit into memory; save its arrays as .npy, which are read in parts."
        ) from None
    # zipfile and zlib meet a damaged archive with errors of many kinds.
    except Exception as error:
        raise DataError(
            f"{path} is not a readable .npz, it may be damaged or cut short ({error}); "
            f"{role} were wanted. Write it again with numpy.savez."
        ) from None


def member(arrays: dict[str, NDArray], key: str, path: Path) -> NDArray:
    """Return the array of this name.

    Raises
    ------
    DataError
        If there is none.
    """
    if key in arrays:
        return arrays[key]
    names = ", ".join(arrays) or "none at all"
    guess = did_you_mean(key, arrays)
    raise DataError(f"{path} has no array {key!r}; it has: {names}. {guess}".strip())


def _read_member(archive: zipfile.ZipFile, info: zipfile.ZipInfo, path: Path) -> NDArray:
    where = f"{path}, member {info.filename!r},"
    with archive.open(info) as stream:
        header = read_header(stream, where)
        _check_size(where, header, info.file_size - stream.tell())
        # One byte more: it makes zipfile read on to the checksum.
        content = stream.read(header.nbytes + 1)
    if len(content) != header.nbytes:
        raise DataError(f"{where} holds {len(content)} bytes and promises {header.nbytes}.")
    flat = np.frombuffer(content, header.dtype)
    array = flat.reshape(header.shape, order="F" if header.fortran_order else "C")
    return array.astype(header.dtype.newbyteorder("="), copy=False)


def read_header(stream: IO[bytes], where: str) -> NpyHeader:
    """Read the header of a ``.npy`` from a stream, up to the array's first byte.

    Raises
    ------
    DataError
        If there is none, or it describes no array of numbers.
    """
    try:
        version = np.lib.format.read_magic(stream)
        read = {
            (1, 0): np.lib.format.read_array_header_1_0,
            (2, 0): np.lib.format.read_array_header_2_0,
        }[version]
        with warnings.catch_warnings():
            # NumPy warns of files that Python 2 wrote; it reads them all the same.
            warnings.simplefilter("ignore")
            header = NpyHeader(*read(stream))
    # The header is a Python literal that anyone may have written.
    except Exception as error:
        raise DataError(
            f"{where} has no readable .npy header ({type(error).__name__}: {error}); "
            "an array written by numpy.save or numpy.savez was wanted."
        ) from None
    dtype = header.dtype
    if dtype.hasobject:
        raise DataError(
            f"{where} holds Python objects, which would have to be unpickled; that is never "
            "done. Save an array of numbers: numpy.save(file, array.astype(float))."
        )
    if dtype.kind not in _KINDS or dtype.itemsize > _MAX_ITEM_BYTES:
        raise DataError(f"{where} has dtype {dtype}; numbers of at most 64 bits were wanted.")
    if any(length < 0 for length in header.shape):
        raise DataError(f"{where} has the impossible shape {header.shape}.")
    return header


def _check_size(where: str, header: NpyHeader, found: int) -> None:
    if found != header.nbytes:
        raise DataError(
            f"{where} promises an array of shape {header.shape} and dtype {header.dtype}, "
            f"{header.nbytes} bytes, but {max(found, 0)} bytes follow the header. It may have "
            "been cut short: write it again."
        )
