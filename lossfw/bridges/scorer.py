"""A loss as a scorer of scikit-learn: minus the loss, with weights and metadata routing."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final, Literal, Self, TypeAlias, get_args

import numpy as np

from lossfw.components.registry import registry
from lossfw.components.spaces import LOGITS, SIGN, SIMPLEX, UNIT
from lossfw.errors import ArgumentError, BrokenPluginError, DomainError
from lossfw.learning.bridge import BoostingBridge
from lossfw.learning.outputs import EstimatorOutputs
from lossfw.learning.raw_form import targets_of_elements
from lossfw.losses.loss import Loss
from lossfw.numerics.arrays import NDArray

ResponseMethod: TypeAlias = Literal["predict", "predict_proba", "decision_function"]

METHODS: Final = get_args(ResponseMethod)


@dataclass(frozen=True)
class LossScorer:
    """A scorer, ``scorer(estimator, x, y, sample_weight=None)``; greater is better."""

    loss: Loss
    response: ResponseMethod | None = None
    # Not compared: how weights are routed does not belong to what is measured.
    _request: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)

    def __call__(self, estimator: Any, x: Any, y: Any, sample_weight: Any = None) -> float:
        """Return minus the mean loss."""
        inner, outputs, steps = _unwrap_estimator(estimator)
        if outputs is None:
            inner, predicted = estimator, self._call_method(estimator, x)
        else:
            for step in steps:
                x = step(x)
            predicted = self._select_outputs(inner, outputs, x)
        prediction = self._fit_columns(inner, self._to_numbers(inner, predicted))
        target = self._encode_target(inner, np.asarray(y), outputs is not None)
        return -float(self.loss(prediction, target, sample_weight=sample_weight))

    @property
    def _method(self) -> ResponseMethod:
        """The method whose results the loss is written for, unless another one was chosen."""
        if self.response is not None:
            return self.response
        if self._takes_probabilities:
            return "predict_proba"
        of_scores = self.loss.prediction_space is LOGITS or self.loss.target_space is SIGN
        return "decision_function" if of_scores else "predict"

    @property
    def _takes_probabilities(self) -> bool:
        return self.loss.prediction_space in (SIMPLEX, UNIT)

    def _call_method(self, estimator: Any, x: Any) -> Any:
        """Return the results of a method of an estimator, which are responses."""
        if not hasattr(estimator, self._method):
            raise ArgumentError(
                f"{self.loss.name} needs {self._method}, which {type(estimator).__name__} does not "
                f"have: pass response=, one of {', '.join(METHODS)}, or choose another loss."
            )
        return getattr(estimator, self._method)(x)

    def _select_outputs(self, estimator: Any, outputs: EstimatorOutputs, x: Any) -> Any:
        """Return what the loss takes, of an estimator with an objective of lossfw."""
        if self._method == "decision_function" or self.loss.prediction_space is LOGITS:
            self._refuse_other_logits(outputs, estimator)
            return outputs.raw(x)
        if self._method == "predict" and (classes := _classes(estimator)) is not None:
            z = np.asarray(outputs.raw(x))
            return np.take(classes, (z > 0).astype(int) if z.ndim == 1 else z.argmax(axis=1))
        if self._takes_probabilities and outputs.output_activation not in ("sigmoid", "softmax"):
            self._refuse_no_probabilities(outputs, estimator)
        return outputs.responses(x)

    def _refuse_other_logits(self, outputs: EstimatorOutputs, estimator: Any) -> None:
        expected, own = self.loss.output_activation, outputs.output_activation
        if self.loss.prediction_space is LOGITS and expected not in (None, own):
            raise ArgumentError(
                f"{self.loss.name} takes raw predictions that become responses by {expected}, and "
                f"those of {type(estimator).__name__} do by {own or 'nothing'}: score it with the "
                "loss of responses, or with another loss."
            )

    def _refuse_no_probabilities(self, outputs: EstimatorOutputs, estimator: Any) -> None:
        what = {None: "scores or numbers", "exp": "means"}.get(
            outputs.output_activation, "no probabilities"
        )
        raise ArgumentError(
            f"{self.loss.name} is measured at probabilities, but {type(estimator).__name__} with "
            f"its objective predicts {what}: choose an objective of probabilities, such as "
            "binary_cross_entropy, wrap it in CalibratedClassifierCV, or choose another loss."
        )

    def _fit_columns(self, estimator: Any, y: NDArray) -> NDArray:
        """Return predictions as the loss takes them; of two classes one column or two."""
        if self.loss.takes_rows and y.ndim == 1:
            columns = (1.0 - y, y) if self.loss.prediction_space is SIMPLEX else (0.0 * y, y)
            return np.stack(columns, axis=1)
        if not self.loss.takes_rows and y.ndim == 2 and _classes(estimator) is not None:
            if y.shape[1] > 2:
                raise ArgumentError(
                    f"{self.loss.name} is a loss of two classes, but {type(estimator).__name__} "
                    f"has {y.shape[1]}: choose a loss of rows, such as cross_entropy."
                )
            return y[:, -1]
        return y

    def _to_numbers(self, estimator: Any, predicted: Any) -> NDArray:
        try:
            return np.asarray(predicted, np.float64)
        except ValueError:
            raise ArgumentError(
                f"{self.loss.name} is measured at numbers, but the results of {self._method} of "
                f"{type(estimator).__name__} are labels, such as {str(np.ravel(predicted)[0])!r}: "
                "choose a loss of labels, such as cross_entropy, or another response."
            ) from None

    def _encode_target(self, estimator: Any, y: NDArray, has_lossfw_objective: bool) -> NDArray:
        """Return labels as the place of their class, and of two classes as the loss codes them."""
        classes = _classes(estimator)
        if classes is None and has_lossfw_objective and self.loss.target_space is SIGN:
            # A regressor is trained with 0 and 1 too.
            return targets_of_elements(self.loss, y)
        if classes is None or self._method == "predict":
            return y
        index = np.searchsorted(classes, y)
        same = np.take(classes, np.minimum(index, len(classes) - 1)) == y
        if not np.all(same):
            raise DomainError(
                f"the target holds {y[~same][0]!r}, which {type(estimator).__name__} has not been "
                f"trained on: it knows {', '.join(map(repr, list(classes)[:10]))}."
            )
        if self.loss.takes_rows:
            return index
        return 2.0 * index - 1.0 if self.loss.target_space is SIGN else index.astype(np.float64)

    # Metadata routing, by scikit-learn's public names.

    def set_score_request(self, **requests: Any) -> Self:
        """Set whether ``sample_weight`` is routed here, as for scikit-learn's scorers."""
        self._request.update(requests)
        return self

    def get_metadata_routing(self) -> Any:
        """Return the metadata requests, as scikit-learn's scorers do."""
        from sklearn.utils.metadata_routing import MetadataRequest

        routing = MetadataRequest(owner=self)
        for name, alias in {"sample_weight": None, **self._request}.items():
            routing.score.add_request(param=name, alias=alias)
        return routing


