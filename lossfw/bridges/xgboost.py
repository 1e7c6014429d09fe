"""XGBoost: a loss as objective, metric, start and parameters of a model.

::

    from lossfw.bridges import xgboost as bridge

    model = bridge.train("huber", {"max_depth": 4}, xgboost.DMatrix(x, y), 100)

    params = bridge.estimator_params("huber", y, estimator="regressor")
    model = xgboost.XGBRegressor(objective=bridge.objective("huber"), **params)
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any, ClassVar, Final

import numpy as np

from lossfw.bridges.boosting_library import (
    BoostingLibrary,
    EstimatorKind,
    arguments_of_call,
    estimator_kind,
    sizes_of,
)
from lossfw.bridges.xgboost_model import (
    ContinuedModel,
    booster_of,
    outputs_of,
    read_continued_model,
)
from lossfw.errors import ArgumentError
from lossfw.learning.bridge import BoostingSettings
from lossfw.learning.derivatives import (
    FIRST_ROWS,
    Derivatives,
    ImmutableObject,
    best_constant,
    derivatives,
    labels_of,
    refuse_dead_start,
)
from lossfw.learning.outputs import EstimatorOutputs, output_activation_of
from lossfw.learning.raw_form import as_loss, predictions_of, raw_loss_of
from lossfw.losses.loss import Loss
from lossfw.numerics.arrays import NDArray

__all__ = ["XGBoostBridge", "best_constant", "estimator_params", "metric", "objective", "train"]

# Its callback maximises a metric whose name begins so, unless `maximize` is given.
_MAXIMISED: Final = ("auc", "pre", "map", "ndcg")
# Its own softmax objective has the curvature 2 p (1 - p).
_SOFTMAX_FACTOR: Final = 2.0
# Named beside an objective from outside, these make predict() return responses and not raw
# predictions; base_score is then a response too.
_SOFTMAX: Final = "multi:softprob"
_BY_ACTIVATION: Final = {"sigmoid": "binary:logistic", "softmax": _SOFTMAX, "exp": "reg:gamma"}
_MIN_CHILD_WEIGHT: Final = 1.0


@dataclass(frozen=True)
class XGBoostObjective(ImmutableObject):
    """A loss as an objective, for ``xgboost.train(obj=)`` and ``XGBRegressor(objective=)``.

    Make one with `objective`.
    """

    derivatives: Derivatives
    min_child_weight: float = _MIN_CHILD_WEIGHT

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """Return gradients and curvatures, in float32 and in the shape of the raw predictions.

        Called as (predictions, DMatrix) or as (labels, predictions, weights).
        """
        return self.derivatives_at(*arguments_of_call(y_true, y_pred, sample_weight))

    def derivatives_at(
        self, raw: Any, target: Any, weight: Any = None, sizes: Any = None
    ) -> tuple[NDArray, NDArray]:
        """Return gradients and curvatures; see `Derivatives`."""
        g, h = self.derivatives(raw, target, weight, sizes, softmax_factor=_SOFTMAX_FACTOR)
        self._warn_of_little_curvature(h)
        g, h = (x.astype(np.float32, copy=False).reshape(np.shape(raw)) for x in (g, h))
        return g, h

    def _warn_of_little_curvature(self, curvatures: NDArray) -> None:
        # None is negative, so that the first rows mostly tell.
        if curvatures[:FIRST_ROWS].sum(axis=0).max() >= self.min_child_weight:
            return
        total = float(curvatures.sum(axis=0).max())
        if total < self.min_child_weight:
            warnings.warn(
                f"the curvatures of {self.derivatives.name} sum to {total:.3g}, and XGBoost makes "
                f"no leaf whose sum is below min_child_weight, {self.min_child_weight:g} unless "
                "set: it cannot split. Lower min_child_weight, or multiply the loss by a number.",
                RuntimeWarning,
                stacklevel=4,
            )


@dataclass(frozen=True)
class XGBoostMetric(ImmutableObject):
    """The weighted mean loss, for ``custom_metric=`` and ``eval_metric=``."""

    derivatives: Derivatives

    @property
    def __name__(self) -> str:
        """The name in XGBoost's reports, which is never one that it would maximise."""
        name = self.derivatives.name
        return f"loss_{name}" if name.startswith(_MAXIMISED) else name

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """Return name and value for (predictions, DMatrix), the value for (labels, ...)."""
        value = self.derivatives.mean(*arguments_of_call(y_true, y_pred, sample_weight))
        return (self.__name__, value) if hasattr(y_pred, "get_label") else value


