"""Rows: expressions of bodies of rows, with a known number of columns.

A symbol is an array of rows, of shape (n, K), or has one number for each row, of shape (n, 1) or
(n,). Sums and extremes along a row, and the element at a number per row, are separate operations.
All else is elementwise.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from lossfw.errors import TraceError
from lossfw.numerics.symbolic.graph import (
    COLUMN,
    CONSTANT,
    INPUT,
    LOOK_UP,
    REDUCTIONS,
    TAKEN,
    Graph,
)
from lossfw.numerics.symbolic.namespace import FLOAT32, FLOAT64, INT64, Expressions
from lossfw.numerics.symbolic.symbol import ELEMENTS, Symbol

# Functions of a row that are known of a single number.
_OF_ONE = ("sum", "max", "min")

_NEW_AXIS = ((Ellipsis, None), (slice(None), None))


class RowExpressions(Expressions):
    """The array namespace of symbols of rows of at least two columns."""

    def __init__(self, columns: int) -> None:
        super().__init__()
        self.columns = columns
        self.shape = (ELEMENTS, columns)
        for op in REDUCTIONS:
            setattr(self, op, self._row_reduction(op))

    def input(self, name: str, dtype: Any) -> Symbol:
        """Return an argument of the body: rows, or one column index per row if it is an integer."""
        x = super().input(name, dtype)
        return Symbol(self, x.node, self.shape) if x.dtype.kind == "f" else x

    # Shapes.

    def common_shape(self, symbols: list[Symbol]) -> tuple[Any, ...]:
        """Return the shape of a result of symbols, as NumPy broadcasts them."""
        shapes = {symbol.shape for symbol in symbols}
        if len(shapes) > 1 and any(shape == (ELEMENTS,) for shape in shapes):
            raise TraceError("the body computes with rows and numbers of rows without an axis")
        if shapes == {(self.columns,)}:
            return (self.columns,)
        wide = any(shape[-1] == self.columns for shape in shapes)
        return self.shape if wide else next(iter(shapes))

    def element(self, x: Symbol, key: Any) -> Symbol:
        """Return one number per row with an axis more or less."""
        if x.shape == (ELEMENTS,) and key in _NEW_AXIS:
            return Symbol(self, x.node, (ELEMENTS, 1))
        if x.shape == (ELEMENTS, 1) and key == (Ellipsis, 0):
            return Symbol(self, x.node)
        *before, last = key if isinstance(key, tuple) else (key,)
        if x.shape == self.shape and before == [Ellipsis] and isinstance(last, int | slice):
            numbers = range(self.columns)[last]
            at = [numbers] if isinstance(numbers, int) else list(numbers)
            if len(at) == 1:
                number = self._element_at(x.node, self.constant(at[0], INT64))
                return Symbol(self, number, (ELEMENTS, 1)[: 1 + isinstance(last, slice)])
        raise TraceError(f"the body takes a part of rows, by [{key!r}]")

    def broadcast_to(self, x: Symbol, shape: tuple[Any, ...]) -> Symbol:
        """Return `x` in the shape of rows."""
        return self._expand_to_rows(x) if shape == self.shape else super().broadcast_to(x, shape)

    def _expand_to_rows(self, x: Symbol) -> Symbol:
        return Symbol(self, x.node, self.common_shape([x, Symbol(self, x.node, self.shape)]))

    def check_power(self, x: Any, exponent: Any) -> None:
        """Raise `TraceError` also for exponents that NumPy repeats along an axis."""
        super().check_power(x, exponent)
        symbols = [symbol for symbol in (x, exponent) if isinstance(symbol, Symbol)]
        if isinstance(exponent, Symbol) and exponent.shape != self.common_shape(symbols):
            raise TraceError("the body raises rows to a power of each row, or of each column")

    # Columns.

    def arange(self, count: Any, **_: Any) -> Symbol:
        """Return the numbers of the columns."""
        if count != self.columns:
            raise TraceError(f"the body counts to {count!r}; expected the number of its columns")
        return Symbol(self, self.graph.add(COLUMN, (), INT64), (self.columns,))

    def asarray(self, x: Any, dtype: Any = None, **options: Any) -> Any:
        """Return a symbol, a NumPy table, or one number per column."""
        if isinstance(x, tuple | list) and len(x) == self.columns:
            table = np.asarray(x, dtype)
            at = self.arange(self.columns)
            numbers = tuple(table.tolist())
            number = self.graph.add(LOOK_UP, (at.node,), table.dtype, numbers)
            return Symbol(self, number, at.shape)
        return super().asarray(x, dtype, **options)

    def take(self, table: Any, index: Any, **options: Any) -> Symbol:
        """Return elements of a table, or of one number for each column, at an index."""
        if isinstance(table, Symbol) and table.shape == (self.columns,):
            return Symbol(self, self._element_at(table.node, self.index(index)), index.shape)
        return super().take(table, index, **options)

    def take_along_axis(self, x: Symbol, index: Symbol, *, axis: int = -1) -> Symbol:
        """Return the element of each row at its number, of shape (n, 1)."""
        if x.shape != self.shape or index.shape != (ELEMENTS, 1) or axis != -1:
            raise TraceError("the body takes other elements than one of each row")
        return Symbol(self, self._element_at(x.node, self.index(index)), (ELEMENTS, 1))

    def _element_at(self, node_id: int, index: int) -> int:
        """Return the node of an element; an elementwise operation is applied to elements."""
        graph, is_row = self.graph, find_row_nodes(self.graph)
        known: dict[int, int] = {}

        def at(node_id: int) -> int:
            if node_id not in known:
                node = graph.nodes[node_id]
                if node.op == COLUMN:
                    known[node_id] = index
                elif not is_row[node_id]:
                    known[node_id] = node_id
                elif node.op == INPUT:
                    known[node_id] = graph.add(TAKEN, (node_id, index), node.dtype)
                else:
                    args = tuple(at(arg) for arg in node.args)
                    known[node_id] = graph.add(node.op, args, node.dtype, node.value)
            return known[node_id]

        return at(node_id)

    # Along a row.

    def _row_reduction(self, op: str) -> Any:
        def function(x: Symbol, *, axis: Any = None, keepdims: bool = False) -> Symbol:
            if axis == -1 and x.shape == (ELEMENTS, 1) and op in _OF_ONE:
                # Rows of one column. NumPy begins a sum with 0, so that -0 becomes 0.
                x = self.operation("add", x, 0.0) if op == "sum" else x
                return Symbol(self, x.node, x.shape if keepdims else (ELEMENTS,))
            if axis not in (-1, 1) or x.shape != self.shape:
                raise TraceError(f"the body uses xp.{op} along another axis than that of rows")
            if x.dtype.kind != "f":
                raise TraceError(f"the body uses xp.{op} of {x.dtype}")
            number = self.graph.add(op, (x.node,), x.dtype)
            return Symbol(self, number, (ELEMENTS, 1) if keepdims else (ELEMENTS,))

        return function

    def argmax(self, x: Symbol, *, axis: Any = None, keepdims: bool = False) -> Any:
        """Return the first column of the largest element of each row; NaN is larger than all."""
        largest = self.max(x, axis=axis, keepdims=True)
        chosen = self.where(self.isnan(largest), self.isnan(x), x == largest)
        place = self.astype(self.arange(self.columns), FLOAT64)
        place = self.where(chosen, place, self.full_like(place, self.inf))
        first = self.min(place, axis=-1, keepdims=keepdims)
        return self.astype(self.round(first), INT64)

    def any(self, x: Symbol, *, axis: Any = None, keepdims: bool = False) -> Any:
        """Return whether a truth holds anywhere in each row."""
        return self._row_reduction("max")(self.astype(x, FLOAT32), axis=axis, keepdims=keepdims) > 0

    def all(self, x: Symbol, *, axis: Any = None, keepdims: bool = False) -> Any:
        """Return whether a truth holds everywhere in each row."""
        return self._row_reduction("min")(self.astype(x, FLOAT32), axis=axis, keepdims=keepdims) > 0

    def mean(self, x: Symbol, *, axis: Any = None, keepdims: bool = False) -> Symbol:
        """Return the mean of each row."""
        total = self._row_reduction("sum")(x, axis=axis, keepdims=keepdims)
        mean: Symbol = self.operation("divide", total, self.columns)
        return mean


def find_row_nodes(graph: Graph) -> list[bool]:
    """Return for each node whether it has one number per element, not per row."""
    is_row: list[bool] = []
    for node in graph.nodes:
        if node.op == INPUT:
            is_row.append(node.dtype.kind == "f")
        elif node.op in (*REDUCTIONS, TAKEN, CONSTANT):
            is_row.append(False)
        else:
            is_row.append(node.op == COLUMN or any(is_row[arg] for arg in node.args))
    return is_row
