"""Predictions: saved outputs in place of a model."""

from __future__ import annotations

from typing import ClassVar

from lossfw.data.arrays import file_kind, read_array
from lossfw.data.lazy_arrays import RowArray
from lossfw.data.source import File
from lossfw.models.model import Model, ModelParameterError


class Predictions(Model):
    """Predictions or raw outputs in a file, one row per row of the data.

    Use it to score predictions that were made elsewhere.
    ``network: {predictions: FILE}`` means the same.

    Parameters
    ----------
    file : file
        A .npy, .npz, .csv or .parquet file; one row per row of the data, in the same order.
    output_column : int or str, optional
        The column of the file to use, by number from 0, or by name in a table.
    output_activation : str, optional
        The activation that turns the numbers in the file into predictions. Without it, they are
        predictions.
    """

    name: ClassVar[str] = "predictions"

    file: File
    output_column: int | str | None = None

    def read(self) -> RowArray:
        """Return the outputs in the file; rows are read as they are needed."""
        column = self.output_column
        if column is None or file_kind(self.file, "predictions") not in ("npy", "npz"):
            return read_array(self.file, "predictions", column)
        outputs = read_array(self.file, "predictions")
        columns = outputs.shape[1] if outputs.ndim == 2 else 0
        if not isinstance(column, int) or not 0 <= column < columns:
            raise ModelParameterError(
                "output_column",
                f"output_column is {column!r}; {self.file} has shape {outputs.shape}: expected "
                + (
                    f"a number from 0 to {columns - 1}" if columns else "two axes, rows and columns"
                ),
            )
        return outputs[:, column]
