"""The unit of each row of an evaluation, for intervals: a key that is the same in every run."""

from __future__ import annotations

import numpy as np

from lossfw.data import Dataset, RowGroups
from lossfw.data.times import NotTimesError
from lossfw.errors import ArgumentError, DataError
from lossfw.evaluation.intervals.unit_keys import (
    ColumnKeys,
    MissingUnitError,
    TimeKeys,
    block_keys,
    hashed_numbers,
)
from lossfw.evaluation.intervals.units import Units
from lossfw.evaluation.slices import COLUMN
from lossfw.numerics.arrays import NDArray


class RowUnits:
    """The units of the rows of some data, of which `sample` are evaluated.

    Examples
    --------
    >>> data = Dataset("d", targets=np.zeros(4), columns={"who": np.array(["a", "b", "a", "b"])})
    >>> units = RowUnits(data, Units.read("column.who"))
    >>> keys = units.keys(1, 4, np.array([[1.0], [0.0], [1.0]]))
    >>> bool(keys[0] == keys[2]), bool(keys[0] == keys[1])
    (True, False)
    """

    def __init__(self, data: Dataset, units: Units, sample: NDArray | None = None) -> None:
        self._data, self._units, self._sample = data, units, sample
        self._place = -1
        self._of: ColumnKeys | TimeKeys | None = None
        if units.kind == "groups":
            self._groups = self._require_groups(data)
            own = self._groups.ids
            self._of = ColumnKeys(own.labels)
            self._by_group = self._of.of(np.asarray(own.values))
        elif units.column:
            if units.column not in data.columns:
                raise ArgumentError(
                    f"data {data.name!r} have no column {units.column!r}, by which intervals take "
                    f"rows as independent: {units.text}."
                )
            column = data.columns[units.column]
            self._place = list(data.columns).index(units.column)
            if units.kind == "column":
                self._of = ColumnKeys(column.labels)
            else:
                try:
                    self._of = TimeKeys(column, units.short_blocks)
                except NotTimesError as error:
                    raise ArgumentError(
                        f"data {data.name!r}: column {units.column!r} {error.what}, of which "
                        f"blocks of time are made; {error.hint}."
                    ) from None

    def keys(self, start: int, stop: int, columns: NDArray | None) -> NDArray:
        """Return the keys of the rows between two.

        `columns` has the values of the data's columns.
        """
        if self._units.kind == "groups":
            return self._by_group[self._groups.numbers(start, stop)]
        if self._of is not None:
            assert columns is not None  # the data have what the units name
            try:
                return self._of.of(columns[:, self._place])
            except MissingUnitError as error:
                raise self._missing_unit_error(start + error.place) from None
        numbers = np.arange(start, stop) if self._sample is None else self._sample[start:stop]
        if self._units.kind == "time":
            blocks = self._units.short_blocks
            return block_keys(numbers * blocks // len(self._data), blocks)
        return hashed_numbers(numbers)

    def _require_groups(self, data: Dataset) -> RowGroups:
        if data.groups is None:
            raise ArgumentError(
                f"data {data.name!r} have no groups, which resample: groups takes as independent: "
                f"name their column by data.group_key, or write resample: {COLUMN}NAME."
            )
        return data.groups if self._sample is None else data.groups.take(self._sample)

    def _missing_unit_error(self, row: int) -> DataError:
        number = row if self._sample is None else int(self._sample[row])
        number = number if self._data.rows is None else int(self._data.rows[number])
        return DataError(
            f"data {self._data.name!r}: column {self._units.column!r} has no value in row "
            f"{number}, but intervals take rows with one value of it as one unit: leave such rows "
            "out by data.where, fill them in, or name another column in "
            "evaluate.intervals.resample."
        )
