"""Overrides: ``-o KEY=VALUE`` changes a configuration before it is checked.

``-o KEY+=VALUE`` appends to a list, and ``-o KEY-`` removes a key or an item of a list.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from lossfw.components.naming import nearest_name
from lossfw.config.text.tree import Node, Origin, Position, Problems, format_path, quote, shorten
from lossfw.config.text.yaml import MAX_DEPTH, parse, split_lines

# Mistakes in overrides are reported after those of all files.
AFTER_FILES = 1_000

_OVERRIDE = re.compile(
    r"""\s* (?P<key> (?: "[^"]*" | [^"=] )*? ) \s*
    (?: (?P<mark> \+?= ) (?P<value> .* ) | (?P<gone> - ) \s* )""",
    re.S | re.X,
)
# A step of a path; one with dots in it stands in quotation marks.
_STEP = re.compile(r"""(?: "(?P<quoted>[^"]+)" | (?P<bare>[^".]+) ) (?P<end> \. | \Z )""", re.X)

# Several values, as Hydra writes a sweep: a comma between numbers or names, and nothing else.
_SEVERAL = re.compile(r"\s*[^\s,\[\]{}\"'#:]+(?:\s*,\s*[^\s,\[\]{}\"'#:]+)+\s*")

_ADVICE = (
    "for example: -o evaluate.batch_size=100, -o evaluate.metrics+=brier to add to a list, -o "
    "loss.delta- to remove a key"
)


class UnsettablePathError(Exception):
    """A path leads to a place that cannot have a value; `hint` says what to do."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class _Override(NamedTuple):
    """An override taken apart."""

    path: Sequence[str]
    written: str
    begin: int
    adds: bool = False
    removes: bool = False


def apply_overrides(root: Node, texts: Sequence[str], problems: Problems) -> Node:
    """Return a configuration with overrides applied; later ones win.

    An override is ``a.b.0.c=VALUE``: keys and list indices, and a value in YAML. A mapping or a
    list replaces the old value; a missing key is added. Below a component given as a bare name, the
    path leads to its parameters. ``a.b+=VALUE`` appends to a list, and ``a.b-`` removes a key or an
    item. A key with a dot is quoted: ``sweep.grid."loss.delta"=[1, 2]``.
    """
    for rank, text in enumerate(texts, start=AFTER_FILES):
        root = _apply_override(root, text, rank, problems)
    return root


def _apply_override(root: Node, text: str, rank: int, problems: Problems) -> Node:
    change = _parse_override(text)
    begin = 0 if change is None else change.begin
    label = f"-o {shorten(text)}"
    origin = Origin(label, Path.cwd(), split_lines(text), rank, numbered=False, shift=begin)
    at = Position(replace(origin, sweep=_sweep_hint(change)))
    if change is None:
        problems.add(at, "an override is KEY=VALUE", _ADVICE)
        return root
    if len(change.path) > MAX_DEPTH:
        steps = f"{len(change.path)} steps; a configuration has at most {MAX_DEPTH} levels"
        problems.add(at, f"the key has {steps}")
        return root
    if change.path[0] == "extends":
        hint = "pass the file that you want instead of this one"
        problems.add(at, "the key extends is read before any override", hint)
        return root
    try:
        if change.removes:
            return remove_value(root, change.path)
        mistakes = Problems()
        value = parse(change.written, at.origin, mistakes)
        problems.extend(mistakes)
        if mistakes:
            return root
        return with_value(root, change.path, value or Node(None, at), at, adds=change.adds)
    except UnsettablePathError as error:
        problems.add(at, str(error), error.hint)
        return root


def _sweep_hint(change: _Override | None) -> str:
    """Return a hint for values with commas between them, as other programs write a sweep."""
    if change is None or not _SEVERAL.fullmatch(change.written):
        return ""
    values = ", ".join(value.strip() for value in change.written.split(","))
    path = format_path(change.path)
    return f"several values are a sweep: -o 'sweep={{grid: {{{path}: [{values}]}}}}'"


def _parse_override(text: str) -> _Override | None:
    """Take an override apart; None where the text is none."""
    match = _OVERRIDE.fullmatch(text)
    path = None if match is None else split_path(match["key"])
    if match is None or path is None:
        return None
    if match["gone"]:
        return _Override(path, "", 0, removes=True)
    return _Override(path, match["value"], match.start("value"), adds=match["mark"] == "+=")


