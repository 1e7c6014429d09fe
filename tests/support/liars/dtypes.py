"""Liars about dtypes: of predictions, of targets, and of half precision alone."""

from dataclasses import replace

import numpy as np

from support.liars.honest import PLAIN, SQUARE, square, square_gradient
from support.liars.liar import Liar


def in_integers(y, t):
    y = np.asarray(y)
    if y.dtype.kind == "i":
        return square(y // 2 * 2, t)
    return square(y, t)


def unsigned(y, t):
    """The difference of two unsigned numbers has no sign."""
    y, t = np.asarray(y), np.asarray(t)
    if y.shape == t.shape and y.dtype.kind == t.dtype.kind == "u":
        r = (y - t).astype(float)
        return r * r
    return square(y, t)


def in_the_targets_precision(y, t):
    y, t = np.asarray(y), np.asarray(t)
    if y.shape == t.shape and t.dtype == np.float16:
        return square(y.astype(np.float16), t).astype(y.dtype if y.dtype.kind == "f" else float)
    return square(y, t)


def _in_half(f, otherwise):
    """Return a function that computes in half precision where the predictions are in it."""

    def call(y, t):
        y, t = np.asarray(y), np.asarray(t)
        if y.dtype != np.float16 or y.shape != t.shape:
            return otherwise(y, t)
        with np.errstate(all="ignore"):
            return f(y - t.astype(np.float16)).astype(np.float16) + np.float16(0)

    return call


# The square of the residual overflows before it is made small again.
overflowing = _in_half(lambda r: (r * np.float16(16)) ** 2 / np.float16(256), square)


steep = _in_half(lambda r: 2.125 * r, square_gradient)


LIARS = (
    Liar(
        "loss",
        "dtype:result",
        "double",
        replace(SQUARE, value=lambda y, t: square(y, t).astype(float)),
    ),
    Liar("loss", "dtype:inputs", "integers", replace(SQUARE, value=in_integers)),
    Liar("loss", "dtype:inputs", "half targets", replace(PLAIN, value=in_the_targets_precision)),
    Liar("loss", "dtype:half", "overflow", replace(PLAIN, value=overflowing)),
    Liar("loss", "dtype:half", "steep", replace(SQUARE, gradient=steep)),
)
