"""A trained model of CatBoost: what it predicts, and how it is continued."""

from __future__ import annotations

from os import PathLike
from typing import Any, Final

import numpy as np

from lossfw.bridges.outputs import EstimatorOutputs, link_of, unknown_objective
from lossfw.errors import ArgumentError
from lossfw.losses.loss import Loss

# The activation by which raw predictions of an objective of CatBoost become responses.
_LINK_OF: Final = {
    "Logloss": "sigmoid",
    "CrossEntropy": "sigmoid",
    "MultiClass": "softmax",
    "Poisson": "exp",
    "Tweedie": "exp",
}
# A saved model calls any objective from outside so.
_FROM_OUTSIDE: Final = "PythonUserDefined"


def model_of(given: Any, cat: Any) -> Any:
    """Return the model to be continued of a model in memory or of a file.

    Raises
    ------
    ArgumentError
        If it is something else, or not trained.
    """
    if isinstance(given, str | PathLike):
        return continuable(cat.CatBoost().load_model(given))
    if not isinstance(given, cat.CatBoost) or not given.is_fitted():
        what = "is not trained" if isinstance(given, cat.CatBoost) else "is no model of CatBoost"
        raise ArgumentError(
            f"init_model, a {type(given).__name__}, {what}: give a trained model of CatBoost, or "
            "the path of a saved one."
        )
    return continuable(given)


def continuable(model: Any) -> Any:
    """Return a model in memory that CatBoost continues with its start.

    It has the state of its training, from which CatBoost continues once, on the same data. That
    knows nothing of a bias that was set afterwards, and holds labels that a model without names
    of classes lacks. A copy has no such state, and is continued as one from a file.
    """
    if not np.any(model.get_scale_and_bias()[1]) and not len(model.classes_):
        return model
    found = model.copy()
    # Such as the number of features, which a copy forgets.
    vars(found).update({key: of for key, of in vars(model).items() if key != "_object"})
    return found


def refuse_other_kind(model: Any, form: Loss, columns: int) -> None:
    """Raise `ArgumentError` if a model has other raw predictions than a loss.

    CatBoost would read past the end of them.
    """
    there = int(np.size(model.get_scale_and_bias()[1]))
    if there != columns:
        raise ArgumentError(
            f"{form.name} with these targets takes {columns} raw predictions for a row, and the "
            f"model to be continued has {there}: continue it with a loss of its kind, or train "
            "anew."
        )


def outputs_of(estimator: Any, cat: Any) -> EstimatorOutputs | None:
    """Return what a model predicts; see `BoostingBridge.outputs`."""
    if not isinstance(estimator, cat.CatBoost):
        return None

    def raw(x: Any) -> Any:
        return estimator.predict(x, prediction_type="RawFormulaVal")

    given = _objective(estimator)
    proba = getattr(estimator, "predict_proba", None)
    of = getattr(getattr(given, "derivatives", None), "of", None)
    if of is not None:
        link = link_of(of)
        return EstimatorOutputs(raw, link, own=proba if link in ("sigmoid", "softmax") else None)
    if given is not None and not isinstance(given, str):
        return EstimatorOutputs(raw, unknown=unknown_objective(estimator, given))
    if given is not None and given.startswith(_FROM_OUTSIDE):
        return EstimatorOutputs(
            raw,
            unknown=f"this {type(estimator).__name__} was loaded, and a saved model keeps no "
            "objective from outside, while a pickle does.",
        )
    # Without an objective it is squared errors, or of a classifier the logarithm.
    return EstimatorOutputs(raw, _LINK_OF.get((given or "").partition(":")[0]), own=proba)


def _objective(estimator: Any) -> Any:
    given = estimator.get_params()
    return given.get("loss_function", given.get("objective"))
