"""The JSON schema of a configuration, with everything that is installed, for editors."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

from pydantic.json_schema import GenerateJsonSchema

from lossfw.components.component import Component
from lossfw.components.docstrings import parameter_meanings, split_paragraphs, split_sections
from lossfw.components.nested import nested_parameters
from lossfw.components.registry import Entry, Registry
from lossfw.config.schema.sections import SECTIONS, RootSection
from lossfw.data.options import DataOptions
from lossfw.errors import LossfwError
from lossfw.losses.nested import FACTORS, takes_factor
from lossfw.nn.initializers import INITIALIZERS
from lossfw.nn.schedules import SCHEDULES

Schema: TypeAlias = dict[str, Any]

# yaml-language-server and check-jsonschema both know it whole.
DRAFT = "http://json-schema.org/draft-07/schema#"

_PARTIAL = "partial."
_SECTIONS = {section.__name__ for section in SECTIONS.values()}
# Parameters for a component that another file names.
_NAMELESS: Schema = {"type": "object", "not": {"required": ["name"]}}
_FUSE: Schema = {
    "type": "boolean",
    "default": True,
    "description": "Whether the loss is computed from logits, together with the activation of the "
    "last layer, if that is the loss's own activation.",
}
_FACTOR: Schema = {"type": "number", "description": "The factor of this loss in the sum."}
# Nothing: an enumeration has at least one item.
_NOTHING: Schema = {"not": {}}
_IS_VARIABLE: Schema = {"type": "string", "pattern": r"^\$\{env:[A-Za-z_][A-Za-z0-9_]*\}$"}
_NULL: Schema = {"type": "null"}
_SCALARS = ("number", "integer", "boolean")
# Keywords that pydantic adds and editors do not need.
_NOISE = ("title", "format")
# Keywords whose value is data, and not a schema.
_DATA = ("default", "enum", "const", "examples", "required")


def json_schema(registry: Registry) -> Schema:
    """Return the JSON schema (draft 7) of a configuration.

    Notes
    -----
    A file that extends another, or has a sweep, need not be complete: missing keys may come from
    elsewhere, and ``null`` removes a key of the extended file. ``lossfw validate`` checks whether
    the parts are compatible.
    """
    known = _Definitions(registry)
    options = DataOptions.model_json_schema()["properties"]
    known.add_kind("source", ["source"], {key: _simplify(value) for key, value in options.items()})
    known.add_kind("loss", ["loss"], {"fuse": _simplify(_FUSE)})
    known.add_kind("part", ["loss"])
    known.add_kind("activation", ["activation"])
    known.add_kind("metric", ["metric", "loss"])
    known.add_kind("optimizer", ["optimizer"])
    known.add_kind("model", ["model"])
    known.add_table("schedule", SCHEDULES)
    known.add_table("initializer", INITIALIZERS)
    sections = _section_schemas()
    partial = {f"{_PARTIAL}{name}": _partial_section(section) for name, section in sections.items()}
    return {
        "$schema": DRAFT,
        "title": "A configuration of lossfw",
        "type": "object",
        "if": {"anyOf": [{"required": ["extends"]}, {"required": ["sweep"]}]},
        "then": _reference(f"{_PARTIAL}RootSection"),
        "else": {"allOf": [_reference("RootSection"), _network_rules()]},
        "definitions": {**known.definitions, **sections, **partial},
    }


def _map_schema(schema: Any, change: Callable[[Schema], Any], skip: Sequence[str] = _DATA) -> Any:
    """Return a schema in which each part has been changed, the inner ones first."""
    if isinstance(schema, list):
        return [_map_schema(item, change, skip) for item in schema]
    if not isinstance(schema, dict):
        return schema
    inner = {}
    for key, value in schema.items():
        if key == "properties" and isinstance(value, dict):
            inner[key] = {name: _map_schema(part, change, skip) for name, part in value.items()}
        else:
            inner[key] = value if key in skip else _map_schema(value, change, skip)
    return change(inner)


def _simplify(schema: Any) -> Any:
    """Return a schema in draft 7, without noise, whose scalars may come from the environment."""

    def change(part: Schema) -> Schema:
        clean = {key: value for key, value in part.items() if key not in _NOISE}
        if "prefixItems" in clean:
            clean["items"] = clean.pop("prefixItems")
        if "enum" in clean or "const" in clean or clean.get("type") in _SCALARS:
            beside: Schema = {k: clean.pop(k) for k in ("default", "description") if k in clean}
            return {**beside, **_allow_variable(clean)}
        return clean

    return _map_schema(schema, change)


def _allow_null(part: Schema) -> Schema:
    """Return the schema of a key that may be null as a condition, so that mistakes have a place."""
    given = [one for one in part.get("anyOf", ()) if one != _NULL]
    if len(given) != 1:
        return part
    beside = {key: value for key, value in part.items() if key != "anyOf"}
    return {**beside, "if": _NULL, "then": {}, "else": given[0]}


def _allow_variable(schema: Schema) -> Schema:
    """Return a schema that takes ``${env:NAME}`` as well."""
    return {"if": _IS_VARIABLE, "then": {}, "else": schema}


def _refer_to_components(schema: Any) -> Any:
    """Return a schema in which ``component: KIND`` is a reference without neighbours."""

    def change(part: Schema) -> Schema:
        if isinstance(part.get("component"), str):
            # Its default is an object that stands for a name.
            reference = _reference(part["component"])
        elif "$ref" in part:
            reference = {"$ref": part["$ref"]}
        else:
            return part
        # Beside the reference itself nothing is read.
        if "description" not in part:
            return reference
        return {"description": part["description"], "allOf": [reference]}

    return _map_schema(schema, change)


def _reference(name: str) -> Schema:
    """Return a reference to a definition; a slash in its name is written in its own way."""
    return {"$ref": f"#/definitions/{name.replace('/', '~1')}"}


def _section_schemas() -> dict[str, Schema]:
    """Return the schema of each section by the name of its class."""
    root = RootSection.model_json_schema(ref_template="#/definitions/{model}")
    schemas = {}
    for name, raw in {**root.pop("$defs"), "RootSection": root}.items():
        required = {"required": raw["required"]} if "required" in raw else {}
        properties = {
            k: _refer_to_components(_allow_null(_simplify(part)))
            for k, part in raw["properties"].items()
        }
        schemas[name] = {**_closed_object(properties), **required}
    return schemas


def _closed_object(properties: Mapping[str, Schema]) -> Schema:
    return {"type": "object", "properties": properties, "additionalProperties": False}


def _partial_section(section: Schema) -> Schema:
    """Return the schema of a section whose other keys stand in another file.

    Sections and components in it need not be whole.
    """

    def change(part: Schema) -> Schema:
        if "$ref" not in part:
            return part
        name = part["$ref"].rpartition("/")[2]
        if name in _SECTIONS:
            return _reference(f"{_PARTIAL}{name}")
        return {"if": _NAMELESS, "then": {}, "else": part}

    properties = {}
    for key, schema in section["properties"].items():
        whole = {k: v for k, v in schema.items() if k != "description"}
        # A list replaces the one in the file that is extended, so its items are whole.
        inner = _map_schema(whole, change, skip=(*_DATA, "items"))
        given = {"if": _NULL, "then": {}, "else": inner}
        properties[key] = {"description": schema["description"], **given}
    return _closed_object(properties)


def _network_rules() -> Schema:
    """Return that there is a model or a network, which is layers with weights, or outputs."""
    forms = [{"required": [key]} for key in ("layers", "predictions", "raw_outputs")]
    alone = {"not": {"anyOf": [{"required": ["weights"]}, {"required": ["dtype"]}]}}
    network: Schema = {"oneOf": forms, "if": {"required": ["layers"]}, "then": {}, "else": alone}
    weights = {"properties": {"network": {"dependencies": {"layers": ["weights"]}}}}
    # What a model needs depends on how it learns, which its name does not say.
    learning = {"properties": {"train": {"required": ["epochs", "optimizer"]}}}
    return {
        "oneOf": [{"required": ["network"]}, {"required": ["model"]}],
        "properties": {"network": network},
        "allOf": [{"if": {"required": ["network"]}, "then": learning, "else": {}}],
        "if": {"required": ["train"]},
        "then": {},
        "else": weights,
    }


class _Choice(NamedTuple):
    """One component in one place."""

    names: Sequence[str]
    schema: Schema
    summary: str


class _Definitions:
    """The components that a schema knows, by the place where they may stand; no broken ones."""

    def __init__(self, registry: Registry) -> None:
        self.definitions: dict[str, Schema] = {}
        self._registry = registry

    def add_kind(
        self, place: str, kinds: Sequence[str], extra_keys: Mapping[str, Schema] | None = None
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
            keys = {k: v for k, v in (extra_keys or {}).items() if k not in cls.model_fields}
            if place == "part":
                keys = {word: _simplify(_FACTOR) for word in FACTORS if takes_factor(cls, word)}
            if names:
                choices.append(self._make_choice(own, names, cls, keys))
        self.definitions[place] = _component_schema(choices)

    def add_table(self, place: str, table: Mapping[str, type[Component]]) -> None:
        """Define the components of a place: the classes of a table that no plugin extends."""
        self.definitions[place] = _component_schema(
            [self._make_choice(f"{place}.{name}", [name], cls, {}) for name, cls in table.items()]
        )

    def _names(self, entry: Entry) -> list[str]:
        """Return every name that means a component, those with a distribution last.

        A name that two distributions offer means nothing without one of them.
        """
        alone = entry.names
        if entry.state == "conflict":
            alone = tuple(name for name in alone if self._is_unambiguous(entry.kind, name))
        return [*alone, *(f"{entry.distribution}/{name}" for name in entry.names)]

    def _is_unambiguous(self, kind: str, name: str) -> bool:
        try:
            self._registry.resolve(kind, name)
        except LossfwError:
            return False
        return True

    def _make_choice(
        self,
        definition: str,
        names: Sequence[str],
        cls: type[Component],
        extra_keys: Mapping[str, Schema],
    ) -> _Choice:
        if definition not in self.definitions:
            self.definitions |= _parameter_definitions(cls, definition)
        described = self.definitions[definition]
        pointer = _reference(definition)["$ref"]
        keys = {key: {"$ref": f"{pointer}/properties/{key}"} for key in described["properties"]}
        schema: Schema = {
            "description": described["description"],
            "properties": {"name": {}, **keys, **extra_keys},
            "required": ["name", *described.get("required", [])],
            "additionalProperties": False,
        }
        return _Choice(names, schema, cls._summary())


def _component_schema(choices: Sequence[_Choice]) -> Schema:
    """Return the schema of a place: a name, or a mapping with a name and its parameters.

    It has conditions and no alternatives, so that an editor reports a mistake in a parameter
    as such and not as "none of 60 alternatives".
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
        "properties": {"name": _name_schema(choices)},
        **({"allOf": branches} if branches else {}),
    }
    # Components that need no parameter.
    alone = _name_schema([choice for choice in choices if choice.schema["required"] == ["name"]])
    # Editors look for their offers here, and not in conditions.
    return {"if": {"type": "object"}, "then": mapping, "else": alone, "examples": alone["examples"]}


