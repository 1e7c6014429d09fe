"""Components in a JSON schema: what may stand where a configuration names one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeAlias

from pydantic.json_schema import GenerateJsonSchema

from lossfw.components.component import Component
from lossfw.components.docstrings import entries, paragraphs, sections
from lossfw.components.nested import nested_parameters
from lossfw.components.registry import Entry, Registry
from lossfw.errors import LossfwError
from lossfw.losses.nested import SCALE, takes_factor

Schema: TypeAlias = dict[str, Any]

# Where a value may come from the environment instead.
ENVIRONMENT = r"^\$\{env:[A-Za-z_][A-Za-z0-9_]*\}$"
_IS_FROM_ENVIRONMENT: Schema = {"type": "string", "pattern": ENVIRONMENT}
_SCALARS = ("number", "integer", "boolean")
# What pydantic adds and an editor has no use for.
_NOISE = ("title", "format")
# Keywords whose value is data, and no schema.
_DATA = ("default", "enum", "const", "examples", "required")

FUSE: Schema = {
    "type": "boolean",
    "default": True,
    "description": "Whether the loss is computed together with the last activation, from its "
    "logits, where that is the loss's own.",
}
_FACTOR: Schema = {"type": "number", "description": "A factor on this part."}


class Known:
    """The components that a schema knows, by the place where they may stand.

    Parameters
    ----------
    registry : Registry
        What is installed. A component that is broken is left out.
    """

    def __init__(self, registry: Registry) -> None:
        self.definitions: dict[str, Schema] = {}
        self._registry = registry

    def add_kind(self, place: str, kinds: Sequence[str], beside: Mapping[str, Schema]) -> None:
        """Define what may stand in a place: components of some kinds, with keys beside theirs.

        A name of several kinds means the first of them.
        """
        choices: list[_Choice] = []
        taken: set[str] = set()
        for kind in kinds:
            for entry in self._registry.entries(kind):
                cls = self._class_of(entry)
                names = [name for name in self._names(entry) if name not in taken]
                if cls is not None and names:
                    taken.update(names)
                    own = f"{kind}.{entry.distribution}/{entry.name}"
                    choices.append(self._choice(place, own, names, cls, beside))
        self.definitions[place] = component(choices)

    def add_table(self, place: str, table: Mapping[str, type[Component]]) -> None:
        """Define what may stand in a place: the classes of a table that no plugin adds to."""
        choices = [
            self._choice(place, f"{place}.{name}", [name], cls, {}) for name, cls in table.items()
        ]
        self.definitions[place] = component(choices)

    def _class_of(self, entry: Entry) -> type[Component] | None:
        try:
            return self._registry.class_of(entry)
        except LossfwError:
            return None

    def _names(self, entry: Entry) -> list[str]:
        """Return every name that means a component, those with a distribution last.

        A name that two distributions offer means nothing without one of them.
        """
        known = entry.names
        if entry.state == "conflict":
            known = tuple(name for name in known if self._means_one(entry.kind, name))
        return [*known, *(f"{entry.distribution}/{name}" for name in entry.names)]

    def _means_one(self, kind: str, name: str) -> bool:
        try:
            self._registry.resolve(kind, name)
        except LossfwError:
            return False
        return True

    def _choice(
        self,
        place: str,
        own: str,
        names: Sequence[str],
        cls: type[Component],
        beside: Mapping[str, Schema],
    ) -> _Choice:
        if own not in self.definitions:
            self.definitions |= parameters(cls, own)
        described = self.definitions[own]
        pointer = _pointer(own)
        if place == "part":
            beside = {SCALE: tidy(_FACTOR)} if takes_factor(cls) else {}
        fields = described.get("properties", {})
        refs = {key: {"$ref": f"{pointer}/properties/{key}"} for key in fields}
        schema: Schema = {
            "description": described["description"],
            "properties": {"name": {}, **refs, **beside},
            "required": ["name", *described.get("required", [])],
            "additionalProperties": False,
        }
        return _Choice(names, schema, cls.summary())


class _Choice:
    """One component in one place."""

    def __init__(self, names: Sequence[str], schema: Schema, summary: str) -> None:
        self.names, self.schema, self.summary = names, schema, summary

    @property
    def alone(self) -> bool:
        """Whether the name is enough."""
        return len(self.schema["required"]) == 1


def component(choices: Sequence[_Choice]) -> Schema:
    """Return the schema of a place: a name, or a mapping with a name and its parameters.

    Conditions and no alternatives, so that a mistake in a parameter is told as
    such and not as "none of 60 alternatives".
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
    alone = _name([choice for choice in choices if choice.alone])
    # What editors offer they look for here, and not in conditions.
    return {"if": {"type": "object"}, "then": mapping, "else": alone, "examples": alone["examples"]}


