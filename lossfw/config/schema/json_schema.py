"""The JSON schema of a configuration, with everything that is installed, for editors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lossfw.components.registry import Registry
from lossfw.config.schema.descriptions import DESCRIPTIONS
from lossfw.config.schema.json_components import FUSE, Known, Schema, or_environment, tidy
from lossfw.config.schema.sections import MAX_RUNS, SCHEMA_VERSION, Section, Skeleton
from lossfw.evaluation.slices import BY
from lossfw.nn.initializers import INITIALS
from lossfw.nn.schedules import SCHEDULES

# yaml-language-server and check-jsonschema both know it whole.
DRAFT = "http://json-schema.org/draft-07/schema#"

# By section and key, the place of components that may stand there.
_PLACES = {
    ("Skeleton", "data"): "source",
    ("Skeleton", "loss"): "loss",
    ("Layer", "activation"): "activation",
    ("EvaluateSection", "metrics"): "metric",
    ("HoldOut", "data"): "source",
    ("TrainSection", "optimizer"): "optimizer",
    ("TrainSection", "schedule"): "schedule",
    ("TrainSection", "initial"): "initial",
    ("SensitivitySection", "instead"): "activation",
}
_SPECS = ("#/definitions/Spec", "#/definitions/LossSpec")
_PARTIAL = "partial."
# Lists replace what a file extends, so that what is in them is whole.
_WHOLE = ("Layer", "SliceSection")

_BY: Schema = {"enum": list(BY), "enumDescriptions": list(BY.values())}
# What pydantic's validators take and its schema does not say.
_SPECIAL: Mapping[tuple[str, str], Schema] = {
    ("Skeleton", "lossfw"): {"const": SCHEMA_VERSION},
    ("NetworkSection", "predictions"): {"type": ["string", "array", "null"], "minItems": 1},
    ("NetworkSection", "logits"): {"type": ["string", "array", "null"], "minItems": 1},
    ("SliceSection", "by"): or_environment(_BY),
    ("SweepSection", "seeds"): {
        "type": ["integer", "array", "null"],
        "minimum": 1,
        "maximum": MAX_RUNS,
        "items": {"type": "integer", "minimum": 0},
        "minItems": 1,
    },
}


def json_schema(registry: Registry) -> Schema:
    """Return the JSON schema (draft 7) of a configuration.

    Parameters
    ----------
    registry : Registry
        The components that it knows, with their parameters and docstrings.

    Notes
    -----
    A file that extends another, or has a sweep, need not be whole: what it
    lacks may come from elsewhere, and ``null`` takes away what it extends.
    Whether the parts fit each other is for ``lossfw validate`` to say.
    """
    known = Known(registry)
    known.add_kind("source", ["source"], {})
    known.add_kind("loss", ["loss"], {"fuse": tidy(FUSE)})
    known.add_kind("part", ["loss"], {})
    known.add_kind("activation", ["activation"], {})
    known.add_kind("metric", ["metric", "loss"], {})
    known.add_kind("optimizer", ["optimizer"], {})
    for place, table in (("schedule", SCHEDULES), ("initial", INITIALS)):
        known.add_table(place, table)
    sections = _sections()
    partial = {f"{_PARTIAL}{name}": _partial(schema) for name, schema in sections.items()}
    whole = _ref("Skeleton")
    return {
        "$schema": DRAFT,
        "title": "A configuration of lossfw",
        "type": "object",
        "if": {"anyOf": [{"required": ["extends"]}, {"required": ["sweep"]}]},
        "then": _ref(f"{_PARTIAL}Skeleton"),
        "else": {"allOf": [whole, _network_rules()]},
        "definitions": {**known.definitions, **sections, **partial},
    }


def _ref(name: str) -> Schema:
    return {"$ref": f"#/definitions/{name}"}


def _sections() -> dict[str, Schema]:
    """Return the schema of each section by the name of its class."""
    made = Skeleton.model_json_schema(ref_template="#/definitions/{model}")
    classes = {**made.pop("$defs"), "Skeleton": made}
    specs = [name.rpartition("/")[2] for name in _SPECS]
    return {name: _section(name, raw) for name, raw in classes.items() if name not in specs}


def _section(name: str, raw: Mapping[str, Any]) -> Schema:
    properties = {}
    for key, schema in raw["properties"].items():
        clean = dict(_SPECIAL.get((name, key)) or tidy(schema))
        place = _PLACES.get((name, key))
        if place is not None:
            clean = _placed(clean, place)
        if name == "EvaluateSection" and key == "slices":
            clean["items"] = {"if": {"type": "string"}, "then": _BY, "else": clean["items"]}
        words = DESCRIPTIONS[name][key]
        # Beside a reference nothing else would be read.
        if "$ref" in clean:
            clean = {"allOf": [clean]}
        properties[key] = {"description": words, **clean}
    section: Schema = {"type": "object", "properties": properties, "additionalProperties": False}
    if "required" in raw:
        section["required"] = raw["required"]
    return section


def _placed(schema: Any, place: str) -> Any:
    """Return a schema in which a component is one that may stand in a place."""
    if isinstance(schema, dict):
        if schema.get("$ref") in _SPECS:
            return _ref(place)
        # The schema's default is an object that stands for a name.
        return {k: _placed(v, place) for k, v in schema.items() if k != "default"}
    return [_placed(item, place) for item in schema] if isinstance(schema, list) else schema


def _partial(section: Schema) -> Schema:
    """Return the schema of a section of which the rest stands in another file."""
    properties = {}
    for key, schema in section["properties"].items():
        inner = _to_partial({k: v for k, v in schema.items() if k != "description"})
        taken = {"if": {"anyOf": [{"type": "null"}, _NAMELESS]}, "then": {}, "else": inner}
        properties[key] = {
            "description": schema["description"],
            **(
                taken
                if _is_component(schema)
                else {"if": {"type": "null"}, "then": {}, "else": inner}
            ),
        }
    return {"type": "object", "properties": properties, "additionalProperties": False}


# Parameters for a component that another file names.
_NAMELESS: Schema = {"type": "object", "not": {"required": ["name"]}}


def _is_component(schema: Schema) -> bool:
    places = {f"#/definitions/{place}" for place in _PLACES.values()}
    inside = [schema, *schema.get("allOf", ()), *schema.get("anyOf", ())]
    return any(one.get("$ref") in places for one in inside)


def _to_partial(schema: Any) -> Any:
    """Return a schema whose sections need not be whole; those in lists are."""
    if isinstance(schema, dict):
        name = str(schema.get("$ref", "")).rpartition("/")[2]
        if name in DESCRIPTIONS and name not in _WHOLE:
            return _ref(f"{_PARTIAL}{name}")
        return {key: _to_partial(value) for key, value in schema.items()}
    return [_to_partial(item) for item in schema] if isinstance(schema, list) else schema


def _network_rules() -> Schema:
    """Return that a network is layers with weights, or predictions, or logits."""
    forms = [{"required": [key]} for key in ("layers", "predictions", "logits")]
    alone = {"not": {"anyOf": [{"required": ["weights"]}, {"required": ["dtype"]}]}}
    network: Schema = {
        "oneOf": forms,
        "if": {"required": ["layers"]},
        "then": {},
        "else": alone,
    }
    weights = {"properties": {"network": {"dependencies": {"layers": ["weights"]}}}}
    return {
        "properties": {"network": network},
        "if": {"required": ["train"]},
        "then": {},
        "else": weights,
    }


def undescribed() -> list[str]:
    """Return the keys of sections that have no description.

    Examples
    --------
    >>> undescribed()
    []
    """
    classes: list[type[Section]] = [Skeleton, *_inside(Skeleton)]
    return [
        f"{cls.__name__}.{key}"
        for cls in classes
        for key in cls.model_fields
        if not DESCRIPTIONS.get(cls.__name__, {}).get(key)
    ]


def _inside(cls: type[Section]) -> list[type[Section]]:
    from lossfw.config.schema.sections import SECTIONS

    return [section for section in SECTIONS.values() if section is not cls]
