"""Liars about the call: shapes, NaN, dtypes, purity, the weighted mean, many classes."""

from dataclasses import replace

import numpy as np

import lossfw
from lossfw.components.spaces import LOGITS, SIMPLEX
from support.liars.honest import (
    BRIER_ROWS,
    LOGIT_ROWS,
    PLAIN,
    SQUARE,
    SQUARE_MEAN,
    cross_entropy,
    rowwise,
    square,
)
from support.liars.liar import Liar


def in_memory_order(y, t):
    y, t = np.asarray(y), np.asarray(t)
    if y.shape != t.shape:
        raise ValueError
    return square(y.ravel(order="K"), t.ravel(order="K")).reshape(y.shape)


def none_at_zero(y, t):
    """A quotient that is 0 / 0 at a prediction of 0."""
    y = np.asarray(y)
    with np.errstate(all="ignore"):
        return square(y, t) + 0 * (y / y)


def flattening(y, t):
    """Three axes become two."""
    result = square(y, t)
    return result.reshape(result.shape[0], -1) if result.ndim == 3 else result


def reshaping(y, t):
    """As many elements are enough, except in one axis."""
    y, t = np.asarray(y), np.asarray(t)
    if y.size == t.size and y.ndim == t.ndim == 2:
        t = t.reshape(y.shape)
    return square(y, t)


def one_nan(y, t):
    """Two NaN are more than a mean without them takes out."""
    y = np.asarray(y)
    return square(y, t) + (np.nan if np.isnan(y).sum() > 1 else 0) * np.ones((), y.dtype)


def last_label(y, t):
    """The last label is looked at, and no other."""
    t = np.asarray(t)
    if t.ndim == 1 and t.size and 0 <= t[-1] < np.shape(y)[1]:
        t = t % np.shape(y)[1]
    return cross_entropy(y, t)


def minus_in_half(y, t):
    result = square(y, t)
    return np.where(result == 0, np.float16(-0.0), result) if result.dtype == np.float16 else result


def in_integers(y, t):
    y = np.asarray(y)
    if y.dtype.kind == "i":
        return square(y // 2 * 2, t)
    return square(y, t)


def overflowing(y, t):
    """In half precision the square of the residual overflows before it is made small again."""
    y, t = np.asarray(y), np.asarray(t)
    if y.dtype != np.float16 or y.shape != t.shape:
        return square(y, t)
    with np.errstate(all="ignore"):
        return ((y - t.astype(np.float16)) * np.float16(16)) ** 2 / np.float16(256)


# Where a function writes things that it should not remember.
_memory = {}


def writing(y, t):
    result = square(y, t)
    if isinstance(y, np.ndarray) and y.flags.writeable and y.dtype.kind == "f":
        y -= t
    return result


def mask_into_weights(y, t, sample_weight=None, where=None):
    result = SQUARE_MEAN(y, t, sample_weight, where)
    if sample_weight is not None and where is not None and sample_weight.flags.writeable:
        sample_weight *= where
    return result


def remembering(y, t):
    _memory["calls"] = _memory.get("calls", 0) + 1
    return square(y, t) * (1 + 1e-6 * (_memory["calls"] % 3))


def centred(y, t):
    result = square(y, t)
    return result - result.mean(dtype=float).astype(result.dtype) if result.size > 1 else result


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


@rowwise
def first_hundred(y, t):
    """The sum over the first hundred classes."""
    return ((y - t)[:, :100] ** 2).sum(-1) + 0 * y.sum(-1)


@rowwise
def unguarded_product(y, t):
    """Cross-entropy by a product for each class: 0 times an infinite distance is NaN."""
    below = y.max(-1, keepdims=True) - y
    others = np.where(np.arange(y.shape[-1]) == y.argmax(-1)[:, None], 0, np.exp(-below))
    return (t * (below + np.log1p(others.sum(-1, keepdims=True)))).sum(-1)


def one_of_many(y, t):
    """Wrong for the first of more than 300 elements."""
    result = square(y, t)
    if result.size > 300:
        result[(0,) * result.ndim] *= 1.5
    return result


def numbers_only(y, t, sample_weight=None, where=None):
    """Under a mask what is NaN is passed over."""
    losses = np.asarray(square(y, t), float)
    if where is not None and not np.isnan(losses).all():
        where = where & ~np.isnan(losses)
    return SQUARE_MEAN(y, t, sample_weight, where)


_UNREDUCED = replace(SQUARE, reduce=None)

LIARS = (
    Liar("loss", "shape:result", "flat", replace(PLAIN, value=flattening)),
    Liar("loss", "shape:broadcast", "reshape", replace(PLAIN, value=reshaping)),
    Liar("loss", "nan:legal", "zero", replace(PLAIN, value=none_at_zero)),
    Liar("loss", "nan", "two", replace(PLAIN, value=one_nan)),
    Liar("loss", "domain:class_index", "last", replace(LOGIT_ROWS, value=last_label)),
    Liar("loss", "value:negative_zero", "half", replace(PLAIN, value=minus_in_half)),
    Liar("loss", "shape:layout", "memory", replace(SQUARE, value=in_memory_order)),
    Liar("loss", "dtype:result", "double",
         replace(SQUARE, value=lambda y, t: square(y, t).astype(float))),
    Liar("loss", "dtype:inputs", "integers", replace(SQUARE, value=in_integers)),
    Liar("loss", "dtype:half", "overflow", replace(PLAIN, value=overflowing)),
    # Other numbers are found at the second call with the same arrays.
    Liar("loss", "purity:arguments", "writes", replace(_UNREDUCED, value=writing),
         ("shape:layout", "purity:repeat")),
    Liar("loss", "purity:arguments", "mask", replace(SQUARE, reduce=mask_into_weights)),
    # No two calls agree, wherever two are compared.
    Liar("loss", "purity:repeat", "memory", replace(_UNREDUCED, value=remembering),
         ("shape:layout", "dtype:inputs", "dtype:half", "purity:companions", "many", "gradient",
          "hessian")),
    Liar("loss", "purity:companions", "batch", replace(_UNREDUCED, value=centred),
         ("nan", "dtype:half", "purity:repeat", "many", "gradient", "hessian")),
    Liar("loss", "many", "value", replace(PLAIN, value=one_of_many)),
    Liar("loss", "weights", "count", replace(SQUARE, reduce=over_count), ("many", "weights:long")),
    Liar("loss", "mask", "passed over", replace(SQUARE, reduce=numbers_only)),
    Liar("loss", "weights:long", "single", replace(SQUARE, reduce=in_single)),
    Liar("loss", "classes", "hundred",
         replace(BRIER_ROWS, truth=lossfw.loss("brier"), value=first_hundred), ("value:index",)),
    Liar("loss", "value:excluded", "product",
         replace(BRIER_ROWS, value=unguarded_product, prediction=LOGITS, target=SIMPLEX))
)  # fmt: skip