def _unwrap_estimator(
    estimator: Any,
) -> tuple[Any, EstimatorOutputs | None, list[Callable[[Any], Any]]]:
    """Return the last step of pipelines and searches, what it predicts, and the steps before it.

    It predicts raw numbers if its objective is lossfw's; else nothing is known of it: None.
    """
    from sklearn.pipeline import Pipeline

    steps: list[Callable[[Any], Any]] = []
    while isinstance(estimator, Pipeline) or hasattr(estimator, "best_estimator_"):
        if isinstance(estimator, Pipeline):
            steps += [estimator[:-1].transform] if len(estimator.steps) > 1 else []
            estimator = estimator[-1]
        else:
            estimator = estimator.best_estimator_
    return estimator, _outputs_of(estimator), steps


def _outputs_of(estimator: Any) -> EstimatorOutputs | None:
    for entry in registry().entries("bridge"):
        # The list of bridges reports one that is broken; its library is not asked here.
        with suppress(BrokenPluginError):
            bridge = registry().class_of(entry)
            # A library that nobody has imported has made no estimator.
            if issubclass(bridge, BoostingBridge) and bridge.library in sys.modules:
                found = bridge().outputs(estimator)
                if found is not None:
                    return found
    return None


def _classes(estimator: Any) -> Any:
    """Return the classes of a classifier; None for other estimators."""
    classes = getattr(estimator, "classes_", None)
    # A regressor of CatBoost has none, in a list.
    return classes if classes is not None and len(classes) else None