def _load_continued_model(loss: Any, xgb_model: Any, classes: int | None) -> ContinuedModel:
    begun = read_continued_model(booster_of(xgb_model, XGBoostBridge.imported()))
    begun.refuse_mismatch(raw_loss_of(loss, wide=True), classes)
    return begun


def _refuse_no_response(loss: Any, estimator: EstimatorKind, apply_activation: bool) -> None:
    """Raise `ArgumentError` if XGBoost cannot apply the output activation on request."""
    if not apply_activation:
        return
    given = as_loss(loss)
    output_activation = (
        output_activation_of(given) if estimator == "classifier" else given.output_activation
    )
    of_classes = estimator == "classifier" or given.takes_rows
    if output_activation is None and not of_classes:
        return
    if estimator == "regressor":
        raise ArgumentError(
            f"apply_activation=True with {given.name}: XGBRegressor.predict returns raw "
            "predictions for any custom objective. Leave apply_activation out, and call "
            "lossfw.learning.predictions_of(loss, model.predict(x)); the scorer of lossfw does so. "
            "xgboost.train can apply it."
        )
    if of_classes and output_activation not in ("sigmoid", "softmax"):
        raise ArgumentError(
            f"apply_activation=True with {given.name}, whose raw predictions have no output "
            "activation to probabilities: leave apply_activation out, and call "
            "predict(..., output_margin=True)."
        )


def _params_with_start(
    begin: Any, loss: Any, has_labels: bool, estimator: EstimatorKind, apply_activation: bool
) -> dict[str, Any]:
    """Return `estimator_params` with a start; without labels, rows are several targets."""
    if np.ndim(begin):
        own: dict[str, Any] = {"base_score": [float(z) for z in np.asarray(begin)]}
    elif estimator == "classifier":
        # There it is a probability, whatever the objective.
        own = {"base_score": float(1.0 / (1.0 + np.exp(-begin)))}
    else:
        own = {"base_score": float(begin)}
    form = raw_loss_of(loss, wide=True)
    is_wide = form.has_columns or form.takes_groups
    if form.takes_rows and is_wide:
        # Without a name beside it, predict() returns raw predictions.
        own["num_target"] = len(own["base_score"])
    if estimator != "native":
        return own
    # Otherwise rmse is recorded too, and early stopping follows the last metric.
    own["disable_default_eval_metric"] = True
    if form.takes_rows and has_labels and not is_wide:
        # Without a name beside it, predict() returns classes.
        own |= {"num_class": len(own["base_score"]), "objective": _SOFTMAX}
    elif apply_activation:
        output_activation = as_loss(loss).output_activation
        if output_activation is not None:
            own |= {
                "objective": _BY_ACTIVATION[output_activation],
                "base_score": predictions_of(loss, begin).tolist(),
            }
        if output_activation == "exp":
            own["max_delta_step"] = 0.0
    return own


