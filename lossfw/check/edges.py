"""Edges of parameters: which instances of a class are checked, and how hard.

Each parameter is moved by itself (`lossfw.check.accuracy.variants`), and then in pairs: a
branch of a body may be reached by two of them together alone, as that of a power of 0 under
another link. The numbers that a body compares a parameter with are edges too.
"""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Iterator
from itertools import combinations, product
from typing import Any, NamedTuple

from lossfw.check.accuracy.variants import variants
from lossfw.check.operations import Operations
from lossfw.components.component import Component
from lossfw.errors import LossfwError
from lossfw.losses.capabilities import GuardedLoss

# A parameter that was moved gets this share of the examples: its laws are those of the
# defaults, and what depends on it is looked at in every form.
MOVED_SHARE = 0.1

# A pair gets less: what is looked for is a branch that no other instance reaches.
_PAIR_SHARE = 0.06

# Pairs beyond this number show nothing that the first ones do not.
_MOST_PAIRS = 12


class Edge(NamedTuple):
    """An instance to check.

    Attributes
    ----------
    component : Component
    share : float
        Of the examples.
    whole : bool
        False where laws of the call are left out: of a pair, and of an instance that differs
        from an earlier one in the numbers of its body alone.
    """

    component: Any
    share: float = 1.0
    whole: bool = True


def edges(cls: type[Component]) -> list[Edge]:
    """Return the instances of a class to check: defaults, forms, samples, moved ones and pairs.

    Examples
    --------
    >>> import lossfw
    >>> [(edge.share, edge.whole) for edge in edges(type(lossfw.loss("squared_error")))]
    [(1.0, True), (0.1, False), (0.1, False)]
    """
    full = [*variants(cls, others=False), *cls.samples()]
    found = {repr(one): Edge(one) for one in full}
    if not found:
        return []
    operations = Operations()
    seen = {operations.of(edge.component) for edge in found.values()} - {None}
    for one in variants(cls):
        if repr(one) not in found:
            own = operations.of(one)
            found[repr(one)] = Edge(one, MOVED_SHARE, whole=own not in seen)
            seen |= {own} - {None}
    for one in _pairs(cls, [edge.component for edge in found.values()]):
        found.setdefault(repr(one), Edge(one, _PAIR_SHARE, whole=False))
    return list(found.values())


def _pairs(cls: type[Component], known: list[Any]) -> Iterator[Any]:
    """Yield instances in which two parameters are at an edge together, each pair once."""
    first = known[0]
    compared = _compared(cls)
    values = {
        name: _unique_points([*(one.parameters[name] for one in known), *compared.get(name, ())])
        for name in first.parameters
    }
    seen = {pair for one in known for pair in _pairs_of(one.parameters)}
    count = 0
    for p, q in combinations(values, 2):
        for v, w in product(values[p], values[q]):
            made = _made(first, {p: v, q: w})
            if made is None or count == _MOST_PAIRS or _is_idle(made, (p, q)):
                continue
            new = set(_pairs_of(made.parameters)) - seen
            if any({a, b} == {p, q} for a, _, b, _ in new):
                seen |= new
                count += 1
                yield made


def _is_idle(made: Any, moved: tuple[str, str]) -> bool:
    """Tell whether a guard was moved that logits do not need."""
    guarded = isinstance(made, GuardedLoss) and made.input_form == "logits"
    return guarded and not set(moved).isdisjoint(made.guard_parameters)


def _pairs_of(parameters: dict[str, Any]) -> Iterator[tuple[str, str, str, str]]:
    for (p, v), (q, w) in combinations(parameters.items(), 2):
        yield p, repr(v), q, repr(w)


def _unique_points(values: list[Any]) -> list[Any]:
    return list({repr(value): value for value in values}.values())


def _made(first: Any, changed: dict[str, Any]) -> Any:
    try:
        return first.replace(**changed)
    except LossfwError:
        return None


def _compared(cls: type[Component]) -> dict[str, list[float]]:
    """Return the numbers that the module of a class compares its parameters with.

    They are where a body branches: ``self.power == 0``, ``g < 1`` of a local `g` not.
    """
    module = sys.modules.get(cls.__module__)
    try:
        tree = ast.parse(inspect.getsource(module or cls))
    except (OSError, TypeError, SyntaxError):
        return {}
    found: dict[str, list[float]] = {}
    for node in _of_bodies(tree):
        if isinstance(node, ast.Compare):
            parts = [node.left, *node.comparators]
            numbers = [n for part in parts if (n := _number(part)) is not None]
            for name in map(_name, parts):
                if name in cls.model_fields:
                    found.setdefault(name, []).extend(numbers)
    return found


def _of_bodies(tree: ast.AST) -> Iterator[ast.AST]:
    """Yield the nodes of a module without its claims, which do not branch."""
    for node in ast.iter_child_nodes(tree):
        if not (isinstance(node, ast.FunctionDef) and node.name == "claims"):
            yield node
            yield from _of_bodies(node)


def _name(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def _number(node: ast.expr) -> float | None:
    try:
        value = ast.literal_eval(node)
    except (ValueError, SyntaxError):
        return None
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if number else None
