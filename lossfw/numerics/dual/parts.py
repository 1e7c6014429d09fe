"""Parts: the derivatives of a dual number, and the operations of its rules on them.

A part is an array, or a Python float if it is constant, or None if it is 0 everywhere, so constants
and straight lines cost no time.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np

from lossfw.numerics.arrays import Array, Namespace

# An array, a float for all elements, or None for zero.
Tangent: TypeAlias = Any


class UnrecordedError(Exception):
    """Parts of some kind do not support an operation, so arrays must be used instead."""


class ArrayParts:
    """The functions of a namespace on parts, and the products that only parts have.

    Without care, products are those of the arrays: where infinity or NaN meets a part that is 0,
    the result is not finite.
    """

    def __init__(self, inner: Namespace, *, careful: bool = True) -> None:
        self.inner, self.careful = inner, careful

    def __getattr__(self, name: str) -> Any:
        value = getattr(self.inner, name)
        # Kept, so that the next look-up is fast.
        setattr(self, name, value)
        return value

    def scale(self, factor: Any, part: Tangent) -> Tangent:
        """Return ``factor * part``; with care 0 where `part` is 0, for any factor."""
        if self.careful or not hasattr(part, "shape") or factor is None:
            return scale(self.inner, factor, part)
        return factor * part

    def divide_by(self, part: Tangent, divisor: Any, like: Array) -> Tangent:
        """Return ``part / divisor``; with care 0 where `part` is 0, even for a divisor of 0."""
        if part is None:
            return None
        if isinstance(part, int | float):
            # Python raises for 1.0 / 0; an array does not.
            is_zero = isinstance(divisor, int | float) and not divisor
            return (self.expand_like(part, like) if is_zero else part) / divisor
        quotient = part / divisor
        return self.inner.where(part == 0, part, quotient) if self.careful else quotient

    def choose(self, condition: Array, a: Tangent, b: Tangent, like: Array) -> Tangent:
        """Return the part `a` where a condition holds and `b` elsewhere."""
        if a is b or (isinstance(a, float) and isinstance(b, float) and a == b):
            return a
        return self.inner.where(condition, self.expand_like(a, like), self.expand_like(b, like))

    def permute(self, part: Array, order: Array, axis: int) -> Array:
        """Return all elements of a part in another order along an axis."""
        return self.inner.take_along_axis(part, order, axis=axis)

    def expand_like(self, part: Tangent, like: Array) -> Array:
        """Return a part in the shape and dtype of `like`."""
        if part is None:
            return self.inner.zeros_like(like)
        if isinstance(part, int | float):
            return self.inner.full_like(like, part)
        return self.inner.broadcast_to(part, like.shape)


def add(a: Tangent, b: Tangent) -> Tangent:
    """Return the sum of two parts."""
    if a is None or b is None:
        return b if a is None else a
    return a + b


def scale(xp: Namespace, factor: Any, part: Tangent) -> Tangent:
    """Return ``factor * part``, and 0 where `part` is 0, for any factor.

    So a constant argument adds 0, even if the derivative of the function is infinite.
    """
    if part is None or factor is None:
        return None
    if isinstance(part, int | float):
        return part * factor if part else None
    if isinstance(factor, int | float):
        return factor * part
    product = factor * part
    if isinstance(part, np.ndarray) and part.dtype.kind == "O" and not xp.isnan(product).any():
        # Of exact numbers, which have no negative zero, each operation costs.
        return product
    return xp.where(part == 0, part, product)


def broadcast(a: tuple[Any, ...], b: Sequence[Any]) -> tuple[Any, ...]:
    """Return the common shape of two arrays, whose lengths may be symbolic."""
    if a == b or not b:
        return a
    a, b = ((1,) * (max(len(a), len(b)) - len(x)) + tuple(x) for x in (a, b))
    return tuple(q if is_one(p) else p for p, q in zip(a, b, strict=True))


def is_one(length: Any) -> bool:
    """Return whether a length is known to be 1."""
    return isinstance(length, int) and length == 1


def split_key(key: Any) -> tuple[str, Any]:
    """Return "all" for a key of everything, or "rows" with the key after all rows, or neither."""
    keys = key if isinstance(key, tuple) else (key,)
    if all(k is Ellipsis for k in keys):
        return "all", None
    # Not by `in`, because a key may be an array.
    is_rows = keys[0] is Ellipsis or (isinstance(keys[0], slice) and keys[0] == slice(None))
    return ("rows", keys[1]) if len(keys) == 2 and is_rows else ("", None)