def _name(choices: Sequence[_Choice]) -> Schema:
    """Return the schema of a name."""
    offered = [name for choice in choices for name in choice.names if "/" not in name]
    return {**or_environment(_enumeration(choices)), "examples": offered}


def _enumeration(choices: Iterable[_Choice]) -> Schema:
    pairs = [(name, choice.summary) for choice in choices for name in choice.names]
    plain = {name: summary for name, summary in pairs if "/" not in name}
    names: Schema = {"enum": list(plain), "enumDescriptions": list(plain.values())}
    long = [name for name, _ in pairs if "/" in name]
    if not long:
        return names if plain else _NOTHING
    # The longer names are known, and not offered.
    return {
        "if": {"type": "string", "pattern": "/"},
        "then": {"enum": long},
        "else": names if plain else _NOTHING,
    }


# An enumeration has at least one item.
_NOTHING: Schema = {"not": {}}


def or_environment(schema: Schema) -> Schema:
    """Return a schema that takes ``${env:NAME}`` as well."""
    return {"if": _IS_FROM_ENVIRONMENT, "then": {}, "else": schema}


def _pointer(name: str) -> str:
    """Return the reference to a definition; a slash in a name is written in its own way."""
    return f"#/definitions/{name.replace('/', '~1')}"


def parameters(cls: type[Component], own: str) -> dict[str, Schema]:
    """Return the schema of a component's parameters, with what its docstring says of each.

    Parameters
    ----------
    cls : type
        The component's class.
    own : str
        What the definition is called.

    Returns
    -------
    dict
        The definition; and those of the types that it uses, each under a name of its own.
    """
    template = f"{_pointer(own)}.{{model}}"
    made = cls.model_json_schema(schema_generator=_Lenient, ref_template=template)
    meanings = _meanings(cls)
    parts = nested_parameters(cls)
    properties = {}
    for key, schema in made.get("properties", {}).items():
        clean = with_parts(tidy(schema)) if key in parts else tidy(schema)
        words = meanings.get(key, "")
        properties[key] = _described(clean, words) if words else clean
    described: Schema = {
        "description": "\n\n".join(paragraphs(sections(cls.__doc__)[""])),
        "properties": properties,
    }
    if "required" in made:
        described["required"] = made["required"]
    used = {f"{own}.{name}": tidy(schema) for name, schema in made.get("$defs", {}).items()}
    return {own: described, **used}


def _meanings(cls: type[Component]) -> dict[str, str]:
    """Return what the docstrings of a class and of its bases say of parameters."""
    found: dict[str, str] = {}
    # The class itself has the last word.
    for base in reversed(cls.__mro__[:-1]):
        text = sections(base.__doc__)
        for title in _TITLES:
            said = entries(text.get(title, ""))
            found |= {key: words for key, words in said.items() if words}
    return found


def _described(schema: Schema, words: str) -> Schema:
    # Beside a reference nothing else would be read.
    return {"description": words, **({"allOf": [schema]} if "$ref" in schema else schema)}


_TITLES = ("Parameters", "Attributes")


class _Lenient(GenerateJsonSchema):
    """Takes a type that has no JSON schema for one that may be anything."""

    def handle_invalid_for_json_schema(self, schema: Any, error_info: str) -> Any:
        """Return the schema of anything."""
        return {}


def tidy(schema: Schema) -> Schema:
    """Return a schema in draft 7, without noise, whose scalars may come from the environment."""
    clean = {key: _each(key, value, tidy) for key, value in schema.items() if key not in _NOISE}
    if "prefixItems" in clean:
        clean["items"] = clean.pop("prefixItems")
    if "enum" in clean or "const" in clean or clean.get("type") in _SCALARS:
        beside: Schema = {k: clean.pop(k) for k in ("default", "description") if k in clean}
        return {**beside, **or_environment(clean)}
    return clean


def _each(key: str, value: Any, change: Callable[[Schema], Schema]) -> Any:
    """Apply a change to the schemas in the value of a keyword."""
    if key in _DATA:
        return value
    if key == "properties":
        return {name: change(schema) for name, schema in value.items()}
    if isinstance(value, dict):
        return change(value)
    if isinstance(value, list):
        return [change(item) if isinstance(item, dict) else item for item in value]
    return value


def with_parts(schema: Schema) -> Schema:
    """Return the schema of a parameter in which losses are described in full."""
    kinds = [item.get("type") for item in schema.get("anyOf", ())]
    if kinds == ["string", "object"]:
        return {"description": schema.get("description", ""), "allOf": [_PART]}
    return {key: _each(key, value, with_parts) for key, value in schema.items()}


_PART: Schema = {"$ref": "#/definitions/part"}
