"""Import the class of an entry, and check it."""

from __future__ import annotations

from typing import Any

from lossfw.components.component import Component
from lossfw.components.hookspecs import HOOKS
from lossfw.components.registry.faults import fault_of
from lossfw.components.registry.load import import_object
from lossfw.components.registry.messages import noun
from lossfw.components.registry.records import Entry
from lossfw.components.registry.traceback_summary import explain
from lossfw.errors import BrokenPluginError


def class_of(entry: Entry) -> type[Component]:
    """Return the class of an entry."""
    given = entry.target
    shown = repr(given) if isinstance(given, str) else f"the class {given.__qualname__}"
    offered = f"Plugin {entry.plugin} offers the {noun(entry.kind)} {entry.name!r} as {shown}"
    cls = _imported(given, offered) if isinstance(given, str) else given
    fault = fault_of(cls) or _mismatch(cls, entry)
    if fault:
        raise BrokenPluginError(f"{offered}, which {fault}")
    checked: type[Component] = cls
    return checked


def _imported(target: str, offered: str) -> Any:
    try:
        return import_object(target)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        # Also SystemExit, as when a plugin is loaded.
        package = target.partition(":")[0].partition(".")[0]
        reason = explain(error, package=package)
        raise BrokenPluginError(f"{offered}, which cannot be imported: {reason}") from error


def _mismatch(cls: type[Component], entry: Entry) -> str:
    """Return why a class does not match its entry, or an empty text."""
    if cls.kind != entry.kind:
        article = "an" if noun(cls.kind)[0] in "aeiou" else "a"
        return f"is {article} {noun(cls.kind)}: offer it through {HOOKS[cls.kind]}"
    if cls.name != entry.name:
        return (
            f"calls itself {cls.name!r}: offer it as {cls.name!r}, or set "
            f"`name = {entry.name!r}` in the class"
        )
    return ""
