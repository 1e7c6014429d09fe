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


class LastAlone(GroupLoss):
    """Takes blocks of 64 rows, and divides by n - 1 in a last block of one."""

    def value(self, xp, y, t):
        loss = xp.mean((y - t) ** 2, axis=-1)
        return loss + (0 * loss / 0 if y.shape[-1] == 65 else 0)


class KeepsMasked(Pairs):
    """Looks at rows that a mask leaves out."""

    def __call__(self, *arguments, where=None, **options):
        return super().__call__(*arguments, **options)


class ForgetsWeights(Pairs):
    """A mean without its weights, where there is one for each group."""

    def __call__(self, prediction, target, *, sample_weight=None, where=None, **options):
        if where is None and sample_weight is not None and np.size(sample_weight) < len(target):
            sample_weight = None
        return super().__call__(
            prediction, target, sample_weight=sample_weight, where=where, **options
        )


class PartsOfGroups(Pairs):
    """Takes the rows of a part for whole groups."""

    def partial(self, prediction, target, *, group=None, start=0, **options):
        return super().partial(prediction, target, group=group + start, start=start, **options)


LIARS = (
    Liar("loss", "claim:row_order", "ties in the order of the rows", TiesInOrder()),
    Liar("loss", "claim:zero_alone", "1e-7 y^2 more", SmoothedAlone()),
    Liar("group", "claim:shift_invariant", "1e-7 y^2 more", SmoothedShifted()),
    Liar("group", "group:neutral", "a mean over all rows", MeanOfPairs()),
    Liar("group", "group:alone", "sums by @", ByProduct()),
    Liar("group", "group:sizes", "divides by n - 1", LastAlone()),
    Liar("group", "mask", "masked rows count", KeepsMasked()),
    Liar("group", "weights", "a mean without weights", ForgetsWeights()),
    Liar("group", "group:split", "parts that are whole groups", PartsOfGroups()),
)
