"""Named floats: numbers that remember the parameters they were computed from.

A named number is a float, so a body does with it what it does with any. Python's operators keep
the name; functions such as `math.sqrt` and `decimal.Decimal` return a plain number.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

# The name of a parameter, a number, or an operation of the array API with its arguments.
Tree: TypeAlias = Any


class NamedFloat(float):
    """A float and the tree of its operations.

    Examples
    --------
    >>> delta = NamedFloat(2.0, "delta")
    >>> (1 + delta / 2).tree
    ('add', 1.0, ('divide', 'delta', 2.0))
    """

    tree: Tree

    def __new__(cls, value: float, tree: Tree) -> NamedFloat:
        """Make the float and set its tree."""
        made = float.__new__(cls, value)
        made.tree = tree
        return made

    def __getnewargs__(self) -> tuple[float, Tree]:  # type: ignore[override]  # it has two parts
        return float(self), self.tree

    def __neg__(self) -> NamedFloat:
        return NamedFloat(-float(self), ("negative", self.tree))

    def __pos__(self) -> NamedFloat:
        return self

    def __hash__(self) -> int:
        # Not the hash of the float, so that no cache takes one for the other.
        return hash(("named", float(self)))


_OPERATORS = {"add": "add", "sub": "subtract", "mul": "multiply", "truediv": "divide", "pow": "pow"}


def tree_of(x: float) -> Tree:
    """Return the tree of a number."""
    return x.tree if isinstance(x, NamedFloat) else float(x)


def _operator(name: str, op: str, *, swapped: bool) -> Callable[[NamedFloat, Any], Any]:
    function = getattr(float, f"__{'r' if swapped else ''}{name}__")

    def operator(self: NamedFloat, other: Any) -> Any:
        if not isinstance(other, int | float):
            return NotImplemented
        value = function(float(self), float(other))
        trees = (tree_of(self), tree_of(other))
        return NamedFloat(value, (op, *(trees[::-1] if swapped else trees)))

    return operator


for _name, _op in _OPERATORS.items():
    setattr(NamedFloat, f"__{_name}__", _operator(_name, _op, swapped=False))
    setattr(NamedFloat, f"__r{_name}__", _operator(_name, _op, swapped=True))
