"""Unrolled: expressions of records of columns, written out number by number.

An array of records is an array of symbols of elements, one per number of a record. A sum along an
axis consists of additions in NumPy's order for few columns. The result is a graph of elements with
one input per number: ``y.0``, ``y.1`` and so on.
"""

from __future__ import annotations

import functools
import itertools
import operator
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from lossfw.errors import TraceError
from lossfw.numerics.arrays import Body, NDArray
from lossfw.numerics.symbolic.graph import CONSTANT, Graph
from lossfw.numerics.symbolic.namespace import (
    BOOL,
    INT64,
    Expressions,
    KernelExpressions,
    TileExpressions,
)
from lossfw.numerics.symbolic.symbol import Symbol
from lossfw.numerics.symbolic.trace import GraphUse, trace_on
from lossfw.numerics.symbolic.unrolled_array import Unrolled, as_objects
from lossfw.numerics.symbolic.unrolled_elements import UnrolledElements, shift_axis


class UnrolledExpressions(UnrolledElements):
    """The array namespace of `Unrolled`, with sums, extremes and positions along an axis."""

    def _reduce(
        self, x: Any, axis: Any, keepdims: bool, step: Callable[[Any, Any], Any], start: Any = None
    ) -> Unrolled:
        """Return the numbers along axes, taken together one after the other."""
        numbers, axes = x.numbers, axis if isinstance(axis, tuple) else (axis,)
        for n in sorted((shift_axis(a, x.ndim) for a in axes), reverse=True):
            parts = np.moveaxis(numbers, n, 0)
            begun = [] if start is None else [_fill(parts.shape[1:], start)]
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
        return self._reduce(x, axis, keepdims, operator.add, zero)

    def mean(self, x: Any, *, axis: Any = None, keepdims: bool = False) -> Any:
        """Return the mean along an axis."""
        axes = axis if isinstance(axis, tuple) else (axis,)
        total = self.sum(x, axis=axis, keepdims=keepdims)
        return total / int(np.prod([x.shape[n] for n in axes]))

    def max(self, x: Any, *, axis: Any = None, keepdims: bool = False) -> Any:
        """Return the largest number along an axis."""
        return self._reduce(x, axis, keepdims, self.elements.maximum)

    def min(self, x: Any, *, axis: Any = None, keepdims: bool = False) -> Any:
        """Return the smallest number along an axis."""
        return self._reduce(x, axis, keepdims, self.elements.minimum)

    def any(self, x: Any, *, axis: Any = None, keepdims: bool = False) -> Any:
        """Return whether a truth holds anywhere along an axis."""
        if not isinstance(x, Unrolled):
            return np.any(x, axis=axis, keepdims=keepdims)
        return self._reduce(self.astype(x, BOOL), axis, keepdims, operator.or_)

    def all(self, x: Any, *, axis: Any = None, keepdims: bool = False) -> Any:
        """Return whether a truth holds everywhere along an axis."""
        if not isinstance(x, Unrolled):
            return np.all(x, axis=axis, keepdims=keepdims)
        return self._reduce(self.astype(x, BOOL), axis, keepdims, operator.and_)

    def cumulative_sum(self, x: Any, *, axis: int = -1) -> Any:
        """Return the running sums along an axis."""
        n = shift_axis(axis, x.ndim)
        add = np.frompyfunc(operator.add, 2, 1)
        sums = list(itertools.accumulate(np.moveaxis(x.numbers, n, 0), add))
        return Unrolled(self, np.stack(sums, axis=n))

    def take_along_axis(self, x: Any, index: Any, *, axis: int = -1) -> Any:
        """Return the elements at the positions from `argmax`."""
        is_place = isinstance(index, Unrolled) and isinstance(x, Unrolled) and axis in (-1, 1)
        if not is_place or x.ndim != 2 or not self._chooses_constants(index.numbers.item().node):
            raise TraceError("the body takes columns by numbers of the records")
        found = x[..., :1]
        for k in range(1, x.shape[-1]):
            found = self.where(index == k, x[..., k : k + 1], found)
        return found

    def _chooses_constants(self, node_id: int) -> bool:
        """Tell whether a node chooses between constants alone."""
        node = self.elements.graph.nodes[node_id]
        chosen = node.op == "where" and all(map(self._chooses_constants, node.args[1:]))
        return node.op == CONSTANT or chosen

    def argmax(self, x: Any, *, axis: int = -1, keepdims: bool = False) -> Any:
        """Return the first position of the largest number per record; NaN is larger than all."""
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


class _KernelChoices(UnrolledExpressions):
    def where_rare(self, condition: Any, rare: Any, usual: Any) -> Any:
        """Return ``where(condition, rare, usual)``; see `KernelExpressions.where_rare`."""
        return self.elementwise(self.elements.where_rare, condition, rare, usual)


class _TileChoices(_KernelChoices):
    def leave_to_body(self, condition: Any, usual: Any) -> Any:
        """Return `usual`, which is right where the condition does not hold."""
        return self.elementwise(self.elements.leave_to_body, condition, usual)


_NAMESPACES: dict[GraphUse, Callable[[], UnrolledExpressions]] = {
    "kernel": lambda: _KernelChoices(KernelExpressions()),
    "tile": lambda: _TileChoices(TileExpressions()),
    "array": lambda: UnrolledExpressions(Expressions()),
}


def trace_unrolled(
    body: Body, dtype: Any, widths: Mapping[str, int | None], use: GraphUse = "kernel"
) -> Graph:
    """Run a body on records of so many numbers, and return the graph of its operations.

    A width of None means an argument with one number per record, without an axis. Results become
    one output per number. Operations without a meaning raise `TraceError`.

    Examples
    --------
    >>> graph = trace_unrolled(lambda xp, y: xp.sum(y * y, axis=-1), "float64", {"y": 2})
    >>> [node.op for node in graph.nodes]
    ['input', 'input', 'multiply', 'multiply', 'constant', 'add', 'add']
    """
    xp = _NAMESPACES[use]()
    arrays = [xp.input(name, np.dtype(dtype), width) for name, width in widths.items()]

    def collect_numbers(_: Any, *__: Symbol) -> tuple[Symbol, ...]:
        results = body(xp, *arrays)
        found: list[Symbol] = []
        for result in results if isinstance(results, tuple) else (results,):
            if not isinstance(result, Unrolled):
                raise TraceError(f"the body returns a {type(result).__name__}; expected an array")
            found += result.numbers.reshape(-1).tolist()
        return tuple(found)

    return trace_on(xp.elements, collect_numbers, [])


def _fill(shape: tuple[int, ...], item: Any) -> NDArray:
    array = np.empty(shape, object)
    array[...] = item
    return array
