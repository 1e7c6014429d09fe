"""Environment variables in a configuration, wherever it has ``${env:NAME}``."""

from __future__ import annotations

import os
import re

import yaml

from lossfw.components.naming import nearest_name
from lossfw.config.text.tree import Node, Problems, quote
from lossfw.config.text.yaml import FORBIDDEN, CoreLoader, read_scalar

# With this a text may name a variable; a text without it is looked at no further.
MARK = "${env:"

_VARIABLE = re.compile(r"\$\{env:(?P<name>[^}]*)\}")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def fill_variables(node: Node, problems: Problems) -> Node:
    """Return a tree in which environment variables replace their names.

    Notes
    -----
    A value that is only ``${env:NAME}`` is parsed as an unquoted YAML scalar, so it can be a
    number. Within a longer string the variable is a string. Keys and overrides are unchanged, and
    values of variables are not expanded again.
    """
    if isinstance(node.value, dict):
        items = {key: fill_variables(child, problems) for key, child in node.value.items()}
        return Node(items, node.at, node.keys)
    if isinstance(node.value, list):
        return Node([fill_variables(child, problems) for child in node.value], node.at)
    if isinstance(node.value, str) and MARK in node.value and node.at.origin.numbered:
        return Node(_replace_variables(node, problems), node.at)
    return node


def _replace_variables(node: Node, problems: Problems) -> object:
    """Return the value of a text; the text itself where a variable cannot be used."""
    text: str = node.value
    matches = list(_VARIABLE.finditer(text))
    if len(matches) < text.count(MARK):
        problems.add_unknown(node.at, f"{quote(text)} has a '{MARK}' without its '}}'")
        return text
    values = [_read_variable(match["name"], node, problems) for match in matches]
    if None in values:
        return text
    if matches[0].span() == (0, len(text)):
        return _parse_scalar(str(values[0]), node, problems)
    replaced = iter(values)
    return _VARIABLE.sub(lambda _: str(next(replaced)), text)


def _read_variable(name: str, node: Node, problems: Problems) -> str | None:
    """Return the value of a variable, None where it cannot be used."""
    if not _NAME.fullmatch(name):
        hint = f"write {MARK}NAME}}, with letters, digits and underscores"
        problems.add_unknown(node.at, f"{quote(name)} is not the name of a variable", hint)
        return None
    value = os.environ.get(name)
    if value is None:
        match = nearest_name(name, os.environ)
        hint = f"did you mean {match!r}?" if match else "set it, or write the value here"
        problems.add_unknown(node.at, f"the environment variable {quote(name)} is not set", hint)
    elif FORBIDDEN.search(value):
        problems.add_unknown(node.at, f"the environment variable {quote(name)} is not valid text")
        return None
    return value


def _parse_scalar(text: str, node: Node, problems: Problems) -> object:
    """Return the value of a text that stands alone in YAML."""
    loader = CoreLoader("")
    try:
        return read_scalar(loader, yaml.ScalarEvent(None, None, (True, False), text))
    except ValueError as error:
        problems.add_unknown(node.at, f"{quote(text)} {error}")
        return text
    finally:
        loader.dispose()
