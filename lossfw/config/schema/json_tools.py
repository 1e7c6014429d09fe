"""Pydantic's JSON schemas in the form that editors understand: draft 7, variables allowed."""

from __future__ import annotations

from typing import Any, TypeAlias

Schema: TypeAlias = dict[str, Any]

_IS_VARIABLE: Schema = {"type": "string", "pattern": r"^\$\{env:[A-Za-z_][A-Za-z0-9_]*\}$"}
_SCALARS = ("number", "integer", "boolean")
# Keywords that pydantic adds and editors do not need.
_NOISE = ("title", "format")
# Keywords whose value is data, and no schema.
_DATA = ("default", "enum", "const", "examples", "required")


def ref(name: str) -> Schema:
    """Return a reference to a definition; a slash in its name is written in its own way."""
    return {"$ref": f"#/definitions/{name.replace('/', '~1')}"}


def or_variable(schema: Schema) -> Schema:
    """Return a schema that takes ``${env:NAME}`` as well."""
    return {"if": _IS_VARIABLE, "then": {}, "else": schema}


def tidy(schema: Any) -> Any:
    """Return a schema in draft 7, without noise, whose scalars may come from the environment."""
    if isinstance(schema, list):
        return [tidy(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    clean = {key: _tidied(key, value) for key, value in schema.items() if key not in _NOISE}
    if "prefixItems" in clean:
        clean["items"] = clean.pop("prefixItems")
    if "enum" in clean or "const" in clean or clean.get("type") in _SCALARS:
        beside: Schema = {k: clean.pop(k) for k in ("default", "description") if k in clean}
        return {**beside, **or_variable(clean)}
    return clean


def _tidied(key: str, value: Any) -> Any:
    if key == "properties":
        return {name: tidy(schema) for name, schema in value.items()}
    return value if key in _DATA else tidy(value)


def references(schema: Any) -> Any:
    """Return a schema in which ``component: KIND`` is a reference, and each stands alone."""
    if isinstance(schema, list):
        return [references(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if isinstance(schema.get("component"), str):
        # Its default is an object that stands for a name.
        return _described(ref(schema["component"]), schema)
    if "$ref" in schema:
        return _described({"$ref": schema["$ref"]}, schema)
    return {key: value if key in _DATA else references(value) for key, value in schema.items()}


def _described(reference: Schema, schema: Schema) -> Schema:
    """Return a reference with its description; beside the reference itself nothing is read."""
    if "description" not in schema:
        return reference
    return {"description": schema["description"], "allOf": [reference]}
