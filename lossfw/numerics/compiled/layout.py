"""Layout: a graph in segments, between which NumPy's own loops compute exp, log and so on.

A kernel goes over strips of a few hundred elements, which stay in the first-level cache. A
segment is one loop over a strip. It stores what NumPy's loops take and what later segments
want, and computes anew what is cheap.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from lossfw.numerics.symbolic.graph import (
    BY_BODY,
    CAST,
    CONSTANT,
    EXPONENT,
    FRACTION,
    INPUT,
    LOOK_UP,
    Graph,
    Operation,
)

# Operations that NumPy's inner loops compute: these bits are NumPy's own.
CALLED = frozenset(
    (
        *("exp", "expm1", "exp2", "log", "log1p", "log2", "log10", "sinh", "cosh", "tanh", "pow"),
        *("sin", "cos", "tan", "asin", "acos", "atan", "asinh", "acosh", "atanh", "atan2"),
        *("remainder", "logaddexp", "hypot"),
    )
)
# Operations that IEEE arithmetic defines to the last bit, or that only move bits.
INLINE = frozenset(
    (
        *("add", "subtract", "multiply", "divide", "negative", "abs", "square", "reciprocal"),
        *("sqrt", "floor", "ceil", "trunc", "round", "sign", "copysign", "maximum", "minimum"),
        *("less", "less_equal", "greater", "greater_equal", "equal", "not_equal"),
        *("logical_and", "logical_or", "logical_xor", "logical_not", "where"),
        *("isnan", "isinf", "isfinite", "signbit", CAST, BY_BODY, FRACTION, EXPONENT, LOOK_UP),
    )
)
_LEAVES = (INPUT, CONSTANT)
DEAR = {"divide", "reciprocal", "sqrt", FRACTION, EXPONENT, LOOK_UP}

# Up to so many operations are done again in a later segment: a store and a load cost as much.
CHEAP = 3


class UncompiledError(Exception):
    """A graph has an operation without compiled form."""


def need_form(node: Operation, *more: str) -> None:
    """Raise `UncompiledError` if an operation, which may be one of `more`, has no compiled form."""
    if node.op not in CALLED and node.op not in INLINE and node.op not in more:
        raise UncompiledError(f"{node.op} has no compiled form")
    if node.op in CALLED and node.dtype.kind != "f":
        raise UncompiledError(f"{node.op} of {node.dtype} has no compiled form")


@dataclass
class Layout:
    """A graph in segments.

    Attributes
    ----------
    graph : Graph
    level : dict
        The number of calls on the longest way to each live node: the segment before which
        it is not known.
    calls : list of int
        The nodes that NumPy's loops compute, in order; each runs before its segment.
    stored : set of int
        The nodes whose values are kept for later segments.
    wanted : list of set of int
        For each segment the nodes that it has to compute; truths as soon as they are known.
    """

    graph: Graph
    level: dict[int, int]
    calls: list[int]
    stored: set[int] = field(default_factory=set)
    wanted: list[set[int]] = field(default_factory=list)

    @classmethod
    def of(cls, graph: Graph) -> Layout:
        """Lay a graph out.

        Raises
        ------
        UncompiledError
            If an operation has no compiled form.
        """
        level: dict[int, int] = {}
        for number in graph.live():
            node = graph.nodes[number]
            if node.op not in _LEAVES:
                need_form(node)
            before = max((level[arg] for arg in node.args), default=0)
            level[number] = before + (node.op in CALLED)
        calls = [number for number in level if graph.nodes[number].op in CALLED]
        layout = cls(graph, level, calls, set(calls))
        layout._distribute()
        return layout

    @property
    def last(self) -> int:
        """The number of the last segment."""
        return len(self.wanted) - 1

    @property
    def operations(self) -> int:
        """The number of live nodes that compute something."""
        return sum(self.node(number).op not in _LEAVES for number in self.level)

    def node(self, number: int) -> Operation:
        """Return a node of the graph."""
        return self.graph.nodes[number]

    def _distribute(self) -> None:
        """Choose the nodes that each segment computes, from the last back to the first."""
        outputs = self.graph.outputs
        last = max((self.level[n] for n in outputs), default=0)
        self.wanted = [set() for _ in range(last + 1)]
        for number in outputs:
            is_truth = self.node(number).dtype.kind == "b"
            self.wanted[self.level[number] if is_truth else last].add(number)
        for call in self.calls:
            arguments = self.node(call).args
            before = self.wanted[self.level[call] - 1]
            before.update(a for a in arguments if self.node(a).op != CONSTANT)
        for segment in range(last, -1, -1):
            self._store_for(segment)

    def _store_for(self, segment: int) -> None:
        """Store the nodes that a segment takes from earlier ones and does not compute anew."""
        waiting, seen = list(self.wanted[segment]), set[int]()
        while waiting:
            number = waiting.pop()
            node = self.node(number)
            if number in seen or node.op in _LEAVES or node.op in CALLED:
                continue
            seen.add(number)
            if self.level[number] < segment and self._cost(number) > CHEAP:
                self.stored.add(number)
                self.wanted[self.level[number]].add(number)
            else:
                waiting.extend(node.args)

    def _cost(self, number: int) -> int:
        """Return the operations from inputs and stored nodes to a node; many if it is dear."""
        node = self.node(number)
        if node.op in _LEAVES or number in self.stored:
            return 0
        if node.op in DEAR:
            return CHEAP + 1
        total = 1
        for arg in node.args:
            total += self._cost(arg)
            if total > CHEAP:
                break
        return total
