"""The bridge to NGBoost: a loss as the score of a distribution with one parameter."""

from __future__ import annotations

import copyreg
import functools
from typing import ClassVar

import numpy as np
from lossfw import ArgumentError
from lossfw.bridges import BoostingBridge, EstimatorOutputs, output_activation_of
from lossfw.learning.bridge import spec_code
from lossfw.learning.curvature import may_have_kinks
from lossfw.learning.derivatives import Derivatives, best_constant, derivatives


def objective(loss, *, curvature="auto") -> Derivatives:
    """Return the gradients and curvatures of a loss; see `lossfw.bridges.xgboost.objective`.

    NGBoost hands no weights to a score, and the curvature at a kink depends on those of all
    rows: there it is 1, and the line search finds the scale of the steps.
    """
    found = derivatives(loss, curvature)
    why = _refusal(found.loss)
    if why is not None:
        raise ArgumentError(why)
    return derivatives(loss, "one") if curvature == "auto" and may_have_kinks(found.loss) else found


def _refusal(loss):
    if loss.takes_rows:
        return f"{loss.name} takes rows, and this bridge has one raw prediction for each."
    return None


def metric(loss) -> Derivatives:
    """Return a loss as what early stopping watches: its mean."""
    return derivatives(loss, "one")


def estimator_params(loss, target, sample_weight=None, *, curvature="auto", begin=None):
    """Return the parameters of ``ngboost.NGBoost`` that belong to a loss.

    Parameters
    ----------
    loss : str, mapping or Loss
    target, sample_weight : array_like
        Of the training rows.
    curvature : {"auto", "exact", "bound", "gradient", "one"}
        What takes the place of the second derivative.
    begin : float, optional
        The start, in place of the constant of least loss.
    """
    of = objective(loss, curvature=curvature)
    if begin is None:
        begin = best_constant(loss, target, sample_weight)
    # The steps are divided by their curvatures already.
    return {"Dist": _distribution(of, begin), "natural_gradient": False}


class _MadeOfLoss(type):
    """The type of the distributions below, by which pickle knows them."""


# A class that a function makes cannot be imported by its name.
copyreg.pickle(_MadeOfLoss, lambda made: (_distribution, made.made_of))


@functools.lru_cache(maxsize=64)
def _distribution(of: Derivatives, begin: float):
    """Return a distribution whose only parameter is the raw prediction, and whose score a loss."""
    from ngboost.distns.distn import RegressionDistn
    from ngboost.scores import LogScore

    class LossScore(LogScore):
        def score(self, Y):
            rows = of.prepare_rows(self.raw, Y)
            return of.loss(rows.y, rows.t, reduction="none")

        def d_score(self, Y):
            gradients, curvatures = of(self.raw, Y)
            return (gradients / curvatures)[:, None]

    class Raw(RegressionDistn, metaclass=_MadeOfLoss):
        made_of = (of, begin)
        n_params = 1
        scores = [LossScore]

        def __init__(self, params):
            super().__init__(params)
            self.raw = np.asarray(params[0], np.float64)

        def fit(Y):  # noqa: N805  # NGBoost calls it so, on the class
            return np.array([begin])

        def mean(self):
            return self.raw

    return Raw


class NGBoostBridge(BoostingBridge):
    """NGBoost: a loss as the score of a distribution with one parameter."""

    name: ClassVar[str] = "ngboost"
    library: ClassVar[str] = "ngboost"

    def refusal(self, loss):
        """Return why NGBoost cannot train with a loss; None if it can."""
        return _refusal(loss) or super().refusal(loss)

    def usage(self, loss):
        """Return the lines of Python that train with a loss."""
        return (
            "from ngboost import NGBoost\n"
            "from lossfw_ngboost import estimator_params\n"
            f"model = NGBoost(**estimator_params({spec_code(loss)}, y), n_estimators=100).fit(x, y)"
        )

    def objective(self, loss, *, curvature="auto"):
        """See `objective`."""
        return objective(loss, curvature=curvature)

    def metric(self, loss):
        """See `metric`."""
        return metric(loss)

    def estimator_params(self, loss, target, sample_weight=None, *, classes=None):
        """See `estimator_params`."""
        return estimator_params(loss, target, sample_weight)

    def derivatives(self, objective, raw, target, weight):
        """See `BoostingBridge.derivatives`; NGBoost itself multiplies by the weights."""
        gradients, curvatures = objective(raw, target)
        weight = 1.0 if weight is None else weight
        return weight * gradients, weight * curvatures

    def score(self, metric, raw, target, weight):
        """See `BoostingBridge.score`: NGBoost averages the scores of its distribution."""
        scores = _distribution(metric, 0.0).scores[0]
        shown = scores.__new__(scores)
        shown.raw = raw
        return float(shown.total_score(target, weight)), False

    def outputs(self, estimator):
        """Say that ``predict`` of NGBoost returns raw predictions, for the scorer."""
        made = getattr(getattr(estimator, "Dist", None), "made_of", None)
        if made is None:
            return None
        of, _ = made
        return EstimatorOutputs(estimator.predict, output_activation_of(of.given_loss))

    def leaf_value(self, gradients, curvatures, weight, l2):
        """Say that a leaf is scaled by a line search."""
        return None

    def fit_predict(self, loss, training):
        """See `BoostingBridge.boosted`."""
        from ngboost import NGBoost

        own = estimator_params(loss, training.target, curvature=training.curvature,
                       begin=float(training.start))  # fmt: skip
        model = NGBoost(
            **own,
            n_estimators=training.rounds,
            learning_rate=training.learning_rate,
            verbose=False,
            random_state=0,
        ).fit(training.x, training.target, sample_weight=training.weight)
        return model.pred_param(training.x)[:, 0]
