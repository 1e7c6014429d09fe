"""Losses of named columns as an author of research code writes them: `value`, and no derivative."""

import math

from lossfw import NONNEGATIVE, POSITIVE, REAL, Columns, PointwiseLoss
from lossfw.numerics import lgamma, softplus


class Preference(PointwiseLoss):
    """Direct preference optimisation: log-probabilities of two answers, beside a reference's."""

    prediction = target = Columns.of(chosen=REAL, rejected=REAL)
    beta: float = 0.1

    def value(self, xp, y, t):
        margin = (y.chosen - y.rejected) - (t.chosen - t.rejected)
        return softplus(xp, -self.beta * margin)


class Evidential(PointwiseLoss):
    """Deep evidential regression: Student's likelihood, and a price of evidence for an error."""

    prediction = Columns.of(middle=REAL, evidence=REAL, shape=REAL, rate=REAL)
    price: float = 0.01

    def value(self, xp, y, t):
        v, a, b = softplus(xp, y.evidence), 1.0 + softplus(xp, y.shape), softplus(xp, y.rate)
        spread = 2.0 * b * (1.0 + v)
        likelihood = (
            0.5 * (math.log(math.pi) - xp.log(v))
            - a * xp.log(spread)
            + (a + 0.5) * xp.log(v * (t - y.middle) ** 2 + spread)
            + lgamma(xp, a)
            - lgamma(xp, a + 0.5)
        )
        return likelihood + self.price * xp.abs(t - y.middle) * (2.0 * v + a)


class Gumbel(PointwiseLoss):
    """The likelihood of the largest of many."""

    prediction = Columns.of(location=REAL, log_scale=REAL)

    def value(self, xp, y, t):
        z = (t - y.location) * xp.exp(-y.log_scale)
        return y.log_scale + z + xp.exp(-z)


class GeneralisedPareto(PointwiseLoss):
    """The likelihood of what exceeds a threshold, with a heavy tail."""

    prediction = Columns.of(log_scale=REAL, log_shape=REAL)
    target = NONNEGATIVE

    def value(self, xp, y, t):
        shape = xp.exp(y.log_shape)
        excess = xp.log1p(shape * t * xp.exp(-y.log_scale))
        return y.log_scale + (1.0 + 1.0 / shape) * excess


class Burr(PointwiseLoss):
    """The likelihood of incomes, and of times with a heavy tail."""

    prediction = Columns.of(log_scale=REAL, log_c=REAL, log_k=REAL)
    target = POSITIVE

    def value(self, xp, y, t):
        c, k = xp.exp(y.log_c), xp.exp(y.log_k)
        u = c * (xp.log(t) - y.log_scale)
        return xp.log(t) - y.log_c - y.log_k - u + (k + 1.0) * softplus(xp, u)


COLUMNS = (Preference, Evidential, Gumbel, GeneralisedPareto, Burr)
