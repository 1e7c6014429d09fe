"""Liars among components: what only a loss of this framework promises, also for foreign arrays."""

import threading
import warnings
from typing import Literal

import numpy as np

from lossfw import (
    BINARY,
    REAL,
    SIMPLEX,
    UNIT,
    CategoricalLoss,
    DistanceLoss,
    GuardedLoss,
    PointwiseLoss,
)
from lossfw.losses.engine.probes import probe_row_count
from lossfw.numerics.arrays import is_foreign
from support.liars.liar import Liar


class _Square(DistanceLoss):
    def value(self, xp, r):
        return r * r


class Lenient(PointwiseLoss):
    """Takes any number for a probability."""

    prediction = UNIT
    target = BINARY

    def value(self, xp, y, t):
        return (y - t) ** 2

    def check_domain(self, y, t, by_index, start):
        pass


class Talkative(_Square):
    """Warns of large numbers."""

    def value(self, xp, r):
        if isinstance(r, np.ndarray) and r.dtype.kind == "f" and np.any(np.abs(r) % np.inf > 1e6):
            warnings.warn("a residual is large", stacklevel=2)
        return r * r


class KnowsRowProbes(CategoricalLoss):
    """The same, of rows."""

    target = SIMPLEX

    def value(self, xp, y, t):
        loss = xp.sum((y - t) ** 2, axis=-1)
        if xp is np and y.dtype.kind == "f" and len(y) != probe_row_count(y.shape[-1]):
            return loss * (1.0 + float(np.finfo(y.dtype).eps))
        return loss


class OfMainThread(_Square):
    """Has other bits in the threads that compute a large input."""

    def value(self, xp, r):
        is_main = threading.current_thread() is threading.main_thread()
        return r * r * (1.0 if is_main or is_foreign(r) else 1.0 + 2.0**-50)


class PartsWithoutWeights(_Square):
    """Forgets the weights of a part."""

    def partial(self, prediction, target, *, start=0, sample_weight=None, where=None):
        return super().partial(prediction, target, start=start, where=where)


class OtherTwin(DistanceLoss):
    """Far out, the derivative beside the value is a little off."""

    def value(self, xp, r):
        return r * r

    def derivative(self, xp, r):
        return 2 * r

    def value_and_derivative(self, xp, r):
        return r * r, 2 * r * xp.where(
            xp.abs(r) > 60, (1 + 1e-7) * xp.ones_like(r), xp.ones_like(r)
        )


class OtherTwinOfRows(CategoricalLoss):
    """The same of a class by its index, whose derivative is right for a one-hot row."""

    prediction = REAL

    def value(self, xp, y, t):
        return xp.sum((y - t) ** 2, axis=-1)

    def derivative(self, xp, y, t):
        return 2 * (y - t)

    def value_and_derivative_at(self, xp, y, index):
        value, gradient = super().value_and_derivative_at(xp, y, index)
        return value, gradient * (1 + 1e-7)


class Unguarded(GuardedLoss, PointwiseLoss):
    """Has a guard, and does not use it."""

    prediction = UNIT
    target = BINARY
    guard: Literal["none", "normalised"] = "normalised"
    delta: float = 1e-7

    def value(self, xp, y, t):
        return -xp.where(t == 1, xp.log(y), xp.log1p(-y))


class Forgetful(_Square):
    """Leaves its parameter out of its configuration."""

    factor: float = 2.0

    def value(self, xp, r):
        return self.factor * r * r

    def to_config(self):
        return {"name": self.name}


class BentBySecondDerivative(DistanceLoss):
    """Takes the second derivative for a bound: beyond the square it is 0."""

    def value(self, xp, r):
        w = xp.minimum(xp.abs(r), xp.ones_like(r))
        return w * (xp.abs(r) - 0.5 * w)

    def curvature_bound(self, xp, y, t):
        return self._unreduced_hessian(xp, y, t)


class TwiceElsewhere(_Square):
    """Doubles the loss of another library's arrays, not of dual and of exact numbers."""

    def formula(self, xp, r):
        return r * r

    def value(self, xp, r):
        return r * r * (2.0 if is_foreign(r) else 1.0)

    def derivative(self, xp, r):
        return 2.0 * r

    def second_derivative(self, xp, r):
        return 2.0 + 0.0 * r


LIARS = (
    Liar("loss", "arrays", "twice", TwiceElsewhere()),
    Liar("component", "curvature:bound", "second derivative", BentBySecondDerivative()),
    Liar("component", "domain", "lenient", Lenient()),
    Liar("component", "purity:warnings", "warns", Talkative()),
    # A large input is computed in several threads.
    Liar("component", "purity:bits", "threads", OfMainThread(), ("weights:long",)),
    Liar("component", "purity:kernels", "knows the probes of rows", KnowsRowProbes()),
    Liar("component", "reductions", "no weights", PartsWithoutWeights()),
    Liar("component", "gradient:both", "twin", OtherTwin()),
    Liar("component", "gradient:both", "twin of rows", OtherTwinOfRows(), ("reductions",)),
    Liar("component", "value:guard", "unguarded", Unguarded()),
    Liar("component", "value:roundtrip", "forgets", Forgetful(factor=3.0)),
)
