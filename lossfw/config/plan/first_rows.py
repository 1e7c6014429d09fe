"""Try a plan on its first rows: mistakes in values are reported before a run, at their place."""

from __future__ import annotations

import math
from dataclasses import replace

from lossfw.config.schema.checked import CheckedConfig, ConfigPath
from lossfw.data.lazy_arrays import is_file_backed
from lossfw.errors import ArgumentError, EmptyReductionError
from lossfw.evaluation.evaluate import evaluate_first
from lossfw.evaluation.plan import Plan

# So many rows are tried: they take some milliseconds.
TRIED_ROWS = 4_096
# Fewer where their inputs stay in files and are wide, as pictures are: each is decoded again.
_MOST_BYTES = 16 * 2**20
_FEWEST_ROWS = 64


def try_first_rows(config: CheckedConfig, plan: Plan) -> None:
    """Record the mistakes of the loss, of the slices and of the metrics that the first rows show.

    Where these are all rows, a loss or a metric for which none counts is one too.
    """
    alone = replace(plan, metrics=(), slices=(), intervals=None)
    if not _fits(config, alone, ["loss"]):
        return
    for index, part in enumerate(plan.slices):
        _fits(config, replace(alone, slices=(part,)), ["evaluate", "slices", index])
    for index, metric in enumerate(plan.metrics):
        _fits(config, replace(alone, metrics=(metric,)), ["evaluate", "metrics", index])


def _fits(config: CheckedConfig, plan: Plan, path: ConfigPath) -> bool:
    try:
        evaluate_first(plan, _tried(plan))
    except EmptyReductionError as error:
        # The rest of the message is advice for a call.
        what = str(error).partition(". ")[0]
        config.add(path, what.removesuffix("."), "let at least one row count")
    except ArgumentError as error:
        counted = "" if plan.sample is None else ", rows counted within the sample"
        config.add(path, f"{str(error).removesuffix('.')}{counted}", _origin(config, str(error)))
    else:
        return True
    return False


def _tried(plan: Plan) -> int:
    """Return how many rows are tried."""
    inputs = plan.data.inputs
    if inputs is None or not is_file_backed(inputs):
        return TRIED_ROWS
    row_bytes: int = max(1, math.prod(inputs.shape[1:]) * inputs.dtype.itemsize)
    return min(TRIED_ROWS, max(_FEWEST_ROWS, _MOST_BYTES // row_bytes))


def _origin(config: CheckedConfig, message: str) -> str:
    """Return a hint with the key that brings the array which a message begins with."""
    role = message.partition("[")[0].partition(" ")[0]
    if role == "prediction":
        return "" if config.origin is None else config.origin.words
    if role in ("target", "sample_weight"):
        return f"the {role} comes from data"
    return ""
