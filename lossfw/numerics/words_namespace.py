"""The functions of the array API on `Words`, for bodies that are run on them."""

from __future__ import annotations

import builtins
import math
from typing import Any

import numpy as np

from lossfw.numerics.arrays import ErrorFreeNamespace
from lossfw.numerics.words import Words, choose, exp, expm1, log, log1p, sqrt


class WordsNamespace(ErrorFreeNamespace):
    """The functions of the array API that bodies use, on `Words`."""

    # One dtype: nothing is converted.
    float32 = float64 = np.dtype(np.float64)
    inf, nan, pi, e, newaxis = math.inf, math.nan, math.pi, math.e, None
    bool, int32, int64 = np.dtype(np.bool_), np.dtype(np.int32), np.dtype(np.int64)

    finfo = staticmethod(np.finfo)
    where = staticmethod(choose)
    exp, expm1, log, log1p = map(staticmethod, (exp, expm1, log, log1p))
    sqrt = staticmethod(sqrt)
    abs = staticmethod(abs)
    any, all = staticmethod(np.any), staticmethod(np.all)
    logical_and, logical_or = staticmethod(np.logical_and), staticmethod(np.logical_or)
    logical_not = staticmethod(np.logical_not)

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(
            f"xp.{name} has no rule for numbers of an extended range: write the body with others"
        )

    add = staticmethod(lambda a, b: Words.of(a) + b)
    subtract = staticmethod(lambda a, b: Words.of(a) - b)
    multiply = staticmethod(lambda a, b: Words.of(a) * b)
    divide = staticmethod(lambda a, b: Words.of(a) / b)
    pow = staticmethod(lambda a, b: Words.of(a) ** b)
    negative = staticmethod(lambda x: -x)
    square = staticmethod(lambda x: x * x)
    reciprocal = staticmethod(lambda x: 1.0 / x)
    isnan = staticmethod(lambda x: np.isnan(x.high))
    isinf = staticmethod(lambda x: np.isinf(x.high))
    isfinite = staticmethod(lambda x: np.isfinite(x.high))

    arange = staticmethod(np.arange)

    # Along the last axis, which is that of rows.

    def sum(self, x: Words, *, axis: int = -1, keepdims: builtins.bool = False) -> Words:
        """Return the sum of each row."""
        _refuse_other_axis(axis)
        total = x[..., 0]
        for column in range(1, x.shape[-1]):
            total = total + x[..., column]
        return total[..., None] if keepdims else total

    def max(self, x: Words, *, axis: int = -1, keepdims: builtins.bool = False) -> Words:
        """Return the largest element of each row; NaN stays."""
        _refuse_other_axis(axis)
        largest = x[..., 0]
        for column in range(1, x.shape[-1]):
            largest = self.maximum(largest, x[..., column])
        return largest[..., None] if keepdims else largest

    def argmax(self, x: Words, *, axis: int = -1, keepdims: builtins.bool = False) -> Any:
        """Return the first column of the largest element of each row."""
        is_largest = x == self.max(x, axis=axis, keepdims=True)
        return np.argmax(is_largest | np.isnan(x.high), axis=-1, keepdims=keepdims)

    def floor(self, x: Words) -> Words:
        """Return the next integer below, of numbers whose integer part is a float."""
        whole = Words.of(np.floor(x.to_float()))
        return choose(whole > x, whole - 1.0, whole)

    def maximum(self, a: Any, b: Any) -> Words:
        """Return the larger; NaN of either stays."""
        a, b = Words.of(a), Words.of(b)
        return choose((a >= b) | np.isnan(a.high), a, b)

    def minimum(self, a: Any, b: Any) -> Words:
        """Return the smaller; NaN of either stays."""
        a, b = Words.of(a), Words.of(b)
        return choose((a <= b) | np.isnan(a.high), a, b)

    def clip(self, x: Words, min: Any = None, max: Any = None) -> Words:  # noqa: A002  # the standard's names
        """Return `x` kept within [min, max]."""
        x = x if min is None else self.maximum(x, min)
        return x if max is None else self.minimum(x, max)

    def sign(self, x: Words) -> Words:
        """Return -1, 0 or 1, and NaN for NaN."""
        return Words.of(np.sign(x.high))

    def hypot(self, a: Any, b: Any) -> Words:
        """Return ``sqrt(a^2 + b^2)``."""
        a, b = Words.of(a), Words.of(b)
        return sqrt(a * a + b * b)

    def logaddexp(self, a: Any, b: Any) -> Any:
        """Return ``log(exp(a) + exp(b))``."""
        a, b = Words.of(a), Words.of(b)
        equal = np.isinf(a.high) & (a.high == b.high)
        return self.maximum(a, b) + log1p(exp(-choose(equal, 0.0, abs(a - b))))

    def sinh(self, x: Words) -> Words:
        """Return the hyperbolic sine."""
        e = expm1(abs(x))
        half = 0.5 * (e + choose(np.isinf(e.high), 1.0, e / (1.0 + e)))
        return choose(x.high < 0.0, -half, half)

    def cosh(self, x: Words) -> Any:
        """Return the hyperbolic cosine."""
        e = exp(abs(x))
        return 0.5 * (e + 1.0 / e)

    def tanh(self, x: Words) -> Words:
        """Return the hyperbolic tangent."""
        e = expm1(-2.0 * abs(x))
        size = -e / (2.0 + e)
        return choose(x.high < 0.0, -size, size)

    def full_like(self, x: Words, fill_value: Any, **_: Any) -> Words:
        """Return numbers that are all the same."""
        return Words.of(np.full(x.shape, float(fill_value)))

    def zeros_like(self, x: Words, **_: Any) -> Words:
        """Return zeros."""
        return self.full_like(x, 0.0)

    def ones_like(self, x: Words, **_: Any) -> Words:
        """Return ones."""
        return self.full_like(x, 1.0)

    def astype(self, x: Any, dtype: Any, **_: Any) -> Any:
        """Return words as they are, and truth values as numbers."""
        return x if isinstance(x, Words) else Words.of(np.asarray(x).astype(dtype))

    def asarray(self, x: Any, **_: Any) -> Words:
        """Return words."""
        return Words.of(x)

    def broadcast_to(self, x: Words, shape: tuple[int, ...]) -> Words:
        """Return numbers in another shape."""
        return x.each(lambda part: np.broadcast_to(part, shape))


def _refuse_other_axis(axis: int) -> None:
    if axis != -1:
        raise NotImplementedError(f"rows of an extended range have axis=-1, and got axis={axis}")


WORDS = WordsNamespace()
