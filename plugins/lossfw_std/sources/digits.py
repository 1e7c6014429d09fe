"""The bundled handwritten digits."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np

from lossfw.data import Dataset, Source
from lossfw.data.files import digest_files
from lossfw.data.npy import read_npz

_FOLDER = Path(__file__).parent.parent / "data"

# The network that comes with the data was trained on the rows before this one.
_FIRST_TEST_ROW = 1200

# Pixels count ink in a square of four by four points.
_LARGEST_PIXEL = 16


class Digits(Source):
    """The 1,797 handwritten digits of the UCI repository, 8 x 8 pixels each.

    Inputs are rows of 64 pixels in [0, 1], float32; targets are the digits 0
    to 9 as class indices. Source: E. Alpaydin and C. Kaynak, *Optical
    Recognition of Handwritten Digits*, UCI Machine Learning Repository, 1998;
    CC BY 4.0. The weights of a network 64-50-100-10 that was trained on the
    first 1,200 rows come with it as ``digits-mlp.npz``.

    Parameters
    ----------
    split : {"test", "train", "all"}
        The last 597 rows, the first 1,200, or all of them.

    Examples
    --------
    >>> data = Digits().load()
    >>> len(data), data.inputs.shape[1], float(data.inputs.max())
    (597, 64, 1.0)
    """

    split: Literal["test", "train", "all"] = "test"

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
        return Dataset(name, targets, inputs, digest=digest_files(path))

    @classmethod
    def bundled(cls, name: str) -> Path | None:
        """Return the path of a bundled file; see `Source.bundled`."""
        bare = Path(name).name == name and (_FOLDER / name).is_file()
        return _FOLDER / name if bare else None
