"""LightGBM: a loss as objective, metric, start and parameters of a model.

::

    from lossfw.bridges import lightgbm as bridge

    model = bridge.train("huber", {"num_leaves": 15}, lightgbm.Dataset(x, y), 100)

    begin = bridge.best_constant("huber", y)
    model = lightgbm.LGBMRegressor(**bridge.estimator_params("huber", y, estimator="regressor"))
    model.fit(x, y, init_score=bridge.init_score(begin, len(y)))
    bridge.add_start(model, begin)
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from lossfw.bridges.boosting_library import (
    EstimatorKind,
    StartInDataLibrary,
    arguments_of_call,
    estimator_kind,
)
from lossfw.bridges.lightgbm_model import booster_of, classes_of, outputs_of
from lossfw.errors import ArgumentError, ShapeError
from lossfw.learning.bridge import BoostingSettings
from lossfw.learning.derivatives import (
    Derivatives,
    ImmutableObject,
    TargetTable,
    best_constant,
    labels_of,
    training_start,
)
from lossfw.learning.outputs import EstimatorOutputs
from lossfw.learning.raw_form import class_indices, raw_loss_of, raw_output_count
from lossfw.losses.loss import Loss
from lossfw.numerics.arrays import NDArray

__all__ = [
    "LightGBMBridge",
    "add_start",
    "best_constant",
    "estimator_params",
    "init_score",
    "metric",
    "objective",
    "train",
]


@dataclass(frozen=True)
class LightGBMObjective(ImmutableObject):
    """A loss as an objective, for ``params["objective"]`` and ``LGBMRegressor(objective=)``.

    Make one with `objective`.
    """

    derivatives: Derivatives

    # LightGBM counts the parameters: with fewer it would leave out the weights or the groups.
    def __call__(
        self, y_true: Any, y_pred: Any, weight: Any = None, group: Any = None
    ) -> tuple[NDArray, NDArray]:
        """Return gradients and curvatures, in float32 and in the shape of the raw predictions.

        Called as (predictions, Dataset) or as (labels, predictions, weights, sizes of groups).
        """
        raw, target, weight, sizes = arguments_of_call(y_true, y_pred, weight, group)
        shape = np.shape(raw)
        columns = shape[1] if len(shape) == 2 else 1
        # Its own softmax objective has the curvature K / (K - 1) p (1 - p).
        factor = columns / (columns - 1.0) if columns > 1 else 1.0
        g, h = self.derivatives(raw, target, weight, sizes, softmax_factor=factor)
        # LightGBM keeps them class by class: so it is spared copies.
        g, h = (np.asarray(x.reshape(shape), np.float32, order="F") for x in (g, h))
        return g, h


@dataclass(frozen=True)
class LightGBMMetric(ImmutableObject):
    """The weighted mean loss, for ``feval=`` and ``eval_metric=``."""

    derivatives: Derivatives

    def __call__(
        self, y_true: Any, y_pred: Any, weight: Any = None, group: Any = None
    ) -> tuple[str, float, bool]:
        """Return the name, the value, and that greater is not better."""
        value = self.derivatives.mean(*arguments_of_call(y_true, y_pred, weight, group))
        return self.derivatives.name, value, False


def init_score(start: Any, rows: int) -> NDArray:
    """Return a start as ``init_score`` for a number of rows."""
    return np.broadcast_to(np.asarray(start, np.float64), (rows, *np.shape(start))).copy()


def add_start(model: Any, start: Any) -> Any:
    """Add the start to the leaves of a model, so that its predictions include it.

    LightGBM does not add ``init_score`` to predictions. A start in the leaves is also saved with
    the model.

    Parameters
    ----------
    model : lightgbm.Booster, LGBMRegressor or LGBMClassifier
        A model that was trained with ``init_score=init_score(start, ...)``. It is modified in
        place.
    start : float or K floats

    Returns
    -------
    The model.

    Raises
    ------
    ArgumentError
        If the model has no trees, or its trees are linear.
    """
    booster = getattr(model, "booster_", model)
    starts = np.atleast_1d(np.asarray(start, np.float64))
    if not starts.any():
        return model
    if booster.num_trees() < len(starts):
        raise ArgumentError(
            f"the start has {len(starts)} numbers but the model has {booster.num_trees()} trees: "
            "train at least one round."
        )
    trees = booster.dump_model(num_iteration=1)["tree_info"]
    if any("leaf_const" in str(tree) for tree in trees):
        raise ArgumentError(
            "the leaves of linear_tree=True cannot hold a start: train with start=0.0."
        )
    for k, begin in enumerate(starts):
        for leaf in range(int(trees[k]["num_leaves"])):
            booster.set_leaf_output(k, leaf, float(booster.get_leaf_output(k, leaf) + begin))
    return model


class LightGBMBridge(StartInDataLibrary):
    """LightGBM: a loss as the objective and the metric of a gradient boosting model."""

    name: ClassVar[str] = "lightgbm"
    library: ClassVar[str] = "lightgbm"
    extra: ClassVar[str] = "lightgbm"
    is_wide: ClassVar[bool] = True
    objective_class: ClassVar[type[Any]] = LightGBMObjective
    metric_class: ClassVar[type[Any]] = LightGBMMetric
    objective_keys: ClassVar[tuple[str, ...]] = (
        "objective", "objective_type", "app", "application", "loss",
    )  # fmt: skip
    data_class: ClassVar[str] = "Dataset"
    training: ClassVar[str] = "{}, lightgbm.Dataset(x, y), 100"

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
        """Return the parameters that a loss needs, except the start; see `init_score`.

        Parameters
        ----------
        loss : str, mapping or Loss
        target, sample_weight : array_like
            Those of the training rows. For targets of several columns, labels are the numbers of
            these rows; see `objective`.
        classes : int, optional
            The number of classes, for a loss of rows; of raw predictions, for vectors.
        estimator : {"native", "regressor", "classifier"}
            For `lightgbm.train`, `LGBMRegressor` (or `LGBMRanker`), or `LGBMClassifier`, which
            counts the classes itself.
        curvature
            See `objective`.
        """
        estimator = estimator_kind(estimator)
        form = raw_loss_of(loss, wide=True)
        of_columns = form.target_space.axes and form.has_columns
        table = target if of_columns and np.ndim(target) == 2 else None
        made = self.objective(loss, curvature=curvature, target=table)
        defaults: dict[str, Any] = {"objective": made, "metric": "None"}
        if form.takes_rows and (estimator == "native" or form.has_columns):
            t = target if form.has_columns else class_indices(form, target)
            defaults["num_class"] = raw_output_count(form, t, classes)
        return defaults

    def train(
        self,
        loss: Any,
        params: dict[str, Any],
        train_set: Any,
        num_boost_round: int = 100,
        *,
        curvature: str = "auto",
        start: Any = None,
        target: Any = None,
        init_model: Any = None,
        **kwargs: Any,
    ) -> Any:
        """Train a LightGBM model with a loss: `lightgbm.train` with objective, metric and start.

        Parameters
        ----------
        loss : str, mapping or Loss
        params : dict
            LightGBM parameters; they override those that the loss sets.
        train_set : lightgbm.Dataset
            With labels. If it has an ``init_score``, training uses it, and LightGBM does not add it
            to predictions. The data set is not changed.
        num_boost_round, **kwargs
            Arguments of `lightgbm.train`.
        curvature
            See `objective`.
        start : float or K floats, optional
            The start; by default the one with the least mean loss. Not used with ``init_model``.
        target : array_like, optional
            See `objective`.
        init_model : lightgbm.Booster, estimator or path, optional
            A model to continue. Its start and the predictions of its trees do not change.

        Returns
        -------
        lightgbm.Booster
            Its predictions include the start.

        Raises
        ------
        ArgumentError
            If the data has no labels, or the model to continue has other raw predictions than the
            loss.
        """
        lgb = self.imported()
        labels, weight = self.read_data(loss, params, train_set)
        columns = params.get("num_class")
        if init_model is not None:
            init_model = booster_of(init_model, lgb)
            columns = classes_of(init_model, raw_loss_of(loss, wide=True), params)
        rows = labels if target is None else TargetTable(np.asarray(target)).rows(labels)
        defaults = self.estimator_params(loss, rows, weight, curvature=curvature, classes=columns)
        if target is not None:
            defaults["objective"] = self.objective(loss, curvature=curvature, target=target)
        columns = defaults.get("num_class")
        begin = np.zeros(columns or ())
        if init_model is None and not self._has_start(train_set):
            derivatives = defaults["objective"].derivatives
            begin = training_start(derivatives, labels, weight, start, columns)
        kwargs.setdefault("feval", self.metric(loss, target=target))
        watched = kwargs.get("valid_sets") or ()
        data_sets = [train_set, *([watched] if isinstance(watched, lgb.Dataset) else watched)]
        continued = [] if init_model is None else data_sets
        with self.temporary_start(data_sets, begin), self._release_predictions(continued):
            model = lgb.train(
                {**defaults, **params}, train_set, num_boost_round, init_model=init_model, **kwargs
            )
        return add_start(model, begin)

    # A data set is not constructed here: LightGBM does it with the parameters of the training.

    def _labels(self, data: Any) -> Any:
        if data.label is None and isinstance(data.data, str | Path):
            data.construct()
        if data.label is None:
            return None
        rows, labels = getattr(data.data, "shape", ()), np.shape(data.label)
        if rows and labels and rows[0] != labels[0]:
            # Otherwise it would complain of a start, which the user has not given.
            raise ShapeError(
                f"the data has {rows[0]} rows but {labels[0]} labels: give one label per row."
            )
        return data.get_label()

    def _weights(self, data: Any) -> NDArray | None:
        return None if data.weight is None else np.asarray(data.get_weight())

    def _has_start(self, data: Any) -> bool:
        # An ``init_score`` cannot be removed: 0 is none.
        return data.init_score is not None and bool(np.any(data.init_score))

    def _set_start(self, data: Any, start: NDArray) -> None:
        data.set_init_score(init_score(start, len(self.targets(data))))

    @contextmanager
    def _release_predictions(self, data_sets: list[Any]) -> Iterator[None]:
        """Take the raw predictions of a model that was continued out of data sets again.

        LightGBM leaves them there as ``init_score``, and removes them, with any start, when the
        data set is trained with anew.
        """
        bare = [data for data in data_sets if not self._has_start(data)]
        try:
            yield
        finally:
            for data in bare:
                # A data set without its rows cannot be trained with again; LightGBM says so then.
                if data.data is not None:
                    data._set_predictor(None)

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
        data = self._make_dataset(np.zeros((len(raw), 1)), target, weight, sizes)
        # It hands over what it keeps class by class.
        g, h = objective(np.asfortranarray(raw), data)
        return np.asarray(g, np.float64), np.asarray(h, np.float64)

    def score(
        self,
        metric: Any,
        raw: NDArray,
        target: NDArray,
        weight: NDArray | None,
        sizes: NDArray | None = None,
    ) -> tuple[float, bool]:
        _, value, greater = metric(
            raw, self._make_dataset(np.zeros((len(raw), 1)), target, weight, sizes)
        )
        return value, greater

    def fit_predict(self, loss: Loss, training: BoostingSettings) -> NDArray:
        params = {
            "learning_rate": training.learning_rate,
            "lambda_l2": training.l2,
            # With 1 it makes no leaf of little curvature, which it takes for a leaf without rows.
            "min_data_in_leaf": 0,
            "min_data_in_bin": 1,
            # With 0 it makes leaves without rows where curvatures vanish, and fails.
            "min_sum_hessian_in_leaf": 1e-3,
            "verbosity": -1,
            "num_threads": 1,
        }
        target, table = labels_of(training.target, raw_loss_of(loss, wide=True))
        data = self._make_dataset(training.x, target, training.weight, training.sizes)
        if np.ndim(training.start):
            params["num_class"] = len(training.start)
        model = self.train(
            loss, params, data, training.rounds,
            curvature=training.curvature, start=training.start, target=table,
        )  # fmt: skip
        return np.asarray(model.predict(training.x, raw_score=True), np.float64)

    def _make_dataset(
        self, x: NDArray, target: NDArray, weight: NDArray | None, sizes: NDArray | None = None
    ) -> Any:
        quiet = {"verbosity": -1, "min_data_in_bin": 1, "feature_pre_filter": False}
        if sizes is not None and weight is not None:
            # It has a weight for each row.
            weight = np.repeat(weight, sizes)
        data = self.imported().Dataset(x, label=target, weight=weight, group=sizes, params=quiet)
        return data.construct()


_BRIDGE = LightGBMBridge()
objective, metric = _BRIDGE.objective, _BRIDGE.metric
estimator_params, train = _BRIDGE.estimator_params, _BRIDGE.train
