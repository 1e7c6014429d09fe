"""CatBoost: a loss as objective, metric, start and parameters of a model.

::

    from lossfw.bridges import catboost as bridge

    model = bridge.train("huber", {"depth": 4, "iterations": 100}, catboost.Pool(x, y))

    model = catboost.CatBoostRegressor(**bridge.settings("huber", y))
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
from lossfw.bridges.boosting import (
    Derivatives,
    Face,
    Frozen,
    derivatives,
    refuse_no_labels,
    refuse_other_data,
    refuse_other_objective,
    refuse_rows_of_labels,
    refuse_unknown_face,
    start,
    start_of_training,
)
from lossfw.bridges.boosting_bridge import Boosting, BoostingBridge
from lossfw.bridges.bridge import written
from lossfw.bridges.catboost_model import finished, model_of, outputs_of, refuse_other_kind
from lossfw.bridges.catboost_rows import RowDerivatives
from lossfw.bridges.outputs import EstimatorOutputs
from lossfw.bridges.raw_form import made, raw_form
from lossfw.bridges.row_start import columns_of
from lossfw.bridges.rows import class_indices, numbers
from lossfw.errors import ArgumentError
from lossfw.losses.loss import Loss
from lossfw.numerics.arrays import NDArray

__all__ = ["CatBoostBridge", "metric", "objective", "settings", "start", "train"]


@dataclass(frozen=True)
class CatBoostObjective(Frozen):
    """A loss as an objective, for ``CatBoost({"loss_function": ...})``.

    CatBoost maximises, and wants the derivatives of minus the loss. It calls an objective for
    all rows and then for parts of them. Make one with `objective`.
    """

    derivatives: Derivatives
    # It would try to compile the methods with numba, and to write to the object.
    no_jit: ClassVar[bool] = True

    def calc_ders_range(self, approxes: Any, targets: Any, weights: Any) -> NDArray:
        """Return minus the slope and minus the curvature of each row, (N, 2)."""
        w = None if weights is None else np.asarray(weights)
        g, h = self.derivatives(np.asarray(approxes), np.asarray(targets), w)
        pairs = np.empty((len(g), 2))
        np.negative(g, out=pairs[:, 0])
        np.negative(h, out=pairs[:, 1])
        return pairs

    def calc_ders_multi(self, approx: Any, target: Any, weight: Any) -> Any:
        """Return minus the slopes and minus the matrix of curvatures of one row."""
        return self._of_row(approx, target, 1.0 if weight is None else weight)

    @functools.cached_property
    def _of_row(self) -> RowDerivatives:
        return RowDerivatives(self.derivatives)


@dataclass(frozen=True)
class CatBoostMetric(Frozen):
    """The weighted mean loss, for ``eval_metric``, which CatBoost needs beside an objective."""

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
        rows = self.derivatives.rows(raw, np.asarray(target), w)
        total = self.derivatives.loss(rows.y, rows.t, sample_weight=rows.w, reduction="sum")
        return float(total), float(len(rows.t) if w is None else w.sum())

    def get_final_error(self, error: float, weight: float) -> float:
        """Return the mean."""
        return error / weight if weight else 0.0


def objective(loss: Any, *, curvature: str = "auto") -> CatBoostObjective:
    """Return a loss as an objective of CatBoost.

    Parameters
    ----------
    loss : str, mapping or Loss
        A loss with a link is fused with it.
    curvature : {"auto", "exact", "bound", "slope", "one"}
        What takes the place of the second derivative.

    Returns
    -------
    CatBoostObjective
        Immutable; equal for equal arguments, and can be hashed and pickled.

    Raises
    ------
    ArgumentError
        If the loss cannot be boosted, or the curvature has no meaning for it.
    """
    return CatBoostObjective(derivatives(loss, curvature))


def metric(loss: Any) -> CatBoostMetric:
    """Return the weighted mean loss as a metric that CatBoost minimises."""
    return CatBoostMetric(derivatives(loss, "one"))


def settings(
    loss: Any,
    target: Any,
    sample_weight: Any = None,
    *,
    classes: int | None = None,
    face: Face = "native",
    curvature: str = "auto",
) -> dict[str, Any]:
    """Return the parameters that belong to a loss; the start is none of them, see `train`.

    Parameters
    ----------
    loss : str, mapping or Loss
    target, sample_weight : array_like
        Of the training rows.
    classes : int, optional
        The number of classes, for a loss of rows.
    face : {"native", "regressor", "classifier"}
        For `catboost.CatBoost`, `CatBoostRegressor` or `CatBoostClassifier`, which has to be
        told the labels; they may be texts.
    curvature
        See `objective`.
    """
    refuse_unknown_face(face)
    own: dict[str, Any] = {
        "loss_function": objective(loss, curvature=curvature),
        "eval_metric": metric(loss),
        # More than one is refused for an objective from outside.
        "leaf_estimation_iterations": 1,
        "leaf_estimation_method": "Newton",
    }
    if face == "classifier":
        names, target = np.unique(np.asarray(target), return_inverse=True)
        own["class_names"] = tuple(names.tolist())
    form = raw_form(loss)
    if form.takes_rows:
        t = class_indices(form, target)
        columns = columns_of(form, t, classes)
        if columns == 2:
            raise ArgumentError(
                f"{form.name} with two classes: CatBoost has a single raw prediction for them. "
                "Choose a loss of single logits, such as binary_cross_entropy."
            )
        # Its own softmax has this bootstrap, and an objective from outside another one.
        own |= {"classes_count": columns, "bootstrap_type": "Bayesian"}
    return own


def _refuse_absent_classes(target: NDArray, classes: int | None) -> None:
    """Raise `ArgumentError` if a class never occurs: CatBoost has no baseline for it."""
    if classes is None:
        return
    absent = np.setdiff1d(np.arange(classes), target)
    if absent.size:
        raise ArgumentError(
            f"class {absent[0]} of {classes} never occurs, and CatBoost counts those that do: "
            "encode labels with numpy.unique(labels, return_inverse=True)."
        )


def train(
    loss: Any,
    params: dict[str, Any],
    pool: Any,
    *,
    curvature: str = "auto",
    start: Any = None,
    init_model: Any = None,
    **more: Any,
) -> Any:
    """Return a trained `catboost.CatBoost` with a loss: objective, metric and start are set.

    Parameters
    ----------
    loss : str, mapping or Loss
    params : dict
        Of CatBoost; what stands there precedes what the loss would set.
    pool : catboost.Pool
        With labels. A baseline of its own is kept, and CatBoost leaves it out of predictions;
        otherwise it is as before afterwards.
    curvature
        See `objective`.
    start : float or K floats, optional
        The start, in place of the one of least mean loss. With ``init_model`` there is none.
    init_model : catboost.CatBoost or path, optional
        A model to continue. It keeps its start, and its trees predict as before.
    **more
        Of `catboost.CatBoost.fit`, such as ``eval_set``.

    Returns
    -------
    catboost.CatBoost
        Its predictions hold the start.
    """
    cat = CatBoostBridge.imported()
    refuse_other_data(pool, cat.Pool)
    refuse_other_objective(params, ("loss_function", "objective"), made(loss))
    refuse_no_labels(pool.get_label())
    refuse_rows_of_labels(pool.get_label(), "CatBoost")
    target, weight = numbers(pool.get_label()), _weights(pool)
    own = settings(loss, target, weight, curvature=curvature, classes=params.get("classes_count"))
    _refuse_absent_classes(target, own.get("classes_count"))
    begin = start_of_training(
        own["loss_function"].derivatives,
        target,
        weight,
        given=start,
        classes=own.get("classes_count"),
        has_one=_has_baseline(pool) or init_model is not None,
    )
    if init_model is not None:
        init_model = model_of(init_model, cat)
        refuse_other_kind(init_model, raw_form(loss), begin.size)
    model = cat.CatBoost({**own, **params})
    with _based([pool, *_evaluated(more)], begin), _own_errors(cat):
        model.fit(pool, init_model=init_model, **more)
    return finished(model, begin, init_model)


def _has_baseline(pool: Any) -> bool:
    """Tell whether a pool has a baseline; one of zeros is none."""
    return bool(np.any(pool.get_baseline()))


def _weights(pool: Any) -> NDArray | None:
    weight = np.asarray(pool.get_weight(), np.float64)
    return weight if weight.size and (weight != 1.0).any() else None


def _evaluated(more: dict[str, Any]) -> list[Any]:
    given = more.get("eval_set")
    several = given if isinstance(given, list) else [given]
    return [pool for pool in several if hasattr(pool, "set_baseline")]


@contextmanager
def _based(pools: list[Any], begin: NDArray) -> Iterator[None]:
    """Give pools without a baseline a start, for the time of a training."""
    bare = [pool for pool in pools if begin.any() and not _has_baseline(pool)]
    row = np.atleast_1d(begin)
    for pool in bare:
        pool.set_baseline(np.tile(row, (pool.num_row(), 1)))
    try:
        yield
    finally:
        for pool in bare:
            # No column is no baseline; one of zeros would still be one, for CatBoost.
            pool.set_baseline(np.zeros((pool.num_row(), 0)))


@contextmanager
def _own_errors(cat: Any) -> Iterator[None]:
    """Raise an error of lossfw that CatBoost has put into the text of its own."""
    try:
        yield
    except cat.CatBoostError as error:
        if "Expect exactly two class labels" in str(error):
            raise ArgumentError(
                "CatBoost cannot continue a classifier that knows the labels of three classes or "
                "more with an objective from outside. Also train the first model with "
                "lossfw.bridges.catboost.train, which stores no labels in it."
            ) from error
        found = re.search(r"lossfw\.errors\.(\w+): (.*)", str(error))
        kind = getattr(errors, found[1], None) if found else None
        if found is None or kind is None:
            raise
        raise kind(found[2].strip()) from error


class CatBoostBridge(BoostingBridge):
    """CatBoost: a loss as the objective and the metric of a gradient boosting model."""

    name: ClassVar[str] = "catboost"
    library: ClassVar[str] = "catboost"
    extra: ClassVar[str] = "catboost"
    start_dtype: ClassVar[type[np.floating[Any]]] = np.float32  # of a baseline

    def objective(self, loss: Any, *, curvature: str = "auto") -> CatBoostObjective:
        """See `objective`."""
        return objective(loss, curvature=curvature)

    def metric(self, loss: Any) -> CatBoostMetric:
        """See `metric`."""
        return metric(loss)

    def settings(
        self, loss: Any, target: Any, sample_weight: Any = None, *, classes: int | None = None
    ) -> dict[str, Any]:
        """See `settings`."""
        return settings(loss, target, sample_weight, classes=classes)

    def outputs(self, estimator: Any) -> EstimatorOutputs | None:
        """See `BoostingBridge.outputs`."""
        return outputs_of(estimator, self.imported())

    def usage(self, loss: Loss) -> str:
        """See `Bridge.usage`."""
        return (
            "import catboost\n"
            "from lossfw.bridges import catboost as bridge\n"
            f'model = bridge.train({written(loss)}, {{"iterations": 100}}, catboost.Pool(x, y))'
        )

    def sees(
        self, objective: Any, raw: NDArray, target: NDArray, weight: NDArray | None
    ) -> tuple[NDArray, NDArray]:
        """See `BoostingBridge.sees`; of a matrix of curvatures the diagonal."""
        target = np.asarray(target, np.float32)
        if raw.ndim == 1:
            pairs = objective.calc_ders_range(raw, target, weight)
            return -pairs[:, 0], -pairs[:, 1]
        w = np.ones(len(raw)) if weight is None else weight
        rows = [objective.calc_ders_multi(*row) for row in zip(raw, target, w, strict=True)]
        return -np.array([g for g, _ in rows]), -np.array([np.diag(h) for _, h in rows])

    def leaf(self, slopes: NDArray, bends: NDArray, weight: NDArray, l2: float) -> NDArray | None:
        """See `BoostingBridge.leaf`; of several classes the whole matrix is solved."""
        if slopes.ndim == 2:
            return None
        return super().leaf(slopes, bends, weight, l2 * float(weight.mean()))

    def score(
        self, metric: Any, raw: NDArray, target: NDArray, weight: NDArray | None
    ) -> tuple[float, bool]:
        """See `BoostingBridge.score`."""
        columns = [raw] if raw.ndim == 1 else list(raw.T)
        target = np.asarray(target, np.float32)
        total = metric.evaluate(columns, target, weight)
        return metric.get_final_error(*total), metric.is_max_optimal()

    def boosted(self, loss: Loss, training: Boosting) -> NDArray:
        """See `BoostingBridge.boosted`."""
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
        model = train(loss, params, pool, curvature=training.curvature, start=training.start)
        return np.asarray(model.predict(pool, prediction_type="RawFormulaVal"), np.float64)
