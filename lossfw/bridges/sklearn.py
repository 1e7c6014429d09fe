"""scikit-learn: a loss as a scorer, and as the loss of HistGradientBoosting.

::

    from lossfw.bridges.sklearn import hist_loss, scorer

    cross_val_score(model, x, y, scoring=scorer("huber"))
    HistGradientBoostingRegressor(loss=hist_loss("cauchy")).fit(x, y)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from threadpoolctl import threadpool_limits

from lossfw.bridges.scorer import METHODS, LossScorer, ResponseMethod
from lossfw.errors import ArgumentError
from lossfw.learning.bridge import BoostingBridge, BoostingSettings, spec_code
from lossfw.learning.raw_form import LABELS, as_loss, raw_loss_of
from lossfw.losses.loss import Loss
from lossfw.numerics.arrays import NDArray

if TYPE_CHECKING:
    from lossfw.bridges.hist_loss import HistLoss

__all__ = ["SklearnBridge", "hist_loss", "scorer"]


def scorer(loss: Any, *, response: ResponseMethod | None = None) -> LossScorer:
    """Return a loss as a scorer: minus the mean loss, so that greater is better.

    Estimators of XGBoost, LightGBM and CatBoost mostly return logarithms of means, or log-odds,
    from ``predict`` if their objective is a custom one. The scorer knows the objectives of lossfw
    and converts these to means and probabilities, also in the last step of a pipeline or a search.
    For other estimators it uses what their methods return.

    Parameters
    ----------
    loss : str, mapping or Loss
    response : {"predict", "predict_proba", "decision_function"}, optional
        The method whose results are scored. By default ``predict_proba`` for a loss of
        probabilities, ``decision_function`` for a loss of logits or margins, otherwise ``predict``.

    Returns
    -------
    LossScorer
        For ``scoring=`` of `cross_val_score`, `GridSearchCV` and others. Pass weights as
        ``sample_weight``, or by metadata routing with ``set_score_request``. Labels may be strings;
        they are numbered as in the estimator. A call raises `ArgumentError` if the loss cannot be
        computed from the predictions.

    Raises
    ------
    ArgumentError
        If `response` is unknown.

    Examples
    --------
    >>> scorer("huber")
    LossScorer(loss=Huber(delta=1.0), response=None)
    """
    if response not in (None, *METHODS):
        raise ArgumentError(
            f"response={response!r} is unknown: choose one of {', '.join(METHODS)}."
        )
    return LossScorer(as_loss(loss), response)


def hist_loss(
    loss: Any, *, curvature: str = "auto", refit: bool | None = None, classes: int | None = None
) -> HistLoss:
    """Return a loss for HistGradientBoostingRegressor and HistGradientBoostingClassifier.

    The loss is an object of a private scikit-learn class, which may change in a release; lossfw is
    tested with 1.5 to 1.9.

    Parameters
    ----------
    loss : str, mapping or Loss
        A loss with an output activation is fused with it.
    curvature : {"auto", "exact", "bound", "gradient", "one"}
        The rule for the second derivative; see the page on curvature.
    refit : bool, optional
        Whether the value of a leaf minimises the loss of its residuals, instead of a Newton step.
        For losses of the residual; by default true for those with kinks, with curvature 1.
    classes : int, optional
        The number of classes; by default counted in each fit.

    Raises
    ------
    ArgumentError
        If the loss cannot be boosted, or the release of scikit-learn has another class.
    MissingExtraError
        If scikit-learn is not installed.
    """
    SklearnBridge.imported()
    from lossfw.bridges.hist_loss import hist_loss_of

    return hist_loss_of(loss, curvature, refit, classes)


class SklearnBridge(BoostingBridge):
    """scikit-learn: a loss as a scorer, and as the loss of HistGradientBoosting."""

    name: ClassVar[str] = "sklearn"
    library: ClassVar[str] = "sklearn"
    distribution: ClassVar[str] = "scikit-learn"
    extra: ClassVar[str] = "sklearn"

    def objective(self, loss: Any, *, curvature: str = "auto") -> Any:
        return hist_loss(loss, curvature=curvature, refit=False)

    def metric(self, loss: Any) -> Any:
        """Return the loss that early stopping monitors."""
        return hist_loss(loss, curvature="one", refit=False)

    def estimator_params(
        self, loss: Any, target: Any, sample_weight: Any = None, *, classes: int | None = None
    ) -> dict[str, Any]:
        """Return the parameters of the estimator."""
        return {"loss": hist_loss(loss, classes=classes)}

    def usage(self, loss: Loss) -> str:
        kind = "Classifier" if raw_loss_of(loss).target_space in LABELS else "Regressor"
        return (
            f"from sklearn.ensemble import HistGradientBoosting{kind}\n"
            "from lossfw.bridges.sklearn import hist_loss\n"
            f"model = HistGradientBoosting{kind}(loss=hist_loss({spec_code(loss)})).fit(x, y)"
        )

    def derivatives(
        self, objective: Any, raw: NDArray, target: NDArray, weight: NDArray | None
    ) -> tuple[NDArray, NDArray]:
        # Into arrays that are filled, class by class.
        given = raw[:, None] if raw.ndim == 1 else np.asfortranarray(raw)
        g, h = (np.empty(raw.shape, np.float32, order="F") for _ in range(2))
        objective.gradient_hessian(
            y_true=target, raw_prediction=given, sample_weight=weight,
            gradient_out=g, hessian_out=h,
        )  # fmt: skip
        return g.astype(np.float64), h.astype(np.float64)

    def score(
        self, metric: Any, raw: NDArray, target: NDArray, weight: NDArray | None
    ) -> tuple[float, bool]:
        given = raw[:, None] if raw.ndim == 1 else raw
        value = metric(y_true=target, raw_prediction=given, sample_weight=weight)
        return float(value), False

    def fit_predict(self, loss: Loss, training: BoostingSettings) -> NDArray:
        # The start is that of least loss.
        ensemble = self.imported("sklearn.ensemble")
        objective = hist_loss(loss, curvature=training.curvature, refit=False)
        classifier = hasattr(objective, "predict_proba")
        kind = "Classifier" if classifier else "Regressor"
        model = getattr(ensemble, f"HistGradientBoosting{kind}")(
            loss=objective,
            max_iter=training.rounds,
            learning_rate=training.learning_rate,
            l2_regularization=training.l2,
            min_samples_leaf=1,
            early_stopping=False,
        )
        # It has no parameter for it, and a few rows are faster so.
        with threadpool_limits(1):
            model.fit(training.x, training.target, sample_weight=training.weight)
        raw = np.asarray(model._raw_predict(training.x), np.float64)
        return raw[:, 0] if raw.shape[1] == 1 else raw
