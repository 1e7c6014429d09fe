"""Try a plan on its first rows: mistakes in values are reported before a run, at their place."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from lossfw.components.spaces import SIMPLEX, UNIT
from lossfw.config.plan.compatibility import LOOKED_AT
from lossfw.config.schema.checked import CheckedConfig, ConfigPath
from lossfw.data.lazy_arrays import is_file_backed, read_rows
from lossfw.errors import ArgumentError, EmptyReductionError
from lossfw.evaluation.evaluate import evaluate_first_rows
from lossfw.evaluation.plan import Plan
from lossfw.evaluation.predictor import BLOCK_ROWS, one_blas_thread
from lossfw.numerics.arrays import NDArray

# So many rows are tried: they take some milliseconds.
TRIED_ROWS = 4_096
# Fewer where their inputs stay in files and are wide, as pictures are: each is decoded again.
_MOST_BYTES = 16 * 2**20
_FEWEST_ROWS = 64
# Probabilities in float32 sum to 1 up to this.
_SUM_TOLERANCE = 1e-4


def try_first_rows(config: CheckedConfig, plan: Plan) -> None:
    """Record the mistakes of loss, slices and metrics that the first rows show.

    If these are all rows, a loss or a metric for which no row counts is also a mistake.
    """
    alone = replace(plan, metrics=(), slices=(), intervals=None, baseline=None)
    if not _try_rows(config, alone, ["loss"]):
        return
    _note_probabilities(config, plan)
    for index, part in enumerate(plan.slices):
        _try_rows(config, replace(alone, slices=(part,)), ["evaluate", "slices", index])
    for index, metric in enumerate(plan.metrics):
        _try_rows(config, replace(alone, metrics=(metric,)), ["evaluate", "metrics", index])
    if plan.baseline is not None:
        _try_rows(config, replace(alone, baseline=plan.baseline), ["evaluate", "baseline"])


def _note_probabilities(config: CheckedConfig, plan: Plan) -> None:
    """Note that the activation seems to be applied to probabilities, as softmax after softmax.

    A network and a model with a card have their output activation from the training, which is not
    doubted.
    """
    origin, model = config.origin, config.model
    if (
        model is None
        or model.output_activation is None
        or origin is None
        or origin.output_activation is None
    ):
        return
    if origin.output_activation.out_space not in (UNIT, SIMPLEX):
        return
    raw = _first_raw_outputs(plan)
    are_probabilities = ((raw >= 0) & (raw <= 1)).all() and (raw != raw[:1]).any()
    if origin.output_activation.out_space is SIMPLEX:
        are_probabilities &= np.abs(raw.sum(-1) - 1).max() < _SUM_TOLERANCE
    if are_probabilities:
        config.notes.append(
            f"the outputs of the model look like probabilities, and {origin.activation_words} "
            f"{origin.output_activation.name} is applied to them again: if they are probabilities, "
            "leave output_activation out"
        )


def _first_raw_outputs(plan: Plan) -> NDArray:
    """Return the raw outputs of the first rows of a plan."""
    if plan.model is None:
        assert plan.outputs is not None
        return read_rows(plan.outputs, 0, min(LOOKED_AT, len(plan.outputs)))
    assert plan.data.inputs is not None
    with one_blas_thread(), plan.model.call_context():
        logits = plan.model.run_block(
            read_rows(plan.data.inputs, 0, min(_number_of_rows(plan), BLOCK_ROWS))
        )[0]
    assert logits is not None  # there is an output activation
    return logits


def _try_rows(config: CheckedConfig, plan: Plan, path: ConfigPath) -> bool:
    try:
        evaluate_first_rows(plan, _number_of_rows(plan))
    except EmptyReductionError as error:
        # The rest of the message is advice for a call.
        what = str(error).partition(". ")[0]
        config.add(path, what.removesuffix("."), "at least one row has to have a weight above 0")
    except ArgumentError as error:
        counted = "" if plan.sample is None else ", rows counted within the sample"
        config.add(
            path, f"{str(error).removesuffix('.')}{counted}", _origin_hint(config, str(error))
        )
    else:
        return True
    return False


def _number_of_rows(plan: Plan) -> int:
    """Return how many rows are tried."""
    inputs = plan.data.inputs
    if inputs is None or not is_file_backed(inputs):
        return TRIED_ROWS
    row_bytes: int = max(1, math.prod(inputs.shape[1:]) * inputs.dtype.itemsize)
    return min(TRIED_ROWS, max(_FEWEST_ROWS, _MOST_BYTES // row_bytes))


def _origin_hint(config: CheckedConfig, message: str) -> str:
    """Return a hint with the key that brings the array which a message begins with."""
    role = message.partition("[")[0].partition(" ")[0]
    if role == "prediction":
        return "" if config.origin is None else config.origin.words
    if role in ("target", "sample_weight"):
        return f"the {role} comes from data"
    return ""
