"""Compute a formula that was read from LaTeX, on any numbers.

::

    typeset_body(text, letters, parameters) -> body(xp, *arrays)

The body is called as an author's own, with floats or with exact numbers. As in print,
0 log 0 is 0: a product with a factor 0 is 0 whatever the other one is.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from lossfw.errors import ArgumentError
from lossfw.numerics.arrays import Array, Body, Namespace
from lossfw.numerics.factorial import log_factorial
from support.latex.parse import parse
from support.latex.tokens import unread
from support.latex.tree import Over, Phrase, Sides, Typeset

# An equation is solved by bisection, from an interval that is doubled until it holds the
# solution.
_DOUBLINGS = 64
_HALVINGS = 160

_ARITHMETIC: dict[str, Callable[[Any, Any], Any]] = {
    "add": lambda a, b: a + b,
    "subtract": lambda a, b: a - b,
    "divide": lambda a, b: a / b,
    "pow": lambda a, b: a**b,
}


def typeset_body(text: str, letters: Letters, parameters: Mapping[str, Any], rows: bool) -> Body:
    r"""Return a formula in LaTeX as a body.

    Parameters
    ----------
    text : str
        See `support.latex.parse.parse`.
    letters : callable
        From the arguments of the body to what the letters of the formula stand for.
    parameters : mapping
        Numbers by name; others are left out.
    rows : bool
        Letters stand for rows, of which a formula takes elements: ``y_{k}``. A formula with
        an index that no sum explains gives a row.

    Raises
    ------
    ArgumentError
        If the formula cannot be read; when it is called, if it has a name without a meaning.

    Examples
    --------
    >>> import numpy as np
    >>> body = typeset_body(r"c\,r^{2}", lambda y, t: {"r": y - t}, {"c": 0.5}, rows=False)
    >>> body(np, np.array([1.0, 4.0]), np.array([0.0, 2.0]))
    array([0.5, 2. ])
    """
    formula = parse(text)
    numbers = {
        name: float(value)
        for name, value in parameters.items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    }

    def body(xp: Namespace, *arrays: Array) -> Array:
        given = letters(*arrays)
        first = arrays[0]
        if not rows:
            scope = _Scope(xp, formula, {**_constants(xp, numbers), **given}, {}, first.shape)
            return xp.broadcast_to(_value(scope), first.shape)
        columns, shape = first.shape[-1], first.shape[:-1]
        whole = {name: x for name, x in given.items() if x.ndim == first.ndim}
        single = {name: x for name, x in given.items() if name not in whole}
        numbers_of_row = {**_constants(xp, {**numbers, "K": float(columns)}), **single}
        scope = _Scope(xp, formula, numbers_of_row, whole, shape, columns)
        free = _free_index(formula, whole)
        if not free:
            return xp.broadcast_to(_value(scope), shape)
        found = [_value(scope.at(free, k)) for k in range(columns)]
        return xp.stack([xp.broadcast_to(one, shape) for one in found], axis=-1)

    return body


# The values of the letters of a formula, for the arguments of a body.
Letters = Callable[..., Mapping[str, Any]]


def _constants(xp: Namespace, numbers: Mapping[str, float]) -> dict[str, Any]:
    made = {name: _number(xp, value) for name, value in numbers.items()}
    return {"pi": xp.pi, "e": xp.e, **made}


def _number(xp: Namespace, value: float) -> Any:
    return xp.full((), value)[()]


@dataclass(frozen=True)
class _Scope:
    """The values of the names of a formula at a place in it."""

    xp: Namespace
    formula: Typeset
    names: Mapping[str, Any]
    rows: Mapping[str, Any]
    shape: tuple[int, ...]
    columns: int = 0
    indices: Mapping[str, int] = field(default_factory=dict)

    def at(self, index: str, place: int) -> _Scope:
        """Return the scope in which an index has a value."""
        return replace(self, indices={**self.indices, index: place})

    def knowing(self, name: str, value: Any) -> _Scope:
        """Return the scope in which a name has a value."""
        return replace(self, names={**self.names, name: value})

    def unknown(self, what: str, node: Phrase) -> ArgumentError:
        """Return the error of a name without a meaning."""
        hidden = ("pi", "e")
        known = ", ".join(sorted({*self.names, *self.rows} - set(hidden)))
        return unread(f"{what} has no meaning; known are {known}", self.formula.text, node.column)


def _value(scope: _Scope) -> Any:
    """Return the right side, after the definitions."""
    for sides in scope.formula.definitions:
        scope = _defined(scope, sides)
    return _compute(scope, scope.formula.right)


def _compute(scope: _Scope, node: Phrase) -> Any:
    own = _OWN.get(node.op)
    if own is not None:
        return own(scope, node)
    args = [_compute(scope, arg) for arg in node.args]
    if node.op in _ARITHMETIC:
        return _ARITHMETIC[node.op](*args)
    return getattr(scope.xp, node.op)(*args)


def _name(scope: _Scope, node: Phrase) -> Any:
    if node.value in scope.names:
        return scope.names[node.value]
    if node.value in scope.indices:
        return _number(scope.xp, scope.indices[node.value] + 1.0)
    if node.value in scope.rows:
        raise scope.unknown(f"{node.value} without an index, a whole row,", node)
    raise scope.unknown(node.value, node)


def _element(scope: _Scope, node: Phrase) -> Any:
    name, index = node.value
    if _joined(node) in scope.names:
        return scope.names[_joined(node)]
    if name not in scope.rows:
        raise scope.unknown(_joined(node), node)
    if index.isdigit() and 1 <= int(index) <= scope.columns:
        return scope.rows[name][..., int(index) - 1]
    if index not in scope.indices:
        raise scope.unknown(f"the index {index}", node)
    return scope.rows[name][..., scope.indices[index]]


def _joined(node: Phrase) -> str:
    """Return a name with its subscript."""
    return "_".join(node.value) if node.op == "element" else str(node.value)


def _product(scope: _Scope, node: Phrase) -> Any:
    a, b = (_compute(scope, arg) for arg in node.args)
    xp = scope.xp
    return xp.where(xp.logical_or(a == 0, b == 0), _number(xp, 0.0), a * b)


def _factorial(xp: Namespace, t: Any) -> Any:
    # A number alone is no array yet.
    return xp.exp(log_factorial(xp, xp.asarray(t)))


def _over(scope: _Scope, node: Phrase) -> Any:
    over: Over = node.value
    first = 1 if over.first is None else int(_compute(scope, over.first))
    last = scope.columns if over.last is None else int(_compute(scope, over.last))
    if over.but and over.but not in scope.indices:
        raise scope.unknown(f"the index {over.but}", node)
    left_out = scope.indices.get(over.but)
    places = [k for k in range(first - 1, last) if k != left_out]
    found = [_compute(scope.at(over.letter, k), node.args[0]) for k in places]
    join, empty = _JOINS[over.op]
    return functools.reduce(functools.partial(join, scope.xp), found, _number(scope.xp, empty))


_JOINS: dict[str, tuple[Callable[[Namespace, Any, Any], Any], float]] = {
    "sum": (lambda xp, a, b: a + b, 0.0),
    "prod": (lambda xp, a, b: a * b, 1.0),
    "max": (lambda xp, a, b: xp.maximum(a, b), float("-inf")),
    "min": (lambda xp, a, b: xp.minimum(a, b), float("inf")),
}


def _cases(scope: _Scope, node: Phrase) -> Any:
    """Return the first case that holds; NaN where none does."""
    xp = scope.xp
    found = _number(xp, float("nan"))
    for k in range(len(node.args) - 2, -1, -2):
        condition, value = (_compute(scope, arg) for arg in node.args[k : k + 2])
        found = xp.where(condition, value, found)
    return found


def _indicator(scope: _Scope, node: Phrase) -> Any:
    condition = _compute(scope, node.args[0])
    return scope.xp.where(condition, _number(scope.xp, 1.0), _number(scope.xp, 0.0))


_OWN: dict[str, Callable[[_Scope, Phrase], Any]] = {
    "number": lambda scope, node: _number(scope.xp, node.value),
    "factorial": lambda scope, node: _factorial(scope.xp, _compute(scope, node.args[0])),
    "always": lambda scope, node: node.value,
    "name": _name,
    "element": _element,
    "multiply": _product,
    "over": _over,
    "cases": _cases,
    "indicator": _indicator,
}


# Definitions.


def _defined(scope: _Scope, sides: Sides) -> _Scope:
    """Return the scope with the name that an equation explains."""
    unknown = sorted(
        {_joined(node) for side in sides for node in _nodes(side) if _is_unknown(scope, node)}
    )
    if len(unknown) != 1:
        what = f"explains {', '.join(unknown)}" if unknown else "explains nothing"
        column = next(node.column for node in _nodes(sides.left) if node.column)
        raise unread(f"the equation {what}: one name is wanted", scope.formula.text, column)
    if sides.left.op in ("name", "element") and _joined(sides.left) == unknown[0]:
        return scope.knowing(unknown[0], _compute(scope, sides.right))
    return scope.knowing(unknown[0], _solved(scope, sides, unknown[0]))


def _is_unknown(scope: _Scope, node: Phrase) -> bool:
    if node.op == "element":
        return _joined(node) not in scope.names and node.value[0] not in scope.rows
    return node.op == "name" and node.value not in scope.names and node.value not in scope.rows


def _solved(scope: _Scope, sides: Sides, name: str) -> Any:
    """Return where both sides are equal; their difference has one change of sign."""
    xp = scope.xp

    def above(x: Any) -> Any:
        inner = scope.knowing(name, x)
        return _compute(inner, sides.left) > _compute(inner, sides.right)

    low, high = -xp.ones(scope.shape), xp.ones(scope.shape)
    for _ in range(_DOUBLINGS):
        same = xp.equal(above(low), above(high))
        if not xp.any(same):
            break
        low, high = xp.where(same, 2 * low, low), xp.where(same, 2 * high, high)
    at_low = above(low)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        same = xp.equal(above(middle), at_low)
        low, high = xp.where(same, middle, low), xp.where(same, high, middle)
    return (low + high) / 2


def _nodes(node: Phrase) -> list[Phrase]:
    more = list(node.args)
    if node.op == "over":
        more += [limit for limit in (node.value.first, node.value.last) if limit is not None]
    return [node, *(inner for arg in more for inner in _nodes(arg))]


def _free_index(formula: Typeset, rows: Mapping[str, Any]) -> str:
    """Return the index of elements that no sum binds, empty where there is none."""

    def free(node: Phrase, bound: frozenset[str]) -> set[str]:
        if node.op == "over":
            bound = bound | {node.value.letter}
        own = set()
        if node.op == "element" and node.value[0] in rows and not node.value[1].isdigit():
            own = {node.value[1]} - bound
        return own.union(*(free(arg, bound) for arg in node.args))

    found = sorted(free(formula.right, frozenset()))
    if len(found) > 1:
        raise unread(f"the indices {', '.join(found)} are free, and one may be", formula.text, 1)
    return found[0] if found else ""
