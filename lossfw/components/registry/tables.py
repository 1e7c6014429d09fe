"""Check the table that a hook returns, from names to classes, strings and aliases."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from lossfw.components.hookspecs import HOOKS
from lossfw.components.naming import did_you_mean
from lossfw.components.registry.records import Entry, PluginMetadata
from lossfw.errors import BrokenPluginError

# No "/", which separates a distribution from a name, and no ":", which separates a module
# from a class.
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
_TARGET = re.compile(r"[\w.]+:[\w.]+")


def entries_in(table: object, kind: str, plugin: PluginMetadata) -> tuple[Entry, ...]:
    """Return the components that a hook offers, with their aliases."""
    hook = HOOKS[kind]
    if not isinstance(table, Mapping):
        raise BrokenPluginError(
            f"{hook} should return a mapping such as {{'name': 'module:Class'}}, "
            f"got {type(table).__name__}: {_short_repr(table)}"
        )
    for name, target in table.items():
        _check_item(name, target, hook)
    targets = {name: target for name, target in table.items() if not _is_alias(target)}
    aliases = {name: _resolve_alias(name, table, hook) for name in table if name not in targets}
    return tuple(
        Entry(
            kind,
            name,
            tuple(sorted(a for a, canonical in aliases.items() if canonical == name)),
            target,
            plugin,
        )
        for name, target in sorted(targets.items())
    )


def _check_item(name: object, target: object, hook: str) -> None:
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise BrokenPluginError(
            f"{hook} offers the name {name!r}: a name consists of letters, digits, '_', '-' and "
            "'.', and begins with a letter"
        )
    if not isinstance(target, str | type):
        raise BrokenPluginError(
            f"{hook} offers {name!r} as {_short_repr(target)}: offer a class (not an object of "
            "it), 'module:Class', or another name of the same mapping"
        )
    if isinstance(target, str) and ":" in target and not _TARGET.fullmatch(target):
        raise BrokenPluginError(f"{hook} offers {name!r} as {target!r}: write 'module:Class'")


def _is_alias(target: object) -> bool:
    return isinstance(target, str) and ":" not in target


def _resolve_alias(name: str, table: Mapping[str, str | type], hook: str) -> str:
    """Return the canonical name of an alias."""
    path = [name]
    while _is_alias(table[path[-1]]):
        following = str(table[path[-1]])
        if following not in table:
            raise BrokenPluginError(
                f"{hook} offers {path[-1]!r} as an alias of {following!r}, which it does not "
                f"offer. {did_you_mean(following, table)}".rstrip()
            )
        if following in path:
            circle = " -> ".join([*path, following])
            raise BrokenPluginError(f"{hook} offers aliases in a circle: {circle}")
        path.append(following)
    return path[-1]


def _short_repr(value: object) -> str:
    """Return a repr that fits a line."""
    text = " ".join(repr(value).split())
    # A plugin may return an enormous value; this is enough to recognise it.
    return text if len(text) <= 80 else text[:77] + "..."


def names_of(entries: Iterable[Entry]) -> list[str]:
    """Return the names and aliases of entries, sorted."""
    return sorted({name for entry in entries for name in entry.names})
