"""Unrolled: expressions of records of columns, written out number by number.

An array of records is an array of symbols of elements, one for each number of a record. What a
body does to axes behind the first, NumPy does to this array; functions of elements go through it;
a sum along an axis is the additions in the order in which NumPy adds up few columns. What is left
is a graph of elements with an input for each number: ``y.0``, ``y.1`` and so on.
"""

from __future__ import annotations

import functools
import itertools
import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from lossfw.errors import TraceError
from lossfw.numerics.arrays import Body, NDArray
from lossfw.numerics.symbolic.graph import CONSTANT, Graph
from lossfw.numerics.symbolic.namespace import (
    BINARY,
    BOOL,
    COMPARISONS,
    INT64,
    LOGIC,
    TESTS,
    UNARY,
    Expressions,
    KernelExpressions,
    TileExpressions,
)
from lossfw.numerics.symbolic.symbol import ELEMENTS, Symbol
from lossfw.numerics.symbolic.trace import GraphUse, trace_on
from lossfw.numerics.symbolic.unrolled_array import Unrolled, as_objects

_OF_ELEMENTS = frozenset((*UNARY, *TESTS, *BINARY, *COMPARISONS, *LOGIC, "pow", "frexp"))

# What NumPy does to the axes behind the first.
_REARRANGING = ("flip", "roll", "repeat", "expand_dims", "squeeze", "take")

# Nobody needs a longer graph: LLVM would take seconds for it.
_MOST_NODES = 5000

# Attributes and functions of NumPy that need no array.
_OF_NUMPY = ("finfo", "isdtype", "pi", "e", "inf", "nan", "newaxis")


