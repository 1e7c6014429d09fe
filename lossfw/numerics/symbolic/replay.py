"""Replay: the evaluation of a graph by NumPy, operation by operation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from lossfw.numerics.arrays import NDArray
from lossfw.numerics.symbolic.graph import (
    CAST,
    CONSTANT,
    EXPONENT,
    FRACTION,
    INPUT,
    LOOK_UP,
    PARAMETER,
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
    if node.op == LOOK_UP:
        return np.take(np.array(node.value, node.dtype), arguments[0])
    return getattr(np, node.op)(*arguments)
