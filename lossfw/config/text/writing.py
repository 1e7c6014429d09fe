"""Values of a configuration as YAML text, which parses to the same values."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeAlias

import yaml

from lossfw.config.text.tree import Node
from lossfw.config.text.yaml import CoreLoader

# A list of numbers or words longer than this is written one item a line.
FLOW_WIDTH = 90
_INDENT = "  "

# Text that needs no quotation marks in any place, unless it reads as a number,
# as true, false or null.
_BARE = re.compile(r"[A-Za-z_/][\w./+-]*", re.ASCII)
_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}

# Returns the comment behind a value; empty for none.
Remark: TypeAlias = Callable[[Node], str]
# Defaults to be shown in a mapping as comments, by its path.
Unset: TypeAlias = Mapping[tuple[str | int, ...], Mapping[str, Any]]


def format_scalar(value: Any) -> str:
    r"""Return a number, a string, true, false or null as YAML.

    Examples
    --------
    >>> [format_scalar(v) for v in (1e-7, float("inf"), True, None, "huber", "1e-7", "no: way\n")]
    ['1e-07', '.inf', 'true', 'null', 'huber', '"1e-7"', '"no: way\\n"']
    """
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, float):
        if math.isnan(value):
            return ".nan"
        return repr(value).replace("inf", ".inf")
    if isinstance(value, str):
        bare = _BARE.fullmatch(value) is not None and _reads_as_text(value)
        return value if bare else f'"{"".join(map(_escape, value))}"'
    return str(value)


def _reads_as_text(text: str) -> bool:
    loader = CoreLoader("")
    try:
        tag: str = loader.resolve(yaml.ScalarNode, text, (True, False))
    finally:
        loader.dispose()
    return tag.endswith(":str")


def _escape(character: str) -> str:
    if character in _ESCAPES:
        return _ESCAPES[character]
    # A line separator is not printable.
    if character.isprintable():
        return character
    code = ord(character)
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def format_in_one_line(value: Any) -> str:
    """Return a plain value in one line.

    Examples
    --------
    >>> format_in_one_line({"name": "huber", "of": [1, 2.5, None]})
    '{name: huber, of: [1, 2.5, null]}'
    """
    if isinstance(value, dict):
        items = (f"{format_scalar(k)}: {format_in_one_line(v)}" for k, v in value.items())
        return f"{{{', '.join(items)}}}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(format_in_one_line, value))}]"
    return format_scalar(value)


def format_tree(root: Node, remark: Remark | None = None, unset: Unset | None = None) -> str:
    """Return a tree as YAML, one value per line, with remarks and unset defaults as comments.

    `remark` gives the comment after each value, and `unset` the defaults to show in a mapping,
    by its path.
    """
    lines = list(_mapping_lines(root, (), remark, unset or {}))
    width = max((len(text) for text, note in lines if note and len(text) <= FLOW_WIDTH), default=0)
    written = [f"{text:<{width}}  # {note}" if note else text for text, note in lines]
    return "".join(f"{line}\n" for line in written)


_Lines: TypeAlias = Iterator[tuple[str, str]]


def _mapping_lines(
    node: Node, path: tuple[str | int, ...], remark: Remark | None, unset: Unset
) -> _Lines:
    for key, child in node.value.items():
        yield from _entry_lines(f"{format_scalar(key)}:", child, (*path, key), remark, unset)
    for key, value in unset.get(path, {}).items():
        yield f"# {format_scalar(key)}: {format_in_one_line(value)}", "default"


def _entry_lines(
    prefix: str, node: Node, path: tuple[str | int, ...], remark: Remark | None, unset: Unset
) -> _Lines:
    """Yield the lines of a key and its value, in one line or in several."""
    if isinstance(node.value, dict) and (node.value or unset.get(path)):
        yield prefix, ""
        for text, note in _mapping_lines(node, path, remark, unset):
            yield _INDENT + text, note
    elif isinstance(node.value, list) and node.value and not _fits_in_one_line(node):
        yield prefix, ""
        for index, item in enumerate(node.value):
            yield from _item_lines(item, (*path, index), remark, unset)
    else:
        yield (
            f"{prefix} {format_in_one_line(node.to_plain())}",
            remark(node) if remark is not None else "",
        )


def _item_lines(
    node: Node, path: tuple[str | int, ...], remark: Remark | None, unset: Unset
) -> _Lines:
    if isinstance(node.value, dict) and node.value:
        lead = "- "
        for text, note in _mapping_lines(node, path, remark, unset):
            yield _INDENT + lead + text, note
            lead = _INDENT
    else:
        yield (
            f"{_INDENT}- {format_in_one_line(node.to_plain())}",
            remark(node) if remark is not None else "",
        )


def _fits_in_one_line(node: Node) -> bool:
    """Tell whether a list can stand in one line: of scalars, from one place."""
    if any(isinstance(item.value, dict | list) for item in node.value):
        return False
    same = all(item.at.origin is node.at.origin for item in node.value)
    return same and len(format_in_one_line(node.to_plain())) <= FLOW_WIDTH
