"""What pydantic finds, in the words of a configuration and at its place."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from lossfw.config.text.tree import Node, Problems, dotted, quote
from lossfw.errors import LossfwError

# What pydantic calls a kind of mistake, and what the value should have been.
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
    "string_too_long": "a text of at most {max_length} characters",
    "string_too_short": "a text that is not empty",
    "string_type": "a text",
    "too_long": "a list of at most {max_length} items",
    "too_short": "a list that is not empty",
    "tuple_type": "a list",
    "greater_than": "greater than {gt}",
    "greater_than_equal": "at least {ge}",
    "less_than": "less than {lt}",
    "less_than_equal": "at most {le}",
    "literal_error": "{expected}",
}
# What YAML 1.1 took for true and false.
_SPOKEN = ("yes", "no", "on", "off", "y", "n")

# How a validator of nested lists names an entry: [0][12].
_INDEX = re.compile(r"(?:\[\d{1,9}\])+")

# The form in which `lossfw.components.naming.did_you_mean` guesses.
_GUESS = re.compile(r" Did you mean ('[^']*')\?")


def add_problem(
    problems: Problems,
    root: Node,
    item: Mapping[str, Any],
    *,
    within: Sequence[str | int] = (),
    hint: str = "",
    owner: str = "",
) -> None:
    """Record one entry of a pydantic error at the place that it is about.

    Parameters
    ----------
    problems : Problems
        Receives it.
    root : Node
        The configuration.
    item : mapping
        An entry of ``ValidationError.errors()``.
    within : sequence of str or int
        The path to what was checked; the entry's own location goes on from it.
    hint : str
        How to mend it.
    owner : str
        The component whose parameters were checked, if it is one.
    """
    path = [*within, *item["loc"]]
    if item["type"] == "bool_type" and str(item["input"]).lower() in _SPOKEN:
        hint = f"write true or false; in YAML 1.2 {item['input']} is a text"
    if item["type"] == "value_error":
        path += indices_in(item["msg"])
    about_key = item["type"] in ("extra_forbidden", "missing")
    place = root.locate(path, key=about_key)
    problems.add(place, _what(item, [*within, *item["loc"]], owner), hint)


def wanted(item: Mapping[str, Any]) -> str:
    """Return what a value should have been, as the end of a sentence.

    Examples
    --------
    >>> wanted({"type": "greater_than", "ctx": {"gt": 0}, "msg": "Input should be greater than 0"})
    'greater than 0'
    """
    if item["type"] in _WANTED:
        return _WANTED[item["type"]].format(**_whole(item.get("ctx", {})))
    message: str = item["msg"]
    for start in ("Input should be ", "Value error, "):
        message = message.removeprefix(start)
    return message


def _whole(context: Mapping[str, Any]) -> dict[str, Any]:
    """Write the bound 0.0 as 0, as anyone would in YAML."""
    return {
        key: int(value) if isinstance(value, float) and value.is_integer() else value
        for key, value in context.items()
    }


def _what(item: Mapping[str, Any], path: Sequence[str | int], owner: str) -> str:
    key = dotted(path)
    if item["type"] == "extra_forbidden":
        return (
            f"{owner} has no parameter {quote(path[-1])}" if owner else f"unknown key {quote(key)}"
        )
    if item["type"] == "missing":
        return f"{owner} needs the parameter {quote(path[-1])}" if owner else f"{key} is missing"
    if isinstance(item.get("ctx", {}).get("error"), LossfwError):
        return f"{key}: {item['ctx']['error']}".removesuffix(".")
    # What a validator says of a list names the entry that is wrong.
    told = item["type"] == "value_error" and isinstance(item["input"], list | tuple | dict)
    got = "" if told else f", got {quote(item['input'])}"
    return f"{key} should be {wanted(item)}{got}"


def indices_in(message: str) -> list[int]:
    """Return the first index that a message names, as steps of a path.

    Examples
    --------
    >>> indices_in("numbers, in lists or alone, but [0][12] is 'x'")
    [0, 12]
    """
    named = _INDEX.search(message)
    return [int(step) for step in re.findall(r"\d+", named[0])] if named else []


def split_hint(message: str) -> tuple[str, str]:
    """Take the guess out of a message, as its hint.

    Examples
    --------
    >>> split_hint("There is no loss 'hubber'. Did you mean 'huber'? 12 losses are known.")
    ("There is no loss 'hubber'. 12 losses are known.", "did you mean 'huber'?")
    """
    guess = _GUESS.search(message)
    if guess is None:
        return message, ""
    return message.replace(guess[0], ""), f"did you mean {guess[1]}?"
