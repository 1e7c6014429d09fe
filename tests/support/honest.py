"""Honest losses of every kind, short and without claims, in which tests plant errors.

Each has a textbook `formula`, and its value and derivatives by hand, none of them 0 where a test
plants an error.
"""

from pydantic import PositiveFloat

from lossfw import (
    BINARY,
    CLASS_INDEX,
    LOGITS,
    NONNEGATIVE,
    POSITIVE,
    REAL,
    UNIT,
    CategoricalLoss,
    Claims,
    Columns,
    DistanceLoss,
    GroupLoss,
    MarginLoss,
    PointwiseLoss,
)


def curvature(xp, u):
    """A smooth absolute value that is never 0."""
    return xp.sqrt(1 + u * u)


def curvature_gradient(xp, u):
    return u / curvature(xp, u)


def curvature_curvature(xp, u):
    return curvature(xp, u) ** -3


class Modest:
    """It claims nothing, so that only its formula refutes it."""

    def claims(self):
        return Claims()


class Bell(Modest, DistanceLoss):
    """Cauchy's loss."""

    c: PositiveFloat = 1.0

    def formula(self, xp, r):
        return self.c**2 * xp.log(1 + (r / self.c) ** 2) / 2

    def value(self, xp, r):
        return self.c**2 * xp.log1p((r / self.c) ** 2) / 2

    def derivative(self, xp, r):
        return r / (1 + (r / self.c) ** 2)

    def second_derivative(self, xp, r):
        u = (r / self.c) ** 2
        return (1 - u) / (1 + u) ** 2


class Logistic(Modest, MarginLoss):
    """The logistic loss, whose formula overflows in floats."""

    def formula(self, xp, m):
        return xp.log(1 + xp.exp(-m))

    def value(self, xp, m):
        return xp.log1p(xp.exp(-xp.abs(m))) + xp.maximum(-m, 0 * m)

    def derivative(self, xp, m):
        e = xp.exp(-xp.abs(m))
        return -xp.where(m > 0, e, 1 + 0 * e) / (1 + e)

    def second_derivative(self, xp, m):
        e = xp.exp(-xp.abs(m))
        return e / (1 + e) ** 2


class Shares(Modest, PointwiseLoss):
    """Binary cross-entropy of probabilities."""

    prediction, target = UNIT, UNIT

    def value(self, xp, y, t):
        # The term of a target at a bound ends, also where the logarithm is infinite.
        here = xp.where(t == 0, 0 * y, t * xp.log(xp.where(t == 0, 1 + 0 * y, y)))
        there = xp.where(t == 1, 0 * y, (1 - t) * xp.log1p(-xp.where(t == 1, 0 * y, y)))
        return -here - there

    def derivative(self, xp, y, t):
        return (1 - t) / (1 - y) - t / y

    def second_derivative(self, xp, y, t):
        return (1 - t) / (1 - y) ** 2 + t / y**2


class Entropy(Modest, CategoricalLoss):
    """Cross-entropy of logits, whose formula overflows in floats."""

    prediction, target = LOGITS, CLASS_INDEX

    def formula(self, xp, y, t):
        return xp.log(xp.sum(xp.exp(y), axis=-1)) - xp.sum(t * y, axis=-1)

    def _parts(self, xp, y):
        top = xp.max(y, axis=-1, keepdims=True)
        shares = xp.exp(y - top)
        total = xp.sum(shares, axis=-1, keepdims=True)
        return top, shares / total, total

    def value(self, xp, y, t):
        top, _, total = self._parts(xp, y)
        behind = xp.where(t == 0, 0 * t, t * (top - y))
        return xp.log(total)[..., 0] + xp.sum(behind, axis=-1)

    def derivative(self, xp, y, t):
        return self._parts(xp, y)[1] - t

    def second_derivative(self, xp, y, t):
        _, p, _ = self._parts(xp, y)
        return p * (1 - p)


class Spread(Modest, PointwiseLoss):
    """A mean and a scale."""

    prediction, target = Columns.of(mean=REAL, scale=POSITIVE), REAL

    def value(self, xp, y, t):
        return (t - y.mean) ** 2 / y.scale + xp.log(y.scale)

    def derivative(self, xp, y, t):
        u = t - y.mean
        return -2 * u / y.scale, (1 - u * u / y.scale) / y.scale

    def second_derivative(self, xp, y, t):
        u = t - y.mean
        return 2 / y.scale, (2 * u * u / y.scale - 1) / y.scale / y.scale


class Flags(Modest, PointwiseLoss):
    """A target with two flags."""

    prediction, target = REAL, Columns.of(seen=REAL, a=BINARY, b=BINARY)

    def value(self, xp, y, t):
        return curvature(xp, y - t.seen) * (1 + t.a + 2 * t.b)

    def derivative(self, xp, y, t):
        return curvature_gradient(xp, y - t.seen) * (1 + t.a + 2 * t.b)

    def second_derivative(self, xp, y, t):
        return curvature_curvature(xp, y - t.seen) * (1 + t.a + 2 * t.b)


class Times(Modest, GroupLoss):
    """Times with a flag for each row."""

    prediction, target = REAL, Columns.of(time=NONNEGATIVE, event=BINARY)

    def value(self, xp, y, t):
        return xp.sum(curvature(xp, y - t.time) * (1 + t.event), axis=-1)

    def derivative(self, xp, y, t):
        return curvature_gradient(xp, y - t.time) * (1 + t.event)

    def second_derivative(self, xp, y, t):
        return curvature_curvature(xp, y - t.time) * (1 + t.event)


HONEST = (Bell, Logistic, Shares, Entropy, Spread, Flags, Times)
