"""Unrolled: elementwise functions of records, and functions that move, join and reshape numbers.

Operations of a body on axes after the first are NumPy operations on the array of symbols;
elementwise functions apply to each symbol.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from lossfw.errors import TraceError
from lossfw.numerics.arrays import NDArray
from lossfw.numerics.symbolic.namespace import BINARY, COMPARISONS, LOGIC, TESTS, UNARY, Expressions
from lossfw.numerics.symbolic.symbol import ELEMENTS, Symbol
from lossfw.numerics.symbolic.unrolled_array import Unrolled, as_objects

_OF_ELEMENTS = frozenset((*UNARY, *TESTS, *BINARY, *COMPARISONS, *LOGIC, "pow", "frexp"))

# What NumPy does to the axes behind the first.
_REARRANGING = ("flip", "roll", "repeat", "expand_dims", "squeeze", "take")

# Nobody needs a longer graph: LLVM would take seconds for it.
_MOST_NODES = 5000

# Attributes and functions of NumPy that need no array.
_OF_NUMPY = ("finfo", "isdtype", "pi", "e", "inf", "nan", "newaxis")


class UnrolledElements:
    """The array namespace of `Unrolled` without sums; `elements` is that of its symbols."""

    def __init__(self, elements: Expressions) -> None:
        self.elements = elements
        for kind in ("float32", "float64", "bool", "int32", "int64"):
            setattr(self, kind, getattr(elements, kind))

    def __getattr__(self, name: str) -> Any:
        if name in _OF_ELEMENTS:
            return functools.partial(self._function, name)
        if name in _OF_NUMPY:
            return getattr(self.elements, name)
        if name in _REARRANGING:
            return functools.partial(self._rearrange, getattr(np, name))
        if name.startswith("__") or not hasattr(np, name):
            raise AttributeError(name)
        raise TraceError(f"the body uses xp.{name} of columns")

    def input(self, name: str, dtype: np.dtype[Any], width: int | None) -> Unrolled:
        """Return an argument of the body."""
        symbols = [self.elements.input(f"{name}.{k}", dtype) for k in range(width or 1)]
        return Unrolled(self, as_objects(symbols).reshape((1,) if width is None else (1, width)))

    # Functions of elements.

    def elementwise(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Return an elementwise function, with arguments broadcast as in NumPy."""
        ranks = {x.ndim for x in arguments if isinstance(x, Unrolled)}
        tables = [x.ndim for x in arguments if isinstance(x, np.ndarray)]
        if not ranks:
            raise TraceError("the body computes with numbers alone")
        if len(ranks) > 1 or max(tables, default=0) >= max(ranks):
            raise TraceError("the body computes with arrays of different axes")
        items = [x.numbers if isinstance(x, Unrolled) else as_objects(x) for x in arguments]
        spread = np.broadcast_arrays(*items)
        if len(self.elements.graph.nodes) > _MOST_NODES:
            raise TraceError(f"its columns one by one are more than {_MOST_NODES:,} operations")
        if not spread[0].size:
            raise TraceError("the body computes with no columns")
        results = [function(*parts) for parts in zip(*(x.flat for x in spread), strict=True)]
        if isinstance(results[0], tuple):
            return tuple(
                self._from_symbols(part, spread[0].shape) for part in zip(*results, strict=True)
            )
        return self._from_symbols(results, spread[0].shape)

    def _from_symbols(self, symbols: Sequence[Any], shape: tuple[int, ...]) -> Unrolled:
        return Unrolled(self, as_objects(symbols).reshape(shape))

    def _function(self, name: str, *arguments: Any) -> Any:
        if not any(isinstance(x, Unrolled) for x in arguments):
            return getattr(np, name)(*arguments)
        if name == "pow" and isinstance(arguments[1], np.ndarray):
            # For a number NumPy has functions of its own, and in the graph both are the same.
            raise TraceError("the body raises to powers of a table")
        return self.elementwise(getattr(self.elements, name), *arguments)

    def positive(self, x: Any) -> Any:
        """Return `x`."""
        return x

    def where(self, condition: Any, a: Any, b: Any) -> Any:
        """Return `a` where `condition` holds and `b` elsewhere."""
        if not any(isinstance(x, Unrolled) for x in (condition, a, b)):
            return np.where(condition, a, b)
        elements = self.elements

        def choose(holds: Any, a: Any, b: Any) -> Any:
            if isinstance(holds, Symbol) and any(isinstance(x, Symbol) for x in (a, b)):
                return elements.where(holds, a, b)
            if isinstance(holds, Symbol):
                # NumPy makes an array of numbers alone in their own dtype.
                return elements.where(holds, *map(np.asarray(0.0).dtype.type, (a, b)))
            dtype = elements.result_type(a, b)
            return Symbol(elements, elements.cast(a if holds else b, dtype))

        return self.elementwise(choose, condition, a, b)

    def clip(self, x: Any, min: Any = None, max: Any = None) -> Any:  # noqa: A002  # the standard's names
        """Return `x` kept within [min, max]."""
        x = x if min is None else self._function("maximum", x, min)
        return x if max is None else self._function("minimum", x, max)

    def astype(self, x: Any, dtype: Any, **_: Any) -> Any:
        """Return `x` in another dtype."""
        if not isinstance(x, Unrolled):
            return np.asarray(x).astype(dtype)
        return self.elementwise(lambda symbol: self.elements.astype(symbol, dtype), x)

    # Arrays of numbers.

    def full_like(self, x: Any, fill_value: Any, dtype: Any = None, **_: Any) -> Any:
        """Return an array of one number."""
        if not isinstance(x, Unrolled):
            return np.full_like(x, fill_value, dtype=dtype)
        return self.elementwise(lambda one: self.elements.full_like(one, fill_value, dtype), x)

    def zeros_like(self, x: Any, dtype: Any = None, **_: Any) -> Any:
        """Return an array of zeros."""
        return self.full_like(x, 0, dtype)

    def ones_like(self, x: Any, dtype: Any = None, **_: Any) -> Any:
        """Return an array of ones."""
        return self.full_like(x, 1, dtype)

    def full(self, shape: Any, fill_value: Any, dtype: Any = None, **_: Any) -> Any:
        """Return an array of one number, or of records if its first length is theirs."""
        if not isinstance(shape, tuple) or ELEMENTS not in shape:
            return np.full(shape, fill_value, dtype)
        lengths = self._lengths(shape)
        kind = np.asarray(fill_value).dtype if dtype is None else np.dtype(dtype)
        symbol = Symbol(self.elements, self.elements.constant(fill_value, kind))
        return self._from_symbols([symbol] * int(np.prod(lengths)), lengths)

    def zeros(self, shape: Any, dtype: Any = np.float64, **_: Any) -> Any:
        """Return an array of zeros."""
        return self.full(shape, 0, dtype)

    def ones(self, shape: Any, dtype: Any = np.float64, **_: Any) -> Any:
        """Return an array of ones."""
        return self.full(shape, 1, dtype)

    def arange(self, *bounds: Any, dtype: Any = None, **_: Any) -> NDArray:
        """Return a table of numbers."""
        return np.arange(*bounds, dtype=dtype)

    def asarray(self, x: Any, dtype: Any = None, **_: Any) -> Any:
        """Return an array of records, or a table of NumPy."""
        if isinstance(x, Unrolled):
            return x if dtype is None else self.astype(x, dtype)
        return np.asarray(x, dtype)

    def result_type(self, *arguments: Any) -> np.dtype[Any]:
        """Return the dtype in which NumPy computes with these arguments."""
        return np.result_type(*[x.dtype if isinstance(x, Unrolled) else x for x in arguments])

    # Shapes.

    def _lengths(self, shape: tuple[Any, ...]) -> tuple[int, ...]:
        """Return a shape with the length 1 for the axis of records, which is the first."""
        if shape[:1] != (ELEMENTS,) or not all(isinstance(n, int) for n in shape[1:]):
            raise TraceError(f"the body makes an array of the shape {shape!r}")
        return (1, *shape[1:])

    def broadcast_to(self, x: Any, shape: tuple[Any, ...]) -> Any:
        """Return `x` in a shape."""
        if not isinstance(x, Unrolled):
            return np.broadcast_to(x, shape)
        if len(shape) != x.ndim:
            raise TraceError(f"the body makes an array of the shape {shape!r}")
        return Unrolled(self, np.broadcast_to(x.numbers, self._lengths(tuple(shape))))

    def reshape(self, x: Any, shape: tuple[Any, ...], **_: Any) -> Any:
        """Return `x` in a shape."""
        if not isinstance(x, Unrolled):
            return np.reshape(x, shape)
        return Unrolled(self, x.numbers.reshape(self._lengths(tuple(shape))))

    def permute_dims(self, x: Any, axes: tuple[int, ...]) -> Any:
        """Return `x` with its axes in another order."""
        if not isinstance(x, Unrolled):
            return np.transpose(x, axes)
        if axes[0] != 0:
            raise TraceError("the body moves the axis of records")
        return Unrolled(self, np.transpose(x.numbers, axes))

    def _rearrange(self, function: Any, x: Any, *arguments: Any, axis: Any = None, **_: Any) -> Any:
        if not isinstance(x, Unrolled):
            return function(x, *arguments, axis=axis)
        if any(isinstance(a, Unrolled) for a in arguments):
            raise TraceError("the body takes columns by numbers of the records")
        length = x.ndim + (function is np.expand_dims)
        return Unrolled(self, function(x.numbers, *arguments, axis=shift_axis(axis, length)))

    def stack(self, arrays: Sequence[Any], *, axis: int = 0) -> Any:
        """Return arrays along a new axis."""
        return self._join(np.stack, arrays, axis, 1)

    def concat(self, arrays: Sequence[Any], *, axis: int = 0) -> Any:
        """Return concatenated arrays."""
        return self._join(np.concatenate, arrays, axis, 0)

    def _join(self, function: Any, arrays: Sequence[Any], axis: int, more: int) -> Any:
        if not any(isinstance(x, Unrolled) for x in arrays):
            return function(arrays, axis=axis)
        if not all(isinstance(x, Unrolled) for x in arrays):
            raise TraceError("the body joins columns with other arrays")
        dtype = self.result_type(*arrays)
        numbers = [self.astype(x, dtype).numbers if x.numbers.size else x.numbers for x in arrays]
        joined = function(numbers, axis=shift_axis(axis, arrays[0].ndim + more))
        return Unrolled(self, joined, dtype)


def shift_axis(axis: Any, ndim: int) -> int:
    """Return the number of an axis after that of records."""
    if not isinstance(axis, int) or axis % ndim == 0:
        raise TraceError("the body computes along the axis of records")
    return axis % ndim
