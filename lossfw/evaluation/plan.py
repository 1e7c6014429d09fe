"""Plan: everything that an evaluation needs, checked, before any computation."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

import numpy as np

from lossfw.data import Dataset, RowGroups
from lossfw.data.lazy_arrays import RowArray
from lossfw.errors import ArgumentError, DataError, ShapeError
from lossfw.evaluation.baseline import Baseline
from lossfw.evaluation.intervals.options import Intervals
from lossfw.evaluation.intervals.units import Units
from lossfw.evaluation.predictor import BLOCK_ROWS, BlockPredictor
from lossfw.evaluation.row_units import RowUnits
from lossfw.evaluation.slices import Slice
from lossfw.losses.base import Form
from lossfw.losses.engine.reduction import rows_per_block
from lossfw.losses.loss import Loss
from lossfw.metrics import LossMetric, Metric
from lossfw.numerics.arrays import NDArray

# Rows of a block of whole groups, a multiple of `BLOCK_ROWS`: enough that few calls of a loss
# take no time beside it, and few enough that a part of a cluster has some of them.
_GROUPED_ROWS = 4096


@dataclass(frozen=True, eq=False)
class Plan:
    """A checked loss, metrics, data and a model or its outputs, before any computation.

    Attributes
    ----------
    data : Dataset
        All rows; `sample` is not applied yet.
    loss : Loss
        The loss, in its form for raw outputs if `outputs_form` is not ``"prediction"``.
    model : BlockPredictor or None
        The model that predicts from the inputs, such as a `Network`.
    outputs : ndarray or Column, shape (N, ...), or None
        Saved predictions or logits, if there is no model.
    output_activation : callable or None
        Turns saved raw outputs into predictions; None if there is none.
    outputs_form : str
        ``"prediction"``, or a word for raw outputs such as ``"logits"``: the argument of the loss.
    metrics : tuple of Metric
        They get the model's predictions, even if the loss gets its logits, and saved outputs
        without an output activation unchanged.
    batch_size : int
        How many rows are read at a time. It does not change the results.
    sample : tuple of int or None
        Numbers of the rows to evaluate, in this order; None for all rows.
    rows : bool or str
        Whether a run folder gets a file with the loss, prediction and target of
        each row: ``"jsonl"`` (which True means) or ``"parquet"``.
    intervals : Intervals or None
        Options of confidence intervals, or None.
    slices : tuple of Slice
        Parts of the rows with their own results.
    columns : tuple of str
        The columns of the data in the file of rows.
    watched : tuple of str
        Columns whose rows with one value may be alike, if intervals treat rows as independent.
    baseline : Baseline or None
        Predictions to compare the model with.
    allow_nan : bool
        Whether a run whose loss is NaN succeeds.
    digest : str
        Identifies configuration, plugin versions and data.
    warnings : tuple of str
        Warnings from making the plan.
    """

    data: Dataset
    loss: Loss
    model: BlockPredictor | None = None
    outputs: RowArray | None = None
    output_activation: Callable[[NDArray], NDArray] | None = None
    outputs_form: Form = "prediction"
    metrics: tuple[Metric, ...] = ()
    batch_size: int = 100
    sample: tuple[int, ...] | None = None
    rows: bool | Literal["jsonl", "parquet"] = False
    intervals: Intervals | None = None
    slices: tuple[Slice, ...] = ()
    columns: tuple[str, ...] = ()
    watched: tuple[str, ...] = ()
    baseline: Baseline | None = None
    allow_nan: bool = False
    digest: str = ""
    warnings: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Check that the parts fit together; no row is read."""
        if (self.model is None) == (self.outputs is None):
            raise ArgumentError("a plan needs exactly one of model and outputs.")
        if self.batch_size < 1:
            raise ArgumentError(f"batch_size is {self.batch_size}; expected at least 1.")
        if self.model is not None:
            if self.data.inputs is None:
                raise DataError(f"data {self.data.name!r} have no inputs for the model.")
            self.model.check_inputs(self.data.inputs.shape)
        elif self.outputs is not None and self.outputs.shape[:1] != (len(self.data),):
            raise DataError(
                f"the saved outputs have shape {self.outputs.shape}, but data "
                f"{self.data.name!r} have {len(self.data)} rows; expected one entry for each row."
            )
        if self.outputs is not None:
            nested = [metric.of for metric in self.metrics if isinstance(metric, LossMetric)]
            for loss in (self.loss, *nested):
                check_has_rows(loss, self.outputs.shape)
        # Units that the data do not have are a mistake before any row is read.
        _ = self.row_units

    @property
    def all_metrics(self) -> tuple[Metric, ...]:
        """The metrics, and those of the baseline."""
        of_baseline = () if self.baseline is None else self.baseline.metrics_for(self.loss)
        return (*self.metrics, *of_baseline)

    @property
    def count(self) -> int:
        """Number of rows to evaluate."""
        return len(self.data) if self.sample is None else len(self.sample)

    @cached_property
    def groups(self) -> RowGroups | None:
        """The groups of the rows to evaluate; one group of all rows if the data have none.

        None if neither the loss nor a metric takes groups.
        """
        in_metrics = any(metric.takes_groups for metric in self.metrics)
        if not (self.loss.takes_groups or in_metrics):
            return None
        groups = self.data.groups
        if groups is None:
            return RowGroups.single(self.count)
        return groups if self.sample is None else groups.take(np.array(self.sample))

    @cached_property
    def interval_options(self) -> Intervals | None:
        """The options of intervals, with their units."""
        if self.intervals is None:
            return None
        units = self.intervals.resample
        if units is None:
            by_group = self.groups is not None and self.data.groups is not None
            units = Units("groups") if by_group else Units()
        if units.kind == "groups" and self.data.groups is not None:
            units = replace(units, column=self.data.groups.column)
        return replace(self.intervals, resample=units)

    @cached_property
    def row_units(self) -> RowUnits | None:
        """The units of the rows; None without intervals."""
        if self.interval_options is None or self.interval_options.resample is None:
            return None
        sample = None if self.sample is None else np.array(self.sample)
        return RowUnits(self.data, self.interval_options.resample, sample)

    def check_part(self, start: int, stop: int) -> tuple[int, int]:
        """Return the ends of a part; raise `ArgumentError` if they split a block or a group."""
        is_within = 0 <= start <= stop <= self.count
        if self.groups is not None:
            if not is_within or not np.isin((start, stop), self.groups.starts).all():
                raise ArgumentError(
                    f"rows={start, stop}: a part of the {self.count} rows begins and ends where a "
                    "group does."
                )
            return start, stop
        block = self.block_rows
        ends = stop % block == 0 or stop == self.count
        if not (is_within and start % block == 0 and ends):
            raise ArgumentError(
                f"rows={start, stop}: a part of the {self.count} rows begins and ends at multiples "
                f"of {block}, the plan's block_rows, or at the end."
            )
        return start, stop

    @property
    def block_rows(self) -> int:
        """Number of rows per block: a part of the rows begins at a multiple of it.

        Blocks of sums and of models both begin there, so a part has the same bits on its
        own and a small state. Sums of groups have no blocks.
        """
        if self.groups is not None:
            return _GROUPED_ROWS
        if self.model is not None:
            return max(self.model.block_rows, rows_per_block(self.model.units))
        assert self.outputs is not None
        return max(BLOCK_ROWS, rows_per_block(math.prod(self.outputs.shape[1:])))


def check_has_rows(loss: Loss, shape: tuple[int, ...]) -> None:
    """Refuse outputs of one number per row of the data for a loss of rows.

    A call would take them all as a single row.
    """
    if len(shape) != 1 or not (loss.takes_rows or loss._sums_rows):
        return
    mend = "give each row as a list, such as [0.3, 0.7]"
    if loss._sums_rows:
        mend = "leave out per: row, or give each row as a list, such as [0.5]"
    raise ShapeError(
        f"the loss {loss.name} takes rows of numbers, but outputs of shape {shape} have one number "
        f"for each row of the data: {mend}."
    )
