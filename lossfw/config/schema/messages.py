"""Pydantic's errors as mistakes of a configuration, each at its place."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from lossfw.components.parameter_errors import expected_text, lossfw_message
from lossfw.config.text.tree import Node, Problems, format_path, quote

# The words for true and false in YAML 1.1.
_SPOKEN = ("yes", "no", "on", "off", "y", "n")

# How a validator of nested lists names an entry: [0][12].
_INDEX = re.compile(r"(?:\[\d{1,9}\])+")

# The form in which `lossfw.components.naming.did_you_mean` guesses.
_GUESS = re.compile(r" Did you mean ('[^']*'(?: or '[^']*')*)\?")


def add_problem(
    problems: Problems,
    root: Node,
    item: Mapping[str, Any],
    *,
    base_path: Sequence[str | int] = (),
    hint: str = "",
    owner: str = "",
) -> None:
    """Record one entry of ``ValidationError.errors()`` at its place.

    `base_path` is the path from `root` to the checked value, and `owner` the component whose
    parameters were checked, if any.
    """
    path = [*base_path, *item["loc"]]
    if item["type"] == "bool_type" and str(item["input"]).lower() in _SPOKEN:
        hint = f"write true or false; in YAML 1.2 {item['input']} is a string"
    if item["type"] == "value_error":
        path += first_index_in(item["msg"])
    if item["type"] in ("list_type", "tuple_type") and isinstance(item["input"], str | dict):
        hint = hint or f"write {to_one_line([item['input']])}"
    about_key = item["type"] in ("extra_forbidden", "missing")
    place = root.locate(path, key=about_key)
    problems.add(place, _problem_text(item, [*base_path, *item["loc"]], owner), hint)


def to_one_line(value: Any) -> str:
    """Return a value as YAML in one line."""
    # Imported on use: a configuration without mistakes needs none of it.
    from lossfw.config.text.writing import format_in_one_line

    return format_in_one_line(value)


def _problem_text(item: Mapping[str, Any], path: Sequence[str | int], owner: str) -> str:
    key = format_path(path)
    if item["type"] == "extra_forbidden":
        return (
            f"{owner} has no parameter {quote(path[-1])}" if owner else f"unknown key {quote(key)}"
        )
    if item["type"] == "missing":
        return f"{owner} needs the parameter {quote(path[-1])}" if owner else f"{key} is missing"
    if lossfw_message(item):
        return f"{key}: {lossfw_message(item)}".removesuffix(".")
    # A validator of a list names the entry that is wrong.
    told = item["type"] == "value_error" and isinstance(item["input"], list | tuple | dict)
    got = "" if told else f", got {quote(item['input'])}"
    return f"{key} should be {expected_text(item)}{got}"


def first_index_in(message: str) -> list[int]:
    """Return the first index that a message names, as steps of a path.

    Examples
    --------
    >>> first_index_in("numbers, in lists or alone, but [0][12] is 'x'")
    [0, 12]
    """
    named = _INDEX.search(message)
    return [int(step) for step in re.findall(r"\d+", named[0])] if named else []


def split_hint(message: str) -> tuple[str, str]:
    """Split a message into text and hint.

    Examples
    --------
    >>> split_hint("There is no loss 'hubber'. Did you mean 'huber'? 12 losses are known.")
    ("There is no loss 'hubber'. 12 losses are known.", "did you mean 'huber'?")
    """
    guess = _GUESS.search(message)
    if guess is None:
        return message, ""
    return message.replace(guess[0], ""), f"did you mean {guess[1]}?"
