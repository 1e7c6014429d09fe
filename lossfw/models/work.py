"""Work: what the author of a model sees of a training."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from lossfw.data import Dataset
from lossfw.evaluation.predictor import without_column
from lossfw.losses.base import Form
from lossfw.losses.loss import Loss
from lossfw.nn.schedules import Constant, Schedule, TrainingProgress
from lossfw.numerics.arrays import NDArray


@dataclass(frozen=True, eq=False)
class Work:
    """One leg of a training: some rounds after those that `saved` has, with a seed of their own.

    A leg depends on nothing but its fields, so that a training that was stopped continues with
    the same bits, whatever the library keeps between rounds.

    Attributes
    ----------
    data : Dataset
        The rows to learn from.
    held_out : Dataset or None
        Rows whose raw outputs are measured, and of which nothing is learnt.
    loss : Loss
        The loss as it is configured, of predictions; a bridge finds its form from raw outputs.
    raw_loss : Loss
        The loss in the form in which it is reported.
    form : {"prediction", "logits", "logs", "raw outputs"}
        The argument of `raw_loss`: predictions, which are the output activation of raw outputs, or
        these.
    units : int
        Raw outputs of a row.
    first : int
        Rounds, or epochs, that are done.
    rounds : int
        Rounds, or epochs, of this leg.
    total : int
        Rounds, or epochs, of the training, which a schedule may depend on.
    seed : int
        Of everything random in this leg.
    threads : int
        How many threads the library may use.
    saved : bytes or None
        The result of the leg before; None for the first one.
    batch_size : int
        Rows of a step, for models that learn in epochs.
    loss_before : float
        The loss before any round, by which a divergence shows; NaN if it is not known.
    measures : callable of an int
        Whether the raw outputs after a round, counted from 1 in the training, are measured.
    after : callable
        To be called after each round, or epoch, with the raw outputs (N, units) or (N,) of `data`
        and of `held_out`, and then the learning rate if it changes. Where they are not measured
        each may be None; a leg of one round or epoch may always leave them out, and is measured
        by the file that `fit` returns. If it returns true, `fit` stops and returns the model of
        the rounds so far.
    seen : callable of an int
        May be called with the number of rows of an epoch that are done, for a progress bar.
    schedule : Schedule
        How the learning rate of a model of epochs changes; see `rate`.
    memory : dict
        What `fit` puts here is there in the next leg of this process, to save time: it is empty
        after an interruption, and decides nothing.
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
    after: Callable[..., bool]
    loss_before: float = math.nan
    seen: Callable[[int], object] = lambda rows: None
    schedule: Schedule = field(default_factory=Constant)
    memory: dict[str, Any] = field(default_factory=dict)

    def rate(self, learning_rate: float, epoch: int, step: int, steps: int) -> float:
        """Return the learning rate of a step, by the schedule of the training.

        Parameters
        ----------
        learning_rate : float
            The one that the schedule changes.
        epoch, step : int
            Numbers from 0 on, of the epoch in this leg and of the step in the epoch.
        steps : int
            Steps of an epoch.
        """
        number = self.first + epoch
        moment = TrainingProgress(number * steps + step, self.total * steps, number)
        return learning_rate * self.schedule.factor(moment)

    @property
    def inputs(self) -> NDArray:
        """The inputs of the rows to learn from, in memory."""
        return np.asarray(self.data.inputs)

    @property
    def held_out_inputs(self) -> NDArray | None:
        """The inputs of the rows that are held out, in memory; None without such rows."""
        return None if self.held_out is None else np.asarray(self.held_out.inputs)

    @property
    def targets(self) -> NDArray:
        """The targets of the rows to learn from, in memory; a single column as (N,)."""
        return flat_targets(self.data)

    def start(self) -> NDArray:
        """Return the raw outputs (units,) that a model begins with: the best constant."""
        # Imported on use, as below: an evaluation learns nothing.
        from lossfw.learning.start import start

        constant = start(self.loss, self.targets, self.data.sample_weight, classes=self.units)
        return np.array(np.broadcast_to(constant, self.units))

    def gradients(self, raw: NDArray) -> tuple[NDArray, NDArray]:
        """Return gradients and curvatures of the loss at raw outputs (N, units), in their shape.

        Both are weighted. Where the second derivative of a loss is 0 or negative, another number
        takes its place, so that a step of gradient over curvature lowers the loss.
        """
        from lossfw.learning.derivatives import Derivatives

        sizes = None if self.data.groups is None else np.diff(self.data.groups.starts)
        given = without_column(raw) if self.units == 1 else raw
        found = Derivatives(self.loss)(given, self.targets, self.data.sample_weight, sizes)
        gradients, curvatures = (np.reshape(one, raw.shape) for one in found)
        return gradients, curvatures


def flat_targets(data: Dataset) -> NDArray:
    """Return targets in memory, a single column as (N,)."""
    targets = np.asarray(data.targets)
    return targets[:, 0] if targets.ndim == 2 and targets.shape[1] == 1 else targets
