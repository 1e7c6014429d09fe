"""Graph: the operations of a body, without repeats."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

# The operations that are not functions of the array API.
INPUT, CONSTANT, PARAMETER = "input", "constant", "parameter"
CAST, LOOK_UP = "cast", "look_up"
FRACTION, EXPONENT = "fraction", "exponent"  # the two results of frexp
CLASSES = "classes"  # the length of a row
COLUMN = "column"  # the number of an element within its row
TAKEN = "taken"  # the element of a row at the number that another argument gives
RARE = "rare"  # the value of a choice that is rarely the first
REDUCTIONS = ("sum", "max", "min")  # functions of a row with one result

_COMMUTATIVE = ("add", "multiply", "equal", "not_equal")


class Operation(NamedTuple):
    """One operation."""

    op: str  # the name of the function in the array API, or one of the names above
    args: tuple[int, ...]  # the numbers of its arguments in the graph
    dtype: np.dtype[Any]  # of the result
    # The number of a constant, the name of an input or a parameter, the numbers of a table.
    value: Any = None


def is_rare(node: Operation) -> bool:
    """Return whether an operation chooses between a rare value and a usual one."""
    return node.op == "where" and node.value == RARE


class Graph:
    """Nodes in topological order; equal nodes are merged."""

    def __init__(self) -> None:
        self.nodes: list[Operation] = []
        self.outputs: list[int] = []  # the results of the body
        self._node_ids: dict[Any, int] = {}

    def add(self, op: str, args: tuple[int, ...], dtype: np.dtype[Any], value: Any = None) -> int:
        """Return the number of a node, which is added if necessary."""
        # By their bits, because 0.0 equals -0.0, and NaN does not equal itself.
        bits = repr(value) if isinstance(value, float) else value
        if isinstance(value, tuple):
            bits = np.array(value, dtype).tobytes()
        for same in ((op, args), *self._equal_operation(op, args)):
            node_id = self._node_ids.get((*same, dtype.char, bits))
            if node_id is not None:
                return node_id
        self._node_ids[op, args, dtype.char, bits] = len(self.nodes)
        self.nodes.append(Operation(op, args, dtype, value))
        return len(self.nodes) - 1

    def _equal_operation(self, op: str, args: tuple[int, ...]) -> list[tuple[str, tuple[int, ...]]]:
        """Return other operations that have the bits of an operation."""
        if op not in _COMMUTATIVE:
            return []
        pairs = [args, args[::-1]] if op == "add" else []
        return [
            (op, args[::-1]),
            *(
                ("subtract", (a, self.nodes[b].args[0]))
                for a, b in pairs
                if self.nodes[b].op == "negative"
            ),
        ]

    def live_nodes(self) -> list[int]:
        """Return the numbers of the nodes that the outputs need, arguments first."""
        return self.needed_nodes(lambda node: node.args)

    def needed_nodes(self, args: Callable[[Operation], tuple[int, ...]]) -> list[int]:
        """Return the numbers of the nodes that the outputs need, given each node's arguments."""
        visited, stack = set[int](), list(self.outputs)
        while stack:
            node_id = stack.pop()
            if node_id not in visited:
                visited.add(node_id)
                stack.extend(args(self.nodes[node_id]))
        return sorted(visited)

    def without_rare_values(self) -> Graph:
        """Return the graph without the rare values of its choices.

        Its outputs are those of this graph, right where no condition of a rare value holds,
        followed by these conditions.
        """

        def args(node: Operation) -> tuple[int, ...]:
            return node.args[::2] if is_rare(node) else node.args

        graph, new_ids = Graph(), dict[int, int]()
        conditions = []
        for node_id in self.needed_nodes(args):
            node = self.nodes[node_id]
            new_args = tuple(new_ids[arg] for arg in args(node))
            if is_rare(node):
                # The usual value stands for the choice.
                condition, new_ids[node_id] = new_args
                conditions.append(condition)
            else:
                new_ids[node_id] = graph.add(node.op, new_args, node.dtype, node.value)
        graph.outputs = [new_ids[output] for output in self.outputs]
        graph.outputs += dict.fromkeys(conditions)
        return graph

    def inputs(self) -> list[str]:
        """Return the names of the inputs that the outputs need."""
        return self._names(INPUT)

    def parameters(self) -> list[str]:
        """Return the names of the parameters that the outputs need."""
        return self._names(PARAMETER)

    def _names(self, op: str) -> list[str]:
        return [self.nodes[n].value for n in self.live_nodes() if self.nodes[n].op == op]

    def structure_key(self) -> list[tuple[Any, ...]]:
        """Return a key that is equal for equal graphs: the live nodes, numbered from 0."""
        live = self.live_nodes()
        places = {node_id: place for place, node_id in enumerate(live)}
        nodes: list[tuple[Any, ...]] = [
            (node.op, tuple(places[a] for a in node.args), node.dtype.char, repr(node.value))
            for node in (self.nodes[node_id] for node_id in live)
        ]
        return [*nodes, tuple(places[output] for output in self.outputs)]
