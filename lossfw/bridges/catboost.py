"""CatBoost: a loss as objective, metric, start and parameters of a model.

::

    from lossfw.bridges import catboost as bridge

    model = bridge.train("huber", {"depth": 4, "iterations": 100}, catboost.Pool(x, y))

    model = catboost.CatBoostRegressor(**bridge.estimator_params("huber", y))
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from lossfw import errors
from lossfw.bridges.boosting_library import EstimatorKind, StartInDataLibrary, estimator_kind
from lossfw.bridges.catboost_model import (
    add_start,
    model_to_continue,
    outputs_of,
    refuse_other_kind,
)
from lossfw.bridges.catboost_rows import RowDerivatives
from lossfw.errors import ArgumentError
from lossfw.learning.bridge import BoostingSettings
from lossfw.learning.derivatives import Derivatives, ImmutableObject, best_constant, training_start
from lossfw.learning.outputs import EstimatorOutputs
from lossfw.learning.raw_form import class_indices, raw_loss_of, raw_output_count
from lossfw.losses.loss import Loss
from lossfw.numerics.arrays import NDArray

__all__ = ["CatBoostBridge", "best_constant", "estimator_params", "metric", "objective", "train"]


@dataclass(frozen=True)
class CatBoostObjective(ImmutableObject):
    """A loss as an objective, for ``CatBoost({"loss_function": ...})``.

    CatBoost maximises, so it takes the derivatives of minus the loss. It calls an objective for all
    rows, then for parts of them. Make one with `objective`.
    """

    derivatives: Derivatives
    # It would try to compile the methods with numba, and to write to the object.
    no_jit: ClassVar[bool] = True

    def calc_ders_range(self, approxes: Any, targets: Any, weights: Any) -> NDArray:
        """Return minus the gradient and minus the curvature of each row, (N, 2)."""
        w = None if weights is None else np.asarray(weights)
        g, h = self.derivatives(np.asarray(approxes), np.asarray(targets), w)
        pairs = np.empty((len(g), 2))
        np.negative(g, out=pairs[:, 0])
        np.negative(h, out=pairs[:, 1])
        return pairs

    def calc_ders_multi(self, approx: Any, target: Any, weight: Any) -> Any:
        """Return minus the gradients and minus the matrix of curvatures of one row."""
        return self._row_derivatives(approx, target, 1.0 if weight is None else weight)

    @functools.cached_property
    def _row_derivatives(self) -> RowDerivatives:
        return RowDerivatives(self.derivatives)


@dataclass(frozen=True)
class CatBoostMetric(ImmutableObject):
    """The weighted mean loss, for ``eval_metric``, which CatBoost needs next to an objective."""

    derivatives: Derivatives
    no_jit: ClassVar[bool] = True

    def is_max_optimal(self) -> bool:
        """Tell that less is better."""
        return False

    def evaluate(self, approxes: Any, target: Any, weight: Any) -> tuple[float, float]:
        """Return the weighted sum of losses, and the sum of weights."""
        y = np.stack([np.asarray(approx) for approx in approxes], axis=1)
        w = None if weight is None or len(weight) == 0 else np.asarray(weight, np.float64)
        raw = y if self.derivatives.loss.takes_rows else y[:, 0]
        rows = self.derivatives.prepare_rows(raw, np.asarray(target), w)
        total = self.derivatives.loss(rows.y, rows.t, sample_weight=rows.w, reduction="sum")
        return float(total), float(len(rows.t) if w is None else w.sum())

    def get_final_error(self, error: float, weight: float) -> float:
        """Return the mean."""
        return error / weight if weight else 0.0


def _refuse_absent_classes(target: NDArray, classes: int | None) -> None:
    """Raise `ArgumentError` if a class never occurs: CatBoost has no baseline for it."""
    if classes is None:
        return
    absent = np.setdiff1d(np.arange(classes), target)
    if absent.size:
        raise ArgumentError(
            f"class {absent[0]} of {classes} never occurs, but CatBoost counts those that do: "
            "encode labels with numpy.unique(labels, return_inverse=True)."
        )


@contextmanager
def _raise_own_errors(catboost: Any) -> Iterator[None]:
    """Raise an error of lossfw that CatBoost has put into the text of its own."""
    try:
        yield
    except catboost.CatBoostError as error:
        if "Expect exactly two class labels" in str(error):
            raise ArgumentError(
                "CatBoost cannot continue a classifier that knows the labels of three classes or "
                "more with a custom objective. Also train the first model with "
                "lossfw.bridges.catboost.train, which stores no labels in it."
            ) from error
        found = re.search(r"lossfw\.errors\.(\w+): (.*)", str(error))
        kind = getattr(errors, found[1], None) if found else None
        if found is None or kind is None:
            raise
        raise kind(found[2].strip()) from error


class CatBoostBridge(StartInDataLibrary):
    """CatBoost: a loss as the objective and the metric of a gradient boosting model."""

    name: ClassVar[str] = "catboost"
    library: ClassVar[str] = "catboost"
    extra: ClassVar[str] = "catboost"
    start_dtype: ClassVar[type[np.floating[Any]]] = np.float32  # of a baseline
    objective_class: ClassVar[type[Any]] = CatBoostObjective
    metric_class: ClassVar[type[Any]] = CatBoostMetric
    objective_keys: ClassVar[tuple[str, ...]] = ("loss_function", "objective")
    data_class: ClassVar[str] = "Pool"
    training: ClassVar[str] = '{"iterations": 100}, catboost.Pool(x, y)'

    def estimator_params(
        self,
        loss: Any,
        target: Any,
        sample_weight: Any = None,
        *,
        classes: int | None = None,
        estimator: EstimatorKind = "native",
        curvature: str = "auto",
    ) -> dict[str, Any]:
        """Return the parameters that a loss needs, except the start; see `train`.

        Parameters
        ----------
        loss : str, mapping or Loss
        target, sample_weight : array_like
            Those of the training rows.
        classes : int, optional
            The number of classes, for a loss of rows.
        estimator : {"native", "regressor", "classifier"}
            For `catboost.CatBoost`, `CatBoostRegressor` or `CatBoostClassifier`, which needs the
            labels; they may be strings.
        curvature
            See `objective`.
        """
        estimator = estimator_kind(estimator)
        defaults: dict[str, Any] = {
            "loss_function": self.objective(loss, curvature=curvature),
            "eval_metric": self.metric(loss),
            # More than one is refused for an objective from outside.
            "leaf_estimation_iterations": 1,
            "leaf_estimation_method": "Newton",
        }
        if estimator == "classifier":
            names, target = np.unique(np.asarray(target), return_inverse=True)
            defaults["class_names"] = tuple(names.tolist())
        form = raw_loss_of(loss)
        if form.takes_rows:
            t = class_indices(form, target)
            columns = raw_output_count(form, t, classes)
            if columns == 2:
                raise ArgumentError(
                    f"{form.name} with two classes: CatBoost has a single raw prediction for them. "
                    "Choose a loss of single logits, such as binary_cross_entropy."
                )
            # Its own softmax has this bootstrap, and an objective from outside another one.
            defaults |= {"classes_count": columns, "bootstrap_type": "Bayesian"}
        return defaults

    def train(
        self,
        loss: Any,
        params: dict[str, Any],
        pool: Any,
        *,
        curvature: str = "auto",
        start: Any = None,
        init_model: Any = None,
        **kwargs: Any,
    ) -> Any:
        """Train a CatBoost model with a loss, with objective, metric and start.

        Parameters
        ----------
        loss : str, mapping or Loss
        params : dict
            CatBoost parameters; they override those that the loss sets.
        pool : catboost.Pool
            With labels. If it has a baseline, training uses it, and CatBoost does not add it to
            predictions. The pool is not changed.
        curvature
            See `objective`.
        start : float or K floats, optional
            The start; by default the one with the least mean loss. Not used with ``init_model``.
        init_model : catboost.CatBoost or path, optional
            A model to continue. Its start and the predictions of its trees do not change.
        **kwargs
            Arguments of `catboost.CatBoost.fit`, such as ``eval_set``.

        Returns
        -------
        catboost.CatBoost
            Its predictions include the start.
        """
        catboost = self.imported()
        target, weight = self.read_data(loss, params, pool)
        columns = params.get("classes_count")
        defaults = self.estimator_params(loss, target, weight, curvature=curvature, classes=columns)
        columns = defaults.get("classes_count")
        _refuse_absent_classes(target, columns)
        begin = np.zeros(columns or ())
        if init_model is None and not self._has_start(pool):
            derivatives = defaults["loss_function"].derivatives
            begin = training_start(derivatives, target, weight, start, columns)
        if init_model is not None:
            init_model = model_to_continue(init_model, catboost)
            refuse_other_kind(init_model, raw_loss_of(loss), begin.size)
        model = catboost.CatBoost({**defaults, **params})
        watched = kwargs.get("eval_set")
        several = watched if isinstance(watched, list) else [watched]
        data_sets = [pool, *(other for other in several if isinstance(other, catboost.Pool))]
        with self.temporary_start(data_sets, begin), _raise_own_errors(catboost):
            model.fit(pool, init_model=init_model, **kwargs)
        return add_start(model, begin, init_model)

    def _weights(self, data: Any) -> NDArray | None:
        weight = np.asarray(data.get_weight(), np.float64)
        return weight if weight.size and (weight != 1.0).any() else None

    def _has_start(self, data: Any) -> bool:
        return bool(np.any(data.get_baseline()))

    def _set_start(self, data: Any, start: NDArray) -> None:
        data.set_baseline(np.tile(start, (data.num_row(), 1)))

    def _zero_start(self, start: NDArray) -> NDArray:
        # A column of zeros would still be a baseline for CatBoost.
        return np.zeros(0)

    def outputs(self, estimator: Any) -> EstimatorOutputs | None:
        return outputs_of(estimator, self.imported())

    def derivatives(
        self, objective: Any, raw: NDArray, target: NDArray, weight: NDArray | None
    ) -> tuple[NDArray, NDArray]:
        # The diagonal of each matrix of curvatures.
        target = np.asarray(target, np.float32)
        if raw.ndim == 1:
            pairs = objective.calc_ders_range(raw, target, weight)
            return -pairs[:, 0], -pairs[:, 1]
        w = np.ones(len(raw)) if weight is None else weight
        rows = [objective.calc_ders_multi(*row) for row in zip(raw, target, w, strict=True)]
        return -np.array([g for g, _ in rows]), -np.array([np.diag(h) for _, h in rows])

    def leaf_value(
        self, gradients: NDArray, curvatures: NDArray, weight: NDArray, l2: float
    ) -> NDArray | None:
        if gradients.ndim == 2:
            return None  # The whole matrix is solved.
        return super().leaf_value(gradients, curvatures, weight, l2 * float(weight.mean()))

    def score(
        self, metric: Any, raw: NDArray, target: NDArray, weight: NDArray | None
    ) -> tuple[float, bool]:
        columns = [raw] if raw.ndim == 1 else list(raw.T)
        target = np.asarray(target, np.float32)
        total = metric.evaluate(columns, target, weight)
        return metric.get_final_error(*total), metric.is_max_optimal()

    def fit_predict(self, loss: Loss, training: BoostingSettings) -> NDArray:
        params = {
            "iterations": training.rounds,
            "learning_rate": training.learning_rate,
            "l2_leaf_reg": training.l2,
            "bootstrap_type": "No",
            "random_strength": 0.0,
            "boosting_type": "Plain",
            "thread_count": 1,
            "random_seed": 0,
            "allow_writing_files": False,
            "verbose": False,
        }
        pool = self.imported().Pool(training.x, training.target, weight=training.weight)
        if np.ndim(training.start):
            params["classes_count"] = len(training.start)
        model = self.train(loss, params, pool, curvature=training.curvature, start=training.start)
        return np.asarray(model.predict(pool, prediction_type="RawFormulaVal"), np.float64)


_BRIDGE = CatBoostBridge()
objective, metric = _BRIDGE.objective, _BRIDGE.metric
estimator_params, train = _BRIDGE.estimator_params, _BRIDGE.train