def _name_schema(choices: Iterable[_Choice]) -> Schema:
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
    return {**_allow_variable(names), "examples": list(short)}


class _LenientSchema(GenerateJsonSchema):
    """Takes a type that has no JSON schema for one that may be anything."""

    def handle_invalid_for_json_schema(self, schema: Any, error_info: str) -> Any:
        """Return the schema of anything."""
        return {}


def _parameter_definitions(cls: type[Component], name: str) -> dict[str, Schema]:
    """Return the definition of a component's parameters, and those of the types that it uses."""
    template = f"{_reference(name)['$ref']}.{{model}}"
    raw = cls.model_json_schema(schema_generator=_LenientSchema, ref_template=template)
    meanings, nested = parameter_meanings(cls), nested_parameters(cls)
    properties = {}
    for key, schema in raw.get("properties", {}).items():
        clean = _simplify(schema)
        if key in nested:
            clean = _map_schema(clean, _describe_nested_loss)
        if meanings.get(key):
            clean = {"description": meanings[key], **clean}
        properties[key] = _refer_to_components(clean)
    described: Schema = {
        "description": "\n\n".join(split_paragraphs(split_sections(cls.__doc__)[""])),
        "properties": properties,
    }
    if "required" in raw:
        described["required"] = raw["required"]
    used = {
        f"{name}.{type_name}": _simplify(schema)
        for type_name, schema in raw.get("$defs", {}).items()
    }
    return {name: described, **used}


def _describe_nested_loss(part: Schema) -> Schema:
    """Return the schema of a parameter that holds a loss, which is then described in full."""
    if [item.get("type") for item in part.get("anyOf", ())] == ["string", "object"]:
        return {"description": part.get("description", ""), "component": "part"}
    return part
