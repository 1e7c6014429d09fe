"""Pydantic's errors as messages, for components from Python and from a configuration."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from lossfw.components.naming import did_you_mean
from lossfw.errors import LossfwError

# The wanted value, by pydantic's type of a mistake.
_WANTED = {
    "bool_type": "true or false",
    "dict_type": "a mapping",
    "finite_number": "a finite number",
    "float_type": "a number",
    "int_from_float": "a whole number",
    "int_type": "a whole number",
    "list_type": "a list",
    "model_attributes_type": "a mapping",
    "model_type": "a mapping",
    "string_too_long": "a string of at most {max_length} characters",
    "string_too_short": "a non-empty string",
    "string_type": "a text",
    "too_long": "a list of at most {max_length} items",
    "too_short": "a non-empty list",
    "tuple_type": "a list",
    "greater_than": "greater than {gt}",
    "greater_than_equal": "at least {ge}",
    "less_than": "less than {lt}",
    "less_than_equal": "at most {le}",
    "literal_error": "{expected}",
}


def expected_text(item: Mapping[str, Any]) -> str:
    """Return what an entry of ``ValidationError.errors()`` allows, as the end of a sentence.

    Examples
    --------
    >>> expected_text({"type": "greater_than", "ctx": {"gt": 0}, "msg": "Input should ..."})
    'greater than 0'
    """
    if item["type"] in _WANTED:
        return _WANTED[item["type"]].format(**_integral_floats_as_integers(item.get("ctx", {})))
    message: str = item["msg"]
    return message.removeprefix("Input should be ").removeprefix("Value error, ")


def lossfw_message(item: Mapping[str, Any]) -> str:
    """Return the message of an error of lossfw that a validator raised; empty for other errors."""
    error = item.get("ctx", {}).get("error")
    return str(error) if isinstance(error, LossfwError) else ""


def explain_parameters(owner: str, known: Sequence[str], error: ValidationError) -> str:
    """Return one line per wrong parameter of a class, with the given and the expected value."""
    items = error.errors(include_url=False)
    return "\n".join(_explain_item(owner, known, item) for item in items)


def _explain_item(owner: str, known: Sequence[str], item: Mapping[str, Any]) -> str:
    name = ".".join(str(part) for part in item["loc"]) or "parameters"
    if item["type"] == "extra_forbidden":
        guess = did_you_mean(name, known)
        has = f"It has: {', '.join(known) or 'none'}."
        return " ".join(filter(None, [f"{owner} has no parameter {name!r}.", guess, has]))
    if item["type"] == "missing":
        return f"{owner} needs the parameter {name!r}."
    if lossfw_message(item):
        return f"{owner}: {lossfw_message(item)}"
    return f"{owner}: {name} should be {expected_text(item)}, got {item['input']!r}."


def _integral_floats_as_integers(context: Mapping[str, Any]) -> dict[str, Any]:
    """Write the bound 0.0 as 0, as anyone would in YAML."""
    return {
        key: int(value) if isinstance(value, float) and value.is_integer() else value
        for key, value in context.items()
    }
