"""A library of boosting in a few lines with an honest bridge, and bridges that each break a law."""

from typing import ClassVar, NamedTuple

import numpy as np

from lossfw.bridges import BoostingBridge, Bridge
from lossfw.bridges.boosting import derivatives
from lossfw.bridges.bridge import AutogradBridge
from lossfw.bridges.network_loss import trainable_loss
from lossfw.errors import DivergenceError


class Honest(BoostingBridge):
    """Boosts stumps on the first feature, as the libraries do."""

    name: ClassVar[str] = "honest"
    library: ClassVar[str] = "numpy"

    def objective(self, loss, *, curvature="auto"):
        return derivatives(loss, curvature)

    def metric(self, loss):
        return derivatives(loss, "one")

    def settings(self, loss, target, sample_weight=None, *, classes=None):
        return {}

    def sees(self, objective, raw, target, weight):
        return objective(raw, target, weight)

    def score(self, metric, raw, target, weight):
        return metric.mean(raw, target, weight), False

    def boosted(self, loss, training):
        objective = self.objective(loss, curvature=training.curvature)
        n = len(training.target)
        raw = np.broadcast_to(training.start, (n, *np.shape(training.start))).copy()
        weight = np.ones(n) if training.weight is None else training.weight
        for _ in range(training.rounds):
            g, h = self.sees(objective, raw, training.target, training.weight)
            for side in (training.x[:, 0] > 0, training.x[:, 0] <= 0):
                leaf = self.leaf(g[side], h[side], weight, training.l2)
                raw[side] += training.learning_rate * leaf
        return raw


class Minus(Honest):
    def sees(self, objective, raw, target, weight):
        g, h = objective(raw, target, weight)
        return -g, h


class Swapped(Honest):
    def sees(self, objective, raw, target, weight):
        g, h = objective(raw, target, weight)
        return (g[:, ::-1], h[:, ::-1]) if g.ndim == 2 else (g[::-1], h[::-1])


class Flat(Honest):
    def sees(self, objective, raw, target, weight):
        g, h = objective(raw, target, weight)
        return g, 0.0 * h


class WeightsLost(Honest):
    def sees(self, objective, raw, target, weight):
        return objective(raw, target)


class WeightsTwice(Honest):
    def sees(self, objective, raw, target, weight):
        return objective(raw, target, None if weight is None else weight**2)


class FromZero(Honest):
    def start(self, loss, target, sample_weight=None, *, classes=None):
        return 0.5 + 0.0 * super().start(loss, target, sample_weight, classes=classes)


class HalfLeaves(Honest):
    def boosted(self, loss, training):
        return 0.5 * (training.start + super().boosted(loss, training))


class Climbing(Honest):
    def boosted(self, loss, training):
        once = super().boosted(loss, training)
        return once if training.rounds == 1 else 2 * training.start - once + 3.0


class Unweighted(Honest):
    def boosted(self, loss, training):
        # Its leaves are right where they can be computed, and it forgets weights otherwise.
        return super().boosted(loss, training if training.l2 else training._replace(weight=None))


class Silent(Honest):
    def sees(self, objective, raw, target, weight):
        return objective(np.nan_to_num(raw), target, weight)


class Nameless(Honest):
    def sees(self, objective, raw, target, weight):
        try:
            return objective(raw, target, weight)
        except DivergenceError:
            raise DivergenceError("something is not finite") from None


class Sum(Honest):
    def score(self, metric, raw, target, weight):
        return len(target) * metric.mean(raw, target, weight), False


class Greater(Honest):
    def score(self, metric, raw, target, weight):
        return metric.mean(raw, target, weight), True


class Unequal(Honest):
    def objective(self, loss, *, curvature="auto"):
        of = derivatives(loss, curvature)
        return lambda *arguments: of(*arguments)


class Eager(Honest):
    """Takes what it cannot train with."""

    def refuses(self, loss):
        return None


class Reluctant(Honest):
    """Refuses in words alone."""

    def refuses(self, loss):
        return "it is Monday"


