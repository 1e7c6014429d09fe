"""Liars about the call: shapes, layouts, NaN, class indices, signs of zero."""

from dataclasses import replace

import numpy as np

from support.liars.honest import LOGIT_ROWS, PLAIN, SQUARE, cross_entropy, square
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


def squeezed(y, t):
    """For one class, a column is not a column."""
    result = cross_entropy(y, t)
    return result[:1] if np.ndim(y) == 2 and np.shape(y)[1] == 1 else result


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


LIARS = (
    Liar("loss", "shape:result", "flat", replace(PLAIN, value=flattening)),
    Liar("loss", "shape:broadcast", "reshape", replace(PLAIN, value=reshaping)),
    Liar("loss", "nan:legal", "zero", replace(PLAIN, value=none_at_zero)),
    Liar("loss", "nan", "two", replace(PLAIN, value=one_nan)),
    Liar("loss", "domain:class_index", "last", replace(LOGIT_ROWS, value=last_label)),
    Liar("loss", "value:negative_zero", "half", replace(PLAIN, value=minus_in_half)),
    Liar("loss", "shape:layout", "memory", replace(SQUARE, value=in_memory_order)),
)  # fmt: skip
