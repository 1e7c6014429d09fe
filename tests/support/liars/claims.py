"""Liars about claims: one false promise each."""

from dataclasses import replace

import numpy as np

from lossfw import REAL, CategoricalLoss, Claims
from support.liars.honest import (
    BRIER,
    BRIER_ROWS,
    LOGIT_ROWS,
    SQUARE,
    distance,
    elementwise,
    margin,
    rowwise,
)
from support.liars.liar import Liar


def unit(f, **claims):
    """Return a loss of a probability and a binary target."""
    return replace(BRIER, value=elementwise(f), claims=claims)


def logit_rows(f, **claims):
    return replace(LOGIT_ROWS, value=rowwise(f), claims=claims)


def simplex_rows(f, **claims):
    return replace(BRIER_ROWS, value=rowwise(f), claims=claims)


def _of_label(y, t):
    """The prediction for the label; a logit of minus infinity elsewhere plays no part in it."""
    return np.where((t == 0) & np.isinf(y), 0, t * y).sum(-1)


def dipping(r):
    """A square with a dip below 0 around 0.25."""
    return r * r - 0.1 * np.exp(-((np.abs(r) - 0.25) ** 2) * 400)


def huber(r):
    a = np.minimum(np.abs(r), 1)
    return a * (np.abs(r) - a / 2)


def bent(r):
    """Its second derivative jumps at 1, the first does not."""
    return r * r + np.maximum(r - 1, 0) ** 2


def kinked(r):
    """Its first derivative jumps at 1."""
    return r * r + 0.5 * np.maximum(r - 1, 0)


def bumped(m):
    """Falls, but for a short rise at -5."""
    return np.maximum(2 - m, 0) + 0.5 * np.maximum(0, 0.1 - np.abs(m + 5.1)) * 4


def tilted(r):
    return r * r + 0.001 * np.maximum(r, 0)


def log_cut(y, t):
    with np.errstate(all="ignore"):
        return -np.where(t == 1, np.log(y), np.log1p(-y))


def weighted_classes(y, t):
    """The square, in which later columns cost a little more."""
    weight = 1 + 0.01 * np.arange(y.shape[-1])
    return (weight * (y - t) ** 2).sum(-1)


def shifted_far_out(y, t):
    """Cross-entropy whose logits are cut at 50."""
    z = np.minimum(y, 50)
    z = z - z.max(-1, keepdims=True)
    logs = z - np.log(np.exp(z).sum(-1, keepdims=True))
    return -(np.where(t == 0, 0, t * logs)).sum(-1)


def crammer_singer(y, t):
    """The hinge of the best wrong class, which is not calibrated for three classes."""
    own = _of_label(y, t)
    rest = np.where(t == 1, -np.inf, y).max(-1)
    with np.errstate(all="ignore"):
        return np.maximum(1 + rest - own, 0)


class Kinked(CategoricalLoss):
    """A power of what a prediction is above its target, or more, column by column."""

    prediction = target = REAL
    power: int = 1
    above: float = 0.0

    def value(self, xp, y, t):
        return xp.sum(xp.maximum(y - t - self.above, xp.zeros_like(y)) ** self.power, axis=-1)

    def claims(self):
        return Claims(**{"smooth" if self.power == 1 else "twice_smooth": True})


LIARS = (
    Liar("loss", "claim:nonnegative", "dip", distance(dipping, nonnegative=True)),
    Liar("loss", "claim:lower_bound", "dip", distance(dipping, lower_bound=-0.001)),
    Liar("loss", "claim:bounded", "1.001",
         distance(lambda r: 1.001 * r**2 / (1 + r**2), bounded=1.0)),
    Liar("loss", "claim:zero_at_target", "offset",
         distance(lambda r: np.sqrt(r * r + 1e-16) - 0.99e-8, zero_at_target=True)),
    Liar("loss", "claim:finite_at_boundary", "log 0", unit(log_cut, finite_at_boundary=True)),
    # Convex but for a small dent at r = 2.
    Liar("loss", "claim:convex", "dent",
         distance(lambda r: np.abs(r) + 0.01 * np.exp(-50 * (r - 2) ** 2), convex=True)),
    Liar("loss", "claim:strictly_convex", "short",
         distance(lambda r: np.maximum(np.abs(r), 1e-3) ** 2, strictly_convex=True)),
    Liar("loss", "claim:strongly_convex", "too large",
         distance(lambda r: r**2, strongly_convex=2.1)),
    Liar("loss", "claim:lipschitz", "too small", distance(huber, lipschitz=0.98)),
    Liar("loss", "claim:lipschitz", "rows, too large",
         replace(LOGIT_ROWS, claims={"lipschitz": 1.6})),
    Liar("loss", "claim:gradient_lipschitz", "too small", distance(huber, gradient_lipschitz=0.98)),
    Liar("loss", "claim:monotone", "bump", margin(bumped, monotone=True)),
    Liar("loss", "claim:gradient_zero_almost_everywhere", "gradient",
         replace(SQUARE, reduce=None, claims={"gradient_zero_almost_everywhere": True})),
    Liar("loss", "claim:symmetric", "tilted", distance(tilted, symmetric=True)),
    Liar("loss", "claim:exchangeable", "divergence",
         simplex_rows(lambda y, t: (t * np.log((t + 0.1) / (y + 0.1))).sum(-1), exchangeable=True)),
    Liar("loss", "claim:shift_invariant", "cut",
         logit_rows(shifted_far_out, shift_invariant=True)),
    Liar("loss", "claim:permutation_equivariant", "weights",
         simplex_rows(weighted_classes, permutation_equivariant=True)),
    Liar("loss", "claim:linear_in_target", "rows",
         simplex_rows(lambda y, t: ((y - t) ** 2).sum(-1), linear_in_target=True)),
    Liar("loss", "claim:twice_smooth", "rows", Kinked(power=2)),
    # Its first derivative jumps by 1 % of the gradient around.
    Liar("loss", "claim:smooth", "small kink",
         distance(lambda r: r * r + 0.15 * np.maximum(r - 7.3, 0), smooth=True)),
    Liar("loss", "claim:breaks", "missing", distance(kinked, breaks=())),
    Liar("loss", "claim:second_breaks", "invented", distance(bent, second_breaks=(-1.0, 1.0))),
    Liar("loss", "claim:proper", "rows",
         simplex_rows(lambda y, t: np.abs(y - t).sum(-1), proper=True)),
    # Blind for errors below 0.05: other predictions are as good.
    Liar("loss", "claim:strictly_proper", "blind",
         unit(lambda y, t: np.maximum(np.abs(y - t), 0.05) ** 2, strictly_proper=True)),
    Liar("loss", "claim:calibrated", "rows", logit_rows(crammer_singer, calibrated=True)),
    # The best prediction is twice the mode.
    Liar("loss", "claim:elicits", "mode",
         margin(lambda m: np.maximum(2 - m, 0), elicits="mode"))
)  # fmt: skip
