"""Tests for NaN of values that are not read otherwise use their arguments instead.

A derivative is NaN where its value is. The value of an author's loss often ends in a logarithm that
its derivative does not need.
"""

from __future__ import annotations

import math

import numpy as np

from lossfw.numerics.symbolic.graph import CONSTANT, Graph, Operation, is_rare

_BOOL = np.dtype(np.bool_)

# Functions that are NaN where their argument is, and nowhere else.
_AS_ARGUMENT = (
    *("abs", "negative", "sign", "square", "reciprocal", "floor", "ceil", "round", "trunc"),
    *("exp", "expm1", "exp2", "sinh", "cosh", "tanh", "atan", "asinh"),
)

# Operations that make NaN of no number and a constant that is finite, and not 0 for the last two.
_WITH_CONSTANT = ("add", "subtract", "multiply", "divide")

# Functions that are NaN below a number too.
_FROM = {"sqrt": 0.0, "log": 0.0, "log2": 0.0, "log10": 0.0, "log1p": -1.0}


def without_unread_values(graph: Graph) -> Graph:
    """Return a graph that does not compute what only tests of NaN read."""
    if not any(node.op == "isnan" for node in graph.nodes):
        return graph
    return _Rewriting(graph).graph


class _Rewriting:
    def __init__(self, old: Graph) -> None:
        self._old = old
        self.graph = Graph()
        self._new_ids: dict[int, int] = {}
        self._read = set(old.needed_nodes(self._arguments_read))
        # Some of the new nodes are not needed.
        for node_id in old.live_nodes():
            self._new_ids[node_id] = self._copy_node(old.nodes[node_id])
        self.graph.outputs = [self._new_ids[output] for output in old.outputs]

    def _arguments_read(self, node: Operation) -> tuple[int, ...]:
        """Return the arguments of a node whose values matter."""
        if node.op == "isnan":
            return ()
        return (node.args[0], node.args[2]) if self._keeps_nan(node) else node.args

    def _keeps_nan(self, node: Operation) -> bool:
        """Tell whether a node is ``where(isnan(x), x, y)``."""
        if node.op != "where":
            return False
        condition = self._old.nodes[node.args[0]]
        return condition.op == "isnan" and condition.args[0] == node.args[1]

    def _copy_node(self, node: Operation) -> int:
        """Return the node of the new graph for one of the old, whose arguments have theirs."""
        if node.op == "isnan":
            return self._nan_test_of(node.args[0])
        args = [
            self.graph.add(CONSTANT, (), node.dtype, math.nan)
            if place == 1 and self._keeps_nan(node) and arg not in self._read
            else self._new_ids[arg]
            for place, arg in enumerate(node.args)
        ]
        return self.graph.add(node.op, tuple(args), node.dtype, node.value)

    def _nan_test_of(self, node_id: int) -> int:
        """Return the new node that tells where an old one is NaN."""
        node, new_ids = self._old.nodes[node_id], self._new_ids
        if node_id not in self._read:
            if node.op in _AS_ARGUMENT:
                return self._nan_test_of(node.args[0])
            if node.op in _FROM:
                limit = self.graph.add(CONSTANT, (), node.dtype, _FROM[node.op])
                below = self._add_truth("less", new_ids[node.args[0]], limit)
                return self._add_truth("logical_or", self._nan_test_of(node.args[0]), below)
            if node.op == "where":
                return self._nan_test_of_choice(node)
            others = [arg for arg in node.args if not self._keeps_numbers(node, arg)]
            if node.op in _WITH_CONSTANT and len(others) == 1:
                return self._nan_test_of(others[0])
        return self._add_truth("isnan", new_ids[node_id])

    def _nan_test_of_choice(self, node: Operation) -> int:
        condition = self._new_ids[node.args[0]]
        one, other = map(self._nan_test_of, node.args[1:])
        if is_rare(node):
            return self.graph.add("where", (condition, one, other), _BOOL, node.value)
        # NumPy takes several times as long for a choice between truth values.
        one = self._add_truth("logical_and", condition, one)
        other = self._add_truth("logical_and", self._add_truth("logical_not", condition), other)
        return self._add_truth("logical_or", one, other)

    def _keeps_numbers(self, node: Operation, arg: int) -> bool:
        """Tell whether an argument is a constant with which no number becomes NaN."""
        constant = self._old.nodes[arg]
        if constant.op != CONSTANT or not math.isfinite(constant.value):
            return False
        return node.op in ("add", "subtract") or constant.value != 0.0

    def _add_truth(self, op: str, *args: int) -> int:
        return self.graph.add(op, args, _BOOL)
