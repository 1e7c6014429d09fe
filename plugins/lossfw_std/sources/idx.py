"""Images and labels in the IDX format, in which MNIST is published."""

from __future__ import annotations

import gzip
import hashlib
import io
import math
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import PositiveFloat

from lossfw import DataError, NDArray
from lossfw.data import Dataset, File, Source, join_digests, read_bytes

# The third byte of a file says of what dtype its numbers are, all big-endian.
_DTYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
_GZIP_MAGIC = b"\x1f\x8b"
# Two zeros, the code of the dtype, and the number of axes, before four bytes for
# the length of each axis.
_MAGIC_BYTES = 4
# Unpacked numbers stand in memory twice, as they are and scaled.
_MAX_UNPACKED = 2 * 1024**3


class Idx(Source):
    """Images and labels in the IDX format, plain or gzipped.

    Use it for MNIST, or data in its format.

    The first bytes of a file, not its name, show whether it is gzipped.

    Parameters
    ----------
    images, labels : file
        The inputs, of any shape (N, ...), and one integer per input.
    scale : float, optional
        Divides the inputs, in float32: 255 scales pixels of one byte to [0, 1]. Without it, inputs
        keep the values and dtype of the file.
    flatten : bool
        Make each input one row of numbers, for a dense layer.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> _ = (folder / "x").write_bytes(bytes([0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 1, 51, 255]))
    >>> _ = (folder / "t").write_bytes(bytes([0, 0, 8, 1, 0, 0, 0, 2, 7, 3]))
    >>> Idx(images=folder / "x", labels=folder / "t", scale=255.0).load().inputs
    array([[0.2],
           [1. ]], dtype=float32)
    """

    images: File
    labels: File
    scale: PositiveFloat | None = None
    flatten: bool = False

    def load(self) -> Dataset:
        """Read both files.

        Raises
        ------
        DataError
            If one is not an IDX file or is cut short, or if the numbers of rows differ.
        """
        images, images_digest = read_idx(self.images, "images")
        labels, labels_digest = read_idx(self.labels, "labels")
        if labels.ndim != 1 or labels.dtype.kind not in "iu":
            raise DataError(
                f"{self.labels} holds {labels.dtype} of shape {labels.shape}; expected one integer "
                "label per image. Are images and labels exchanged?"
            )
        if len(images) != len(labels):
            raise DataError(
                f"{self.images} has {len(images)} images but {self.labels} has {len(labels)} "
                "labels; expected one label per image."
            )
        name = f"{self.name} ({self.images.name})"
        digest = join_digests(images_digest, labels_digest)
        return Dataset(name, labels.astype(np.int64), self._inputs(images), digest=digest)

    def _inputs(self, images: NDArray) -> NDArray:
        if self.flatten:
            images = images.reshape(len(images), math.prod(images.shape[1:]))
        if self.scale is None:
            return images.astype(images.dtype.newbyteorder("="), copy=False)
        scaled = images.astype(np.float32)
        scaled /= np.float32(self.scale)
        return scaled


def read_idx(path: Path, role: str) -> tuple[NDArray, str]:
    """Return the array of an IDX file and the digest of the file's content."""
    content = read_bytes(path, role)
    stream: io.BytesIO | gzip.GzipFile = io.BytesIO(content)
    if packed := content.startswith(_GZIP_MAGIC):
        stream = gzip.GzipFile(fileobj=stream)
    try:
        dtype, shape = _read_header(stream, path)
        size = math.prod(shape) * dtype.itemsize
        promised = f"numbers of shape {shape}, {size} bytes"
        if packed and size > _MAX_UNPACKED:
            raise DataError(
                f"{path} promises {promised}; at most {_MAX_UNPACKED} are unpacked in memory. Is "
                "its header right? Then unpack it with gunzip."
            )
        # One byte more than promised, so that it shows if there are more.
        numbers = stream.read((size if packed else min(size, len(content))) + 1)
    except EOFError:
        raise DataError(f"{path} is a gzip file that is cut short. Fetch it again.") from None
    except (OSError, zlib.error) as error:
        raise DataError(f"{path} is a damaged gzip file ({error}). Fetch it again.") from None
    if len(numbers) < size:
        raise DataError(
            f"{path} promises {promised}, but holds {len(numbers)} bytes: it is cut short, or its "
            "header is wrong. Fetch it again."
        )
    if len(numbers) > size:
        raise DataError(
            f"{path} holds more than its header promises: {promised}. Is the header right?"
        )
    return np.frombuffer(numbers, dtype).reshape(shape), hashlib.sha256(content).hexdigest()


def _read_header(
    stream: io.BytesIO | gzip.GzipFile, path: Path
) -> tuple[np.dtype[Any], tuple[int, ...]]:
    """Read dtype and shape, and not a byte more."""
    magic = stream.read(_MAGIC_BYTES)
    if len(magic) < 4 or magic[:2] != b"\0\0" or magic[2] not in _DTYPES or magic[3] == 0:
        raise DataError(
            f"{path} is not an IDX file: it begins with {magic.hex(' ')}; expected 00 00, a dtype "
            "from 08 to 0e and the number of axes (MNIST's images have 00 00 08 03)."
        )
    lengths = stream.read(4 * magic[3])
    if len(lengths) < 4 * magic[3]:
        raise DataError(f"{path} is cut short within its header. Fetch it again.")
    shape = tuple(int(length) for length in np.frombuffer(lengths, ">u4"))
    return np.dtype(_DTYPES[magic[2]]), shape
