"""Predictions: outputs that are saved, in place of a model that makes them."""

from __future__ import annotations

from typing import ClassVar

from lossfw.data.arrays import read_array
from lossfw.data.lazy_arrays import RowArray
from lossfw.data.source import File
from lossfw.models.model import Model


class Predictions(Model):
    """Predictions, or raw outputs, in a file: one row for each row of the data.

    Use it when the predictions were made elsewhere, and only their numbers are to be scored.
    ``network: {predictions: FILE}`` means the same.

    Parameters
    ----------
    file : file
        A .npy, .npz, .csv or .parquet; a row for each row of the data, in the same order.
    link : str, optional
        The activation that makes predictions of the numbers in the file. Without it, they are
        predictions.
    """

    name: ClassVar[str] = "predictions"

    file: File

    def read(self) -> RowArray:
        """Return the outputs in the file, which is read as its rows are needed."""
        return read_array(self.file, "predictions")
