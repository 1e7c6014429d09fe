"""Baseline: predictions that a model has to beat, and the model's skill against them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np

from lossfw.data import Dataset
from lossfw.data.lazy_arrays import RowArray, read_rows, take_rows
from lossfw.errors import ArgumentError, DomainError
from lossfw.evaluation.predictor import outputs_for, takes_flat_outputs
from lossfw.losses.base import Form
from lossfw.losses.capabilities import without_guard
from lossfw.losses.loss import Loss
from lossfw.losses.nested import NestedLoss
from lossfw.metrics import LossMetric, Metric, MetricRows, MetricUpdate
from lossfw.metrics.base import MetricOfSums
from lossfw.metrics.cell_sums import RowTerms, SumTerm
from lossfw.metrics.sums import TableMetric
from lossfw.numerics.arrays import NDArray

# The names of the best constant prediction and of the skill among the results.
CONSTANT = "constant"
SKILL = "skill"
# The sums of a skill: of w times the loss of the model, and of w times that of the baseline.
_MODEL, _BASELINE = 0, 1
_SKILL_SUMS = 2


class BaselineLoss(LossMetric):
    """The loss of a baseline, whose predictions are `MetricRows.baseline`."""

    title: str = CONSTANT

    @property
    def label(self) -> str:
        """The name of the baseline."""
        return self.title

    def observe(self, rows: MetricRows, *, terms: bool = True) -> MetricUpdate:
        """Return the partial and the terms of each row; see `Metric.observe`."""
        return super().observe(rows._replace(prediction=_baseline_outputs(rows)), terms=terms)


class Skill(TableMetric, MetricOfSums):
    """1 minus the loss of the model divided by that of a baseline.

    Parameters
    ----------
    of : Loss
        The loss in the form of the outputs of the model.
    against : Loss
        The same loss in the form for the predictions of a baseline.
    title : str
        The name of the baseline.
    """

    better: ClassVar[Literal["higher", "lower"] | None] = "higher"
    bounds: ClassVar[tuple[float, float]] = (-np.inf, 1.0)

    of: NestedLoss
    against: NestedLoss
    title: str = CONSTANT

    @property
    def accepts(self) -> Form:  # type: ignore[override]  # by instance
        """The form that the loss takes."""
        return self.of._input_form

    @property
    def comparison_key(self) -> Metric:
        """The skill against this baseline, whatever the outputs of the model are."""
        return self.replace(of=self.against)

    def n_sums(self, columns: int) -> int:
        """Return the number of sums."""
        return _SKILL_SUMS

    def observe(self, rows: MetricRows, *, terms: bool = True) -> MetricUpdate:
        """Return the terms of each row, always; see `Metric.observe`."""
        sides = (self.of, rows.prediction), (self.against, _baseline_outputs(rows))
        found = list[SumTerm]()
        of_rows = list[NDArray]()
        for place, (loss, prediction) in enumerate(sides):
            shown = rows._replace(prediction=prediction)
            _, sums = LossMetric(of=loss)._partial_and_rows(shown, with_rows=True)
            assert sums is not None
            own = np.flatnonzero(sums.weight)
            of_rows.append(own)
            found.append(SumTerm(np.full(len(own), place), sums.total[own]))
        if not np.array_equal(of_rows[0], of_rows[1]):
            raise ArgumentError(f"{self.against.name} weighs the rows of model and baseline apart.")
        return MetricUpdate(None, RowTerms.of(1, _SKILL_SUMS, of_rows[0], found))

    def value(self, sums: NDArray, columns: int) -> NDArray:
        """Return the skill; NaN if the loss of the baseline is 0."""
        base = sums[:, _BASELINE]
        return np.where(base > 0, 1.0 - sums[:, _MODEL] / base, np.nan)

    def __str__(self) -> str:
        return f"the skill next to {self.title}"


def _baseline_outputs(rows: MetricRows) -> Any:
    if rows.baseline is None:
        raise ArgumentError("these rows have no predictions of a baseline.")
    return rows.baseline


@dataclass(frozen=True, eq=False)
class Baseline:
    """Predictions of each row that a model has to beat.

    Attributes
    ----------
    label : str
        Its name in the results: ``"constant"``, ``"column.last_year"``.
    loss : Loss
        The configured loss, which takes predictions.
    constant : ndarray or None
        The same prediction for each row: a number or a row of numbers.
    outputs : ndarray or Column, shape (N, ...), or None
        One prediction per row of the data.
    column : str
        The column of the data that has the predictions.
    """

    label: str
    loss: Loss
    constant: NDArray | None = None
    outputs: RowArray | None = None
    column: str = ""

    def metrics_for(self, used: Loss) -> tuple[Metric, ...]:
        """Return the loss of the baseline, and the skill of a model with outputs for `used`.

        A loss that may be negative has no skill, because the ratio has no meaning.
        """
        loss = BaselineLoss(of=self.loss, title=self.label)
        if not has_skill(self.loss):
            return (loss,)
        return loss, Skill(of=used, against=self.loss, title=self.label)

    def predictions_of(
        self,
        data: Dataset,
        sample: tuple[int, ...] | None,
        start: int,
        targets: NDArray,
        columns: NDArray | None,
    ) -> NDArray:
        """Return the predictions of consecutive rows, in the shape that the loss takes.

        Parameters
        ----------
        data : Dataset
            All rows.
        sample : tuple of int or None
            The rows that are evaluated.
        start : int
            The first of these rows.
        targets : ndarray, shape (n, ...)
            The targets of the rows.
        columns : ndarray, shape (n, S)
            The values of the columns of the data.
        """
        stop = start + len(targets)
        if self.constant is not None:
            shape = self.constant.shape
            if not (shape or takes_flat_outputs(self.loss)):
                shape = targets.shape[1:]
            return np.broadcast_to(self.constant, (len(targets), *shape))
        if self.column:
            assert columns is not None  # the data have what the baseline names
            found = columns[:, list(data.columns).index(self.column)]
        else:
            assert self.outputs is not None
            chosen = None if sample is None else np.array(sample[start:stop])
            found = (
                read_rows(self.outputs, start, stop)
                if chosen is None
                else np.asarray(take_rows(self.outputs, chosen))
            )
        missing = np.isnan(found).reshape(len(found), -1).any(axis=1)
        if missing.any():
            row = start + int(np.argmax(missing))
            row = row if sample is None else sample[row]
            row = row if data.rows is None else int(data.rows[row])
            raise DomainError(
                f"the baseline {self.label} has no value in row {row}: leave such rows out by "
                "data.where, or fill them in."
            )
        if found.ndim > 1 and found.shape[1] > 1:
            return found
        return outputs_for(self.loss, found.reshape(len(found), -1), targets)


def baseline_loss(loss: Loss, form: Form | None) -> Loss:
    """Return the loss of a constant's predictions that matches the form of a model's outputs.

    The loss of logits has no guard, and the best constant does not need one.
    """
    return loss if form == "prediction" else without_guard(loss)


def has_skill(loss: Loss) -> bool:
    """Tell whether a loss is at least 0, and 0 at perfect predictions, so it has a skill."""
    claims = loss.claims()
    return bool(claims.nonnegative) or (claims.lower_bound or -1.0) >= 0.0
