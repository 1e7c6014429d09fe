"""Rows that LightGBM reads in parts, so that they need not be in memory."""

from __future__ import annotations

import functools
from typing import Any, Final

import numpy as np

from lossfw import NDArray
from lossfw.data import Dataset
from lossfw_std.models.booster import PART_ROWS

# Raw outputs that are known are compared at so many rows with those of the model.
_COMPARED_ROWS: Final = 1000


@functools.cache
def rows_class(lgb: Any) -> type[Any]:
    """Return the class of rows that LightGBM reads by parts.

    LightGBM finds other bins in one large array, so lossfw passes rows in memory in the same way.
    """

    class Rows(lgb.Sequence):  # type: ignore[misc]
        batch_size = PART_ROWS

        def __init__(self, data: Dataset) -> None:
            self.data = data
            # The part that was read last, for the rows of a sample, which are asked for one by one.
            self.number, self.part = -1, np.empty((0, 0))

        def __len__(self) -> int:
            return len(self.data)

        def __getitem__(self, index: Any) -> NDArray:
            if isinstance(index, slice):
                return self.read(index.start, index.stop)
            number, row = divmod(int(index), PART_ROWS)
            if number != self.number:
                first = number * PART_ROWS
                self.part = self.read(first, min(first + PART_ROWS, len(self)))
                self.number = number
            found: NDArray = self.part[row]
            return found

        def read(self, start: int, stop: int) -> NDArray:
            (batch,) = self.data.batches(stop - start, start, stop)
            return np.asarray(batch.inputs, np.float64)

    return Rows


@functools.cache
def dataset_class(lgb: Any) -> type[Any]:
    """Return the class of data sets whose rows are read in parts, also to continue a model."""

    class DatasetByParts(lgb.Dataset):  # type: ignore[misc]
        # The raw outputs of the model that is continued, if they are known.
        raw_before: NDArray | None = None

        def _set_init_score_by_predictor(
            self, predictor: Any, data: Any, used_indices: Any = None
        ) -> Any:
            # LightGBM itself wants an array here. Its own name, which no release has changed.
            if predictor is None:
                return super()._set_init_score_by_predictor(predictor, data, used_indices)

            def raw_outputs(first: int, rows: int) -> NDArray:
                made: NDArray = predictor.predict(
                    data[first : min(first + rows, len(data))], raw_score=True
                )
                return made

            known, some = self.raw_before, raw_outputs(0, _COMPARED_ROWS)
            if known is not None and np.array_equal(known[: len(some)], some):
                return self.set_init_score(known)
            parts = [raw_outputs(first, PART_ROWS) for first in range(0, len(data), PART_ROWS)]
            return self.set_init_score(np.concatenate(parts))

    return DatasetByParts
