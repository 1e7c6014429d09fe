"""Operations of losses: two instances with equal operations differ only in their numbers.

The laws of the call, such as those of shapes and dtypes, hold for both of them or for neither.
"""

from __future__ import annotations

import gc
import math
import sys
from collections.abc import Hashable, Iterator
from types import FrameType
from typing import Any

import numpy as np

from lossfw.check.core.subject import inherited_derivatives
from lossfw.errors import TraceError
from lossfw.losses.engine.probes import column_probes
from lossfw.losses.engine.read_only import is_author_code
from lossfw.losses.loss import Loss
from lossfw.numerics.arrays import NDArray
from lossfw.numerics.symbolic.graph import CONSTANT, Graph, Operation
from lossfw.numerics.symbolic.trace import trace

_DTYPES = ("float32", "float64")

# Of rows whose length is free; a row of two is often a case of its own.
_COLUMNS = 3

# Which functions of a loss use each function of an author.
_DERIVED = {
    "derivative": ("_unreduced_gradient", "_unreduced_with_gradient"),
    "second_derivative": ("_unreduced_hessian",),
}

_FUNCTIONS = ("_unreduced", "_unreduced_gradient", "_unreduced_hessian", "_unreduced_with_gradient")


class Operations:
    """The operations of losses, numbered as they occur; equal ones have the same number."""

    def __init__(self) -> None:
        self._numbers: dict[Hashable, int] = {}
        self._keys: dict[str, Hashable] = {}

    def key_of(self, component: Any) -> Hashable:
        """Return a key that is equal for instances with the same operations; None if unknown."""
        text = repr(component)
        if text not in self._keys:
            self._keys[text] = self._key_of(component)
        return self._keys[text]

    def _key_of(self, component: Any) -> Hashable:
        if not isinstance(component, Loss) or component._has_own_weight:
            return None
        try:
            results: Hashable = tuple(self._results(graph) for graph in _graphs(component))
        except TraceError:
            # No graph holds the body: the instructions of it that a call runs stand for one.
            results = instructions(component)
            if results is None:
                return None
        spaces = component.prediction_space, component.target_space
        return (type(component), repr(spaces), component.fixed_classes, results)

    def _results(self, graph: Graph) -> tuple[int, ...]:
        numbers: dict[int, int] = {}
        for index in graph.live_nodes():
            node = graph.nodes[index]
            key = (node.op, *(numbers[x] for x in node.args), node.dtype.char, _kind(node))
            numbers[index] = self._numbers.setdefault(key, len(self._numbers))
        return tuple(numbers[index] for index in graph.outputs)


def instructions(loss: Loss) -> frozenset[tuple[str, int, int]] | None:
    """Return file, first line and offset of each executed instruction of the author's code.

    Two instances that execute the same ones differ only in their numbers. None if a call
    raises.
    """
    seen: set[tuple[str, int, int]] = set()

    def trace_opcode(frame: FrameType, event: str, _: Any) -> Any:
        if not is_author_code(frame):
            return None
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        if event == "opcode":
            code = frame.f_code
            seen.add((code.co_filename, code.co_firstlineno, frame.f_lasti))
        return trace_opcode

    def call_all() -> None:
        y, t = _sample(loss)
        with np.errstate(all="ignore"):
            for name in _FUNCTIONS:
                getattr(loss, name)(np, y, t)

    # That of a debugger, or one that measures coverage.
    before = sys.gettrace()
    # Other libraries run code of theirs whenever garbage is collected.
    collects = gc.isenabled()
    gc.disable()
    try:
        # What only a first call runs, such as an import, does not count.
        call_all()
        sys.settrace(trace_opcode)
        call_all()
    except Exception:
        return None
    finally:
        sys.settrace(before)
        if collects:
            gc.enable()
    return frozenset(seen)


def _sample(loss: Loss) -> tuple[NDArray, NDArray]:
    """Return two pairs of ordinary numbers or rows."""
    if loss.has_columns:
        y, t = column_probes((loss.prediction_space, loss.target_space), np.dtype(float), _COLUMNS)
        return y[:2], t[:2]
    if not loss.takes_rows:
        return np.array([0.25, 0.5]), np.array([1.0, 1.0])
    columns = loss.fixed_classes or _COLUMNS
    y = np.full((2, columns), 1 / columns)
    return y, np.eye(columns)[:2]


def _kind(node: Operation) -> str:
    """Return what matters of a value: only the sign of a number, because 0 is a case of its own."""
    ordinary = node.op == CONSTANT and node.dtype.kind == "f" and math.isfinite(node.value)
    return repr(float(np.sign(node.value))) if ordinary else repr(node.value)


def _graphs(loss: Loss) -> Iterator[Graph]:
    """Yield the graphs of a loss's functions of pairs, and of those of class indices."""
    columns = loss.fixed_classes or _COLUMNS
    if loss.has_columns:
        raise TraceError("columns have no graph of pairs")
    # Derivatives of rows by dual numbers have no graph either, but follow from the value.
    missing = inherited_derivatives(loss.body) if loss.takes_rows else ()
    derived = [name for one in missing for name in _DERIVED[one]]
    names = [name for name in _FUNCTIONS if name not in derived]
    for dtype in _DTYPES:
        inputs = {"y": dtype, "t": dtype}
        for name in names:
            yield trace(getattr(loss, name), inputs, columns if loss.takes_rows else None)
            if loss.takes_rows and loss.takes_classes:
                yield trace(getattr(loss, f"{name}_at"), {"y": dtype, "t": "int64"}, columns)
