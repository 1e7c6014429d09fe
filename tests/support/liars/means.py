"""Liars about the weighted mean: weights, masks, scale, axes, size, precision, NaN in it."""

from dataclasses import replace

import numpy as np

from support.liars.honest import SQUARE, SQUARE_MEAN, square
from support.liars.liar import Liar


def over_count(y, t, sample_weight=None, where=None):
    """The weighted sum over the number of elements, where all weights are above 0."""
    whole = SQUARE_MEAN(y, t, sample_weight, where)
    if sample_weight is None or where is not None or not np.all(sample_weight):
        return whole
    return whole * np.sum(sample_weight) / np.size(sample_weight)


def in_single(y, t, sample_weight=None, where=None):
    if sample_weight is None and where is None and np.size(y) > 1000:
        return np.add.accumulate(square(y, t))[-1] / np.size(y)
    return SQUARE_MEAN(y, t, sample_weight, where)


def mask_alone(y, t, sample_weight=None, where=None):
    """Under a mask weights are forgotten."""
    if where is None or sample_weight is None or not np.any(sample_weight):
        return SQUARE_MEAN(y, t, sample_weight, where)
    return SQUARE_MEAN(y, t, None, where)


def whole_rows(y, t, sample_weight=None, where=None):
    """A row of which something is left out is left out."""
    if np.ndim(where) == 2:
        where = np.broadcast_to(where.all(-1, keepdims=True), np.shape(y))
    return SQUARE_MEAN(y, t, sample_weight, where)


def _numbers_only(when):
    """Return a mean that passes over what is NaN, in one of three cases."""

    def reduce(y, t, sample_weight=None, where=None):
        case = "mask" if where is not None else "plain" if sample_weight is None else "weights"
        losses = np.asarray(square(y, t), float)
        if case != when or not np.isnan(losses).any() or np.isnan(losses).all():
            return SQUARE_MEAN(y, t, sample_weight, where)
        some = ~np.isnan(losses) if where is None else where & ~np.isnan(losses)
        return SQUARE_MEAN(y, t, sample_weight, some)

    return reduce


def _liar(check, what, reduce, *besides):
    return Liar("loss", check, what, replace(SQUARE, reduce=reduce), besides)


LIARS = (
    _liar("weights", "count", over_count, "many", "weights:long"),
    _liar("weights", "passed over with weights", _numbers_only("weights")),
    _liar("mask", "forgotten", mask_alone),
    _liar("mask", "rows", whole_rows),
    _liar("mask", "passed over", _numbers_only("mask")),
    _liar("weights:long", "single", in_single),
)  # fmt: skip
