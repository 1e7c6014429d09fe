"""Carry out a request in a process of its own: its outcome as plain values, which are sent back."""

from __future__ import annotations

from typing import Any

from lossfw.runs.execute import carry_out
from lossfw.runs.records import RunRequest, Warn


def plain_outcome(request: RunRequest, warn: Warn) -> dict[str, Any]:
    """Carry out a run or a training, and return its fields of a `RunOutcome`.

    Raises
    ------
    LossfwError
        If it fails.
    """
    if request.trains:
        return _trained(request, warn)
    outcome = carry_out(request, warn=warn)
    if outcome.failure is not None:
        raise outcome.failure
    return {
        "result": outcome.result.to_dict(),
        "texts": outcome.texts,
        "warnings": outcome.result.warnings,
        "before": outcome.before,
        "nan": outcome.nan,
    }


def _trained(request: RunRequest, warn: Warn) -> dict[str, Any]:
    # Imported on use: an evaluation starts without it.
    from lossfw.runs.trainings import carry_out_training, prepare_training

    outcome = carry_out_training(request, prepare_training(request), warn=warn)
    return {
        "result": outcome.trained.to_dict(),
        "warnings": outcome.run.training.warnings,
    }
