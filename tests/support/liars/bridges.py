"""A library of boosting in a few lines with an honest bridge, and bridges that each break a law."""

from typing import ClassVar, NamedTuple

import numpy as np

from lossfw.bridges import BoostingBridge, Bridge
from lossfw.bridges.network_loss import trainable_loss
from lossfw.errors import DivergenceError
from lossfw.learning.bridge import AutogradBridge
from lossfw.learning.derivatives import derivatives


class Honest(BoostingBridge):
    """Boosts stumps on the first feature, as the libraries do."""

    name: ClassVar[str] = "honest"
    library: ClassVar[str] = "numpy"

    def objective(self, loss, *, curvature="auto"):
        return derivatives(loss, curvature)

    def metric(self, loss):
        return derivatives(loss, "one")

    def estimator_params(self, loss, target, sample_weight=None, *, classes=None):
        return {}

    def derivatives(self, objective, raw, target, weight):
        return objective(raw, target, weight)

    def score(self, metric, raw, target, weight):
        return metric.mean(raw, target, weight), False

    def fit_predict(self, loss, training):
        objective = self.objective(loss, curvature=training.curvature)
        n = len(training.target)
        raw = np.broadcast_to(training.start, (n, *np.shape(training.start))).copy()
        weight = np.ones(n) if training.weight is None else training.weight
        for _ in range(training.rounds):
            g, h = self.derivatives(objective, raw, training.target, training.weight)
            for side in (training.x[:, 0] > 0, training.x[:, 0] <= 0):
                leaf = self.leaf_value(g[side], h[side], weight, training.l2)
                raw[side] += training.learning_rate * leaf
        return raw


class HonestDerivatives(Bridge):
    """A library of automatic differentiation."""

    name: ClassVar[str] = "honest_derivatives"
    library: ClassVar[str] = "numpy"

    def build(self, loss):
        return loss

    def value_and_gradient(self, loss, y, t):
        return loss(y, t, reduction="none"), loss.gradient(y, t, reduction="none")


class HonestAutograd(AutogradBridge):
    """A library of automatic differentiation with all that the harness asks for."""

    name: ClassVar[str] = "honest_autograd"
    library: ClassVar[str] = "numpy"

    def build(self, loss):
        return trainable_loss(loss, fuse=False)

    def value_and_gradient(self, loss, y, t, *, compiled=False):
        return loss(y, t, reduction="none"), loss.gradient(y, t, reduction="none")


class BridgeLiar(NamedTuple):
    """A bridge that breaks a law for a loss, and what cannot but break with it."""

    check: str
    bridge: Bridge
    loss: str
    besides: tuple[str, ...] = ()

    def __str__(self):
        return f"{self.check}-{type(self.bridge).__name__}"


def _liar(check, base, what, loss, *besides, **lies):
    """Return a bridge with some functions that lie."""
    return BridgeLiar(check, type(what, (base,), lies)(), loss, besides)


def _sees(change):
    """Return the derivatives that a library gets, changed."""
    return lambda self, objective, *rows: change(*objective(*rows))


def _gets(base, change):
    """Return values and gradients that a library gets, changed."""
    return lambda self, loss, y, t, **how: change(
        y, t, *base.value_and_gradient(self, loss, y, t), **how
    )


def _nameless(self, objective, raw, target, weight):
    try:
        return objective(raw, target, weight)
    except DivergenceError:
        raise DivergenceError("something is not finite") from None


def _climbing(self, loss, training):
    once = Honest.fit_predict(self, loss, training)
    return once if training.rounds == 1 else 2 * training.start - once + 3.0


def _unweighted(self, loss, training):
    # Its leaves are right where they can be computed, and it forgets weights otherwise.
    return Honest.fit_predict(
        self, loss, training if training.l2 else training._replace(weight=None)
    )


def _closure(self, loss, curvature="auto"):
    function = derivatives(loss, curvature)
    return lambda *arguments: function(*arguments)


_TRAINED = ("stump", "falls", "twice")
_D, _A = HonestDerivatives, HonestAutograd

BRIDGE_LIARS = (
    _liar("gradients", Honest, "Minus", "huber", "weights", "falls",
          derivatives=_sees(lambda g, h: (-g, h))),
    _liar("gradients", Honest, "Swapped", "cross_entropy", "weights", *_TRAINED,
          derivatives=_sees(lambda g, h: (g[..., ::-1], h[..., ::-1]))),
    _liar("gradients", Honest, "Flat", "squared_error", "weights", *_TRAINED,
          derivatives=_sees(lambda g, h: (g, 0.0 * h))),
    _liar("weights", Honest, "WeightsLost", "huber", *_TRAINED,
          derivatives=lambda self, objective, raw, target, weight: objective(raw, target)),
    _liar("start", Honest, "FromZero", "squared_error",
          best_constant=lambda self, *rows, **more: (
              0.5 + 0.0 * Honest.best_constant(self, *rows, **more))),
    _liar("stump", Honest, "HalfLeaves", "logistic",
          fit_predict=lambda self, loss, training: 0.5 * (
        training.start + Honest.fit_predict(self, loss, training))),
    _liar("falls", Honest, "Climbing", "huber", fit_predict=_climbing),
    _liar("twice", Honest, "Unweighted", "squared_error", fit_predict=_unweighted),
    _liar("finite", Honest, "Silent", "huber",
          derivatives=lambda self, objective, raw, *others: objective(np.nan_to_num(raw), *others)),
    _liar("finite", Honest, "Nameless", "huber", derivatives=_nameless),
    _liar("metric", Honest, "Sum", "huber",
          score=lambda self, metric, raw, t, w: (len(t) * metric.mean(raw, t, w), False)),
    _liar("metric", Honest, "Greater", "huber",
          score=lambda self, metric, *rows: (metric.mean(*rows), True)),
    _liar("copies", Honest, "Unequal", "huber", objective=_closure),
    # The first takes what it cannot train with, the second refuses in words alone.
    _liar("refusal", Honest, "Eager", "brier", "*", refusal=lambda self, loss: None),
    _liar("refusal", Honest, "Reluctant", "huber", refusal=lambda self, loss: "it is Monday"),
    _liar("values", _D, "Rounded", "huber", "hard points",
          value_and_gradient=_gets(_D, lambda y, t, v, g: (np.round(v, 2), g))),
    _liar("hard points", _D, "WrongAtKinks", "absolute_error",
          value_and_gradient=_gets(_D, lambda y, t, v, g: (v, np.where(y == t, 0.5, g)))),
    _liar("differences", _A, "TwiceTheGradient", "huber", "values", "hard points",
          value_and_gradient=_gets(_A, lambda y, t, v, g, compiled=False: (v, 2 * g))),
    _liar("compiled", _A, "OtherCompiled", "huber", value_and_gradient=_gets(
        _A, lambda y, t, v, g, compiled=False: (v, g * (1.0 + 1e-6 * compiled)))),
    _liar("dtypes", _A, "AlwaysWide", "huber", value_and_gradient=_gets(
        _A, lambda y, t, v, g, compiled=False: (v.astype("float64"), g.astype("float64"))))
)  # fmt: skip
