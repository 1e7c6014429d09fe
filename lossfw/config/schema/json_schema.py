"""The JSON schema of a configuration, with everything that is installed, for editors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lossfw.components.registry import Registry
from lossfw.config.schema.json_components import FUSE, Definitions
from lossfw.config.schema.json_tools import Schema, ref, references, tidy
from lossfw.config.schema.sections import SECTIONS, Skeleton
from lossfw.data.options import DataOptions
from lossfw.nn.initializers import INITIALS
from lossfw.nn.schedules import SCHEDULES

# yaml-language-server and check-jsonschema both know it whole.
DRAFT = "http://json-schema.org/draft-07/schema#"

_PARTIAL = "partial."
_SECTIONS = {section.__name__ for section in SECTIONS.values()}
# Parameters for a component that another file names.
_NAMELESS: Schema = {"type": "object", "not": {"required": ["name"]}}


def json_schema(registry: Registry) -> Schema:
    """Return the JSON schema (draft 7) of a configuration.

    Notes
    -----
    A file that extends another, or has a sweep, need not be whole: its missing
    keys may come from elsewhere, and ``null`` takes away a key of the file that
    it extends. Whether the parts fit each other is for ``lossfw validate`` to say.
    """
    known = Definitions(registry)
    beside = DataOptions.model_json_schema()["properties"]
    known.add_kind("source", ["source"], {key: tidy(value) for key, value in beside.items()})
    known.add_kind("loss", ["loss"], {"fuse": tidy(FUSE)})
    known.add_kind("part", ["loss"])
    known.add_kind("activation", ["activation"])
    known.add_kind("metric", ["metric", "loss"])
    known.add_kind("optimizer", ["optimizer"])
    known.add_table("schedule", SCHEDULES)
    known.add_table("initial", INITIALS)
    sections = _sections()
    partial = {f"{_PARTIAL}{name}": _partial(section) for name, section in sections.items()}
    return {
        "$schema": DRAFT,
        "title": "A configuration of lossfw",
        "type": "object",
        "if": {"anyOf": [{"required": ["extends"]}, {"required": ["sweep"]}]},
        "then": ref(f"{_PARTIAL}Skeleton"),
        "else": {"allOf": [ref("Skeleton"), _network_rules()]},
        "definitions": {**known.definitions, **sections, **partial},
    }


def _sections() -> dict[str, Schema]:
    """Return the schema of each section by the name of its class."""
    made = Skeleton.model_json_schema(ref_template="#/definitions/{model}")
    classes = {**made.pop("$defs"), "Skeleton": made}
    return {name: _section(raw) for name, raw in classes.items()}


def _section(raw: Mapping[str, Any]) -> Schema:
    properties = {key: references(tidy(schema)) for key, schema in raw["properties"].items()}
    required = {"required": raw["required"]} if "required" in raw else {}
    return {**_closed(properties), **required}


def _closed(properties: Mapping[str, Schema]) -> Schema:
    return {"type": "object", "properties": properties, "additionalProperties": False}


def _partial(section: Schema) -> Schema:
    """Return the schema of a section whose other keys stand in another file."""
    properties = {}
    for key, schema in section["properties"].items():
        inner = _to_partial({k: v for k, v in schema.items() if k != "description"})
        given = {"if": {"type": "null"}, "then": {}, "else": inner}
        properties[key] = {"description": schema["description"], **given}
    return _closed(properties)


def _to_partial(schema: Any) -> Any:
    """Return a schema in which sections and components need not be whole."""
    if isinstance(schema, list):
        return [_to_partial(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        if name in _SECTIONS:
            return ref(f"{_PARTIAL}{name}")
        return {"if": _NAMELESS, "then": {}, "else": schema}
    # A list replaces the one in the file that is extended, so its items are whole.
    return {k: v if k == "items" else _to_partial(v) for k, v in schema.items()}


def _network_rules() -> Schema:
    """Return that a network is layers with weights, or predictions, or logits."""
    forms = [{"required": [key]} for key in ("layers", "predictions", "logits")]
    alone = {"not": {"anyOf": [{"required": ["weights"]}, {"required": ["dtype"]}]}}
    network: Schema = {"oneOf": forms, "if": {"required": ["layers"]}, "then": {}, "else": alone}
    weights = {"properties": {"network": {"dependencies": {"layers": ["weights"]}}}}
    return {
        "properties": {"network": network},
        "if": {"required": ["train"]},
        "then": {},
        "else": weights,
    }
