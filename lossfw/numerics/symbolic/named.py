"""Named: a number that remembers the parameters it was computed from.

It is a float, so a body does with it what it does with any. Python's operators keep the
name; functions as `math.sqrt` and `decimal.Decimal` make a plain number of it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

# The name of a parameter, a number, or an operation of the array API with its arguments.
Tree: TypeAlias = Any


class Named(float):
    """A float and the tree of its operations.

    Examples
    --------
    >>> delta = Named(2.0, "delta")
    >>> (1 + delta / 2).tree
    ('add', 1.0, ('divide', 'delta', 2.0))
    """

    tree: Tree

    def __new__(cls, value: float, tree: Tree) -> Named:
        """Make the float and set its tree."""
        made = float.__new__(cls, value)
        made.tree = tree
        return made

    def __getnewargs__(self) -> tuple[float, Tree]:  # type: ignore[override]  # it has two parts
        return float(self), self.tree

    def __neg__(self) -> Named:
        return Named(-float(self), ("negative", self.tree))

    def __pos__(self) -> Named:
        return self

    def __hash__(self) -> int:
        # Not the hash of the float: a cached result of one is not taken for the other.
        return hash(("named", float(self)))


_OPERATORS = {
    "add": "add",
    "sub": "subtract",
    "mul": "multiply",
    "truediv": "divide",
    "pow": "pow",
}


def tree_of(x: float) -> Tree:
    """Return the tree of a number."""
    return x.tree if isinstance(x, Named) else float(x)


def _operator(name: str, op: str, *, swapped: bool) -> Callable[[Named, Any], Any]:
    function = getattr(float, f"__{'r' if swapped else ''}{name}__")

    def operator(self: Named, other: Any) -> Any:
        if not isinstance(other, int | float):
            return NotImplemented
        value = function(float(self), float(other))
        trees = (tree_of(self), tree_of(other))
        return Named(value, (op, *(trees[::-1] if swapped else trees)))

    return operator


for _name, _op in _OPERATORS.items():
    setattr(Named, f"__{_name}__", _operator(_name, _op, swapped=False))
    setattr(Named, f"__r{_name}__", _operator(_name, _op, swapped=True))
