"""``extends: base.yaml``: merge a configuration over another one."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

from lossfw.config.text.environment import fill_variables
from lossfw.config.text.overrides import name_to_mapping, without_key
from lossfw.config.text.tree import Node, Problems, quote
from lossfw.errors import ConfigError

KEY = "extends"
# A longer chain than this is a mistake, and nobody could follow it.
MAX_CHAIN = 20

# Reads the file of a name and of a place in the order: its tree, or None.
Reader: TypeAlias = Callable[[str, int], Node | None]


def extend(root: Node, read: Reader, problems: Problems) -> Node:
    """Return a configuration merged over those that it extends."""
    layers, seen = [root], [_real_path(root)]
    while isinstance(layers[-1].value, dict) and KEY in layers[-1].value:
        name = fill_variables(layers[-1].value[KEY], problems)
        path = _extended_path(name, seen, problems)
        base = _read_base(name, path, read, len(layers), problems)
        layers[-1] = without_key(layers[-1], KEY)
        layers.append(base)
        seen.append(_real_path(base))
    merged = layers.pop()
    while layers:
        merged = merge_trees(merged, layers.pop())
    return merged


def _real_path(node: Node) -> str:
    """Return the real path of the file that a tree was read from."""
    origin = node.at.origin
    return os.path.realpath(origin.folder / Path(origin.label).name)


def _extended_path(name: Node, chain_so_far: list[str], problems: Problems) -> str:
    """Return the path of a file that is extended, as the user would write it."""
    # No name of a file has the character NUL.
    if not isinstance(name.value, str) or not name.value or "\0" in name.value:
        problems.add(name.at, f"{KEY} should be a file name, got {quote(name.to_plain())}")
        raise problems.error()
    path = os.path.normpath(Path(name.at.origin.label).parent / name.value)
    if os.path.realpath(path) in chain_so_far:
        chain = [*map(os.path.basename, chain_so_far), Path(path).name]
        problems.add(name.at, f"{KEY} is circular: {' -> '.join(chain)}")
        raise problems.error()
    if len(chain_so_far) > MAX_CHAIN:
        problems.add(name.at, f"more than {MAX_CHAIN} files extend one another")
        raise problems.error()
    return path


def _read_base(name: Node, path: str, read: Reader, rank: int, problems: Problems) -> Node:
    try:
        base = read(path, rank)
    except ConfigError as error:
        # The file itself: it is named where it is extended.
        for problem in error.problems:
            problems.add(name.at, f"{problem.where}: {problem.message}", problem.hint)
        raise problems.error() from None
    if base is None:
        raise problems.error()
    if not isinstance(base.value, dict):
        problems.add(
            base.at, "a configuration is a mapping", f"it is extended by {name.at.address}"
        )
        raise problems.error()
    return base


def merge_trees(base: Node, override: Node) -> Node:
    """Return one tree merged over another, without changing them.

    Mappings merge key by key; any other value replaces the one below it. There are two
    exceptions: a component with another name inherits no parameters, and ``null`` removes the
    value below it.
    """
    if isinstance(base.value, str) and isinstance(override.value, dict):
        base = name_to_mapping(base)
    if not (isinstance(base.value, dict) and isinstance(override.value, dict)):
        return override
    if _component_name(base) is not None and _component_name(override) not in (
        None,
        _component_name(base),
    ):
        return override
    items, keys = dict(base.value), dict(base.keys)
    for key, child in override.value.items():
        keys[key] = override.keys[key]
        if key not in items:
            items[key] = child
        elif child.value is None:
            del items[key], keys[key]
        else:
            items[key] = merge_trees(items[key], child)
    return Node(items, override.at, keys)


def _component_name(node: Node) -> object:
    """Return a component's name; None for any other mapping."""
    name = node.value.get("name")
    return None if name is None else name.value