def split_path(text: str) -> tuple[str, ...] | None:
    """Return the steps of a dotted path; None if the string is not a path.

    Examples
    --------
    >>> split_path("network.layers.0.units"), split_path('sweep.grid."loss.delta"')
    (('network', 'layers', '0', 'units'), ('sweep', 'grid', 'loss.delta'))
    """
    steps = []
    begin = 0
    while begin < len(text):
        match = _STEP.match(text, begin)
        # A dot at the end has nothing after it.
        if match is None or (match["end"] and match.end() == len(text)):
            return None
        steps.append(match["quoted"] or match["bare"])
        begin = match.end()
    return tuple(steps) or None


def with_value(
    node: Node | None,
    path: Sequence[str],
    value: Node,
    position: Position,
    *,
    adds: bool = False,
    parent_path: Sequence[str] = (),
) -> Node:
    """Return a tree with a value at the end of a path, or appended to the list there if `adds`.

    New keys get the position `position`; `parent_path` is the path to `node`, for messages.
    """
    if not path:
        return _append_value(node, value, position, parent_path) if adds else value
    step, rest = path[0], path[1:]
    if node is None or node.value is None:
        node = Node({}, position)
    elif isinstance(node.value, str):
        node = name_to_mapping(node)
    below = [*parent_path, step]
    if isinstance(node.value, dict):
        child = with_value(
            node.value.get(step), rest, value, position, adds=adds, parent_path=below
        )
        stays = step in node.keys and (rest or adds)
        keys = node.keys if stays else {**node.keys, step: position}
        return Node({**node.value, step: child}, node.at, keys)
    if isinstance(node.value, list):
        index = _list_index(step, node.value, parent_path)
        changed = with_value(node.value[index], rest, value, position, adds=adds, parent_path=below)
        return Node([*node.value[:index], changed, *node.value[index + 1 :]], node.at)
    raise UnsettablePathError(
        f"{format_path(parent_path)} is {quote(node.value)}, which has no keys"
    )


def _append_value(
    node: Node | None, value: Node, position: Position, parent_path: Sequence[str]
) -> Node:
    """Return a list with a value at its end; a list of it where there was nothing."""
    if node is None or node.value is None:
        return Node([value], position)
    if not isinstance(node.value, list):
        text = quote(node.to_plain())
        raise UnsettablePathError(f"{format_path(parent_path)} is {text}; += appends to a list")
    return Node([*node.value, value], node.at)


def name_to_mapping(name: Node) -> Node:
    """Return the mapping that a component's bare name abbreviates."""
    return Node({"name": name}, name.at, {"name": name.at})


def remove_value(node: Node, path: Sequence[str], parent_path: Sequence[str] = ()) -> Node:
    """Return a tree without the key or the item at the end of a path."""
    step, rest = path[0], path[1:]
    below = [*parent_path, step]
    if isinstance(node.value, dict) and step in node.value:
        if rest:
            # In its old place among the keys.
            changed = remove_value(node.value[step], rest, below)
            return Node({**node.value, step: changed}, node.at, node.keys)
        return without_key(node, step)
    if isinstance(node.value, list):
        index = _list_index(step, node.value, parent_path)
        changed_items = [remove_value(node.value[index], rest, below)] if rest else []
        return Node([*node.value[:index], *changed_items, *node.value[index + 1 :]], node.at)
    known: Mapping[str, Node] = node.value if isinstance(node.value, dict) else {}
    match = nearest_name(step, known)
    hint = f"did you mean {format_path([*parent_path, match])}-?" if match else ""
    raise UnsettablePathError(f"there is no {format_path(below)} to remove", hint)


def without_key(node: Node, key: str) -> Node:
    """Return a mapping without a key."""
    items = {name: child for name, child in node.value.items() if name != key}
    return Node(items, node.at, {name: at for name, at in node.keys.items() if name != key})


def _list_index(step: str, items: list[Node], parent_path: Sequence[str]) -> int:
    if not step.isdecimal() or not step.isascii() or int(step[:10]) >= len(items):
        known = f"has the indices 0 to {len(items) - 1}" if items else "is an empty list"
        raise UnsettablePathError(f"{format_path(parent_path)} {known}, got {shorten(step)}")
    return int(step)
