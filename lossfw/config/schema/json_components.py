"""Components in a JSON schema, for each place in which a configuration names one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from pydantic.json_schema import GenerateJsonSchema

from lossfw.components.component import Component
from lossfw.components.docstrings import paragraphs, parameter_meanings, sections
from lossfw.components.nested import nested_parameters
from lossfw.components.registry import Entry, Registry
from lossfw.config.schema.json_tools import Schema, or_variable, ref, references, tidy
from lossfw.errors import LossfwError
from lossfw.losses.nested import SCALE, takes_factor

FUSE: Schema = {
    "type": "boolean",
    "default": True,
    "description": "Whether the loss is computed together with the last activation, from its "
    "logits, where that is the loss's own.",
}
_FACTOR: Schema = {"type": "number", "description": "A factor on this part."}
# Nothing: an enumeration has at least one item.
_NOTHING: Schema = {"not": {}}


class Definitions:
    """The components that a schema knows, by the place where they may stand; no broken ones."""

    def __init__(self, registry: Registry) -> None:
        self.definitions: dict[str, Schema] = {}
        self._registry = registry

    def add_kind(
        self, place: str, kinds: Sequence[str], beside: Mapping[str, Schema] | None = None
    ) -> None:
        """Define the components of a place: those of some kinds, with keys beside theirs.

        A name of several kinds means the first of them.
        """
        choices: list[_Choice] = []
        taken: set[str] = set()
        for entry in (entry for kind in kinds for entry in self._registry.entries(kind)):
            try:
                cls = self._registry.class_of(entry)
            except LossfwError:
                continue
            names = [name for name in self._names(entry) if name not in taken]
            taken.update(names)
            own = f"{entry.kind}.{entry.distribution}/{entry.name}"
            # A parameter of the same name is the component's own.
            keys = {k: v for k, v in (beside or {}).items() if k not in cls.model_fields}
            if place == "part" and takes_factor(cls):
                keys = {SCALE: tidy(_FACTOR)}
            if names:
                choices.append(self._choice(own, names, cls, keys))
        self.definitions[place] = _component(choices)

    def add_table(self, place: str, table: Mapping[str, type[Component]]) -> None:
        """Define the components of a place: the classes of a table that no plugin extends."""
        self.definitions[place] = _component(
            [self._choice(f"{place}.{name}", [name], cls, {}) for name, cls in table.items()]
        )

    def _names(self, entry: Entry) -> list[str]:
        """Return every name that means a component, those with a distribution last.

        A name that two distributions offer means nothing without one of them.
        """
        alone = entry.names
        if entry.state == "conflict":
            alone = tuple(name for name in alone if self._means_one(entry.kind, name))
        return [*alone, *(f"{entry.distribution}/{name}" for name in entry.names)]

    def _means_one(self, kind: str, name: str) -> bool:
        try:
            self._registry.resolve(kind, name)
        except LossfwError:
            return False
        return True

    def _choice(
        self, own: str, names: Sequence[str], cls: type[Component], beside: Mapping[str, Schema]
    ) -> _Choice:
        if own not in self.definitions:
            self.definitions |= _parameters(cls, own)
        described = self.definitions[own]
        pointer = ref(own)["$ref"]
        keys = {key: {"$ref": f"{pointer}/properties/{key}"} for key in described["properties"]}
        schema: Schema = {
            "description": described["description"],
            "properties": {"name": {}, **keys, **beside},
            "required": ["name", *described.get("required", [])],
            "additionalProperties": False,
        }
        return _Choice(names, schema, cls.summary())


class _Choice(NamedTuple):
    """One component in one place."""

    names: Sequence[str]
    schema: Schema
    summary: str


def _component(choices: Sequence[_Choice]) -> Schema:
    """Return the schema of a place: a name, or a mapping with a name and its parameters.

    It has conditions and no alternatives, so that a mistake in a parameter is
    told as such and not as "none of 60 alternatives".
    """
    branches = [
        {
            "if": {"properties": {"name": {"enum": list(choice.names)}}, "required": ["name"]},
            "then": choice.schema,
        }
        for choice in choices
    ]
    mapping: Schema = {
        "required": ["name"],
        "properties": {"name": _name(choices)},
        "allOf": branches,
    }
    # Components that need no parameter.
    alone = _name([choice for choice in choices if choice.schema["required"] == ["name"]])
    # Editors look for their offers here, and not in conditions.
    return {"if": {"type": "object"}, "then": mapping, "else": alone, "examples": alone["examples"]}


def _name(choices: Iterable[_Choice]) -> Schema:
    """Return the schema of a name; those with a distribution are known, and not offered."""
    summaries = {name: choice.summary for choice in choices for name in choice.names}
    short = {name: summary for name, summary in summaries.items() if "/" not in name}
    long = [name for name in summaries if "/" in name]
    names = _NOTHING
    if short:
        names = {"enum": list(short), "enumDescriptions": list(short.values())}
    if long:
        has_slash = {"type": "string", "pattern": "/"}
        names = {"if": has_slash, "then": {"enum": long}, "else": names}
    return {**or_variable(names), "examples": list(short)}


def _parameters(cls: type[Component], own: str) -> dict[str, Schema]:
    """Return the definition of a component's parameters, and those of the types that it uses."""
    template = f"{ref(own)['$ref']}.{{model}}"
    made = cls.model_json_schema(schema_generator=_Lenient, ref_template=template)
    meanings, nested = parameter_meanings(cls), nested_parameters(cls)
    properties = {}
    for key, schema in made.get("properties", {}).items():
        clean = tidy(schema)
        if key in nested:
            clean = _with_parts(clean)
        if meanings.get(key):
            clean = {"description": meanings[key], **clean}
        properties[key] = references(clean)
    described: Schema = {
        "description": "\n\n".join(paragraphs(sections(cls.__doc__)[""])),
        "properties": properties,
    }
    if "required" in made:
        described["required"] = made["required"]
    used = {f"{own}.{name}": tidy(schema) for name, schema in made.get("$defs", {}).items()}
    return {own: described, **used}


class _Lenient(GenerateJsonSchema):
    """Takes a type that has no JSON schema for one that may be anything."""

    def handle_invalid_for_json_schema(self, schema: Any, error_info: str) -> Any:
        """Return the schema of anything."""
        return {}


def _with_parts(schema: Any) -> Any:
    """Return the schema of a parameter in which losses are described in full."""
    if isinstance(schema, list):
        return [_with_parts(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if [item.get("type") for item in schema.get("anyOf", ())] == ["string", "object"]:
        return {"description": schema.get("description", ""), "component": "part"}
    return {key: _with_parts(value) for key, value in schema.items()}
