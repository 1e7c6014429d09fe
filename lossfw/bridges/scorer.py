"""A loss as a scorer of scikit-learn: minus the loss, with weights and metadata routing."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final, Literal, Self, TypeAlias, get_args

import numpy as np

from lossfw.bridges.bridge import written
from lossfw.bridges.estimators import Opened, opened
from lossfw.bridges.outputs import EstimatorOutputs
from lossfw.bridges.raw_form import targets_of_elements
from lossfw.components.spaces import LOGITS, SIGN, SIMPLEX, UNIT
from lossfw.errors import ArgumentError, DomainError
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
        found = opened(estimator, trusted=self.response is not None)
        known = found.outputs is not None and not self._as_it_is(found.outputs)
        inner = found.estimator if known else estimator
        predicted = self._of_outputs(found, x) if known else self._of_method(estimator, x)
        prediction = self._fitting(inner, self._numbers(inner, predicted))
        target = self._target(inner, np.asarray(y), known)
        return -float(self.loss(prediction, target, sample_weight=sample_weight))

    def _as_it_is(self, outputs: EstimatorOutputs) -> bool:
        """Tell whether predictions of which nothing is known are taken as the user says."""
        if not outputs.unknown:
            return False
        if self.response is not None:
            return True
        logits = self.loss.on_logits()
        raw = "" if logits is None else f", or of {written(logits)} if it returns raw predictions"
        raise ArgumentError(
            f"{self.loss.name} cannot be scored: {outputs.unknown} Write scorer("
            f"{written(self.loss)}, response='predict') if predict returns what {self.loss.name} "
            f"takes{raw}."
        )

    @property
    def _method(self) -> ResponseMethod:
        """The method whose results the loss is written for, unless another one was chosen."""
        if self.response is not None:
            return self.response
        if self._of_probabilities:
            return "predict_proba"
        of_scores = self.loss.prediction_space is LOGITS or self.loss.target_space is SIGN
        return "decision_function" if of_scores else "predict"

    @property
    def _of_probabilities(self) -> bool:
        return self.loss.prediction_space in (SIMPLEX, UNIT)

    def _of_method(self, estimator: Any, x: Any) -> Any:
        """Return the results of a method of an estimator, which are responses."""
        if not hasattr(estimator, self._method):
            raise ArgumentError(
                f"{self.loss.name} needs {self._method}, which {type(estimator).__name__} does not "
                f"have: pass response=, one of {', '.join(METHODS)}, or choose another loss."
            )
        return getattr(estimator, self._method)(x)

    def _of_outputs(self, found: Opened, x: Any) -> Any:
        """Return what the loss takes, of an estimator of a boosting library."""
        outputs, estimator, rows = found.outputs, found.estimator, found.rows(x)
        assert outputs is not None
        if self._method == "decision_function" or self.loss.prediction_space is LOGITS:
            self._refuse_other_logits(outputs, estimator)
            return outputs.raw(rows)
        if self._method == "predict" and _classes(estimator) is not None:
            return np.ravel((outputs.labels or estimator.predict)(rows))
        if self._of_probabilities and outputs.link not in ("sigmoid", "softmax"):
            self._refuse_no_probabilities(outputs, estimator)
        return found.back(outputs.responses(rows))

    def _refuse_other_logits(self, outputs: EstimatorOutputs, estimator: Any) -> None:
        link = self.loss.link_name
        if self.loss.prediction_space is LOGITS and link not in (None, outputs.link):
            raise ArgumentError(
                f"{self.loss.name} takes raw predictions that become responses by {link}, and "
                f"those of {type(estimator).__name__} do by {outputs.link or 'nothing'}: score it "
                "with the loss of responses, or with another loss."
            )

    def _refuse_no_probabilities(self, outputs: EstimatorOutputs, estimator: Any) -> None:
        if outputs.own is not None and _classes(estimator) is not None:
            return  # The library itself says that these are probabilities.
        what = {None: "scores or numbers", "exp": "means"}.get(outputs.link, "no probabilities")
        raise ArgumentError(
            f"{self.loss.name} is measured at probabilities, and {type(estimator).__name__} with "
            f"its objective predicts {what}: choose an objective of probabilities, such as "
            "binary_cross_entropy, wrap it in CalibratedClassifierCV, or choose another loss."
        )

    def _fitting(self, estimator: Any, y: NDArray) -> NDArray:
        """Return predictions as the loss takes them; of two classes one column or two."""
        if self.loss.takes_rows and y.ndim == 1:
            columns = (1.0 - y, y) if self.loss.prediction_space is SIMPLEX else (0.0 * y, y)
            return np.stack(columns, axis=1)
        if not self.loss.takes_rows and y.ndim == 2 and _classes(estimator) is not None:
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
                f"{self.loss.name} is measured at numbers, and the results of {self._method} of "
                f"{type(estimator).__name__} are labels, such as {str(np.ravel(predicted)[0])!r}: "
                "choose a loss of labels, such as cross_entropy, or another response."
            ) from None

    def _target(self, estimator: Any, y: NDArray, known: bool) -> NDArray:
        """Return labels as the place of their class, and of two classes as the loss codes them."""
        classes = _classes(estimator)
        if classes is None and known and self.loss.target_space is SIGN:
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


def _classes(estimator: Any) -> Any:
    """Return the classes of a classifier; None for other estimators."""
    classes = getattr(estimator, "classes_", None)
    # A regressor of CatBoost has none, in a list.
    return classes if classes is not None and len(classes) else None
