"""Symbol: an array with a known dtype, as a node of a graph."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn, Protocol

import numpy as np

from lossfw.errors import TraceError
from lossfw.numerics.symbolic.graph import Graph


class ExpressionSpace(Protocol):
    """Protocol: the namespace of a symbol, as its operators use it."""

    graph: Graph

    def operation(self, op: str, *arguments: Any) -> Any:
        """Return the result of a function of the array API."""

    def power(self, x: Any, exponent: Any) -> Any:
        """Return ``x**exponent``."""

    def element(self, x: Any, key: Any) -> Any:
        """Return ``x[key]``."""


def _refuse(problem: str) -> Callable[..., NoReturn]:
    """Return a method that says what a body does that has no meaning on symbols."""

    def method(*_: object) -> NoReturn:
        raise TraceError(f"the body {problem}")

    return method


class Length:
    """The length of an axis. A body may pass it on, but not compute with it."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return self.name

    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = _refuse("computes with a shape")
    __truediv__ = __rtruediv__ = __index__ = __int__ = __float__ = __bool__ = __add__
    __lt__ = __le__ = __gt__ = __ge__ = __add__


ELEMENTS = Length("n")


class Symbol:
    """An array of unknown elements: operations on it are recorded in a graph.

    It is a node of the graph of its namespace, `space`.
    """

    __slots__ = ("dtype", "node", "shape", "space")

    # With this NumPy leaves ``array * symbol`` to the methods below.
    __array_ufunc__ = None
    __hash__ = None  # type: ignore[assignment]  # as Python itself says it

    def __init__(
        self, space: ExpressionSpace, node: int, shape: tuple[Any, ...] = (ELEMENTS,)
    ) -> None:
        self.space = space
        self.node = node
        self.dtype = space.graph.nodes[node].dtype
        self.shape = shape

    # As of arrays of a library without devices.
    device = None

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.shape)

    def __array_namespace__(self, **_: Any) -> ExpressionSpace:
        return self.space

    def __getitem__(self, key: Any) -> Any:
        if key is Ellipsis or key == () or key == (Ellipsis,):
            return self
        return self.space.element(self, key)

    def __getattr__(self, name: str) -> NoReturn:
        # Python's own look-ups find nothing.
        if name.startswith("__"):
            raise AttributeError(name)
        raise TraceError(f"the body uses the attribute .{name} of an array")

    __bool__ = _refuse("decides by the values of an array, as in 'if r > 0'")
    __len__ = _refuse("uses the length of an array")
    __iter__ = _refuse("loops over the elements of an array")
    __float__ = _refuse("makes a number of an array, as functions of math do")
    __int__ = __index__ = __complex__ = __float__
    __setitem__ = _refuse("writes to an array")

    def __pos__(self) -> Symbol:
        return self

    def __neg__(self) -> Any:
        return self.space.operation("negative", self)

    def __abs__(self) -> Any:
        return self.space.operation("abs", self)

    def __invert__(self) -> Any:
        _require_truths("~", self)
        return self.space.operation("logical_not", self)

    def __pow__(self, exponent: Any) -> Any:
        return self.space.power(self, exponent)

    def __rpow__(self, base: Any) -> Any:
        return self.space.operation("pow", base, self)


_OPERATORS = {
    "add": "add",
    "sub": "subtract",
    "mul": "multiply",
    "truediv": "divide",
    "mod": "remainder",
    "and": "logical_and",
    "or": "logical_or",
    "xor": "logical_xor",
}
_COMPARISONS = {
    "lt": "less",
    "le": "less_equal",
    "gt": "greater",
    "ge": "greater_equal",
    "eq": "equal",
    "ne": "not_equal",
}


# What Python's operators do with the bits of integers.
_OF_BITS = {"logical_and": "&", "logical_or": "|", "logical_xor": "^"}


def _require_truths(operator: str, *arguments: Any) -> None:
    for x in arguments:
        if not (x.dtype.kind == "b" if isinstance(x, Symbol) else isinstance(x, bool | np.bool_)):
            raise TraceError(f"the body computes {operator} of the bits of numbers")


# The numbers that a body may compute with a symbol.
NUMBERS = (bool, int, float, np.bool_, np.integer, np.floating)


def _operator(op: str, *, swapped: bool = False) -> Callable[[Symbol, Any], Any]:
    def operator(self: Symbol, other: Any) -> Any:
        if not isinstance(other, (Symbol, *NUMBERS)):
            # Dual numbers and lengths know what to do.
            return NotImplemented
        if op in _OF_BITS:
            _require_truths(_OF_BITS[op], self, other)
        pair = (other, self) if swapped else (self, other)
        return self.space.operation(op, *pair)

    return operator


for _name, _op in (_OPERATORS | _COMPARISONS).items():
    setattr(Symbol, f"__{_name}__", _operator(_op))
for _name, _op in _OPERATORS.items():
    setattr(Symbol, f"__r{_name}__", _operator(_op, swapped=True))
