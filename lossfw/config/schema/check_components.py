"""Make the components of a configuration; each class checks its own parameters."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from lossfw.components.component import Component
from lossfw.components.naming import nearest_name, snake_case
from lossfw.components.nested import nested_parameters
from lossfw.components.registry import Entry, Registry
from lossfw.config.schema import suggestions
from lossfw.config.schema.checked import CheckedConfig, ConfigPath, DataSpec
from lossfw.config.schema.messages import add_problem, split_hint
from lossfw.config.schema.section_types import MAX_ITEMS, MAX_NAME
from lossfw.config.text.reading import find_file, find_location
from lossfw.config.text.tree import Node, format_path, quote
from lossfw.data.options import DataOptions
from lossfw.data.source import file_fields, location_fields
from lossfw.errors import LossfwError, UnknownNameError
from lossfw.losses.nested import FACTORS, takes_factor

# The endings of files that a source reads.
_FILE = re.compile(r"\.(csv|tsv|parquet|npy|npz)(\.gz)?$")

# A component as Python writes it.
_CALL = re.compile(r"(\w+)\((.*)\)")
# Keys that stand beside a component's parameters and are none of them.
_BESIDE: Mapping[str, tuple[str, ...]] = {
    "loss": ("fuse",),
    "source": tuple(DataOptions.model_fields),
}


@dataclass(frozen=True)
class ComponentMaker:
    """Makes the components that a configuration names; each class checks its own parameters."""

    # The configuration; its fields `entries`, `files`, `made` and `problems` are filled.
    config: CheckedConfig
    # Knows the classes.
    registry: Registry
    # Whether the registry has all plugins. A name that resembles none of those in it may
    # come from one that is missing, and is not a mistake of its own.
    whole: bool = True

    def make(self, path: ConfigPath, kind: str, *, nested: bool = False, or_else: str = "") -> Any:
        """Return the component at `path`.

        It is None if something is wrong. The registry ensures that its class is of the kind. A
        value that is not a component is left to the check of sections. A `nested` is inside
        another component. An unknown name may be of another kind, `or_else`.
        """
        node, name = self._make_named(path)
        if node is None or name is None:
            return None
        if kind == "source" and _FILE.search(name.value.lower()):
            what = f"There is no data source {quote(name.value)}, which is the name of a file"
            source = "name: arrays, file"
            self.config.problems.add(name.at, what, f"write data: {{{source}: {name.value}}}")
            return None
        try:
            entry = self._find_entry(name.value, kind, or_else)
            cls = self.registry.class_of(entry)
        except LossfwError as error:
            what, hint = split_hint(str(error))
            if isinstance(error, UnknownNameError) and not self.whole and not hint:
                return None
            self.config.problems.add(name.at, what, hint or self._name_hint(kind, name.value))
            return None
        self.config.entries.append(entry)
        return self._make_instance(cls, node, path, _extra_keys(cls, kind, nested))

    def _name_hint(self, kind: str, name: str) -> str:
        """Return a hint for a call in the place of a name, or a metric in the place of a loss."""
        if call := _CALL.fullmatch(name):
            parameters = call[2].replace("=", ": ") or "PARAMETER: VALUE"
            return (
                "parameters are keys next to the name: "
                f"{{name: {snake_case(call[1])}, {parameters}}}"
            )
        metrics = {known for entry in self.registry.entries("metric") for known in entry.names}
        if kind != "loss" or name not in metrics:
            return ""
        return (
            "a metric has no gradient to train on: write it under evaluate.metrics, and take "
            f"{suggestions.losses_for_classes(self.registry)} as the loss"
        )

    def _find_entry(self, name: str, kind: str, or_else: str) -> Entry:
        try:
            return self.registry.resolve(kind, name)
        except UnknownNameError as error:
            if not or_else:
                raise
            try:
                return self.registry.resolve(or_else, name)
            except UnknownNameError as other:
                # The error with a guess says more.
                close = [e for e in (error, other) if split_hint(str(e))[1]]
                raise (close or [error])[0] from None

    def data_spec(self, path: ConfigPath) -> DataSpec:
        """Return the source at `path` and the keys next to its parameters, without wrong ones.

        Without a source its own parameters are unknown.
        """
        source = self.make(path, "source")
        node = self.config.root.find(path)
        given = node.to_plain() if node is not None and isinstance(node.value, dict) else {}
        own = () if source is None else type(source).model_fields
        beside = {k: given[k] for k in DataOptions.model_fields if k in given and k not in own}
        try:
            return DataSpec(path, source, DataOptions.model_validate(beside))
        except ValidationError as error:
            for item in error.errors(include_url=False):
                add_problem(self.config.problems, self.config.root, item, base_path=path)
            return DataSpec(path, source)

    def make_from_table(
        self, path: ConfigPath, kind: str, table: Mapping[str, type[Component]]
    ) -> Any:
        """Return the component at `path` of a class in `table`.

        It is None if something is wrong. The table holds all classes of a kind that plugins
        cannot offer.
        """
        node, name = self._make_named(path)
        if node is None or name is None:
            return None
        if name.value in table:
            return self._make_instance(table[name.value], node, path, ())
        match = nearest_name(name.value, table)
        choices = f"{format_path(path)} is one of {', '.join(table)}"
        guess = f"did you mean {match!r}?" if match else choices
        self.config.problems.add(name.at, f"There is no {kind} {quote(name.value)}", guess)
        return None

    def _make_named(self, path: ConfigPath) -> tuple[Node | None, Node | None]:
        """Return the component at `path` and its name; None where one is missing or wrong."""
        node = self.config.root.find(path)
        name = node.child("name") if node is not None and isinstance(node.value, dict) else node
        return node, name if name is not None and _is_possible_name(name.value) else None

    def make_each(
        self, path: ConfigPath, kind: str, below: ConfigPath = (), or_else: str = ""
    ) -> tuple[Any, ...]:
        """Return the components of the list at `path`; None for a wrong one."""
        node = self.config.root.find(path)
        items = node.value if node is not None and isinstance(node.value, list) else []
        if len(items) > MAX_ITEMS:
            return ()
        return tuple(
            self.make([*path, i, *below], kind, or_else=or_else) for i in range(len(items))
        )

    def _make_instance(
        self, cls: type[Component], node: Node, path: ConfigPath, extra_keys: Sequence[str]
    ) -> Component | None:
        parameters, wrong = self._parameters(cls, node, path, extra_keys)
        component = self._construct(cls, parameters, path, extra_keys, unreported=wrong)
        if component is None or wrong:
            return None
        self.config.made[tuple(path)] = component
        return component

    def _construct(
        self,
        cls: type[Component],
        parameters: Mapping[str, Any],
        path: ConfigPath,
        extra_keys: Sequence[str],
        unreported: Sequence[str] = (),
    ) -> Component | None:
        """Return the component; record its mistakes, but for those of `unreported` parameters."""
        problems, root = self.config.problems, self.config.root
        try:
            return cls._validate(parameters)
        except ValidationError as error:
            for item in error.errors(include_url=False):
                if not item["loc"] or item["loc"][0] not in unreported:
                    hint = _parameter_hint(cls, item, extra_keys)
                    add_problem(problems, root, item, base_path=path, hint=hint, owner=cls.name)
        except LossfwError as error:
            # An __init__ of the class itself has refused them.
            if not unreported:
                self.config.add(path, f"{format_path(path)}: {error}".removesuffix("."))
        return None

    def _parameters(
        self, cls: type[Component], node: Node, path: ConfigPath, extra_keys: Sequence[str]
    ) -> tuple[dict[str, Any], list[str]]:
        """Return the parameters, with files absolute and parts made.

        Beside them are the keys of those whose mistake has been reported: a part
        that is wrong, a file that is missing.
        """
        parameters: dict[str, Any] = {}
        wrong = []
        parts, files = nested_parameters(cls), file_fields(cls)
        locations = location_fields(cls)
        given = node.value if isinstance(node.value, dict) else {}
        for key, child in given.items():
            if key == "name" or key in extra_keys:
                continue
            value = parameters[key] = child.to_plain()
            if key in parts:
                by_name = key in cls._parts_by_name
                parameters[key] = self._make_nested_losses(child, [*path, key], by_name=by_name)
                if parameters[key] is None:
                    wrong.append(key)
            elif key in files and isinstance(value, str) and value:
                file: object
                if key in locations:
                    file = find_location(child)
                else:
                    file = find_file(child, self.config.problems)
                if file is None:
                    wrong.append(key)
                else:
                    self.config.files[*path, key] = str(file)
                    # What is held in memory is more than its name.
                    parameters[key] = file if child.at.origin.held is not None else str(file)
        return parameters, wrong

    def _make_nested_losses(
        self, node: Node, path: ConfigPath, *, by_name: bool = False
    ) -> Component | tuple[Component, ...] | dict[str, Component] | None:
        """Return the loss or the losses at `path`, None if one of them is wrong."""
        if by_name and isinstance(node.value, dict):
            parts = {
                name: self._make_nested_loss(item, [*path, name])
                for name, item in node.value.items()
            }
            named = {name: part for name, part in parts.items() if part is not None}
            return named if len(named) == len(parts) else None
        if not isinstance(node.value, list):
            return self._make_nested_loss(node, path)
        if len(node.value) > MAX_ITEMS:
            what = f"{format_path(path)} has more than {MAX_ITEMS} items"
            self.config.problems.add(node.at, what)
            return None
        made = [self._make_nested_loss(item, [*path, i]) for i, item in enumerate(node.value)]
        right = tuple(part for part in made if part is not None)
        return right if len(right) == len(made) else None

    def _make_nested_loss(self, node: Node, path: ConfigPath) -> Component | None:
        named = node.child("name") if isinstance(node.value, dict) else node
        if named is None or not _is_possible_name(named.value):
            wanted = "a name, or a mapping with 'name' and parameters"
            self.config.problems.add(node.at, f"{format_path(path)} should be {wanted}")
            return None
        part: Component | None = self.make(path, "loss", nested=True)
        if part is None or not isinstance(node.value, dict):
            return part
        for word in FACTORS:
            factor = node.child(word)
            if factor is not None and takes_factor(type(part), word):
                cls = self.registry.component_class("loss", "scaled")
                return self._construct(cls, {"of": part, "scale": factor.to_plain()}, path, ())
        return part


def _extra_keys(cls: type[Component], kind: str, nested: bool) -> Sequence[str]:
    """Return the keys beside the parameters of a class that are none of them."""
    if not nested:
        return [key for key in _BESIDE.get(kind, ()) if key not in cls.model_fields]
    return [word for word in FACTORS if takes_factor(cls, word)]


def _is_possible_name(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= MAX_NAME


def _parameter_hint(
    cls: type[Component], item: Mapping[str, Any], extra_keys: Sequence[str]
) -> str:
    """Return a hint for a parameter that the class does not have."""
    if item["type"] != "extra_forbidden" or len(item["loc"]) != 1:
        return ""
    known = [*cls.model_fields, *extra_keys]
    match = nearest_name(str(item["loc"][0]), known)
    if match:
        return f"did you mean {match!r}?"
    return f"it has {', '.join(known)}" if known else "it has no parameters"
