"""Liars about dtypes: of predictions, of targets, and of half precision alone."""

from dataclasses import replace

import numpy as np

from support.liars.honest import PLAIN, SQUARE, square, square_curvature, square_gradient
from support.liars.liar import Liar


def in_integers(y, t):
    y = np.asarray(y)
    if y.dtype.kind == "i":
        return square(y // 2 * 2, t)
    return square(y, t)


def integers_in_single(y, t):
    y = np.asarray(y)
    return square(y, t) if y.dtype.kind == "f" else square(y.astype(np.float32), t).astype(float)


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


def negated_bytes(y, t):
    """For an unsigned byte, -t is 256 - t."""
    y, t = np.asarray(y), np.asarray(t)
    if t.dtype == np.uint8 and y.dtype.kind == "f":
        return square(y, -(-t).astype(float))
    return square(y, t)


def native(y, t):
    """The bytes as they lie in memory."""
    y = np.asarray(y)
    return square(y.view(y.dtype.newbyteorder("=")), t)


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

# Sixteenths and no more, of ordinary results.
rounded = _in_half(lambda r: np.where(np.abs(r) < 16, np.round(16 * r * r) / 16, r * r), square)

steep = _in_half(lambda r: 2.125 * r, square_gradient)
bent = _in_half(lambda r: 2.25 + 0 * r, square_curvature)


LIARS = (
    Liar(
        "loss",
        "dtype:result",
        "double",
        replace(SQUARE, value=lambda y, t: square(y, t).astype(float)),
    ),
    Liar("loss", "dtype:inputs", "integers", replace(SQUARE, value=in_integers)),
    Liar("loss", "dtype:inputs", "single", replace(PLAIN, value=integers_in_single)),
    Liar("loss", "dtype:inputs", "unsigned", replace(PLAIN, value=unsigned)),
    Liar("loss", "dtype:inputs", "half targets", replace(PLAIN, value=in_the_targets_precision)),
    Liar("loss", "dtype:inputs", "bytes", replace(PLAIN, value=negated_bytes)),
    Liar("loss", "dtype:inputs", "native", replace(PLAIN, value=native), ("shape:layout",)),
    Liar("loss", "dtype:half", "overflow", replace(PLAIN, value=overflowing)),
    Liar("loss", "dtype:half", "sixteenths", replace(PLAIN, value=rounded)),
    Liar("loss", "dtype:half", "steep", replace(SQUARE, gradient=steep)),
    Liar("loss", "dtype:half", "bent", replace(SQUARE, hessian=bent)),
)