class HonestDerivatives(Bridge):
    """A library of automatic differentiation."""

    name: ClassVar[str] = "honest_derivatives"
    library: ClassVar[str] = "numpy"

    def made(self, loss):
        return loss

    def value_and_slope(self, loss, y, t):
        return loss(y, t, reduction="none"), loss.gradient(y, t, reduction="none")


class Rounded(HonestDerivatives):
    def value_and_slope(self, loss, y, t):
        values, slopes = super().value_and_slope(loss, y, t)
        return np.round(values, 2), slopes


class WrongAtKinks(HonestDerivatives):
    def value_and_slope(self, loss, y, t):
        values, slopes = super().value_and_slope(loss, y, t)
        return values, np.where(y == t, 0.5, slopes)


class WrongAtTies(HonestDerivatives):
    def value_and_slope(self, loss, y, t):
        values, slopes = super().value_and_slope(loss, y, t)
        return values, np.where((y == y[:, :1]).all(axis=1, keepdims=True), 0.0, slopes)


class HonestAutograd(AutogradBridge):
    """A library of automatic differentiation with all that the harness asks for."""

    name: ClassVar[str] = "honest_autograd"
    library: ClassVar[str] = "numpy"

    def made(self, loss):
        return trainable_loss(loss, fuse=False)

    def value_and_slope(self, loss, y, t, *, compiled=False):
        return loss(y, t, reduction="none"), loss.gradient(y, t, reduction="none")


class TwiceTheSlope(HonestAutograd):
    def value_and_slope(self, loss, y, t, *, compiled=False):
        values, slopes = super().value_and_slope(loss, y, t)
        return values, 2 * slopes


class OtherCompiled(HonestAutograd):
    def value_and_slope(self, loss, y, t, *, compiled=False):
        values, slopes = super().value_and_slope(loss, y, t)
        return values, slopes * (1.0 + 1e-6 * compiled)


class AlwaysWide(HonestAutograd):
    def value_and_slope(self, loss, y, t, *, compiled=False):
        return tuple(x.astype("float64") for x in super().value_and_slope(loss, y, t))


class BridgeLiar(NamedTuple):
    """A bridge that breaks a law for a loss, and what cannot but break with it."""

    check: str
    bridge: Bridge
    loss: str
    besides: tuple[str, ...] = ()

    def __str__(self):
        return f"{self.check}-{type(self.bridge).__name__}"


TRAINED = ("stump", "falls", "twice")

BRIDGE_LIARS = (
    BridgeLiar("slopes", Minus(), "huber", ("weights", "falls")),
    BridgeLiar("slopes", Swapped(), "huber", ("weights", *TRAINED)),
    BridgeLiar("slopes", Swapped(), "cross_entropy", ("weights", *TRAINED)),
    BridgeLiar("slopes", Flat(), "squared_error", ("weights", *TRAINED)),
    BridgeLiar("weights", WeightsLost(), "huber", TRAINED),
    BridgeLiar("weights", WeightsTwice(), "huber", TRAINED),
    BridgeLiar("start", FromZero(), "squared_error"),
    BridgeLiar("stump", HalfLeaves(), "logistic"),
    BridgeLiar("falls", Climbing(), "huber"),
    BridgeLiar("twice", Unweighted(), "squared_error"),
    BridgeLiar("finite", Silent(), "huber"),
    BridgeLiar("finite", Nameless(), "huber"),
    BridgeLiar("metric", Sum(), "huber"),
    BridgeLiar("metric", Greater(), "huber"),
    BridgeLiar("copies", Unequal(), "huber"),
    BridgeLiar("refusal", Eager(), "brier", ("*",)),
    BridgeLiar("refusal", Reluctant(), "huber"),
    BridgeLiar("values", Rounded(), "huber", ("hard points",)),
    BridgeLiar("hard points", WrongAtKinks(), "absolute_error"),
    BridgeLiar("hard points", WrongAtTies(), "cross_entropy"),
    BridgeLiar("differences", TwiceTheSlope(), "huber", ("values", "hard points")),
    BridgeLiar("compiled", OtherCompiled(), "huber"),
    BridgeLiar("dtypes", AlwaysWide(), "huber"),
)
