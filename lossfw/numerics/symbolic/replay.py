"""Replay: the evaluation of a graph by NumPy, operation by operation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np

from lossfw.numerics.arrays import NDArray
from lossfw.numerics.symbolic.graph import (
    BY_BODY,
    CAST,
    COLUMN,
    CONSTANT,
    EXPONENT,
    FRACTION,
    INPUT,
    LOOK_UP,
    PARAMETER,
    REDUCTIONS,
    SUM_ALONE,
    TAKEN,
    Graph,
    Operation,
)


def replay(graph: Graph, **given: Any) -> tuple[NDArray, ...]:
    """Return the outputs of a graph.

    Parameters
    ----------
    graph : Graph
    **given
        An array of shape (N,) for each input, and a number for each parameter.

    Examples
    --------
    >>> from lossfw.numerics.symbolic.trace import trace
    >>> graph = trace(lambda xp, r: xp.abs(r) + 1.0, {"r": "float64"})
    >>> replay(graph, r=np.array([-2.0, 3.0]))
    (array([3., 4.]),)
    """
    found: dict[int, Any] = {}
    size = next(x.shape[0] for x in given.values() if isinstance(x, np.ndarray))
    with np.errstate(all="ignore"):
        for number in graph.live():
            node = graph.nodes[number]
            found[number] = _result(node, [found[a] for a in node.args], given)
    return tuple(np.broadcast_to(found[number], (size,)) for number in graph.outputs)


def replay_rows(
    graph: Graph, columns: int, order: Literal["C", "F"], **given: NDArray
) -> tuple[NDArray, ...]:
    """Return the outputs of a graph of rows, one number for each row in the shape (N, 1).

    Parameters
    ----------
    graph : Graph
    columns : int
        The length of a row.
    order : {"C", "F"}
        The layout in which rows are added up.
    **given
        An array of shape (N, K) or (N,) for each input.
    """
    found: dict[int, Any] = {}
    rows = len(next(iter(given.values())))
    shaped = {name: x if x.ndim > 1 else x[:, np.newaxis] for name, x in given.items()}
    with np.errstate(all="ignore"):
        for number in graph.live():
            node = graph.nodes[number]
            arguments = [found[a] for a in node.args]
            if node.op == COLUMN:
                found[number] = np.arange(columns)[np.newaxis]
            elif node.op == TAKEN:
                index = np.broadcast_to(arguments[1], (rows, 1))
                found[number] = np.take_along_axis(arguments[0], index, axis=-1)
            elif node.op in REDUCTIONS:
                whole = np.broadcast_to(arguments[0], (rows, columns))
                alone = node.op == SUM_ALONE
                whole = np.asarray(whole, order="C" if alone else order)
                function = np.sum if alone else getattr(np, node.op)
                found[number] = function(whole, axis=-1, keepdims=True)
            else:
                found[number] = _result(node, arguments, shaped)
    return tuple(found[number] for number in graph.outputs)


def _result(node: Operation, arguments: list[Any], given: Mapping[str, Any]) -> Any:
    if node.op == INPUT:
        return given[node.value]
    if node.op == CONSTANT:
        return node.dtype.type(node.value)
    if node.op == PARAMETER:
        return node.dtype.type(given[node.value])
    if node.op == CAST:
        return np.asarray(arguments[0]).astype(node.dtype)
    if node.op in (FRACTION, EXPONENT):
        return np.frexp(arguments[0])[node.op == EXPONENT]
    if node.op == BY_BODY:
        return node.value(*arguments)
    if node.op == LOOK_UP:
        return np.take(np.array(node.value, node.dtype), arguments[0])
    return getattr(np, node.op)(*arguments)
