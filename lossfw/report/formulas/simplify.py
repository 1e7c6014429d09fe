"""Remove terms of a formula that only machines need.

These are products with 1 or 0, sums with 0, conversions, and choices that only treat NaN, infinity,
or a single number, such as a divisor of 0.
"""

from __future__ import annotations

from collections.abc import Collection

from lossfw.numerics.symbolic.formulas import ELEMENT, OVER_ROW
from lossfw.numerics.symbolic.graph import CAST, CONSTANT, INPUT, Graph, Operation

# Operations that leave their first argument as it is, if the second is this number.
_NEUTRAL = {"multiply": 1.0, "divide": 1.0, "add": 0.0, "subtract": 0.0}
_COMMUTE = ("multiply", "add")


class PlainGraph:
    """A graph for readers; `whole` are the inputs that are integers."""

    def __init__(self, graph: Graph, whole: Collection[str] = ()) -> None:
        self.graph, self.whole = graph, whole
        # Conditions that are known to hold, or not to hold, inside of a choice.
        self.known: dict[int, bool] = {}

    def node(self, number: int) -> Operation:
        """Return the simplified node."""
        return self.graph.nodes[self.simplified_id(number)]

    def number(self, number: int) -> float | None:
        """Return the value of a constant; None for anything else."""
        node = self.node(number)
        return float(node.value) if node.op == CONSTANT else None

    def simplified_id(self, number: int) -> int:
        """Return the number of the simplified node."""
        while (simpler := self._find_simpler_node(self.graph.nodes[number])) is not None:
            number = simpler
        return number

    def _find_simpler_node(self, node: Operation) -> int | None:
        """Return a node of the same value, None without a simpler one."""
        if node.op == CAST:
            return node.args[0]
        if node.op in _NEUTRAL:
            a, b = node.args
            if self.number(b) == _NEUTRAL[node.op]:
                return a
            if node.op in _COMMUTE and self.number(a) == _NEUTRAL[node.op]:
                return b
        if node.op == "multiply" and 0 in map(self.number, node.args):
            return next(arg for arg in node.args if self.number(arg) == 0)
        if node.op == "abs" and (self.number(node.args[0]) or -1.0) >= 0:
            return node.args[0]
        if node.op in ("abs", "sign") and self.number(node.args[0]) == 0:
            return node.args[0]
        if node.op == "where":
            condition, a, b = node.args
            if condition in self.known:
                return a if self.known[condition] else b
            if self._is_exceptional(condition):
                return b
            if self.simplified_id(a) == self.simplified_id(b):
                return a
        return None

    def _is_exceptional(self, condition: int) -> bool:
        """Tell whether a condition holds at NaN or at a single number only."""
        node = self.graph.nodes[condition]
        if node.op in ("isnan", "isinf"):
            return True
        if node.op == "logical_and":
            return any(map(self._is_exceptional, node.args))
        if node.op == "logical_or":
            return all(map(self._is_exceptional, node.args))
        if node.op == "equal":
            # A whole number often is a single one.
            counted = any(self.node(arg).value in self.whole for arg in node.args)
            return not counted and any(self.number(arg) is not None for arg in node.args)
        # x != x recognises a NaN without a function.
        return node.op == "not_equal" and node.args[0] == node.args[1]

    def find_negated(self, number: int) -> int | None:
        """Return the node whose negative this one is, or None."""
        number = self.simplified_id(number)
        node = self.graph.nodes[number]
        if node.op == "negative":
            return self.simplified_id(node.args[0])
        if node.op == "subtract" and self.number(node.args[0]) == 0:
            return self.simplified_id(node.args[1])
        return None


def row_nodes(graph: Graph) -> set[int]:
    """Return the nodes that are rows."""
    reduced = {*OVER_ROW, ELEMENT}
    over = {arg for node in graph.nodes if node.op in reduced for arg in node.args}
    # Inputs of which something is reduced over a row are rows.
    inputs: set[int] = set()
    waiting, seen = [*over], set[int]()
    while waiting:
        number = waiting.pop()
        node = graph.nodes[number]
        if number not in seen and node.op not in reduced:
            seen.add(number)
            waiting.extend(node.args)
            inputs.update({number} if node.op == INPUT else ())
    rows = inputs
    for number, node in enumerate(graph.nodes):
        if node.op not in reduced and any(arg in rows for arg in node.args):
            rows.add(number)
    return rows
