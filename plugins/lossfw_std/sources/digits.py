"""The bundled handwritten digits."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np

from lossfw import NDArray
from lossfw.data import Dataset, Source, digest_files, read_npz

_FOLDER = Path(__file__).parent.parent / "data"

# The network that comes with the data was trained on the rows before this one.
_FIRST_TEST_ROW = 1200

# An image has so many rows and columns of pixels.
_SIDE = 8

# How far a moved image is moved: part of a pixel's width.
_MOVE = 0.5

# Pixels count ink in a square of four by four points.
_LARGEST_PIXEL = 16


class Digits(Source):
    """The 1,797 handwritten digits of the UCI repository, 8 x 8 pixels each.

    Use it when you need small real data without a download.

    Inputs are rows of 64 pixels in [0, 1], float32; targets are the digits 0 to 9 as class indices.
    ``digits-mlp.npz`` has the weights of a network 64-50-100-10 that was trained on the first 1,200
    rows. Source: E. Alpaydin and C. Kaynak, *Optical Recognition of Handwritten Digits*, UCI
    Machine Learning Repository, 1998, under the licence CC BY 4.0, doi:10.24432/C50P49.

    Parameters
    ----------
    split : {"test", "train", "all"}
        The last 597 rows, the first 1,200, or all of them.
    moved : bool
        Add eight copies of each row, moved by half a pixel to each side and corner, as more
        training data. Pixels that move in are 0.

    Examples
    --------
    >>> data = Digits().load()
    >>> len(data), data.inputs.shape[1], float(data.inputs.max())
    (597, 64, 1.0)
    """

    split: Literal["test", "train", "all"] = "test"
    moved: bool = False

    def load(self) -> Dataset:
        """Read the bundled file."""
        path = _FOLDER / "digits.npz"
        arrays = read_npz(path, "digits")
        rows = {
            "test": slice(_FIRST_TEST_ROW, None),
            "train": slice(None, _FIRST_TEST_ROW),
            "all": slice(None),
        }[self.split]
        inputs = arrays["pixels"][rows].astype(np.float32) / np.float32(_LARGEST_PIXEL)
        targets = arrays["digits"][rows].astype(np.int64)
        name = f"{self.name} ({self.split})"
        if self.moved:
            copies = _shift_images(inputs.reshape(-1, _SIDE, _SIDE))
            inputs = np.concatenate([inputs, *(copy.reshape(inputs.shape) for copy in copies)])
            targets = np.tile(targets, 1 + len(copies))
            name = f"{self.name} ({self.split}, moved)"
        return Dataset(name, targets, inputs, digest=digest_files(path))

    @classmethod
    def bundled_file(cls, name: str) -> Path | None:
        """Return the path of a bundled file; see `Source.bundled_file`."""
        # Among what is there, since a name can be too long to be looked up.
        return next((path for path in _FOLDER.iterdir() if path.name == name), None)


def _shift_images(images: NDArray) -> list[NDArray]:
    """Return the images moved by part of a pixel in each of eight directions."""
    padded = np.pad(images, ((0, 0), (1, 1), (1, 1)))
    # The neighbours of a pixel: where it goes if the image is moved by a whole one.
    corners = [(i, j) for i in range(3) for j in range(3) if (i, j) != (1, 1)]
    whole = [padded[:, i : i + _SIDE, j : j + _SIDE] for i, j in corners]
    return [((1 - _MOVE) * images + _MOVE * image).astype(images.dtype) for image in whole]
