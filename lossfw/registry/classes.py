"""From an entry to its class: imported on first use, and checked before it is."""

from __future__ import annotations

import inspect

from lossfw.component import Component
from lossfw.errors import BrokenPluginError
from lossfw.hookspecs import HOOKS
from lossfw.registry.explain import explain
from lossfw.registry.load import import_object
from lossfw.registry.records import Entry
from lossfw.registry.words import noun


def class_of(entry: Entry) -> type[Component]:
    """Return the class of an entry.

    Raises
    ------
    BrokenPluginError
        If it cannot be imported, or is not what its plugin says.
    """
    offered = f"plugin {entry.plugin} offers the {noun(entry.kind)} {entry.name!r} as "
    if isinstance(entry.target, type):
        cls: object = entry.target
        offered += entry.target.__qualname__
    else:
        cls = _imported(entry.target, f"{offered}{entry.target!r}")
        offered += repr(entry.target)
    fault = _fault(cls, entry)
    if fault:
        raise BrokenPluginError(f"{offered}, {fault}")
    assert isinstance(cls, type)
    return cls


def _imported(target: str, offered: str) -> object:
    try:
        return import_object(target)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        # Also SystemExit, as when a plugin is loaded.
        package = target.partition(":")[0].partition(".")[0]
        reason = explain(error, package=package)
        raise BrokenPluginError(f"{offered}, which cannot be imported: {reason}") from error


def _fault(cls: object, entry: Entry) -> str:
    """Say why `cls` cannot be used as `entry`, and how to mend it; empty if it can."""
    if not isinstance(cls, type):
        return f"which is a {type(cls).__name__} and not a class"
    if not issubclass(cls, Component):
        return f"which is no component: derive {cls.__name__} from a kind that lossfw exports"
    kind = getattr(cls, "kind", None)
    if kind not in HOOKS:
        return f"which has no kind: derive {cls.__name__} from Loss, Activation, Metric or Source"
    if kind != entry.kind:
        return f"which is a {noun(kind)}: offer it through {HOOKS[kind]}"
    if not cls.model_config.get("frozen") or cls.model_config.get("extra") != "forbid":
        return f"which can change or takes unknown parameters: keep the model_config of {kind}"
    if inspect.isabstract(cls):
        missing = ", ".join(sorted(cls.__abstractmethods__))
        return f"which is abstract: {cls.__name__} has to define {missing}"
    if cls.name != entry.name:
        return (
            f"but {cls.__name__}.name is {cls.name!r}: offer it as {cls.name!r}, or set "
            f"`name = {entry.name!r}` in the class"
        )
    return ""
