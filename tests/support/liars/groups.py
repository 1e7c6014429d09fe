"""Liars among losses of groups: what holds for all rows of a group together."""

import math

import numpy as np

from lossfw import Claims, GroupLoss
from lossfw.numerics import softplus
from support.liars.liar import Liar


class Pairs(GroupLoss):
    """Pairwise logistic loss."""

    neutral = (0.0, math.nan)

    def value(self, xp, y, t):
        return xp.sum(xp.sum(self._terms(xp, y, t), axis=-1), axis=-1)

    def _terms(self, xp, y, t):
        d = y[..., None, :] - y[..., :, None]
        return xp.where(self._better(t), softplus(xp, d), xp.zeros_like(d))

    def _better(self, t):
        return t[..., :, None] > t[..., None, :]


class TiesInOrder(Pairs):
    """Takes the first of two rows with equal targets for the better one, as running sums do."""

    neutral = None

    def _better(self, t):
        n = t.shape[-1]
        tied = t[..., :, None] == t[..., None, :]
        return super()._better(t) | (tied & np.triu(np.ones((n, n), bool), 1))

    def claims(self):
        return Claims(row_order=True)


class Smoothed(Pairs):
    """Adds a little of the squares: neither 0 alone nor the same after a shift."""

    def value(self, xp, y, t):
        return super().value(xp, y, t) + 1e-7 * xp.sum(y * y, axis=-1)


class SmoothedAlone(Smoothed):
    def claims(self):
        return Claims(zero_alone=True)


class SmoothedShifted(Smoothed):
    def claims(self):
        return Claims(shift_invariant=True)


class MeanOfPairs(Pairs):
    """Divides by the number of rows, also of neutral ones."""

    def value(self, xp, y, t):
        return super().value(xp, y, t) / y.shape[-1]


class ByProduct(Pairs):
    """Adds by a product of matrices, in an order that the library chooses."""

    def value(self, xp, y, t):
        terms = self._terms(xp, y, t)
        if xp is not np:
            return xp.sum(xp.sum(terms, axis=-1), axis=-1)
        n = y.shape[-1]
        return (np.reshape(terms, (-1, n * n)) @ np.ones((n * n, 2), terms.dtype))[:, 0]


class SampleVariance(GroupLoss):
    """Divides by n - 1, which is 0 for one row."""

    def value(self, xp, y, t):
        r = y - t
        return xp.sum((r - xp.mean(r, axis=-1, keepdims=True)) ** 2, axis=-1) / (r.shape[-1] - 1)


class KeepsMasked(Pairs):
    """Looks at rows that a mask leaves out."""

    def __call__(self, *arguments, where=None, **options):
        return super().__call__(*arguments, **options)


class ForgetsWeights(Pairs):
    """A mean without its weights."""

    def __call__(self, *arguments, sample_weight=None, **options):
        return super().__call__(*arguments, **options)


class PartsOfGroups(Pairs):
    """Takes the rows of a part for whole groups."""

    def partial(self, prediction, target, *, group=None, start=0, **options):
        return super().partial(prediction, target, group=group + start, start=start, **options)


# Masks are tested with weights, and parts with those of the call.
_WEIGHTS = ("mask", "group:split")

LIARS = (
    Liar("loss", "claim:row_order", "ties in the order of the rows", TiesInOrder()),
    Liar("loss", "claim:zero_alone", "1e-7 y^2 more", SmoothedAlone()),
    Liar("group", "claim:shift_invariant", "1e-7 y^2 more", SmoothedShifted()),
    Liar("group", "group:neutral", "a mean over all rows", MeanOfPairs()),
    Liar("group", "group:alone", "sums by @", ByProduct()),
    Liar("group", "group:sizes", "divides by n - 1", SampleVariance()),
    Liar("group", "mask", "masked rows count", KeepsMasked()),
    Liar("group", "weights", "a mean without weights", ForgetsWeights(), _WEIGHTS),
    Liar("group", "group:split", "parts that are whole groups", PartsOfGroups()),
)
