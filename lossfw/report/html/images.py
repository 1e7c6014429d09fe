"""Rows of inputs as PNG images within the page."""

from __future__ import annotations

import base64
import math
import struct
import zlib

import numpy as np

from lossfw.numerics.arrays import NDArray

# Rows of numbers are taken for square images of at least this side: smaller images than
# 8 x 8 are not in use, and fewer numbers are more often a table.
_LEAST_SIDE = 8

# A page of many images would be too large with larger ones.
_MOST_SIDE = 512

# The channels of an image: grey, or red, green and blue.
_GREY, _COLOUR = 1, 3

# Of the PNG format: bits of a sample, and its codes for grey and colour.
_DEPTH, _TYPES = 8, {_GREY: 0, _COLOUR: 2}


def as_images(rows: NDArray) -> NDArray | None:
    """Return rows of inputs as images of bytes, or None if they are no images.

    Parameters
    ----------
    rows : ndarray, shape (N, H, W), (N, H, W, 1 or 3), (N, 1 or 3, H, W) or (N, side * side)
        Rows with negative numbers are no images.

    Returns
    -------
    ndarray of uint8, shape (N, H, W, 1 or 3), or None
        0 is black, and the largest number of all rows is white.

    Examples
    --------
    >>> as_images(np.ones((2, 64))).shape, as_images(np.ones((2, 65)))
    ((2, 8, 8, 1), None)
    """
    shaped = _shaped(rows)
    if shaped is None or not np.isfinite(shaped).all() or shaped.min() < 0:
        return None
    return np.round(shaped.astype(np.float64) * (255 / (shaped.max() or 1))).astype(np.uint8)


def _shaped(rows: NDArray) -> NDArray | None:
    shape = rows.shape[1:]
    if len(shape) == 1:
        side = math.isqrt(shape[0])
        shape = (side, side) if side * side == shape[0] else ()
    if len(shape) == 2:
        shape = (*shape, _GREY)
    if len(shape) != 3 or not rows.size:
        return None
    if shape[2] not in _TYPES and shape[0] in _TYPES:
        rows, shape = np.moveaxis(rows, 1, -1), (*shape[1:], shape[0])
    fits = all(_LEAST_SIDE <= side <= _MOST_SIDE for side in shape[:2]) and shape[2] in _TYPES
    return rows.reshape(len(rows), *shape) if fits else None


def as_uri(image: NDArray) -> str:
    """Return an image as a data URI of a PNG.

    Parameters
    ----------
    image : ndarray of uint8, shape (H, W, 1 or 3)
    """
    height, width, channels = image.shape
    # Each line begins with the number of its filter: none.
    lines = np.insert(image.reshape(height, width * channels), 0, 0, axis=1)
    head = struct.pack(">IIBBBBB", width, height, _DEPTH, _TYPES[channels], 0, 0, 0)
    chunks = ((b"IHDR", head), (b"IDAT", zlib.compress(lines.tobytes(), 9)), (b"IEND", b""))
    content = b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(*chunk) for chunk in chunks)
    return f"data:image/png;base64,{base64.b64encode(content).decode()}"


def _chunk(kind: bytes, content: bytes) -> bytes:
    check = zlib.crc32(kind + content)
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", check)
