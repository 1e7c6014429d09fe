"""Operations of losses: two instances with the same ones differ in their numbers alone.

The laws of the call, such as those of shapes and dtypes, hold for both of them or for neither.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Iterator
from typing import Any

import numpy as np

from lossfw.errors import TraceError
from lossfw.losses.loss import Loss
from lossfw.numerics.symbolic.graph import CONSTANT, Graph, Operation
from lossfw.numerics.symbolic.rows import trace_rows
from lossfw.numerics.symbolic.trace import trace

_DTYPES = ("float32", "float64")

# Of rows whose length is free; a row of two is often a case of its own.
_COLUMNS = 3

_FUNCTIONS = ("unreduced", "unreduced_gradient", "unreduced_hessian", "unreduced_with_gradient")


class Operations:
    """The operations of losses, numbered as they are met: equal ones have one number."""

    def __init__(self) -> None:
        self._numbers: dict[Hashable, int] = {}

    def of(self, component: Any) -> Hashable:
        """Return a key that is equal for instances with the same operations; None if unknown."""
        if not isinstance(component, Loss) or component.has_own_weight or component.target_per_row:
            return None
        try:
            results = tuple(self._results(graph) for graph in _graphs(component))
        except TraceError:
            return None
        spaces = component.prediction_space, component.target_space
        return (type(component), repr(spaces), component.fixed_classes, results)

    def _results(self, graph: Graph) -> tuple[int, ...]:
        numbers: dict[int, int] = {}
        for place in graph.live():
            node = graph.nodes[place]
            key = (node.op, *(numbers[x] for x in node.args), node.dtype.char, _kind(node))
            numbers[place] = self._numbers.setdefault(key, len(self._numbers))
        return tuple(numbers[place] for place in graph.outputs)


def _kind(node: Operation) -> str:
    """Return what matters of a value: of a number its sign alone, for 0 is a case of its own."""
    ordinary = node.op == CONSTANT and node.dtype.kind == "f" and math.isfinite(node.value)
    return repr(float(np.sign(node.value))) if ordinary else repr(node.value)


def _graphs(loss: Loss) -> Iterator[Graph]:
    """Yield the graphs of a loss's functions of pairs, and of those of class indices."""
    columns = loss.fixed_classes or _COLUMNS
    for dtype in _DTYPES:
        for name in _FUNCTIONS:
            if not loss.takes_rows:
                yield trace(getattr(loss, name), {"y": dtype, "t": dtype})
                continue
            yield trace_rows(getattr(loss, name), {"y": dtype, "t": dtype}, columns)
            if loss.takes_classes:
                at: Callable[..., Any] = getattr(loss, f"{name}_at")
                yield trace_rows(at, {"y": dtype, "t": "int64"}, columns)