class UnrolledExpressions:
    """The array namespace of `Unrolled`; `elements` is that of its symbols."""

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
            return functools.partial(self._rearranged, getattr(np, name))
        if name.startswith("__") or not hasattr(np, name):
            raise AttributeError(name)
        raise TraceError(f"the body uses xp.{name} of columns")

    def input(self, name: str, dtype: np.dtype[Any], width: int | None) -> Unrolled:
        """Return an argument of the body."""
        symbols = [self.elements.input(f"{name}.{k}", dtype) for k in range(width or 1)]
        return Unrolled(self, as_objects(symbols).reshape((1,) if width is None else (1, width)))

    # Functions of elements.

    def each(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Return a function of elements; arguments are broadcast as NumPy does it."""
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
            return tuple(self._of(part, spread[0].shape) for part in zip(*results, strict=True))
        return self._of(results, spread[0].shape)

    def _of(self, symbols: Sequence[Any], shape: tuple[int, ...]) -> Unrolled:
        return Unrolled(self, as_objects(symbols).reshape(shape))

    def _function(self, name: str, *arguments: Any) -> Any:
        if not any(isinstance(x, Unrolled) for x in arguments):
            return getattr(np, name)(*arguments)
        if name == "pow" and isinstance(arguments[1], np.ndarray):
            # For a number NumPy has functions of its own, and in the graph both are the same.
            raise TraceError("the body raises to powers of a table")
        return self.each(getattr(self.elements, name), *arguments)

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

        return self.each(choose, condition, a, b)

    def clip(self, x: Any, min: Any = None, max: Any = None) -> Any:  # noqa: A002  # the standard's names
        """Return `x` kept within [min, max]."""
        x = x if min is None else self._function("maximum", x, min)
        return x if max is None else self._function("minimum", x, max)

    def astype(self, x: Any, dtype: Any, **_: Any) -> Any:
        """Return `x` in another dtype."""
        if not isinstance(x, Unrolled):
            return np.asarray(x).astype(dtype)
        return self.each(lambda symbol: self.elements.astype(symbol, dtype), x)

    # Arrays of numbers.

    def full_like(self, x: Any, fill_value: Any, dtype: Any = None, **_: Any) -> Any:
        """Return an array of one number."""
        if not isinstance(x, Unrolled):
            return np.full_like(x, fill_value, dtype=dtype)
        return self.each(lambda one: self.elements.full_like(one, fill_value, dtype), x)

    def zeros_like(self, x: Any, dtype: Any = None, **_: Any) -> Any:
        """Return an array of zeros."""
        return self.full_like(x, 0, dtype)

    def ones_like(self, x: Any, dtype: Any = None, **_: Any) -> Any:
        """Return an array of ones."""
        return self.full_like(x, 1, dtype)

    def full(self, shape: Any, fill_value: Any, dtype: Any = None, **_: Any) -> Any:
        """Return an array of one number, of records if its first length is theirs."""
        if not isinstance(shape, tuple) or ELEMENTS not in shape:
            return np.full(shape, fill_value, dtype)
        lengths = self._lengths(shape)
        kind = np.asarray(fill_value).dtype if dtype is None else np.dtype(dtype)
        symbol = Symbol(self.elements, self.elements.constant(fill_value, kind))
        return self._of([symbol] * int(np.prod(lengths)), lengths)

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

    def _rearranged(
        self, function: Any, x: Any, *arguments: Any, axis: Any = None, **_: Any
    ) -> Any:
        if not isinstance(x, Unrolled):
            return function(x, *arguments, axis=axis)
        if any(isinstance(a, Unrolled) for a in arguments):
            raise TraceError("the body takes columns by numbers of the records")
        length = x.ndim + (function is np.expand_dims)
        return Unrolled(self, function(x.numbers, *arguments, axis=_behind(axis, length)))

    def take_along_axis(self, x: Any, index: Any, *, axis: int = -1) -> Any:
        """Return the elements at the places that `argmax` has found."""
        is_place = isinstance(index, Unrolled) and isinstance(x, Unrolled) and axis in (-1, 1)
        if not is_place or x.ndim != 2 or not self._is_place(index.numbers.item().node):
            raise TraceError("the body takes columns by numbers of the records")
        found = x[..., :1]
        for k in range(1, x.shape[-1]):
            found = self.where(index == k, x[..., k : k + 1], found)
        return found

    def _is_place(self, node_id: int) -> bool:
        """Tell whether a node chooses between constants alone."""
        node = self.elements.graph.nodes[node_id]
        chosen = node.op == "where" and all(map(self._is_place, node.args[1:]))
        return node.op == CONSTANT or chosen

    def argmax(self, x: Any, *, axis: int = -1, keepdims: bool = False) -> Any:
        """Return the first place of the largest number of each record; NaN is larger than all."""
        largest = x[..., :1] if axis in (-1, x.ndim - 1) else None
        if largest is None:
            raise TraceError("the body uses xp.argmax along another axis than the last")
        place = self.full_like(largest, 0, INT64)
        for k in range(1, x.shape[-1]):
            number = x[..., k : k + 1]
            is_larger = (number > largest) | (self.isnan(number) & ~self.isnan(largest))
            place = self.where(is_larger, self.full_like(place, k), place)
            largest = self.where(is_larger, number, largest)
        return place if keepdims else place[..., 0]

    def stack(self, arrays: Sequence[Any], *, axis: int = 0) -> Any:
        """Return arrays along a new axis."""
        return self._joined(np.stack, arrays, axis, 1)

    def concat(self, arrays: Sequence[Any], *, axis: int = 0) -> Any:
        """Return arrays behind each other."""
        return self._joined(np.concatenate, arrays, axis, 0)

    def _joined(self, function: Any, arrays: Sequence[Any], axis: int, more: int) -> Any:
        if not any(isinstance(x, Unrolled) for x in arrays):
            return function(arrays, axis=axis)
        if not all(isinstance(x, Unrolled) for x in arrays):
            raise TraceError("the body joins columns with other arrays")
        dtype = self.result_type(*arrays)
        numbers = [self.astype(x, dtype).numbers if x.numbers.size else x.numbers for x in arrays]
        joined = function(numbers, axis=_behind(axis, arrays[0].ndim + more))
        return Unrolled(self, joined, dtype)

    # Along an axis.

    def _reduced(
        self, x: Any, axis: Any, keepdims: bool, step: Callable[[Any, Any], Any], start: Any = None
    ) -> Unrolled:
        """Return the numbers along axes, taken together one after the other."""
        numbers, axes = x.numbers, axis if isinstance(axis, tuple) else (axis,)
        for n in sorted((_behind(a, x.ndim) for a in axes), reverse=True):
            parts = np.moveaxis(numbers, n, 0)
            begun = [] if start is None else [_filled(parts.shape[1:], start)]
            taken = functools.reduce(np.frompyfunc(step, 2, 1), [*begun, *parts])
            numbers = np.expand_dims(taken, n) if keepdims else as_objects(taken)
        return Unrolled(self, numbers)

    def sum(self, x: Any, *, axis: Any = None, keepdims: bool = False, **_: Any) -> Any:
        """Return the sum along an axis, in the order of arrays of few columns."""
        if not isinstance(x, Unrolled):
            return np.sum(x, axis=axis, keepdims=keepdims)
        x = x if x.dtype.kind == "f" else self.astype(x, INT64)
        # NumPy begins with 0, so that -0 becomes 0.
        zero = Symbol(self.elements, self.elements.constant(0, x.dtype))
        return self._reduced(x, axis, keepdims, operator.add, zero)

    def mean(self, x: Any, *, axis: Any = None, keepdims: bool = False) -> Any:
        """Return the mean along an axis."""
        axes = axis if isinstance(axis, tuple) else (axis,)
        total = self.sum(x, axis=axis, keepdims=keepdims)
        return total / int(np.prod([x.shape[n] for n in axes]))

    def max(self, x: Any, *, axis: Any = None, keepdims: bool = False) -> Any:
        """Return the largest number along an axis."""
        return self._reduced(x, axis, keepdims, self.elements.maximum)

    def min(self, x: Any, *, axis: Any = None, keepdims: bool = False) -> Any:
        """Return the smallest number along an axis."""
        return self._reduced(x, axis, keepdims, self.elements.minimum)

    def any(self, x: Any, *, axis: Any = None, keepdims: bool = False) -> Any:
        """Return whether a truth holds anywhere along an axis."""
        if not isinstance(x, Unrolled):
            return np.any(x, axis=axis, keepdims=keepdims)
        return self._reduced(self.astype(x, BOOL), axis, keepdims, operator.or_)

    def all(self, x: Any, *, axis: Any = None, keepdims: bool = False) -> Any:
        """Return whether a truth holds everywhere along an axis."""
        if not isinstance(x, Unrolled):
            return np.all(x, axis=axis, keepdims=keepdims)
        return self._reduced(self.astype(x, BOOL), axis, keepdims, operator.and_)

    def cumulative_sum(self, x: Any, *, axis: int = -1) -> Any:
        """Return the running sums along an axis."""
        n = _behind(axis, x.ndim)
        add = np.frompyfunc(operator.add, 2, 1)
        sums = list(itertools.accumulate(np.moveaxis(x.numbers, n, 0), add))
        return Unrolled(self, np.stack(sums, axis=n))


class _OfKernel(UnrolledExpressions):
    def rarely(self, condition: Any, rare: Any, usual: Any) -> Any:
        """Return ``where(condition, rare, usual)``; see `KernelExpressions.rarely`."""
        return self.each(self.elements.rarely, condition, rare, usual)


class _OfTile(_OfKernel):
    def left_to_body(self, condition: Any, usual: Any) -> Any:
        """Return `usual`, which is right where the condition does not hold."""
        return self.each(self.elements.left_to_body, condition, usual)


_NAMESPACES: dict[GraphUse, Callable[[], UnrolledExpressions]] = {
    "kernel": lambda: _OfKernel(KernelExpressions()),
    "tile": lambda: _OfTile(TileExpressions()),
    "array": lambda: UnrolledExpressions(Expressions()),
}


def trace_unrolled(
    body: Body, dtype: Any, widths: Mapping[str, int | None], use: GraphUse = "kernel"
) -> Graph:
    """Run a body on records of so many numbers, and return the graph of its operations.

    A width of None is of an argument with one number for each record, and no axis for it. Results
    become an output for each of their numbers. What has no meaning raises `TraceError`.

    Examples
    --------
    >>> graph = trace_unrolled(lambda xp, y: xp.sum(y * y, axis=-1), "float64", {"y": 2})
    >>> [node.op for node in graph.nodes]
    ['input', 'input', 'multiply', 'multiply', 'constant', 'add', 'add']
    """
    xp = _NAMESPACES[use]()
    arrays = [xp.input(name, np.dtype(dtype), width) for name, width in widths.items()]

    def numbers(_: Any, *__: Symbol) -> tuple[Symbol, ...]:
        results = body(xp, *arrays)
        found: list[Symbol] = []
        for result in results if isinstance(results, tuple) else (results,):
            if not isinstance(result, Unrolled):
                raise TraceError(f"the body returns a {type(result).__name__}; expected an array")
            found += result.numbers.reshape(-1).tolist()
        return tuple(found)

    return trace_on(xp.elements, numbers, [])


def _filled(shape: tuple[int, ...], item: Any) -> NDArray:
    array = np.empty(shape, object)
    array[...] = item
    return array


def _behind(axis: Any, ndim: int) -> int:
    """Return the number of an axis behind that of records."""
    if not isinstance(axis, int) or axis % ndim == 0:
        raise TraceError("the body computes along the axis of records")
    return axis % ndim
