"""Trace: one run of a body on symbols, of elements or of rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypeAlias

from lossfw.errors import LossfwError, TraceError
from lossfw.numerics.arrays import Body
from lossfw.numerics.symbolic.graph import Graph
from lossfw.numerics.symbolic.namespace import Expressions, KernelExpressions, TileExpressions
from lossfw.numerics.symbolic.rows import RowExpressions
from lossfw.numerics.symbolic.symbol import Symbol
from lossfw.numerics.symbolic.unknown import without_unread_values

# What a graph is for: a kernel, a function of tiles, or one of the arrays of another library. They
# differ in what becomes of rare elements.
GraphUse: TypeAlias = Literal["kernel", "tile", "array"]


class _KernelRows(KernelExpressions, RowExpressions):
    pass


class _TileRows(TileExpressions, RowExpressions):
    pass


# Of elements, and of rows.
_NAMESPACES: dict[GraphUse, tuple[type[Expressions], type[RowExpressions]]] = {
    "kernel": (KernelExpressions, _KernelRows),
    "tile": (TileExpressions, _TileRows),
    "array": (Expressions, RowExpressions),
}


def trace(
    body: Body, inputs: Mapping[str, Any], columns: int | None = None, use: GraphUse = "kernel"
) -> Graph:
    """Run a body once on symbols with names and dtypes, and return the graph of its operations.

    With a number of columns the body is one of rows: integer inputs are one number per row, and
    results are rows, or one number per row. Operations without a meaning for symbols raise
    `TraceError`.

    Examples
    --------
    >>> graph = trace(lambda xp, r: xp.abs(r) * xp.abs(r), {"r": "float32"})
    >>> [node.op for node in graph.nodes]
    ['input', 'abs', 'multiply']
    """
    of_elements, of_rows = _NAMESPACES[use]
    xp = of_elements() if columns is None else of_rows(columns)
    return trace_on(xp, body, [xp.input(name, dtype) for name, dtype in inputs.items()])


def trace_on(xp: Expressions, body: Body, symbols: Sequence[Symbol]) -> Graph:
    """Run a body on symbols of a namespace, and return its graph; see `trace`."""
    try:
        results = body(xp, *symbols)
    except TraceError:
        raise
    except LossfwError as error:
        raise TraceError(str(error)) from error
    except Exception as error:
        # Functions of other libraries refuse a symbol in their own ways.
        what = f"{type(error).__name__}: {error}".partition("\n")[0]
        raise TraceError(f"the body fails on symbols, with {what}") from error
    for result in results if isinstance(results, tuple) else (results,):
        if not isinstance(result, Symbol):
            raise TraceError(f"the body returns a {type(result).__name__}; expected an array")
        xp.graph.outputs.append(result.node)
    return without_unread_values(xp.graph)
