"""A trained XGBoost model: its start, its predictions, and how to continue it."""

from __future__ import annotations

import json
from functools import partial
from typing import Any, Final, NamedTuple

import numpy as np

from lossfw.errors import ArgumentError
from lossfw.learning.outputs import EstimatorOutputs, estimator_outputs
from lossfw.losses.loss import Loss
from lossfw.numerics.arrays import NDArray

# The activation by which an objective of XGBoost makes predictions of raw ones. Its base_score
# is such a prediction too, but for softmax. Others predict raw numbers.
ACTIVATION_OF: Final = {
    "reg:logistic": "sigmoid",
    "binary:logistic": "sigmoid",
    "multi:softprob": "softmax",
    "multi:softmax": "softmax",
    "count:poisson": "exp",
    "reg:gamma": "exp",
    "reg:tweedie": "exp",
    "survival:cox": "exp",
    "survival:aft": "exp",
}
# A base_score is kept in float32.
_SAME: Final = 1e-6


class ContinuedModel(NamedTuple):
    """A model to continue, from its configuration.

    `objective` is the name that determines the meaning of ``base_score`` and the result of
    ``predict``; for a custom objective the name next to it, or ``reg:squarederror``.
    `base_score` has one number, or one per class or target. `classes` is None for a model
    without classes; `targets` is 1 for a single raw prediction.
    """

    objective: str
    base_score: NDArray
    classes: int | None
    targets: int = 1

    @property
    def margin(self) -> Any:
        """The raw prediction before the first tree; K numbers for K classes or targets."""
        output_activation, score = ACTIVATION_OF.get(self.objective), self.base_score
        if output_activation == "sigmoid":
            raw = np.log(score) - np.log1p(-score)
        else:
            raw = np.log(score) if output_activation == "exp" else score
        if self.classes is not None:
            return np.broadcast_to(raw, self.classes)
        return raw if len(raw) > 1 else float(raw[0])

    def refuse_mismatch(self, loss: Loss, classes: int | None) -> None:
        """Raise `ArgumentError` if a loss does not have the raw predictions of the model."""
        columns = self.classes or (self.targets if self.targets > 1 else None)
        if loss.takes_rows and columns is None:
            raise ArgumentError(
                f"{loss.name} takes a raw prediction for each class, but the model to continue has "
                "a single one: continue it with a loss of single numbers or logits, or train a "
                "new model."
            )
        if not loss.takes_rows and self.classes is not None:
            raise ArgumentError(
                f"{loss.name} takes single raw predictions, but the model to continue has "
                f"{self.classes}, one for each class: continue it with a loss of classes, such as "
                "cross_entropy, or train a new model."
            )
        if classes not in (None, columns):
            raise ArgumentError(
                f"the model to continue has {columns or 2} classes, but {classes} were asked for: "
                "its trees belong to its classes. Leave the number out, or train a new model."
            )

    def keep_base_score(self, parameters: dict[str, Any], objective: str) -> None:
        """Set ``base_score`` so that existing trees predict as before.

        XGBoost reinterprets ``base_score`` for a new objective name, and applies it to all
        trees. With the same name it is left out, and remains to the bit.
        """
        if objective == self.objective:
            parameters.pop("base_score", None)
            return
        score = _base_score_of(objective, np.asarray(self.margin))
        parameters["base_score"] = score.tolist()

    def refuse_other_start(self, given: Any) -> None:
        """Raise `ArgumentError` for a ``base_score`` that is not that of the model."""
        score = np.atleast_1d(np.asarray(given, np.float64))
        if not np.allclose(score, self.base_score, rtol=_SAME, atol=_SAME):
            raise ArgumentError(
                f"base_score={given!r} differs from the base_score of xgb_model, "
                f"{self.base_score.tolist()}: XGBoost would also apply it to the existing trees, "
                "and change their predictions. Leave it out."
            )


def _base_score_of(objective: str, margin: NDArray) -> NDArray:
    """Return the ``base_score`` of a margin, beside the name of an objective."""
    output_activation = ACTIVATION_OF.get(objective)
    if output_activation == "sigmoid":
        return np.asarray(1.0 / (1.0 + np.exp(-margin)))
    return np.asarray(np.exp(margin) if output_activation == "exp" else margin)


def booster_of(model: Any, xgb: Any) -> Any:
    """Return the ``Booster`` of an estimator, a file or bytes, or the given one."""
    if isinstance(model, xgb.XGBModel):
        return model.get_booster()
    return model if isinstance(model, xgb.Booster) else xgb.Booster(model_file=model)


def read_continued_model(booster: Any) -> ContinuedModel:
    """Return the start of a ``Booster``."""
    learner = json.loads(booster.save_config())["learner"]
    kept = learner["learner_model_param"]
    # A list from 3.1 on, and a number before.
    score = np.atleast_1d(np.asarray(json.loads(kept["base_score"]), np.float64))
    classes = int(kept["num_class"])
    name, targets = learner["objective"]["name"], int(kept["num_target"])
    return ContinuedModel(name, score, classes if classes > 1 else None, targets)


def outputs_of(estimator: Any, xgb: Any) -> EstimatorOutputs | None:
    """Return the outputs of an estimator; see `BoostingBridge.outputs`."""
    if not isinstance(estimator, xgb.XGBModel):
        return None
    return estimator_outputs(estimator.objective, partial(estimator.predict, output_margin=True))
