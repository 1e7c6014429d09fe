"""Branches: parameter values at which a body runs operations that no other value runs.

The code names such values: ``self.power == 0`` compares with one, ``Field(ge=-1)`` is a bound. The
body is examined at them, on both sides, and near 0 and 1, where a branch may depend on a number
computed from a parameter.
"""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from itertools import product
from typing import Any

from lossfw.check.operations import Operations, instructions
from lossfw.components.component import Component
from lossfw.losses.loss import Loss

# Numbers at which bodies branch on what they compute from a parameter.
_USUAL = (0.0, 1.0)

# So many new branches of a parameter at most: a loop that it ends has one for each number.
_MOST = 4


def variants_on_other_branches(
    forms: list[Any],
    known: list[Any],
    operations: Operations,
    make: Callable[[Any, str, float], Any],
) -> list[Any]:
    """Return variants with one parameter at a value where the body runs new operations.

    At values that the class names, any other operation counts, such as the sign of a factor; at
    the usual ones, only other instructions of the author's code count. `make` returns a form
    with a parameter at a value, or None.
    """
    if not forms or not isinstance(forms[0], Loss):
        return []
    found: list[Any] = []
    numbers = _numeric_parameters(known)
    named, usual = _bounds_and_constants(type(forms[0]), numbers), dict.fromkeys(numbers, _USUAL)
    for places, key_of in ((named, operations.key_of), (usual, instructions)):
        seen: set[Hashable] = set()
        for form, name in product(forms, numbers):
            n_before = len(found)
            for value in _values_on_both_sides(places[name], numbers[name]):
                instance = make(form, name, value)
                if instance is None or len(found) == n_before + _MOST:
                    continue
                seen = seen or {None, *map(key_of, (*known, *found))}
                if (key := key_of(instance)) not in seen:
                    seen.add(key)
                    found.append(instance)
    return found


def _numeric_parameters(known: list[Any]) -> dict[str, type]:
    """Return the parameters that are numbers, with their type."""
    found: dict[str, type] = {}
    for name, value in (item for one in known for item in one.parameters.items()):
        if type(value) in (int, float):
            found.setdefault(name, type(value))
    return found


def _values_on_both_sides(values: Iterable[float], kind: type) -> Iterator[float]:
    """Yield places and a number on each side of them, in the type of a parameter."""
    for place in sorted(set(values)):
        for value in (place + side * (abs(place) / 2 or 0.5) for side in (0, -1, 1)):
            if kind is float or value.is_integer():
                yield kind(value)


def _bounds_and_constants(
    cls: type[Component], numbers: Mapping[str, type]
) -> dict[str, list[float]]:
    """Return for each parameter its bounds, and the numbers that the class compares it with."""
    compared, found = compared_constants(cls), {}
    for name, kind in numbers.items():
        # The most that a whole number may be is often too much for a loop.
        sides = ("ge", "gt", "le", "lt") if kind is float else ("ge", "gt")
        limits = product(cls.model_fields[name].metadata, sides)
        bounds = [getattr(limit, bound) for limit, bound in limits if hasattr(limit, bound)]
        found[name] = [*compared.get(name, ()), *map(float, bounds)]
    return found


def compared_constants(cls: type[Component]) -> dict[str, list[float]]:
    """Return the numbers that the module of a class compares its parameters with.

    They are where a body branches: ``self.power == 0``, but not ``g < 1`` of a local `g`.
    """
    module = sys.modules.get(cls.__module__)
    try:
        tree = ast.parse(inspect.getsource(module or cls))
    except (OSError, TypeError, SyntaxError):
        return {}
    constants: dict[str, list[float]] = {}
    for node in _iter_body_nodes(tree):
        if isinstance(node, ast.Compare):
            parts = [node.left, *node.comparators]
            numbers = [n for part in parts if (n := _number_or_none(part)) is not None]
            for part in parts:
                name = getattr(part, "attr", getattr(part, "id", ""))
                if name in cls.model_fields:
                    constants.setdefault(name, []).extend(numbers)
    return constants


def _iter_body_nodes(tree: ast.AST) -> Iterator[ast.AST]:
    """Yield the nodes of a module without its claims, which do not branch."""
    for node in ast.iter_child_nodes(tree):
        if not (isinstance(node, ast.FunctionDef) and node.name == "claims"):
            yield node
            yield from _iter_body_nodes(node)


def _number_or_none(node: ast.expr) -> float | None:
    try:
        value = ast.literal_eval(node)
    except (ValueError, SyntaxError):
        return None
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number else None
