"""Written: a graph as one straight-line function, with one line per operation.

Unused values are not computed, equal ones are computed once, and each array is dropped after its
last use, so its memory is reused while it is in the cache. The source consists only of the nodes of
a graph, and numbers are variables of its module, so that text does not round them.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, ClassVar, Literal, NamedTuple

import numpy as np

from lossfw.numerics.symbolic.graph import (
    CAST,
    COLUMN,
    CONSTANT,
    EXPONENT,
    FRACTION,
    INPUT,
    LOOK_UP,
    PARAMETER,
    REDUCTIONS,
    TAKEN,
    Graph,
    Operation,
)
from lossfw.numerics.symbolic.rows import find_row_nodes

_INFIX = {
    "add": "+",
    "subtract": "-",
    "multiply": "*",
    "divide": "/",
    "remainder": "%",
    "less": "<",
    "less_equal": "<=",
    "greater": ">",
    "greater_equal": ">=",
    "equal": "==",
    "not_equal": "!=",
    "logical_and": "&",
    "logical_or": "|",
    "logical_xor": "^",
}
_PREFIX = {"negative": "-", "logical_not": "~"}

_OF_ROW = {"sum": np.add, "max": np.maximum, "min": np.minimum}

# Operations that are more than a function of numbers.
_OF_ARRAYS = (*REDUCTIONS, TAKEN, FRACTION, EXPONENT, LOOK_UP)


class WrittenFunction(NamedTuple):
    """A graph as a function of its inputs and parameters in the order of `names`."""

    function: Callable[..., tuple[Any, ...]]
    names: tuple[str, ...]
    source: str

    def __call__(self, **given: Any) -> tuple[Any, ...]:
        """Return the outputs; names that the graph does not have are ignored."""
        with np.errstate(all="ignore"):
            return self.function(*(given[name] for name in self.names))


def write(
    graph: Graph, columns: int | None = None, order: Literal["C", "F"] = "C"
) -> WrittenFunction:
    """Return a graph as a function of NumPy.

    Inputs have the shape (N,), or (N, K) for `columns` K, where classes have (N,). Rows are summed
    in the memory layout `order`. A parameter is a number. A result has the shape (N,), or (N, K),
    or (N, 1) if it has one number per row.

    Examples
    --------
    >>> from lossfw.numerics.symbolic.trace import trace
    >>> written = write(trace(lambda xp, r: 2.0 * xp.abs(r), {"r": "float64"}))
    >>> written(r=np.array([-2.0, 3.0]))
    (array([4., 6.]),)
    >>> print(written.source)
    def written(x0):
        x1 = abs(x0)
        x3 = x2 * x1
        del x1
        return x3,
    """
    return _NumPyWriter(graph, columns, order).write_function()


class Writer(ABC):
    """The lines of a function; each library has its own expressions."""

    library: ClassVar[Any]

    def __init__(self, graph: Graph, columns: int | None) -> None:
        self.graph, self.columns = graph, columns
        self.is_row = find_row_nodes(graph)
        self.varies: list[bool] = []  # whether each node depends on an input
        for node in graph.nodes:
            self.varies.append(node.op == INPUT or any(self.varies[arg] for arg in node.args))
        self.variables: dict[str, Any] = {}  # the functions and numbers of the source
        self.numbers: dict[int, Any] = {}  # the results that depend on no argument

    def write_function(self) -> WrittenFunction:
        """Return the function."""
        nodes, live = self.graph.nodes, self.graph.live_nodes()
        given = [n for n, node in enumerate(nodes) if node.op in (INPUT, PARAMETER)]
        last_use = {arg: node_id for node_id in live for arg in nodes[node_id].args}
        lines = [f"def written({', '.join(f'x{n}' for n in given)}):"]
        for node_id in live:
            node = nodes[node_id]
            if self._is_number(node_id, node):
                continue
            expression = self.expression(node_id, node)
            if expression != f"x{node_id}":
                lines.append(f"x{node_id} = {expression}")
            kept = (*self.graph.outputs, *self.numbers, *given)
            unread = [n for n in dict.fromkeys(node.args) if last_use[n] == node_id]
            dead = [f"x{n}" for n in unread if n not in kept]
            lines += [f"del {', '.join(dead)}"] if dead else []
        outputs = ", ".join(self.output(node_id) for node_id in self.graph.outputs)
        source = "\n    ".join([*lines, f"return {outputs},"])
        names = tuple(nodes[n].value for n in given)
        exec(compile(source, "<graph>", "exec"), self.variables)  # noqa: S102  # of nodes alone
        return WrittenFunction(self.variables["written"], names, source)

    def _is_number(self, node_id: int, node: Operation) -> bool:
        """Return whether a result depends on no argument, and make it a variable then."""
        value = None
        if node.op in (CONSTANT, COLUMN):
            value = self.leaf(node)
        elif node.args and node.op not in _OF_ARRAYS:
            args = [self.numbers.get(arg) for arg in node.args]
            value = None if any(arg is None for arg in args) else _result(node, args)
        if value is not None:
            self.numbers[node_id] = value
            self.variables[f"x{node_id}"] = self.number(value)
        return value is not None

    def has_prediction_shape(self, node_id: int) -> bool:
        """Return whether a result has the shape of the prediction."""
        return self.varies[node_id] and self.is_row[node_id]

    def bind(self, function: Any, name: str) -> str:
        """Return the name of a variable of the source."""
        self.variables[name] = function
        return name

    def expression(self, node_id: int, node: Operation) -> str:
        """Return the expression of an operation."""
        op, args = node.op, [f"x{arg}" for arg in node.args]
        if op == INPUT:
            is_index = self.columns is not None and node.dtype.kind == "i"
            return f"x{node_id}[..., None]" if is_index else f"x{node_id}"
        if op in (FRACTION, EXPONENT):
            return f"{self.bind(self.library.frexp, 'frexp')}({args[0]})[{int(op == EXPONENT)}]"
        if op == TAKEN and node.args[1] in self.numbers:
            # One column of all rows.
            return f"{args[0]}[..., {int(self.numbers[node.args[1]])}, None]"
        if op in _INFIX:
            return f"{args[0]} {_INFIX[op]} {args[1]}"
        if op in _PREFIX:
            return f"{_PREFIX[op]}{args[0]}"
        return self.library_expression(node_id, node, args)

    @abstractmethod
    def leaf(self, node: Operation) -> Any:
        """Return a constant, or the numbers of columns; None if they depend on an argument."""

    @abstractmethod
    def number(self, value: Any) -> Any:
        """Return the expression of a NumPy number."""

    @abstractmethod
    def library_expression(self, node_id: int, node: Operation, args: list[str]) -> str:
        """Return the expression of an operation that differs between libraries."""

    @abstractmethod
    def output(self, node_id: int) -> str:
        """Return the expression of an output."""


class _NumPyWriter(Writer):
    library: ClassVar[Any] = np

    def __init__(self, graph: Graph, columns: int | None, order: Literal["C", "F"]) -> None:
        super().__init__(graph, columns)
        self._order = order

    def leaf(self, node: Operation) -> Any:
        if node.op == COLUMN:
            return np.arange(self.columns or 0)[np.newaxis]
        return node.dtype.type(node.value)

    def number(self, value: Any) -> Any:
        return value

    def expression(self, node_id: int, node: Operation) -> str:
        expression = super().expression(node_id, node)
        is_joined = self.has_prediction_shape(node_id) and not any(
            map(self.has_prediction_shape, node.args)
        )
        if self._order == "F" and is_joined and node.args:
            # A number of each row that meets one of each column.
            return self._to_body_layout(expression, "F")
        return expression

    def library_expression(self, node_id: int, node: Operation, args: list[str]) -> str:
        op = node.op
        if op == PARAMETER:
            return f"{self.bind(node.dtype.type, f'to_{node.dtype}')}(x{node_id})"
        if op == CAST:
            return f"{args[0]}.astype({self.bind(node.dtype, str(node.dtype))})"
        if op == LOOK_UP:
            table = self.bind(np.array(node.value, node.dtype), f"table{node_id}")
            return f"{table}.take({args[0]})"
        if op == TAKEN:
            return f"{self.bind(np.take_along_axis, TAKEN)}({args[0]}, {args[1]}, -1)"
        if op in _OF_ROW:
            return self._row_expression(op, node.args[0])
        return f"{self.bind(getattr(np, op), op)}({', '.join(args)})"

    def _row_expression(self, op: str, arg: int) -> str:
        """Return the expression of a sum or an extreme along rows, in the layout of the body."""
        rows = f"x{arg}"
        if not self.has_prediction_shape(arg):
            rows = self._repeat(rows, f"(len(x0), {self.columns})")
        rows = self._to_body_layout(rows, self._order)
        return f"{self.bind(_OF_ROW[op].reduce, op)}({rows}, -1, keepdims=True)"

    def _to_body_layout(self, rows: str, order: str) -> str:
        return f"{self.bind(np.asarray, 'asarray')}({rows}, order={order!r})"

    def output(self, node_id: int) -> str:
        name = f"x{node_id}"
        if self.varies[node_id]:
            return name
        if self.columns is None:
            return self._repeat(name, "x0.shape")
        return self._repeat(name, f"(len(x0), {self.columns if self.is_row[node_id] else 1})")

    def _repeat(self, name: str, shape: str) -> str:
        return f"{self.bind(np.broadcast_to, 'broadcast_to')}({name}, {shape})"


def _result(node: Operation, args: list[Any]) -> Any:
    """Return the result of an operation of numbers."""
    with np.errstate(all="ignore"):
        return args[0].astype(node.dtype) if node.op == CAST else getattr(np, node.op)(*args)
