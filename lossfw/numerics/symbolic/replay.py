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
    """Return the outputs of a graph for arrays of shape (N,), and a number for each parameter.

    Examples
    --------
    >>> from lossfw.numerics.symbolic.trace import trace
    >>> graph = trace(lambda xp, r: xp.abs(r) + 1.0, {"r": "float64"})
    >>> replay(graph, r=np.array([-2.0, 3.0]))
    (array([3., 4.]),)
    """
    results: dict[int, Any] = {}
    size = next(x.shape[0] for x in given.values() if isinstance(x, np.ndarray))
    with np.errstate(all="ignore"):
        for node_id in graph.live():
            node = graph.nodes[node_id]
            results[node_id] = _result(node, [results[arg] for arg in node.args], given)
    return tuple(np.broadcast_to(results[node_id], (size,)) for node_id in graph.outputs)


def replay_rows(
    graph: Graph, columns: int, order: Literal["C", "F"], **given: NDArray
) -> tuple[NDArray, ...]:
    """Return the outputs of a graph of rows, one number for each row in the shape (N, 1).

    Inputs have the shape (N, K) or (N,); `order` is the layout in which rows are added up.
    """
    results: dict[int, Any] = {}
    rows = len(next(iter(given.values())))
    shaped = {name: x if x.ndim > 1 else x[:, np.newaxis] for name, x in given.items()}
    with np.errstate(all="ignore"):
        for node_id in graph.live():
            node = graph.nodes[node_id]
            arguments = [results[arg] for arg in node.args]
            if node.op == COLUMN:
                results[node_id] = np.arange(columns)[np.newaxis]
            elif node.op == TAKEN:
                index = np.broadcast_to(arguments[1], (rows, 1))
                results[node_id] = np.take_along_axis(arguments[0], index, axis=-1)
            elif node.op in REDUCTIONS:
                is_alone = node.op == SUM_ALONE
                x = np.broadcast_to(arguments[0], (rows, columns))
                x = np.asarray(x, order="C" if is_alone else order)
                function = np.sum if is_alone else getattr(np, node.op)
                results[node_id] = function(x, axis=-1, keepdims=True)
            else:
                results[node_id] = _result(node, arguments, shaped)
    return tuple(results[node_id] for node_id in graph.outputs)


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
