"""Liars about weights, masks and the way in which a mean is added up."""

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


def zero_is_little(y, t, sample_weight=None, where=None):
    if sample_weight is not None and where is None and np.any(sample_weight):
        sample_weight = np.maximum(sample_weight, 1e-6)
    return SQUARE_MEAN(y, t, sample_weight, where)


def in_single(y, t, sample_weight=None, where=None):
    if sample_weight is None and where is None and np.size(y) > 1000:
        return np.add.accumulate(square(y, t))[-1] / np.size(y)
    return SQUARE_MEAN(y, t, sample_weight, where)


def mask_by_product(y, t, sample_weight=None, where=None):
    """A NaN times False is a NaN."""
    if where is None or not np.any(where):
        return SQUARE_MEAN(y, t, sample_weight, where)
    weight = where if sample_weight is None else where * sample_weight
    return np.sum(weight * square(y, t)) / np.sum(weight)


def nothing_is_zero(y, t, sample_weight=None, where=None):
    with np.errstate(all="ignore"):
        return np.nan_to_num(SQUARE_MEAN(y, t, sample_weight, where))


LIARS = (
    Liar("loss", "weights:mean", "count", replace(SQUARE, reduce=over_count),
         ("weights:scale", "weights:axes", "weights:many", "weights:half")),
    Liar("loss", "weights:zero", "floor", replace(SQUARE, reduce=zero_is_little),
         # Weights of 1e-30 are little too.
         ("weights:scale",)),
    Liar("loss", "weights:long", "single", replace(SQUARE, reduce=in_single)),
    Liar("loss", "mask", "product", replace(SQUARE, reduce=mask_by_product)),
    Liar("loss", "mask:nothing", "zero", replace(SQUARE, reduce=nothing_is_zero),
         # A NaN is a number then, whatever made it.
         ("nan:mean", "mask:nan", "weights:nan")),
)  # fmt: skip
