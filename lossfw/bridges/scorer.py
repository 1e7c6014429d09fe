"""A loss as a scorer of scikit-learn: minus the loss, with weights and metadata routing."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np

from lossfw.bridges.raw_form import made
from lossfw.components.spaces import LOGITS, SIGN, SIMPLEX, UNIT
from lossfw.errors import ArgumentError, DomainError
from lossfw.losses.loss import Loss
from lossfw.numerics.arrays import NDArray

_RESPONSES = ("predict", "predict_proba", "decision_function")


@dataclass(frozen=True)
class LossScorer:
    """A scorer, ``scorer(estimator, x, y, sample_weight=None)``; greater is better.

    Make one with `lossfw.bridges.sklearn.scorer`.
    """

    loss: Loss
    response: str
    # Not compared: how weights are routed is no part of what is measured.
    _request: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)

    def __call__(self, estimator: Any, x: Any, y: Any, sample_weight: Any = None) -> float:
        """Return minus the mean loss."""
        prediction = self._predicted(estimator, x)
        target = self._target(estimator, np.asarray(y), prediction)
        return -float(self.loss(prediction, target, sample_weight=sample_weight))

    def _predicted(self, estimator: Any, x: Any) -> NDArray:
        """Return predictions as the loss takes them; of two classes one column or two."""
        if not hasattr(estimator, self.response):
            raise ArgumentError(
                f"{self.loss.name} is measured at the results of {self.response}, and "
                f"{type(estimator).__name__} has no such method: choose another one by response=, "
                f"one of {', '.join(_RESPONSES)}, or another loss."
            )
        y = self._numbers(estimator, getattr(estimator, self.response)(x))
        if self.loss.takes_rows and y.ndim == 1:
            columns = (1.0 - y, y) if self.loss.prediction_space is SIMPLEX else (0.0 * y, y)
            return np.stack(columns, axis=1)
        if not self.loss.takes_rows and y.ndim == 2 and self.response == "predict_proba":
            if y.shape[1] > 2:
                raise ArgumentError(
                    f"{self.loss.name} is a loss of two classes, and {type(estimator).__name__} "
                    f"has {y.shape[1]}: choose a loss of rows, such as cross_entropy."
                )
            return y[:, -1]
        return y

    def _numbers(self, estimator: Any, predicted: Any) -> NDArray:
        try:
            return np.asarray(predicted, np.float64)
        except ValueError:
            raise ArgumentError(
                f"{self.loss.name} is measured at numbers, and the results of {self.response} of "
                f"{type(estimator).__name__} are labels, such as {str(np.ravel(predicted)[0])!r}: "
                "choose a loss of labels, such as cross_entropy, or another response."
            ) from None

    def _target(self, estimator: Any, y: NDArray, prediction: NDArray) -> NDArray:
        """Return labels as the place of their class, and of two classes as the loss codes them."""
        classes = getattr(estimator, "classes_", None)
        if classes is None or self.response == "predict":
            return y
        index = np.searchsorted(classes, y)
        known = np.take(classes, np.minimum(index, len(classes) - 1)) == y
        if not np.all(known):
            raise DomainError(
                f"the target holds {y[~known][0]!r}, which {type(estimator).__name__} has not been "
                f"trained on: it knows {', '.join(map(repr, list(classes)[:10]))}."
            )
        if self.loss.takes_rows:
            return index
        return 2.0 * index - 1.0 if self.loss.target_space is SIGN else index.astype(np.float64)

    # Metadata routing, by scikit-learn's public names.

    def set_score_request(self, **requests: Any) -> Self:
        """Say whether ``sample_weight`` is routed here, as for a scorer of scikit-learn."""
        self._request.update(requests)
        return self

    def get_metadata_routing(self) -> Any:
        """Return what is asked for, as scikit-learn's own scorers do."""
        from sklearn.utils.metadata_routing import MetadataRequest

        routing = MetadataRequest(owner=self)
        for name, alias in {"sample_weight": None, **self._request}.items():
            routing.score.add_request(param=name, alias=alias)
        return routing


def scorer_of(loss: Any, response: str | None) -> LossScorer:
    """Return a scorer; by default at the results that the loss is written for.

    Raises
    ------
    ArgumentError
        If there is no such response.
    """
    found = made(loss)
    if response is None:
        space = found.prediction_space
        probabilities = space in (SIMPLEX, UNIT)
        scores = space is LOGITS or found.target_space is SIGN
        response = (
            "predict_proba" if probabilities else "decision_function" if scores else "predict"
        )
    if response not in _RESPONSES:
        raise ArgumentError(
            f"response={response!r} is unknown: choose one of {', '.join(_RESPONSES)}."
        )
    return LossScorer(found, response)