class XGBoostBridge(BoostingLibrary):
    """XGBoost: a loss as the objective and the metric of a gradient boosting model."""

    name: ClassVar[str] = "xgboost"
    library: ClassVar[str] = "xgboost"
    extra: ClassVar[str] = "xgboost"
    is_wide: ClassVar[bool] = True
    start_dtype: ClassVar[type[np.floating[Any]]] = np.float32  # of ``base_score``
    objective_class: ClassVar[type[Any]] = XGBoostObjective
    metric_class: ClassVar[type[Any]] = XGBoostMetric
    data_class: ClassVar[str] = "DMatrix"
    takes_rows_of_labels: ClassVar[bool] = True
    training: ClassVar[str] = "{}, xgboost.DMatrix(x, y), 100"

    def objective(
        self,
        loss: Any,
        *,
        curvature: str = "auto",
        target: Any = None,
        min_child_weight: float = _MIN_CHILD_WEIGHT,
    ) -> XGBoostObjective:
        """Return a loss as an objective of XGBoost.

        Parameters
        ----------
        loss : str, mapping or Loss
            A loss with an output activation is fused with it.
        curvature : {"auto", "exact", "bound", "gradient", "one", "twice", "expected"}
            The rule for the second derivative; see the page on curvature.
        target : array_like, optional
            For a loss with targets of several columns: all of them, (N, C). Labels are then the
            numbers of their rows, ``numpy.arange(N)``.
        min_child_weight : float
            The XGBoost parameter, if you set it: lossfw warns if no split is possible with it.

        Returns
        -------
        XGBoostObjective
            Immutable; equal for equal arguments, and can be hashed and pickled.

        Raises
        ------
        ArgumentError
            If the loss cannot be boosted, or has no curvature of this kind.
        """
        made = derivatives(loss, curvature, target=target, wide=True)
        return XGBoostObjective(made, float(min_child_weight))

    def estimator_params(
        self,
        loss: Any,
        target: Any,
        sample_weight: Any = None,
        *,
        classes: int | None = None,
        estimator: EstimatorKind = "native",
        apply_activation: bool = False,
        xgb_model: Any = None,
    ) -> dict[str, Any]:
        """Return the parameters that belong to an objective: the start and the number of classes.

        Parameters
        ----------
        loss : str, mapping or Loss
        target, sample_weight : array_like
            Those of the training rows.
        classes : int, optional
            The number of classes, for a loss of rows.
        estimator : {"native", "regressor", "classifier"}
            For `xgboost.train`, `XGBRegressor` or `XGBClassifier`.
        apply_activation : bool
            Whether ``predict``, or ``predict_proba`` of a classifier, returns responses
            (probabilities, means). A saved model keeps this.
        xgb_model : Booster, estimator, path or bytearray, optional
            A model to continue with these parameters; the predictions of its trees do not change.

        Raises
        ------
        ArgumentError
            If XGBoost cannot return responses; if the model has other raw predictions.
        """
        estimator = estimator_kind(estimator)
        _refuse_no_response(loss, estimator, apply_activation)
        labels = np.ndim(target) == 1
        if xgb_model is None:
            begin = best_constant(loss, target, sample_weight, classes=classes)
            return _params_with_start(begin, loss, labels, estimator, apply_activation)
        begun = _load_continued_model(loss, xgb_model, classes)
        defaults = _params_with_start(begun.margin, loss, labels, estimator, apply_activation)
        one = "reg:squarederror" if estimator == "regressor" else "binary:logistic"
        # Its estimators name an objective of their own beside one from outside.
        beside = (
            begun.objective if estimator == "native" else one if begun.classes is None else _SOFTMAX
        )
        begun.keep_base_score(defaults, defaults.get("objective", beside))
        return defaults

    def train(
        self,
        loss: Any,
        params: dict[str, Any],
        dtrain: Any,
        num_boost_round: int = 10,
        *,
        curvature: str = "auto",
        apply_activation: bool = False,
        target: Any = None,
        xgb_model: Any = None,
        **kwargs: Any,
    ) -> Any:
        """Train an XGBoost model with a loss: `xgboost.train` with objective, metric and start.

        Parameters
        ----------
        loss : str, mapping or Loss
        params : dict
            XGBoost parameters; they override those that the loss sets.
        dtrain : xgboost.DMatrix
            With labels.
        num_boost_round, **kwargs
            Arguments of `xgboost.train`.
        curvature
            See `objective`.
        target : array_like, optional
            See `objective`.
        apply_activation
            See `estimator_params`. A continued model keeps its choice.
        xgb_model : Booster, estimator, path or bytearray, optional
            A model to continue. Its start and the predictions of its trees do not change.

        Returns
        -------
        xgboost.Booster

        Raises
        ------
        ArgumentError
            If the data has no labels; if the model to continue has other raw predictions than the
            loss, or another ``base_score`` than `params`.
        """
        xgb = self.imported()
        labels, weight = self.read_data(loss, params, dtrain)
        _refuse_no_response(loss, "native", apply_activation)
        least = float(params.get("min_child_weight", _MIN_CHILD_WEIGHT))
        made = self.objective(loss, curvature=curvature, target=target, min_child_weight=least)
        columns = params.get("num_class") or params.get("num_target")
        sizes = sizes_of(dtrain)
        begun = None
        if xgb_model is None:
            rows = made.derivatives.prepare_targets(labels, weight, sizes)
            begin = best_constant(made.derivatives.given_loss, rows.t, rows.w, classes=columns)
        else:
            xgb_model = booster_of(xgb_model, xgb)
            begun = _load_continued_model(loss, xgb_model, columns)
            begin = begun.margin
        merged = {
            **_params_with_start(begin, loss, labels.ndim == 1, "native", apply_activation),
            **params,
        }
        if begun:
            if "base_score" in params:
                begun.refuse_other_start(params["base_score"])
            begun.keep_base_score(merged, merged.get("objective", begun.objective))
        elif "base_score" not in params:
            refuse_dead_start(made.derivatives, begin, labels, weight)
        # Read and looked at once, and not in each round.
        known = made.derivatives.prepare_targets(labels, weight, sizes, narrow=True)
        kwargs.setdefault("custom_metric", self.metric(loss, target=target))
        return xgb.train(
            merged, dtrain, num_boost_round,
            obj=lambda raw, _: made.derivatives_at(raw, known), xgb_model=xgb_model, **kwargs,
        )  # fmt: skip

    def outputs(self, estimator: Any) -> EstimatorOutputs | None:
        return outputs_of(estimator, self.imported())

    def derivatives(
        self,
        objective: Any,
        raw: NDArray,
        target: NDArray,
        weight: NDArray | None,
        sizes: NDArray | None = None,
    ) -> tuple[NDArray, NDArray]:
        data = self._matrix(np.zeros((len(raw), 1)), target, weight, sizes)
        g, h = objective(np.asarray(raw, np.float32), data)
        return np.asarray(g, np.float64), np.asarray(h, np.float64)

    def score(
        self,
        metric: Any,
        raw: NDArray,
        target: NDArray,
        weight: NDArray | None,
        sizes: NDArray | None = None,
    ) -> tuple[float, bool]:
        data = self._matrix(np.zeros((len(raw), 1)), target, weight, sizes)
        name, value = metric(np.asarray(raw, np.float32), data)
        return value, name.startswith(_MAXIMISED)

    def fit_predict(self, loss: Loss, training: BoostingSettings) -> NDArray:
        begin = np.asarray(training.start, np.float64)
        params = {
            "eta": training.learning_rate,
            "lambda": training.l2,
            "min_child_weight": 0.0,
            "base_score": begin.tolist(),
            "tree_method": "exact",
            "nthread": 1,
        }
        form = raw_loss_of(loss, wide=True)
        if begin.ndim:
            params["num_target" if form.has_columns else "num_class"] = len(begin)
        target, table = labels_of(training.target, form)
        data = self._matrix(training.x, target, training.weight, training.sizes)
        model = self.train(
            loss, params, data, training.rounds, curvature=training.curvature, target=table
        )
        return np.asarray(model.predict(data, output_margin=True), np.float64)

    def _matrix(
        self, x: NDArray, target: NDArray, weight: NDArray | None, sizes: NDArray | None = None
    ) -> Any:
        data = self.imported().DMatrix(x, label=target)
        if sizes is not None:
            data.set_group(sizes)
        if weight is not None:
            data.set_weight(weight)
        return data


_BRIDGE = XGBoostBridge()
objective, metric = _BRIDGE.objective, _BRIDGE.metric
estimator_params, train = _BRIDGE.estimator_params, _BRIDGE.train
