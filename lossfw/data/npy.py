"""Readers of NumPy's files, ``.npy`` and ``.npz``: `numpy.load`, which never unpickles.

Before an array is allocated, the size in its header is compared with the number of bytes
that follow the header.
"""

from __future__ import annotations

import math
import warnings
import zipfile
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import numpy as np

from lossfw.components.naming import did_you_mean
from lossfw.data.archives import check_sizes
from lossfw.data.files import need_file
from lossfw.data.memory_file import MemoryFile
from lossfw.data.stamps import FileStamp, map_array
from lossfw.errors import DataError
from lossfw.numerics.arrays import NDArray

NPY_MAGIC = b"\x93NUMPY"
NPZ_MAGIC = b"PK\x03\x04"

# Kinds of NumPy dtypes: floats, signed and unsigned integers, booleans.
_KINDS = "fiub"
_MAX_ITEM_BYTES = 8
# Longer texts are not labels; NumPy takes four bytes for a character.
_MAX_TEXT_BYTES = 4096


def read_npy(path: Path, role: str) -> NDArray:
    """Return the array of a ``.npy``, memory-mapped: rows are read when they are used."""
    size, stamp = need_file(path, role), FileStamp.of(path)
    with _translate_read_errors(path, role), path.open("rb") as stream:
        _check_header(stream, size, str(path))
        array = np.load(path, mmap_mode="r", allow_pickle=False)
        fortran = array.flags.f_contiguous and not array.flags.c_contiguous
        return map_array(stamp, array.dtype, array.offset, array.shape, fortran)


def read_npz(
    path: Path,
    role: str,
    names: Collection[str] | None = None,
    limit: int | None = None,
    *,
    strings: bool = False,
) -> dict[str, NDArray]:
    """Return the arrays of a ``.npz`` by name, in native byte order.

    Parameters
    ----------
    path : Path
        The file.
    role : str
        The expected content, for messages: ``"weights"``.
    names : collection of str, optional
        The arrays to read; the others are not unpacked. All by default.
    limit : int, optional
        The largest number of bytes that the unpacked arrays may take.
    strings : bool
        Whether the arrays may hold strings.

    Raises
    ------
    DataError
        If the file is not a ``.npz``, is damaged, has two arrays of one name, or has a
        member that is not an array of numbers.
    """
    if isinstance(path, MemoryFile):
        return path.arrays(names, strings=strings)
    need_file(path, role)
    with _translate_read_errors(path, role), zipfile.ZipFile(path) as archive:
        members = _members(archive, path)
        chosen = {name: members[name] for name in members if names is None or name in names}
        check_sizes([*chosen.values()], path, "Write it with numpy.savez, or its arrays as .npy.")
        size = sum(info.file_size for info in chosen.values())
        if limit is not None and size > limit:
            raise DataError(
                f"{path} unpacks to {size} bytes; at most {limit} are read as {role}. Is it the "
                "right file?"
            )
        for info in chosen.values():
            with archive.open(info) as stream:
                where = f"{path}, member {info.filename!r},"
                _check_header(stream, info.file_size, where, strings=strings)
        with np.load(path, allow_pickle=False) as loaded:
            arrays = {name: loaded[info.filename] for name, info in chosen.items()}
    return {name: a.astype(a.dtype.newbyteorder("="), copy=False) for name, a in arrays.items()}


def npz_names(path: Path, role: str) -> list[str]:
    """Return the names of the arrays in a ``.npz``; none is unpacked. See `read_npz`."""
    if isinstance(path, MemoryFile):
        return list(path.arrays(strings=True))
    need_file(path, role)
    with _translate_read_errors(path, role), zipfile.ZipFile(path) as archive:
        return list(_members(archive, path))


def _members(archive: zipfile.ZipFile, path: Path) -> dict[str, zipfile.ZipInfo]:
    members: dict[str, zipfile.ZipInfo] = {}
    for info in archive.infolist():
        name = info.filename.removesuffix(".npy")
        if name in members:
            raise DataError(f"{path} has two arrays named {name!r}: write it again.")
        members[name] = info
    return members


@contextmanager
def _translate_read_errors(path: Path, role: str) -> Iterator[None]:
    """Turn errors of NumPy and zipfile inside the ``with`` block into `DataError`."""
    try:
        with warnings.catch_warnings():
            # NumPy warns of files that Python 2 wrote; it reads them all the same.
            warnings.simplefilter("ignore")
            yield
    except DataError:
        raise
    except MemoryError:
        raise DataError(
            f"{path} does not fit into memory; save its arrays as .npy, which are read in parts."
        ) from None
    # zipfile, zlib and NumPy raise errors of many types for a damaged file.
    except Exception as error:
        raise DataError(
            f"{path} is not readable, it may be damaged or cut short ({error}); expected {role}. "
            "Write it again with numpy.save or numpy.savez."
        ) from None


def npz_member(arrays: Mapping[str, NDArray], key: str, path: Path) -> NDArray:
    """Return the array of this name."""
    check_npz_name(arrays, key, path)
    return arrays[key]


def check_npz_name(names: Collection[str], key: str, path: Path) -> None:
    """Raise `DataError` if a ``.npz`` with these arrays has none of this name."""
    if key in names:
        return
    known = ", ".join(names) or "none at all"
    guess = did_you_mean(key, names)
    raise DataError(f"{path} has no array {key!r}; it has: {known}. {guess}".strip())


def _check_header(stream: IO[bytes], size: int, location: str, *, strings: bool = False) -> None:
    """Check what the header of a ``.npy`` of so many bytes states, before NumPy makes room."""
    try:
        version = np.lib.format.read_magic(stream)
        one = version == (1, 0)
        read = np.lib.format.read_array_header_1_0 if one else np.lib.format.read_array_header_2_0
        shape, _, dtype = read(stream)
        stated, following = math.prod(shape) * dtype.itemsize, size - stream.tell()
    # The header is a Python literal of any origin, so any error may come.
    except Exception as error:
        raise DataError(
            f"{location} has no readable .npy header ({type(error).__name__}: {error}); "
            "expected an array written by numpy.save or numpy.savez."
        ) from None
    if dtype.hasobject:
        save = "strings: array.astype(str)" if strings else "numbers: array.astype(float)"
        raise DataError(
            f"{location} holds Python objects; lossfw never unpickles them, because that can "
            f"execute code. Save an array of {save}."
        )
    short = strings and dtype.kind == "U" and dtype.itemsize <= _MAX_TEXT_BYTES
    if not short and (dtype.kind not in _KINDS or dtype.itemsize > _MAX_ITEM_BYTES):
        raise DataError(f"{location} has dtype {dtype}; expected numbers of at most 64 bits.")
    if following != stated:
        raise DataError(
            f"{location} promises an array of shape {shape!r:.200} and dtype {dtype}, {stated} "
            f"bytes, but {following} bytes follow the header. It may have been cut short: "
            "write it again."
        )
