"""A trained LightGBM model: its predictions, and how to continue it."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from lossfw.errors import ArgumentError
from lossfw.learning.outputs import EstimatorOutputs, estimator_outputs
from lossfw.losses.loss import Loss


def booster_of(model: Any, lgb: Any) -> Any:
    """Return the ``Booster`` of an estimator or a file; LightGBM would silently ignore others."""
    if isinstance(model, lgb.LGBMModel):
        return model.booster_
    if isinstance(model, lgb.Booster):
        return model
    if isinstance(model, str | Path):
        return lgb.Booster(model_file=model)
    raise ArgumentError(
        f"init_model has the type {type(model).__name__}: give a lightgbm.Booster, a fitted "
        "estimator, or the path of a saved model."
    )


def classes_of(init_model: Any, raw_loss: Loss, params: dict[str, Any]) -> int | None:
    """Return the number of classes of a model to continue; None for a single number."""
    columns = int(init_model.num_model_per_iteration())
    if raw_loss.takes_rows != (columns > 1):
        takes = (
            "a raw prediction for each class" if raw_loss.takes_rows else "single raw predictions"
        )
        raise ArgumentError(
            f"{raw_loss.name} takes {takes}, but the model to continue has {columns} for a row: "
            "continue it with a loss that takes as many, or train a new model."
        )
    if params.get("num_class", columns) != columns:
        raise ArgumentError(
            f"num_class={params['num_class']!r}, but the model to continue has {columns} classes: "
            "its trees belong to its classes. Leave num_class out, or train a new model."
        )
    return columns if raw_loss.takes_rows else None


def outputs_of(estimator: Any, lgb: Any) -> EstimatorOutputs | None:
    """Return the outputs of an estimator; see `BoostingBridge.outputs`."""
    if not isinstance(estimator, lgb.LGBMModel):
        return None
    return estimator_outputs(estimator.objective, partial(estimator.predict, raw_score=True))
