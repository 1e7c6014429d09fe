"""TypedNamespace: arrays made only from numbers get the dtype of the call.

PyTorch's default is float32, so ``xp.where(y > 0, 0.1, 3.5)`` would have half of the digits of a
float64 loss. NumPy's default, float64, loses nothing.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any

import numpy as np

from lossfw.numerics.arrays import Array, Namespace, device_of, is_foreign

# Functions of arrays of any number that take numbers as they come, and keep whole ones.
_ARITHMETIC = frozenset({
    "abs", "negative", "positive", "sign", "square", "floor", "ceil", "round", "trunc", "add",
    "subtract", "multiply", "pow", "remainder", "maximum", "minimum", "clip", "less",
    "less_equal", "greater", "greater_equal", "equal", "not_equal",
})  # fmt: skip
# Those whose results are floats, also of whole numbers.
_OF_FLOATS = frozenset({
    "acos", "acosh", "asin", "asinh", "atan", "atan2", "atanh", "copysign", "cos", "cosh",
    "divide", "exp", "exp2", "expm1", "hypot", "isfinite", "isinf", "isnan", "log", "log10",
    "log1p", "log2", "logaddexp", "reciprocal", "signbit", "sin", "sinh", "sqrt", "tan", "tanh",
})  # fmt: skip
# Those that make floats unless they are given a dtype, and unless all their numbers are whole.
_MADE = frozenset({"zeros", "ones", "empty", "eye", "linspace"})
_MADE_OF_NUMBERS = frozenset({"full", "arange"})


def typed_namespace(xp: Namespace, like: Array) -> Namespace:
    """Return the namespace for a body with arrays like one of another library.

    NumPy's namespace, and those of other number systems, are returned unchanged.
    """
    if xp is np or not isinstance(xp, ModuleType) or not is_foreign(like):
        return xp
    return _typed(xp, like.dtype, device_of(like))


class TypedNamespace:
    """The array namespace of a library, with dtype and device for arrays made only from numbers."""

    def __init__(self, library: ModuleType, dtype: Any, device: Any) -> None:
        self._library, self._dtype = library, dtype
        self._placed = {} if device is None else {"device": device}

    def __getattr__(self, name: str) -> Any:
        value = self._function(name, getattr(self._library, name))
        # Kept, so that the next look-up is fast.
        setattr(self, name, value)
        return value

    def _function(self, name: str, function: Any) -> Any:
        if name in _ARITHMETIC or name in _OF_FLOATS:
            return self._accept_numbers(function, always_float=name in _OF_FLOATS)
        if name in _MADE or name in _MADE_OF_NUMBERS:
            return self._with_default_dtype(function, always_float=name in _MADE)
        if name in ("stack", "concat"):
            return lambda arrays, **options: function(self._to_arrays(arrays), **options)
        return function

    def where(self, condition: Array, a: Any, b: Any) -> Array:
        """Return `a` where `condition` holds and `b` elsewhere."""
        if not (hasattr(a, "dtype") or hasattr(b, "dtype")):
            a, b = self._to_arrays((a, b))
        return self._library.where(condition, a, b)

    def asarray(self, x: Any, *, dtype: Any = None, **options: Any) -> Array:
        """Return an array; for Python floats, in the namespace's dtype."""
        if hasattr(x, "dtype"):
            return self._library.asarray(x, dtype=dtype, **options)
        if dtype is None and np.asarray(x).dtype.kind == "f":
            dtype = self._dtype
        return self._library.asarray(x, dtype=dtype, **{**self._placed, **options})

    def _accept_numbers(
        self, function: Callable[..., Any], *, always_float: bool
    ) -> Callable[..., Any]:
        """Return a function of arrays that takes numbers alone too."""

        def call(*arguments: Any, **options: Any) -> Any:
            given = [x for x in (*arguments, *options.values()) if x is not None]
            if any(hasattr(x, "dtype") for x in given):
                return function(*arguments, **options)
            return function(*self._to_arrays(arguments, always_float=always_float), **options)

        return call

    def _with_default_dtype(
        self, function: Callable[..., Any], *, always_float: bool
    ) -> Callable[..., Any]:
        """Return a function that makes arrays, of the dtype unless another one is given."""

        def call(*arguments: Any, dtype: Any = None, **options: Any) -> Any:
            numbers = (*arguments, *options.values())
            if dtype is None and (always_float or any(isinstance(x, float) for x in numbers)):
                dtype = self._dtype
            return function(*arguments, dtype=dtype, **{**self._placed, **options})

        return call

    def _to_arrays(self, items: Sequence[Any], *, always_float: bool = False) -> list[Any]:
        """Return arrays as they are, and numbers as arrays: of floats if one is one, or always."""
        dtype = self._dtype if always_float or any(isinstance(x, float) for x in items) else None
        return [
            x
            if x is None or hasattr(x, "dtype")
            else self._library.asarray(x, dtype=dtype, **self._placed)
            for x in items
        ]


_typed = functools.cache(TypedNamespace)
