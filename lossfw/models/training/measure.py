"""Measure a model after a round, with the numbers of an evaluation of its file."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace

import numpy as np

from lossfw.data import Dataset
from lossfw.errors import DivergenceError, RunError
from lossfw.evaluation.evaluate import evaluate
from lossfw.evaluation.plan import Plan
from lossfw.evaluation.predictor import BLOCK_ROWS, BlockPredictor, Outputs
from lossfw.models.training.records import Measurement, Training
from lossfw.nn.activation import Activation
from lossfw.nn.training.advice import STAYS_INSIDE, explain_domain_errors
from lossfw.numerics.arrays import NDArray

# Rows of a batch in a measurement; the result does not depend on it.
_MEASURED_ROWS = 4096


class _RawOutputs:
    """Raw outputs that are known, in the place of a model: they are the inputs of its rows."""

    digest, block_rows, shared = "", BLOCK_ROWS, True

    def __init__(self, output_activation: Activation, raw: NDArray) -> None:
        self.output_activation, self.units, self.row_shape, self.dtype = (
            output_activation,
            raw.shape[1],
            (),
            raw.dtype,
        )

    def call_context(self) -> nullcontext[None]:
        return nullcontext()

    def check_inputs(self, shape: tuple[int, ...]) -> None:
        pass

    def run_block(self, rows: NDArray) -> Outputs:
        with np.errstate(all="ignore"):
            return Outputs(rows, self.output_activation(rows))


def measure(
    training: Training, data: Dataset, model_or_raw: BlockPredictor | NDArray, number: int
) -> Measurement:
    """Return loss and metrics of rows, from a model or from raw outputs after a round."""
    if not isinstance(model_or_raw, np.ndarray):
        return _evaluate(training, data, model_or_raw, number)
    raw = _check_raw(training, model_or_raw, len(data), number)
    assert training.output_activation is not None
    known = replace(data, inputs=raw, input_names=(), columns={}, codes={}, missing=False)
    return _evaluate(training, known, _RawOutputs(training.output_activation, raw), number)


def _evaluate(training: Training, data: Dataset, model: BlockPredictor, number: int) -> Measurement:
    plan = Plan(
        data,
        training.loss,
        model,
        outputs_form=training.form,
        metrics=training.metrics,
        batch_size=_MEASURED_ROWS,
    )
    when = f"After {training.unit_name} {number}" if number else ""
    # Without layers the predictions are the output activation of raw outputs, or these.
    of_layers = training.network is not None
    hint = STAYS_INSIDE if of_layers else "Choose a loss that takes all that it makes."
    with explain_domain_errors(when, hint):
        result = evaluate(plan)
    return Measurement(result.loss, dict(result.metrics))


def _check_raw(training: Training, outputs: NDArray, rows: int, number: int) -> NDArray:
    """Return raw outputs as (N, units), all of them finite."""
    if outputs.size != rows * training.units:
        raise RunError(
            f"the model {training.model.name} gave raw outputs of shape {outputs.shape} after "
            f"round {number}; expected ({rows}, {training.units})."
        )
    raw: NDArray = outputs.reshape(rows, training.units)
    finite = np.isfinite(raw).all(axis=1)
    if not finite.all():
        row = int(np.argmin(finite))
        raise DivergenceError(
            f"The training diverged in {training.unit_name} {number}: the raw output of row {row} "
            f"is {raw[row].tolist()}. {divergence_remedy(training)}"
        )
    return raw


def divergence_remedy(training: Training) -> str:
    """Return what keeps a training from diverging."""
    if training.network is not None:
        return "Lower the learning rate, or start from smaller weights."
    if "learning_rate" in training.model.parameters:
        return "Lower model.learning_rate, or scale the targets."
    return "Scale the targets, or choose a loss whose gradients are smaller."
