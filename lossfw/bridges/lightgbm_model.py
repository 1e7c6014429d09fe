"""A trained model of LightGBM: what it predicts, and how it is continued."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import numpy as np

from lossfw.bridges.outputs import EstimatorOutputs, link_of, loss_of, unknown_objective
from lossfw.errors import ArgumentError
from lossfw.losses.loss import Loss
from lossfw.numerics.arrays import NDArray

# The activation by which an objective of LightGBM makes predictions of raw ones.
_LINK_OF: Final = {
    "binary": "sigmoid",
    "cross_entropy": "sigmoid",
    "multiclass": "softmax",
    "poisson": "exp",
    "gamma": "exp",
    "tweedie": "exp",
}
# How a Booster calls any objective from outside.
_FROM_OUTSIDE: Final = ("none", "custom", "null", "na")


def booster_of(model: Any, lgb: Any) -> Any:
    """Return the ``Booster`` of an estimator or of a file; others LightGBM would pass over."""
    if isinstance(model, lgb.LGBMModel):
        return model.booster_
    if isinstance(model, lgb.Booster):
        return model
    if isinstance(model, str | Path):
        return lgb.Booster(model_file=model)
    raise ArgumentError(
        f"init_model has the type {type(model).__name__}: give a lightgbm.Booster, an estimator "
        "that is fitted, or the path of a saved model."
    )


def classes_of(begun: Any, form: Loss, params: dict[str, Any]) -> int | None:
    """Return the number of classes of a model to be continued; None for a single number."""
    columns = int(begun.num_model_per_iteration())
    if form.takes_rows != (columns > 1):
        takes = "a raw prediction for each class" if form.takes_rows else "single raw predictions"
        raise ArgumentError(
            f"{form.name} takes {takes}, and the model to be continued has {columns} for a row: "
            "continue it with a loss of its kind, or train a new model."
        )
    if params.get("num_class", columns) != columns:
        raise ArgumentError(
            f"num_class={params['num_class']!r}, and the model to be continued has {columns} "
            "classes: its trees belong to its classes. Leave num_class out, or train a new model."
        )
    return columns if form.takes_rows else None


def outputs_of(estimator: Any, lgb: Any) -> EstimatorOutputs | None:
    """Return what an estimator or a ``Booster`` predicts; see `BoostingBridge.outputs`."""
    if not isinstance(estimator, lgb.LGBMModel | lgb.Booster):
        return None

    def raw(x: Any) -> Any:
        return estimator.predict(x, raw_score=True)

    if isinstance(estimator, lgb.Booster):
        given = estimator.params.get("objective", "none")
        if given in _FROM_OUTSIDE:
            return EstimatorOutputs(
                raw,
                unknown="this Booster was loaded, or it was trained with an objective from "
                "outside and keeps nothing of it.",
            )
        return EstimatorOutputs(raw, _LINK_OF.get(given), own=estimator.predict)
    given, classifier = estimator.objective, hasattr(estimator, "predict_proba")
    of = loss_of(given)
    if of is not None:
        # Its classifiers predict raw scores with an objective from outside.
        return EstimatorOutputs(
            raw, link_of(of), labels=_labels(estimator, raw) if classifier else None
        )
    if callable(given):
        return EstimatorOutputs(raw, unknown=unknown_objective(estimator, given))
    own = estimator.predict_proba if classifier else estimator.predict
    return EstimatorOutputs(raw, _LINK_OF.get(given or ""), own=own)


def _labels(estimator: Any, raw: Any) -> Any:
    def labels(x: Any) -> NDArray:
        z = np.asarray(raw(x))
        index = (z > 0).astype(int) if z.ndim == 1 else z.argmax(axis=1)
        return np.asarray(np.take(estimator.classes_, index))

    return labels
