"""Standardisation: inputs less the mean of the training rows, in units of their spread."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from lossfw.data.dataset import Dataset
from lossfw.data.lazy_arrays import RowArray, chunks_of, read_rows
from lossfw.data.row_transforms import RowNumbers, transform_rows
from lossfw.errors import DataError
from lossfw.numerics.arrays import NDArray

# The arrays of a `.npz` beside the weights that were trained with them.
MEAN, SCALE = "inputs_mean", "inputs_scale"


@dataclass(frozen=True, eq=False)
class Standardisation:
    """A transform of inputs, (x - mean) / scale, for each position in a row.

    Examples
    --------
    >>> change = Standardisation.of(np.array([[1.0, 5.0], [3.0, 5.0]]))
    >>> change.mean.tolist(), change.scale.tolist()
    ([2.0, 5.0], [1.0, 1.0])
    >>> change(np.array([[4.0, 5.0]]), [0]).tolist()
    [[2.0, 0.0]]
    """

    # In the shape of one row, in float64; every scale is above 0.
    mean: NDArray
    scale: NDArray

    @classmethod
    def of(cls, inputs: RowArray) -> Standardisation:
        """Return the standardisation (mean and standard deviation) of some rows.

        A position with the same value in all rows gets the scale 1, so it becomes 0.
        """
        count = inputs.shape[0]
        mean = sum(rows.sum(axis=0) for rows in _floats(inputs)) / count
        spread = np.sqrt(sum(((rows - mean) ** 2).sum(axis=0) for rows in _floats(inputs)) / count)
        first = np.asarray(read_rows(inputs, 0, 1), np.float64)[0]
        same = np.all([(rows == first).all(axis=0) for rows in _floats(inputs)], axis=0)
        return cls(np.where(same, first, mean), np.where(same, 1.0, spread))

    @classmethod
    def read(cls, arrays: Mapping[str, NDArray], path: object) -> Standardisation | None:
        """Read the standardisation stored with the weights in a file; None if there is none."""
        present = [name for name in (MEAN, SCALE) if name in arrays]
        if not present:
            return None
        if len(present) == 1:
            missing = SCALE if present == [MEAN] else MEAN
            raise DataError(
                f"{path} has {present[0]} but no {missing}; a standardised file needs both."
            )
        mean, scale = (np.asarray(arrays[name], np.float64) for name in (MEAN, SCALE))
        if mean.shape != scale.shape:
            raise DataError(
                f"{path}: {MEAN} has the shape {mean.shape}, but {SCALE} {scale.shape}."
            )
        if not (np.isfinite(mean).all() and np.isfinite(scale).all() and (scale > 0).all()):
            raise DataError(f"{path}: {MEAN} should be finite, and {SCALE} finite and above 0.")
        return cls(mean, scale)

    @property
    def arrays(self) -> dict[str, NDArray]:
        """The arrays by name, as they are stored with weights."""
        return {MEAN: self.mean, SCALE: self.scale}

    def __call__(self, rows: NDArray, numbers: RowNumbers) -> NDArray:
        """Return changed rows in their own dtype, those of whole numbers in float32."""
        dtype = rows.dtype if rows.dtype.kind == "f" else np.dtype(np.float32)
        changed: NDArray = ((rows - self.mean) / self.scale).astype(dtype)
        return changed

    def apply(self, data: Dataset) -> Dataset:
        """Return data with standardised inputs."""
        if data.inputs is None:
            return data
        shape = tuple(data.inputs.shape[1:])
        if shape != self.mean.shape:
            raise DataError(
                f"data {data.name!r}: a row of the inputs has the shape {shape}, but the inputs "
                f"that the weights were trained with have {self.mean.shape}."
            )
        return replace(data, inputs=transform_rows(data.inputs, self))


def _floats(inputs: RowArray) -> Iterator[NDArray]:
    """Yield some rows at a time in float64, in one order in memory: sums depend on both."""
    return (np.ascontiguousarray(rows, dtype=np.float64) for rows in chunks_of(inputs))
