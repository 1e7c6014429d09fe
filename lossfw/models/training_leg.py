"""TrainingLeg: what the author of a model sees of a training."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from lossfw.data import Dataset
from lossfw.evaluation.predictor import squeeze_column
from lossfw.losses.base import Form
from lossfw.losses.loss import Loss
from lossfw.nn.schedules import Constant, Schedule, TrainingProgress
from lossfw.numerics.arrays import NDArray


@dataclass(frozen=True, eq=False)
class TrainingLeg:
    """One leg of a training: some rounds after those in `saved`, with their own seed.

    A leg depends only on its fields, so a stopped training continues with the same bits, whatever
    the library keeps between rounds.

    Attributes
    ----------
    data : Dataset
        The training rows.
    held_out : Dataset or None
        Rows whose raw outputs are only measured.
    loss : Loss
        The configured loss, which takes predictions; a bridge finds its form for raw outputs.
    raw_loss : Loss
        The loss in the form that is reported.
    form : {"prediction", "logits", "logs", "raw outputs"}
        The argument of `raw_loss`: predictions (the output activation of raw outputs), or raw
        outputs.
    units : int
        Number of raw outputs per row.
    first : int
        Number of rounds or epochs that are done.
    rounds : int
        Number of rounds or epochs of this leg.
    total : int
        Number of rounds or epochs of the training, which a schedule may depend on.
    seed : int
        Seed of everything random in this leg.
    threads : int
        How many threads the library may use.
    saved : bytes or None
        The result of the previous leg; None for the first one.
    batch_size : int
        Number of rows per step, for models that learn in epochs.
    loss_before : float
        The loss before any round, to detect a divergence; NaN if it is not known.
    measures : callable of an int
        Whether lossfw measures the raw outputs after a round, counted from 1 in the training.
    report_round : callable
        `fit` calls it after each round or epoch with the raw outputs (N, units) or (N,) of `data`
        and of `held_out`, and then the learning rate if it changes. Raw outputs that are not
        measured may be None; a leg of one round or epoch may always pass None, and lossfw then
        measures the file that `fit` returns. If the call returns true, `fit` stops and returns the
        model of the rounds so far.
    report_rows : callable of an int
        `fit` may call it with the number of rows of an epoch that are done, for a progress bar.
    schedule : Schedule
        How the learning rate of a model of epochs changes; see `rate`.
    cache : dict
        What `fit` stores here is available to the next leg in this process, to save time. It is
        empty after an interruption, so results must not depend on it.
    """

    data: Dataset
    held_out: Dataset | None
    loss: Loss
    raw_loss: Loss
    form: Form
    units: int
    first: int
    rounds: int
    total: int
    seed: int
    threads: int
    saved: bytes | None
    batch_size: int
    measures: Callable[[int], bool]
    report_round: Callable[..., bool]
    loss_before: float = math.nan
    report_rows: Callable[[int], object] = lambda rows: None
    schedule: Schedule = field(default_factory=Constant)
    cache: dict[str, Any] = field(default_factory=dict)

    def rate(self, learning_rate: float, epoch: int, step: int, steps: int) -> float:
        """Return the learning rate of a step, by the schedule of the training.

        Parameters
        ----------
        learning_rate : float
            The one that the schedule changes.
        epoch, step : int
            The epoch in this leg and the step in the epoch, counted from 0.
        steps : int
            Number of steps per epoch.
        """
        number = self.first + epoch
        moment = TrainingProgress(number * steps + step, self.total * steps, number)
        return learning_rate * self.schedule.factor(moment)

    @property
    def inputs(self) -> NDArray:
        """The inputs of the training rows, in memory."""
        return np.asarray(self.data.inputs)

    @property
    def held_out_inputs(self) -> NDArray | None:
        """The inputs of the held-out rows, in memory; None without such rows."""
        return None if self.held_out is None else np.asarray(self.held_out.inputs)

    @property
    def targets(self) -> NDArray:
        """The targets of the training rows, in memory; a single column as (N,)."""
        return flat_targets(self.data)

    def best_constant(self) -> NDArray:
        """Return the raw outputs (units,) that a model starts from: the best constant."""
        # Imported on use, as below: an evaluation learns nothing.
        from lossfw.learning.start import best_constant

        constant = best_constant(
            self.loss, self.targets, self.data.sample_weight, classes=self.units
        )
        return np.array(np.broadcast_to(constant, self.units))

    def gradients(self, raw: NDArray) -> tuple[NDArray, NDArray]:
        """Return gradients and curvatures of the loss at raw outputs (N, units), in their shape.

        Both are weighted. Where the second derivative of a loss is 0 or negative, the curvature is
        another number, chosen so that a step of gradient over curvature lowers the loss.
        """
        from lossfw.learning.derivatives import Derivatives

        sizes = None if self.data.groups is None else np.diff(self.data.groups.starts)
        given = squeeze_column(raw) if self.units == 1 else raw
        found = Derivatives(self.loss)(given, self.targets, self.data.sample_weight, sizes)
        gradients, curvatures = (np.reshape(one, raw.shape) for one in found)
        return gradients, curvatures


def flat_targets(data: Dataset) -> NDArray:
    """Return targets in memory, a single column as (N,)."""
    targets = np.asarray(data.targets)
    return targets[:, 0] if targets.ndim == 2 and targets.shape[1] == 1 else targets
