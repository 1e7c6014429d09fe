"""The second step: each component's parameters against its own class."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from pydantic import BaseModel, ValidationError

from lossfw.component import Component
from lossfw.config.files import find_file
from lossfw.config.schema import MAX_ITEMS, MAX_NAME
from lossfw.config.tree import Node, Problems
from lossfw.config.wording import add_problem, split_hint
from lossfw.errors import LossfwError
from lossfw.names import nearest
from lossfw.registry import Entry, Registry

Path: TypeAlias = Sequence[str | int]

# Keys that stand beside a component's parameters and are none of them.
_BESIDE: Mapping[str, tuple[str, ...]] = {"loss": ("fuse",)}


@dataclass(frozen=True)
class Checker:
    """Makes components from what stands in a configuration.

    Attributes
    ----------
    root : Node
        The configuration.
    registry : Registry
        Knows the classes.
    problems : Problems
        Receives unknown names, and everything wrong with parameters.
    file_fields : callable
        Tells which parameters of a class name files.
    entries : list of Entry
        What was made so far comes from these.
    """

    root: Node
    registry: Registry
    problems: Problems
    file_fields: Callable[[type[Component]], Sequence[str]]
    entries: list[Entry] = field(default_factory=list)

    def make(self, path: Path, kind: str) -> Component | None:
        """Return the component at `path`, None if something is wrong.

        What is no component at all is left to the skeleton's check.
        """
        node = self.root.find(path)
        name = node.child("name") if node is not None and isinstance(node.value, dict) else node
        if node is None or name is None or not _could_be_a_name(name.value):
            return None
        try:
            entry = self.registry.resolve(kind, name.value)
            cls = self.registry.class_of(entry)
        except LossfwError as error:
            self.problems.add(name.at, *split_hint(str(error)))
            return None
        self.entries.append(entry)
        return self._instance(cls, node, path, kind)

    def make_each(self, path: Path, kind: str, below: Path = ()) -> tuple[Component, ...]:
        """Return the components of the list at `path`, those that are right."""
        node = self.root.find(path)
        items = node.value if node is not None and isinstance(node.value, list) else []
        if len(items) > MAX_ITEMS:
            return ()
        made = [self.make([*path, i, *below], kind) for i in range(len(items))]
        return tuple(component for component in made if component is not None)

    def _instance(
        self, cls: type[Component], node: Node, path: Path, kind: str
    ) -> Component | None:
        found = Problems()
        parameters = self._parameters(cls, node, kind, found)
        component = cls.__new__(cls)
        try:
            # Component's own __init__ puts the mistakes into words; here their
            # places are wanted.
            BaseModel.__init__(component, **parameters)
        except ValidationError as error:
            for item in error.errors(include_url=False):
                hint = _hint(cls, item, kind)
                add_problem(found, self.root, item, within=path, hint=hint, owner=cls.name)
        self.problems.take(found)
        return None if found else component

    def _parameters(
        self, cls: type[Component], node: Node, kind: str, found: Problems
    ) -> dict[str, Any]:
        """Return the parameters, with the names of files made absolute."""
        if not isinstance(node.value, dict):
            return {}
        beside = ("name", *_BESIDE.get(kind, ()))
        given = {key: value for key, value in node.value.items() if key not in beside}
        parameters = {key: value.plain() for key, value in given.items()}
        for key in set(self.file_fields(cls)) & set(given):
            if isinstance(parameters[key], str) and parameters[key]:
                path = find_file(given[key], found)
                parameters[key] = str(path or parameters[key])
        return parameters


def _could_be_a_name(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= MAX_NAME


def _hint(cls: type[Component], item: Mapping[str, Any], kind: str) -> str:
    """Return a hint for a parameter that the class does not have."""
    if item["type"] != "extra_forbidden" or len(item["loc"]) != 1:
        return ""
    known = [*cls.model_fields, *_BESIDE.get(kind, ())]
    match = nearest(str(item["loc"][0]), known)
    if match:
        return f"did you mean {match!r}?"
    return f"it has {', '.join(known)}" if known else "it has no parameters"
