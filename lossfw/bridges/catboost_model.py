"""A trained CatBoost model: its predictions, and how to continue it."""

from __future__ import annotations

from functools import partial
from os import PathLike
from typing import Any, Final

import numpy as np

from lossfw.errors import ArgumentError
from lossfw.learning.outputs import EstimatorOutputs, estimator_outputs
from lossfw.losses.loss import Loss
from lossfw.numerics.arrays import NDArray

# The attribute of a model that holds it as it was trained, see `copy_without_state`.
_TRAINED: Final = "_lossfw_trained"


def model_to_continue(model: Any, catboost: Any) -> Any:
    """Return the model to continue, from a model in memory or the path of a file."""
    if isinstance(model, str | PathLike):
        return catboost.CatBoost().load_model(model)
    if not isinstance(model, catboost.CatBoost) or not model.is_fitted():
        what = (
            "is not trained" if isinstance(model, catboost.CatBoost) else "is not a CatBoost model"
        )
        raise ArgumentError(
            f"init_model, a {type(model).__name__}, {what}: give a trained model of CatBoost, or "
            "the path of a saved one."
        )
    trained = getattr(model, _TRAINED, None)
    if trained is not None and _is_unchanged(model, trained):
        return trained
    scale, bias = model.get_scale_and_bias()
    return (
        copy_without_state(model) if scale != 1.0 or np.any(bias) or len(model.classes_) else model
    )


def copy_without_state(model: Any) -> Any:
    """Return a copy of a model without the state of its training.

    With this state, CatBoost can continue a model in memory only once, on the same data. The state
    lacks a bias that was set afterwards, and has labels that other models do not have. CatBoost
    continues a copy like a model from a file.
    """
    found = model.copy()
    # Such as the number of features, which a copy forgets.
    kept = {key: of for key, of in vars(model).items() if key not in ("_object", _TRAINED)}
    vars(found).update(kept)
    return found


def add_start(model: Any, begin: NDArray, init_model: Any) -> Any:
    """Return a model that was just trained, with its start or that of the previous model.

    The start remains when the model is continued: CatBoost's estimators continue the returned
    copy, and `train` the model as it was trained.
    """
    if init_model is not None:
        model.set_scale_and_bias(*init_model.get_scale_and_bias())
    elif begin.any():
        model.set_scale_and_bias(1.0, begin.tolist())
    if not np.any(model.get_scale_and_bias()[1]):
        return model
    found = copy_without_state(model)
    setattr(found, _TRAINED, model)
    return found


def _is_unchanged(model: Any, other: Any) -> bool:
    """Tell whether a model is as it was trained: its trees can be cut and its leaves set."""
    (scale, bias), (other_scale, other_bias) = (m.get_scale_and_bias() for m in (model, other))
    return (
        model.tree_count_ == other.tree_count_
        and scale == other_scale
        and np.array_equal(bias, other_bias)
        and np.array_equal(model.get_leaf_values(), other.get_leaf_values())
    )


def refuse_other_kind(model: Any, raw_loss: Loss, columns: int) -> None:
    """Raise `ArgumentError` if the raw predictions of a model do not fit the loss.

    CatBoost would read past their end.
    """
    there = int(np.size(model.get_scale_and_bias()[1]))
    if there != columns:
        raise ArgumentError(
            f"{raw_loss.name} with these targets takes {columns} raw predictions for a row, but "
            f"the model to continue has {there}: continue it with a loss that takes as many, or "
            "train a new model."
        )


def outputs_of(estimator: Any, catboost: Any) -> EstimatorOutputs | None:
    """Return the outputs of a model; see `BoostingBridge.outputs`."""
    if not isinstance(estimator, catboost.CatBoost):
        return None
    given = estimator.get_params()
    objective = given.get("loss_function", given.get("objective"))
    return estimator_outputs(objective, partial(estimator.predict, prediction_type="RawFormulaVal"))
