"""Nested: parameters that hold a component, and how a registry fills them.

A wrapper has a parameter that is a loss, a metric one that it averages. Python gives such a
parameter an object; YAML gives a name, or a mapping with a name, from which the registry makes the
inner component.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, Protocol

from lossfw.components.component import Component


class ComponentFactory(Protocol):
    """Protocol: the part of a registry that makes components."""

    def create(self, kind: str, spec: object) -> Any:
        """Return the component that a name or a mapping describes."""

    def component_class(self, kind: str, name: str) -> type[Component]:
        """Return the class of a name."""


class NestedParameter(ABC):
    """Marks a parameter that holds a component, in the metadata of its type."""

    @abstractmethod
    def make(self, spec: str | Mapping[str, Any], registry: ComponentFactory) -> Component:
        """Return the component that a name or a mapping describes."""


def nested_parameters(cls: type[Component]) -> dict[str, NestedParameter]:
    """Return the marks of the parameters that hold components, in the order of the class.

    Examples
    --------
    >>> from lossfw.losses.wrappers import Sum
    >>> list(nested_parameters(Sum))
    ['of']
    """
    marks = {
        name: _find_mark((*info.metadata, info.annotation))
        for name, info in cls.model_fields.items()
    }
    return {name: mark for name, mark in marks.items() if mark is not None}


def _find_mark(items: Any) -> NestedParameter | None:
    """Look for the mark in metadata, and inside a type such as ``tuple[NestedLoss, ...]``."""
    for item in items:
        if isinstance(item, NestedParameter):
            return item
        inner = (*getattr(item, "__metadata__", ()), *getattr(item, "__args__", ()))
        mark = _find_mark(inner)
        if mark is not None:
            return mark
    return None


def with_nested(
    cls: type[Component], parameters: Mapping[str, Any], registry: ComponentFactory
) -> dict[str, Any]:
    """Return parameters with components in place of their names or mappings.

    A value that does not describe a component is left for `cls` to refuse.
    """

    def make(mark: NestedParameter, value: Any) -> Any:
        return mark.make(value, registry) if isinstance(value, str | Mapping) else value

    made = dict(parameters)
    for key, mark in nested_parameters(cls).items():
        given = made.get(key)
        if key in cls._parts_by_name and isinstance(given, Mapping):
            made[key] = {name: make(mark, item) for name, item in given.items()}
        elif isinstance(given, list | tuple):
            made[key] = tuple(make(mark, item) for item in given)
        elif key in made:
            made[key] = make(mark, given)
    return made
